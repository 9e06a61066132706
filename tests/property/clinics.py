"""Random organisations, sessions and questions, built straight as model values.

Small, so that the naive reference answers in milliseconds, but with every feature of the clinic
file: shared and borrowed resources, rosters, absences, releases, quotas, `together`, preparations,
clock changes, four zones and four cell sizes. Everything is drawn by Hypothesis and shrinks.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from timevalg.model.clinic import Clinic, Closure, Organisation
from timevalg.model.pool import Pool, Quota
from timevalg.model.resource import Absence, Kind, Resource
from timevalg.model.roster import Hours, Opening, WorkingHours
from timevalg.model.service import PreparationRule, Role, Service, Together
from timevalg.model.session import Session, SessionKind
from timevalg.model.task import Task
from timevalg.model.text import Text
from timevalg.model.time import Span
from timevalg.solver.ask import Ask

T = TypeVar("T")

DAY = timedelta(days=1)
NIGHTS = {
    "Europe/Oslo": (date(2027, 3, 28), date(2027, 10, 31), date(2027, 1, 13)),
    "America/New_York": (date(2027, 3, 14), date(2027, 11, 7), date(2027, 6, 9)),
    "Asia/Kathmandu": (date(2027, 2, 3),),
    "Australia/Lord_Howe": (date(2027, 4, 4), date(2027, 10, 3)),
}
"""Zones with the dates on which their clocks change, or any date."""

_numbers = functools.cache(st.integers)  # of which a world has some 300


@dataclass(frozen=True)
class World:
    """An organisation with sessions and questions about them."""

    organisation: Organisation
    sessions: tuple[Session, ...]
    asks: tuple[Ask, ...]


class Maker:
    """Draws the parts of one world; a wide one has many roles, copies and resources."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any], wide: bool = False) -> None:
        self._draw, self.wide = draw, wide
        self.zone_name = self.pick(list(NIGHTS))
        self.zone = ZoneInfo(self.zone_name)
        self.cell = self.pick([15, 10, 5, 1])
        night = self.pick(NIGHTS[self.zone_name])
        self.today = night - self.upto(3) * DAY
        minute = self.upto(23) * 60 + self.pick([0, 0, 7, 30])
        self.now = datetime(
            self.today.year, self.today.month, self.today.day, tzinfo=self.zone
        ).astimezone(UTC) + timedelta(minutes=minute)

    # -- drawing -----------------------------------------------------------------------------

    def pick(self, options: Sequence[T]) -> T:
        return options[self.upto(len(options) - 1)]

    def upto(self, most: int) -> int:
        return self._draw(_numbers(0, most))

    def one_in(self, count: int) -> bool:
        """True once in `count`; shrinks to False."""
        return self.upto(count - 1) == count - 1

    def some(self, options: Sequence[T], least: int = 0) -> list[T]:
        mask = self.upto(2 ** len(options) - 1)
        chosen = [o for i, o in enumerate(options) if mask >> i & 1]
        return chosen if len(chosen) >= least else list(options[:least])

    def lasting(self, least: int, most: int) -> int:
        """A length in minutes, a multiple of the cell."""
        cells = max(1, -(-least // self.cell)), max(1, most // self.cell)
        return self.cell * self._draw(_numbers(*cells))

    def wall(self) -> tuple[int, int]:
        """Hours of the day; often all of it, or across the changing hour."""
        whole = [(0, 1440), (0, 960), (0, 1440), (60, 210), (420, 1440), (0, 240), (120, 720)]
        start, end = self.pick(whole)
        if self.one_in(3):
            start += self.cell * self.upto(5)
            end -= self.cell * self.upto(5)
        return start, max(end, start + self.cell)

    def recurring(self) -> dict[str, Any]:
        start, end = self.wall()
        out: dict[str, Any] = {"start": start, "end": end}
        if self.one_in(4):
            out["days"] = frozenset(self.some(range(7), 3))
        if self.one_in(6):
            of = 2 + self.upto(1)
            out |= {
                "of": of,
                "weeks": frozenset(self.some(range(1, of + 1), 1)),
                "since": self.today + (self.upto(40) - 20) * DAY,
            }
        if self.one_in(8):
            out["valid_from"] = self.today + self.upto(3) * DAY
        if self.one_in(8):
            out["valid_to"] = self.today + (1 + self.upto(5)) * DAY
        return out

    def moment(self) -> datetime:
        """An instant near today, on the cells of the clock."""
        day = self.today + (self.upto(6) - 1) * DAY
        midnight = datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC)
        return midnight + timedelta(minutes=30 * self.upto(47))

    def span(self) -> Span:
        start = self.moment()
        return Span(start, start + timedelta(minutes=self.lasting(10, 600)))

    # -- parts of a clinic -------------------------------------------------------------------

    def working_hours(self, pools: Sequence[str]) -> tuple[WorkingHours, ...]:
        rows = [WorkingHours(**self.recurring()) for _ in range(1 + self.upto(1))]
        if self.one_in(4):
            serves = frozenset(self.some(pools))
            rows.append(WorkingHours(**self.recurring(), pools=serves))
        return tuple(rows)

    def absences(self) -> tuple[Absence, ...]:
        out = []
        if self.one_in(4):
            out.append(Absence(span=self.span()))
        if self.one_in(5):
            start = self.cell * self.upto(600 // self.cell)
            hours = self.recurring() | {"start": start, "end": start + self.lasting(30, 240)}
            out.append(Absence(hours=Hours(**hours)))
        return tuple(out)

    def resource(self, name: str, clinic: str, pools: Sequence[str]) -> Resource:
        return Resource(
            name,
            self.pick([Kind.CLINICIAN, Kind.CLINICIAN, Kind.CLINICIAN, Kind.ROOM]),
            clinic,
            Text.plain(name),
            frozenset(self.some("xy")) if self.one_in(3) else frozenset("xy"),
            hours=self.working_hours(pools) if self.one_in(3) else None,
            away=self.absences(),
            busy=(self.span(),) if self.one_in(5) else (),
        )

    def role(self, number: int) -> Role:
        return Role(
            f"role-{number}",
            self.pick([Kind.CLINICIAN, Kind.CLINICIAN, Kind.CLINICIAN, Kind.ROOM]),
            self.lasting(5, 120),
            self.cell * (self.upto(8) - 3),
            frozenset(self.some("xy")) if self.one_in(3) else frozenset(),
            self.pick([1, 1, 1, 2, 3, 5] if self.wide else [1, 1, 1, 1, 1, 2, 2, 3]),
        )

    def preparation(self, number: int) -> PreparationRule:
        return PreparationRule(
            f"prep-{number}",
            Text.plain(""),
            due=self.pick([None, 1, 2, 4]),
            start=self.pick([1, 2, 3]),
            limits=not self.one_in(3),
        )

    def service(self, resources: Sequence[Resource]) -> Service:
        many = [5, 6, 8] if self.wide else [1, 2, 2, 2, 3, 4]
        roles = tuple(self.role(i) for i in range(self.pick(many)))
        together = []
        single = [r for r in roles if r.count == 1]
        if len(single) >= 2 and self.one_in(3):
            tied = single[:2] if self.one_in(2) else single[-2:]
            fitting = [[r.id for r in resources if role.fits(r)] for role in tied]
            if all(fitting):
                rows = {
                    (self.pick(fitting[0]), self.pick(fitting[1])) for _ in range(1 + self.upto(4))
                }
                rows = {row for row in rows if len(set(row)) == 2}
                if rows:
                    together.append(Together(tuple(r.id for r in tied), tuple(sorted(rows))))
        preparations = tuple(self.preparation(i) for i in range(2)) if self.one_in(3) else ()
        return Service(
            "visit",
            Text.plain("visit"),
            self.lasting(10, 90),
            roles,
            together=tuple(together),
            preparations=preparations,
        )

    def pool(self, name: str, clinic: str, service: str, resources: Sequence[Resource]) -> Pool:
        openings = tuple(
            Opening(**self.recurring(), release=self.pick([None, None, 1, 3]))
            for _ in range(1 + self.upto(2))
        )
        return Pool(
            name,
            clinic,
            service,
            openings,
            self.cell * -(-self.pick([15, 20, 30, 40, 60]) // self.cell),
            2 + self.upto(4),
            frozenset(self.some([r.id for r in resources], 3)) if self.one_in(4) else None,
            self.pick([0, 0, 0, 0, 1, 2]),
        )

    def quotas(self, pools: Sequence[str]) -> tuple[Quota, ...]:
        return tuple(
            Quota(
                frozenset(self.some(pools, 1)),
                self.pick(["day", "week"]),
                self.pick([1, 1, 2, 2, 3, 0]),
                self.pick([None, Kind.CLINICIAN, Kind.ROOM]),
            )
            for _ in range(self.pick([0, 1, 2]))
        )

    def clinic(self, name: str, borrowed: Sequence[Resource] = ()) -> Clinic:
        pools = [f"pool-{name}-1", f"pool-{name}-2"]
        resources = [
            self.resource(f"{name}-{i}", name, pools)
            for i in range(self.pick([16, 24, 32] if self.wide else [4, 5, 6, 7]))
        ]
        for other in borrowed:
            resources.insert(
                self.upto(len(resources)),
                Resource(
                    other.id,
                    other.kind,
                    name,
                    other.name,
                    other.skills | frozenset(self.some("xy")),
                    owner=other.clinic,
                    hours=self.working_hours(pools) if self.one_in(2) else None,
                    away=self.absences(),
                ),
            )
        service = self.service(resources)
        return Clinic(
            name,
            "org",
            Text.plain(name),
            self.zone,
            self.cell,
            frozenset({self.today + self.upto(4) * DAY}) if self.one_in(4) else frozenset(),
            (Closure(self.today + 3 * DAY, self.today + (3 + self.upto(2)) * DAY),)
            if self.one_in(5)
            else (),
            self.today + self.upto(4) * DAY if self.one_in(5) else None,
            (WorkingHours(), *self.working_hours(pools))
            if not self.one_in(3)
            else (self.working_hours(pools)),
            resources={r.id: r for r in resources},
            services={service.id: service},
            pools={p: self.pool(p, name, service.id, resources) for p in pools},
            quotas=self.quotas(pools),
        )

    def organisation(self) -> Organisation:
        clinics = []
        borrowed: list[Resource] = []
        if self.one_in(4):
            here = self.zone, self.cell
            self.cell = self.pick([15, 10, 5])
            other = self.clinic("there")
            self.zone, self.cell = here
            borrowed = self.some(list(other.resources.values()), 1)
            clinics.append(other)
        clinics.append(self.clinic("here", borrowed))
        return Organisation("org", {c.id: c for c in clinics})

    # -- what is taken, and what is asked ------------------------------------------------------

    def session(self, number: int, organisation: Organisation) -> Session:
        kinds = [SessionKind.BOOKING, SessionKind.HOLD, SessionKind.PLACE, SessionKind.BLOCK]
        kind = self.pick([SessionKind.BOOKING, *kinds])
        clinic = self.pick(list(organisation.clinics.values())[::-1])
        start, length = self.moment(), self.lasting(10, 240)
        names = self.some(list(clinic.resources)[:3], 1)
        span = Span(start, start + timedelta(minutes=length))
        hold = kind is SessionKind.HOLD
        return Session(
            f"s-{number}",
            kind,
            clinic.id,
            start,
            length,
            service="visit",
            pool=self.pick([*clinic.pools, *clinic.pools, None]),
            task=f"t-{number}",
            patient=self.pick(["p-1", "p-1", "p-2", None]),
            resources={"role-0": tuple(names)},
            spans={name: span for name in names},
            until=self.now + timedelta(minutes=10 * (self.upto(4) - 1)) if hold else None,
            is_place=hold and self.one_in(2),
        )

    def task(self, clinic: Clinic) -> Task:
        service = clinic.services["visit"]
        only = {}
        if self.one_in(4):
            role = self.pick(service.roles)
            only[role.id] = tuple(self.some(list(clinic.resources), 1))
        opens = self.today + (self.upto(3) - 1) * DAY
        return Task(
            "t-1",
            "org",
            clinic.id,
            "p-1",
            tuple(clinic.pools),
            opens,
            opens + self.upto(2) * DAY,
            self.today + 3 * DAY + self.upto(4) * DAY,
            self.today + self.upto(2) * DAY if self.one_in(3) else None,
            only=only,
            times=(Hours(**self.recurring()), Hours(start=600, end=900)) if self.one_in(4) else (),
            extra=self.lasting(1, 30) if self.one_in(4) else 0,
            preparations=(self.preparation(1), self.preparation(2)) if self.one_in(4) else (),
            done=frozenset(self.some(["prep-0", "prep-1", "prep-2"])),
        )

    def ask(self, organisation: Organisation, sessions: Sequence[Session]) -> Ask:
        clinic = organisation.clinics["here"]
        place = self.one_in(4)
        return Ask(
            clinic.id,
            self.pick(list(clinic.pools)),
            self.now + timedelta(minutes=self.pick([0, 0, 5, 15, 60])),
            self.task(clinic) if self.one_in(2) else None,
            self.today + self.upto(3) * DAY if self.one_in(6) else None,
            self.today + (1 + self.upto(5)) * DAY if self.one_in(6) else None,
            frozenset(self.some(["prep-0", "prep-1"])) if self.one_in(4) else frozenset(),
            frozenset(s.id for s in self.some(sessions)) if self.one_in(3) else frozenset(),
            place or self.one_in(4),
            self.today + self.upto(1) * DAY if place else None,
            self.today + self.upto(2) * DAY if place else None,
            self.upto(1) if place or self.one_in(8) else None,
        )


@st.composite
def worlds(
    draw: Callable[[st.SearchStrategy[Any]], Any], asks: int = 2, wide: bool = False
) -> World:
    """Organisations with up to eight sessions and some questions.

    Wide ones have visits of five to eight roles, up to five copies each: too many for backtracking.
    """
    maker = Maker(draw, wide)
    organisation = maker.organisation()
    sessions = tuple(maker.session(i, organisation) for i in range(maker.pick([0, 1, 2, 4, 6, 8])))
    return World(
        organisation, sessions, tuple(maker.ask(organisation, sessions) for _ in range(asks))
    )
