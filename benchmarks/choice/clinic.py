"""The generator: a clinic, and invitations that can all be served because they once were.

Visits are placed at random free spots until the wished share of room time is used; each becomes an
invitation with a window around its spot, and the spots are forgotten. The same arguments give the
same case.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from timevalg.model.clinic import Clinic, Organisation
from timevalg.model.pool import Pool, Quota
from timevalg.model.resource import Kind, Resource
from timevalg.model.roster import Opening, WorkingHours
from timevalg.model.service import Role, Service
from timevalg.model.states import TaskState
from timevalg.model.task import Task
from timevalg.model.text import Text

ZONE = ZoneInfo("Europe/Oslo")
NOW = datetime(2027, 1, 4, 7, 0, tzinfo=UTC)
OPENS = date(2027, 1, 4)
DUE = date(2027, 1, 10)
FIRST = date(2027, 1, 11)
"""The first day with times: the day after `due`, so that every spot is a valid place."""
_WEEK = frozenset(range(5))
_OPEN, _CLOSE = 8 * 60, 16 * 60
_CELL = 5
_A_DAY = (_CLOSE - _OPEN) // _CELL
_TRIES = 60


@dataclass(frozen=True)
class Setting:
    """What a clinic is like.

    Attributes
    ----------
    visits : tuple of (int, int)
        For each service the minutes of clinician and room; service `n` needs skill `n % skills`.
    early : float
        Share of the visits that are placed as early as possible; the others anywhere.
    windows : tuple of (float, int, int)
        Share of the tasks, most days before the spot, most days after; 0, 0 = the whole period.
    nurses : tuple of (int, int)
        How many a visit of the last service takes, and how many there are.
    quotas : tuple of Quota
    """

    clinicians: int = 20
    rooms: int = 12
    days: int = 60
    visits: tuple[tuple[int, int], ...] = ((20, 30), (30, 30), (45, 60), (60, 60), (30, 45))
    skills: int = 5
    raster: int = 30
    early: float = 0.0
    windows: tuple[tuple[float, int, int], ...] = ((0.2, 4, 3), (0.4, 13, 9), (0.4, 0, 0))
    nurses: tuple[int, int] = (0, 0)
    quotas: tuple[Quota, ...] = ()

    @property
    def last(self) -> date:
        """The last day of the period."""
        return FIRST + timedelta(days=self.days - 1)


@dataclass(frozen=True)
class Case:
    """A clinic and its invitations, in random order."""

    organisation: Organisation
    tasks: tuple[Task, ...]


def case(setting: Setting, load: float, seed: int) -> Case:
    """Make a case in which the given share of room time, or all there is, is wanted."""
    quotas = [(sorted(q.pools), q.per, q.max, q.each) for q in setting.quotas]
    dice = random.Random(f"{replace(setting, quotas=())}{quotas or ''}{load}{seed}")
    clinic = _clinic(setting, dice)
    tasks = [
        _task(setting, number, service, day, dice)
        for number, (service, day) in enumerate(_Filling(setting, clinic, load, dice).visits())
    ]
    dice.shuffle(tasks)
    return Case(Organisation("o", {"c": clinic}), tuple(tasks))


def _clinic(setting: Setting, dice: random.Random) -> Clinic:
    skills = [f"s{n}" for n in range(setting.skills)]
    resources = [
        Resource(f"{kind}{n}", kind, "c", Text.plain(""), _some(skills, most, n, dice))
        for kind, count, most in (
            (Kind.CLINICIAN, setting.clinicians, 2),
            (Kind.ROOM, setting.rooms, 3),
        )
        for n in range(count)
    ]
    several, nurses = setting.nurses
    resources += [
        Resource(f"nurse{n}", Kind.CLINICIAN, "c", Text.plain(""), frozenset({"nurse"}))
        for n in range(nurses)
    ]
    services = {}
    for number, (minutes, room) in enumerate(setting.visits):
        need = frozenset({skills[number % setting.skills]})
        roles = [Role("clinician", Kind.CLINICIAN, minutes, 0, need)]
        roles.append(Role("room", Kind.ROOM, room, 0, need))
        if several and number == len(setting.visits) - 1:
            nurse = frozenset({"nurse"})
            roles.append(Role("nurse", Kind.CLINICIAN, minutes, 0, nurse, several))
        services[f"v{number}"] = Service(f"v{number}", Text.plain(""), minutes, tuple(roles))
    opening = Opening(days=_WEEK, start=_OPEN, end=_CLOSE)
    horizon = (setting.last - OPENS).days
    return Clinic(
        "c",
        "o",
        Text.plain("c"),
        ZONE,
        cell=_CELL,
        hours=(WorkingHours(days=_WEEK, start=_OPEN, end=_CLOSE),),
        resources={r.id: r for r in resources},
        services=services,
        pools={
            f"p{n}": Pool(f"p{n}", "c", f"v{n}", (opening,), setting.raster, horizon)
            for n in range(len(services))
        },
        quotas=setting.quotas,
    )


def _some(skills: Sequence[str], most: int, number: int, dice: random.Random) -> frozenset[str]:
    """Give some skills; each is somebody's, because the first goes round."""
    first = skills[number % len(skills)]
    others = [s for s in skills if s != first]
    return frozenset({first, *dice.sample(others, min(most - 1, len(others)))})


class _Filling:
    """Visits at free spots of an empty clinic.

    Kept as a bitmap a resource and day, of cells from the opening on; shares no code with the
    search that the benchmark measures.
    """

    def __init__(self, setting: Setting, clinic: Clinic, load: float, dice: random.Random) -> None:
        self._setting, self._clinic, self._dice = setting, clinic, dice
        self._days = [
            day
            for n in range(setting.days)
            if (day := FIRST + timedelta(days=n)).weekday() in _WEEK
        ]
        self._goal = load * setting.rooms * len(self._days) * (_CLOSE - _OPEN)
        self._taken: dict[tuple[str, date], int] = {}
        self._counts: dict[tuple[object, ...], int] = {}
        self._soonest = dict.fromkeys(clinic.services, 0)

    def visits(self) -> Iterator[tuple[str, date]]:
        """Give service and day of one visit after the other."""
        used, left = 0, list(self._clinic.services)
        while left and used < self._goal:
            name = self._dice.choice(left)
            early = self._dice.random() < self._setting.early
            day = self._first(name) if early else self._anywhere(name)
            if day is None:
                left.remove(name)
                continue
            used += self._clinic.services[name].role("room").length
            yield name, day

    def _starts(self, service: Service) -> list[int]:
        step = self._setting.raster // _CELL
        return list(range(0, _A_DAY - service.length // _CELL + 1, step))

    def _first(self, name: str) -> date | None:
        service = self._clinic.services[name]
        starts = self._starts(service)
        for number in range(self._soonest[name], len(self._days)):
            if any(self._take(service, self._days[number], start) for start in starts):
                self._soonest[name] = number
                return self._days[number]
        return None

    def _anywhere(self, name: str) -> date | None:
        service = self._clinic.services[name]
        spots = [(day, start) for day in self._days for start in self._starts(service)]
        for _ in range(_TRIES):
            day, start = self._dice.choice(spots)
            if self._take(service, day, start):
                return day
        self._dice.shuffle(spots)
        return next((day for day, start in spots if self._take(service, day, start)), None)

    def _take(self, service: Service, day: date, start: int) -> bool:
        """Take a spot if everybody needed is free; random ones of those who are."""
        chosen: list[tuple[str, int]] = []
        for role in service.roles:
            bits = (1 << role.length // _CELL) - 1 << start
            if start + role.length // _CELL > _A_DAY:
                return False
            free = [
                r.id
                for r in self._clinic.resources.values()
                if role.fits(r)
                and not self._taken.get((r.id, day), 0) & bits
                and all(r.id != name for name, _ in chosen)
                and self._below(service, day, r)
            ]
            if len(free) < role.count:
                return False
            chosen += [(name, bits) for name in self._dice.sample(free, role.count)]
        if not self._below(service, day, None):
            return False
        for name, bits in chosen:
            self._taken[name, day] = self._taken.get((name, day), 0) | bits
        for key in self._quotas(service, day, [name for name, _ in chosen]):
            self._counts[key] = self._counts.get(key, 0) + 1
        return True

    def _below(self, service: Service, day: date, resource: Resource | None) -> bool:
        return not any(
            self._counts.get(key, 0) >= self._clinic.quotas[int(str(key[0]))].max
            for key in self._quotas(service, day, [] if resource is None else [resource.id])
            if (key[2] is None) == (resource is None)
        )

    def _quotas(
        self, service: Service, day: date, names: Sequence[str]
    ) -> Iterator[tuple[object, ...]]:
        for number, quota in enumerate(self._clinic.quotas):
            if f"p{service.id[1:]}" not in quota.pools:
                continue
            if quota.each is None:
                yield number, quota.period(day), None
            for name in names:
                if quota.each == self._clinic.resources[name].kind:
                    yield number, quota.period(day), name


def _task(setting: Setting, number: int, service: str, day: date, dice: random.Random) -> Task:
    at = dice.random()
    first, last = FIRST, setting.last
    for share, before, after in setting.windows:
        at -= share
        if at < 0:
            if before or after:
                first = max(first, day - timedelta(days=dice.randint(0, before)))
                last = min(last, day + timedelta(days=dice.randint(0, after)))
            break
    return Task(
        id=f"t{number}",
        organisation="o",
        clinic="c",
        patient=f"patient{number}",
        pools=(f"p{service[1:]}",),
        opens=OPENS,
        due=DUE,
        not_before=first,
        not_after=last,
        state=TaskState.OPEN,
    )


EVEN = Setting()
"""(a) visits evenly over the days."""
EARLY = replace(EVEN, early=0.7)
"""(b) seven of ten as early as possible: the near weeks are full."""
SMALL = replace(EARLY, clinicians=10, rooms=6, days=30)
"""The variants' clinic."""
VARIANTS = {
    "lengths": replace(
        SMALL,
        visits=((15, 15), (30, 30), (45, 45), (60, 60), (90, 90), (120, 120), (180, 180)),
        raster=15,
    ),
    "two_nurses_of_five": replace(SMALL, nurses=(2, 5)),
    "quotas": replace(
        SMALL,
        quotas=(
            Quota(frozenset({"p0", "p1"}), "day", 28),
            Quota(frozenset({"p2", "p3", "p4"}), "week", 9, Kind.CLINICIAN),
        ),
    ),
    "late_cancellations": SMALL,
    "wide_windows": replace(SMALL, windows=((1.0, 0, 0),)),
    "allotted": SMALL,
}
"""Settings off the main road; `late_cancellations` and `allotted` differ in what patients do."""
