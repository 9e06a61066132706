"""The fixed inputs: a clinic of some clinicians and rooms, 90 days, three quarters booked.

Generated from a seed, so that every run measures the same. Visits take a clinician for 45 minutes
and a room for an hour that begins 5 minutes earlier; `reduced` leaves the room out, for peers that
know one kind of resource only.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from timevalg.model.clinic import Clinic, Organisation
from timevalg.model.pool import Pool
from timevalg.model.resource import Kind, Resource
from timevalg.model.roster import Opening, WorkingHours
from timevalg.model.service import Role, Service
from timevalg.model.session import Session, SessionKind
from timevalg.model.text import Text
from timevalg.model.time import Span, instant
from timevalg.solver.ask import Ask

SIZES = ((5, 3), (20, 12), (50, 30), (200, 120))
DAYS = 90
LOAD = 0.75
ZONE = ZoneInfo("Europe/Oslo")
TODAY = date(2027, 1, 4)
NOW = datetime(2027, 1, 4, 5, 0, tzinfo=UTC)
RASTER = 15
_WEEK = frozenset(range(5))
_SHIFTS = ((480, 960), (480, 930), (450, 900), (540, 1020))
_LENGTHS = (15, 20, 30, 45, 60)
CLINICIAN = Role("clinician", Kind.CLINICIAN, 45)
ROOM = Role("room", Kind.ROOM, 60, start=-5)


@dataclass(frozen=True)
class Case:
    """One clinic with what is taken of everyone.

    Attributes
    ----------
    name : str
        ``50x30``.
    organisation : Organisation
        With the clinic ``c`` and its pools ``p`` (two roles) and ``q`` (the clinician alone).
    taken : dict
        Resource id → its spans in order; they do not touch working time's end.
    """

    name: str
    organisation: Organisation
    taken: dict[str, list[Span]]
    days: int = DAYS

    @property
    def clinic(self) -> Clinic:
        """The one clinic."""
        return self.organisation.clinics["c"]

    @cached_property
    def ask(self) -> Ask:
        """What is searched for: any start for a visit of two roles."""
        return Ask("c", "p", NOW)

    @cached_property
    def reduced(self) -> Ask:
        """The same for the clinician alone, and no opening that cuts anyone's hours."""
        return Ask("c", "q", NOW)

    @cached_property
    def shifts(self) -> dict[str, list[Span]]:
        """Resource id → working time, day by day."""
        return {r.id: _shifts(r, self.days) for r in self.clinic.resources.values()}

    def starts(self) -> list[datetime]:
        """Every start that the opening of ``p`` gives, before anybody is looked at."""
        return self.raster("p")

    def raster(self, pool: str) -> list[datetime]:
        """Every start that the opening of a pool gives."""
        opening = self.clinic.pools[pool].open[0]
        last = opening.end - self.clinic.services["visit"].length
        found = []
        for number in range(self.days):
            day = TODAY + timedelta(days=number)
            if opening.covers(day):
                found += [instant(day, m, ZONE) for m in range(opening.start, last + 1, RASTER)]
        return [start for start in found if start > NOW]

    def sessions(self) -> list[Session]:
        """What is taken as bookings, one for each span."""
        return [
            booking(f"{name}-{number}", {name: span})
            for name, spans in self.taken.items()
            for number, span in enumerate(spans)
        ]


def booking(name: str, spans: dict[str, Span]) -> Session:
    """Give a booking of some resources."""
    span = next(iter(spans.values()))
    minutes = (span.end - span.start) // timedelta(minutes=1)
    return Session(name, SessionKind.BOOKING, "c", span.start, minutes, spans=spans)


def case(
    clinicians: int, rooms: int, days: int = DAYS, *, seed: str = "", booked: bool = True
) -> Case:
    """Make a case; the same arguments give the same case."""
    dice = random.Random(f"{clinicians}x{rooms}{seed}")
    resources = [_resource(f"c{n}", Kind.CLINICIAN, dice) for n in range(clinicians)]
    resources += [_resource(f"r{n}", Kind.ROOM, dice) for n in range(rooms)]
    clinic = make_clinic("c", resources, days)
    taken = {r.id: busy(_shifts(r, days), dice) for r in resources} if booked else {}
    return Case(f"{clinicians}x{rooms}", Organisation("o", {"c": clinic}), taken, days)


def make_clinic(name: str, resources: list[Resource], days: int) -> Clinic:
    """Make a clinic with the two pools."""
    visit = Service("visit", Text.plain("Visit"), 45, (CLINICIAN, ROOM))
    alone = Service("alone", Text.plain("Visit"), 45, (CLINICIAN,))
    pools = [
        Pool("p", name, "visit", (Opening(days=_WEEK, start=480, end=960),), RASTER, days - 1),
        Pool("q", name, "alone", (Opening(days=_WEEK, start=420, end=1080),), RASTER, days - 1),
    ]
    return Clinic(
        name,
        "o",
        Text.plain(name),
        ZONE,
        resources={r.id: r for r in resources},
        services={"visit": visit, "alone": alone},
        pools={p.id: p for p in pools},
    )


def busy(shifts: list[Span], dice: random.Random) -> list[Span]:
    """Fill three quarters of each shift with visits of many lengths, some apart."""
    spans: list[Span] = []
    for shift in shifts:
        minutes = (shift.end - shift.start) // timedelta(minutes=1)
        gaps, at = int(minutes * (1 - LOAD)) // 5, 0
        while at < minutes:
            if gaps and dice.random() < 0.4:
                gap = min(gaps, dice.choice((1, 2, 4, 8, 12)))
                gaps -= gap
                at += 5 * gap
            length = min(dice.choice(_LENGTHS), minutes - 5 * gaps - at)
            if length < 5:
                break
            begins = shift.start + timedelta(minutes=at)
            spans.append(Span(begins, begins + timedelta(minutes=length)))
            at += length
    return spans


def _resource(name: str, kind: Kind, dice: random.Random) -> Resource:
    start, end = dice.choice(_SHIFTS) if kind is Kind.CLINICIAN else (450, 1050)
    part_time = kind is Kind.CLINICIAN and dice.random() < 0.4
    days = _WEEK - {dice.randrange(5)} if part_time else _WEEK
    hours = WorkingHours(days=days, start=start, end=end)
    return Resource(name, kind, "c", Text.plain(name), hours=(hours,))


def _shifts(resource: Resource, days: int) -> list[Span]:
    last = TODAY + timedelta(days=days - 1)
    return [s for row in resource.hours or () for s in row.spans(TODAY, last, ZONE)]
