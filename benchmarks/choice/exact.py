"""Clinics small enough to try everything, and the search that tries everything.

Shares nothing with the solver but the model and the question; whether one visit alone is possible
is asked of the verifier, how visits get along is worked out here.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import combinations, product

from benchmarks.choice.clinic import DUE, FIRST, NOW, OPENS, ZONE
from timevalg.model.clinic import Clinic, Organisation
from timevalg.model.pool import Pool, Quota
from timevalg.model.resource import Kind, Resource
from timevalg.model.roster import Hours, Opening, WorkingHours
from timevalg.model.service import Role, Service, Together
from timevalg.model.session import Assignment, Session, SessionKind, resource_spans
from timevalg.model.states import TaskState
from timevalg.model.task import Task
from timevalg.model.text import Text
from timevalg.model.time import instant
from timevalg.solver.ask import Ask
from timevalg.solver.index import Index
from timevalg.solver.offers import offers
from timevalg.solver.picture import Picture
from timevalg.solver.places import plan
from timevalg.solver.search import feasible
from timevalg.solver.verify import broken

_DAYS = 2


def small(seed: int) -> Picture:
    """Make a crowded clinic of a few resources, two days and up to five tasks, without places."""
    dice = random.Random(seed)
    resources = [
        Resource(
            f"{kind}{n}",
            kind,
            "c",
            Text.plain(""),
            frozenset(dice.sample("xy", dice.choice([1, 2]))),
        )
        for kind, most in (
            (Kind.CLINICIAN, dice.choice([1, 2, 3])),
            (Kind.ROOM, dice.choice([1, 2])),
        )
        for n in range(most)
    ]
    services, pools = {}, {}
    close = 8 * 60 + dice.choice([60, 90, 120])
    for number in range(dice.choice([1, 2, 3])):
        service = _service(f"v{number}", resources, dice)
        services[service.id] = service
        opening = Opening(start=480, end=close)
        pools[f"p{number}"] = Pool(
            f"p{number}",
            "c",
            service.id,
            (opening,),
            dice.choice([30, 30, 60]),
            30,
            fallback_notice=dice.choice([0, 0, 0, 1]),
        )
    quotas: tuple[Quota, ...] = ()
    if dice.random() < 0.3:
        kind = dice.choice([None, Kind.CLINICIAN, Kind.ROOM])
        some = frozenset(dice.sample(sorted(pools), dice.randint(1, len(pools))))
        quotas = (Quota(some, dice.choice(["day", "week"]), dice.choice([1, 2, 3]), kind),)
    clinic = Clinic(
        "c",
        "o",
        Text.plain("c"),
        ZONE,
        5,
        hours=(WorkingHours(start=480, end=close),),
        resources={r.id: r for r in resources},
        services=services,
        pools=pools,
        quotas=quotas,
    )
    organisation = Organisation("o", {"c": clinic})
    tasks = {f"t{n}": _task(n, clinic, dice) for n in range(dice.randint(2, 5))}
    return Picture(Index.of(organisation, _taken(clinic, dice)), tasks, NOW)


def _service(name: str, resources: Sequence[Resource], dice: random.Random) -> Service:
    length = dice.choice([30, 30, 45, 60])
    roles = [Role("clinician", Kind.CLINICIAN, length, 0, frozenset(dice.sample("xy", 1)))]
    if dice.random() < 0.8:
        start = dice.choice([0, 0, 10])
        roles.append(Role("room", Kind.ROOM, length - start, start))
    if dice.random() < 0.2:
        roles.append(Role("helper", Kind.CLINICIAN, 30, 0, count=dice.choice([1, 2])))
    together: tuple[Together, ...] = ()
    if len(roles) > 1 and dice.random() < 0.2:
        fitting = [[r.id for r in resources if role.fits(r)] for role in roles[:2]]
        rows = [row for row in product(*fitting) if len(set(row)) == 2]
        if rows and roles[1].count == 1:
            some = tuple(dice.sample(rows, dice.randint(1, len(rows))))
            together = (Together((roles[0].id, roles[1].id), some),)
    return Service(name, Text.plain(""), length, tuple(roles), together=together)


def _task(number: int, clinic: Clinic, dice: random.Random) -> Task:
    first = FIRST + timedelta(days=dice.randrange(_DAYS))
    last = FIRST + timedelta(days=_DAYS - 1)
    pools = tuple(dice.sample(sorted(clinic.pools), dice.randint(1, min(2, len(clinic.pools)))))
    names = [r.id for r in clinic.resources.values() if r.kind is Kind.CLINICIAN]
    return Task(
        id=f"t{number}",
        organisation="o",
        clinic="c",
        patient=f"patient{number if dice.random() < 0.85 else 0}",
        pools=pools,
        opens=OPENS,
        due=dice.choice([DUE, DUE, DUE - timedelta(days=2)]),
        not_before=first,
        not_after=max(first, last - timedelta(days=dice.choice([0, 0, 1]))),
        only={"clinician": (dice.choice(names),)} if dice.random() < 0.15 else {},
        times=(Hours(start=480, end=540),) if dice.random() < 0.15 else (),
        extra=15 if dice.random() < 0.15 else 0,
        state=TaskState.OPEN,
    )


def _taken(clinic: Clinic, dice: random.Random) -> list[Session]:
    out = []
    for number in range(dice.choice([0, 0, 1, 2])):
        day = FIRST + timedelta(days=dice.randrange(_DAYS))
        pool = dice.choice(sorted(clinic.pools))
        start = instant(day, 480 + 30 * dice.randrange(4), ZONE)
        name = dice.choice(sorted(clinic.resources))
        service = clinic.service_of(pool)
        role = next((r for r in service.roles if r.fits(clinic.resources[name])), service.roles[0])
        chosen = {role.id: (name,)}
        out.append(
            Session(
                f"b{number}",
                SessionKind.BOOKING,
                "c",
                start,
                service.length,
                service=service.id,
                pool=pool,
                patient=f"patient{dice.choice([0, 90 + number])}",
                resources=chosen,
                spans=resource_spans(service, start, 0, chosen),
            )
        )
    return out


class Exhaustive:
    """Everything that could be done with a picture's live tasks.

    Parameters
    ----------
    picture : Picture
    """

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self._organisation = picture.index.organisation
        self._firm = [s for s in picture.index.sessions.values() if s.kind is not SessionKind.PLACE]
        self._placeable: dict[str, list[Session]] = {}

    def places(self, task: Task) -> list[Session]:
        """Give every valid place that the task could have if no other had one."""
        found = self._placeable.get(task.id)
        if found is None:
            index, now = self._picture.index, self._picture.now
            asks = [Ask.for_place(index, task, pool, now) for pool in task.pools]
            found = [s for ask in asks for s in self._visits(ask, SessionKind.PLACE)]
            self._placeable[task.id] = found
        return found

    def claims(self, task: Task, pool: str, start: datetime) -> list[Session]:
        """Give every way to book a start for the task if no other had a place."""
        ask = Ask.for_task(self._picture.index, task, pool, self._picture.now, changing=True)
        return list(self._visits(ask, SessionKind.BOOKING, [start]))

    def safe(self, task: Task, pool: str, start: datetime, others: Iterable[Task]) -> bool:
        """Tell whether the start can be claimed so that all the others still have a place."""
        rest = [self.places(t) for t in others]
        return any(self.fit(rest, [claim]) for claim in self.claims(task, pool, start))

    def safe_starts(self, task: Task) -> set[tuple[str, datetime]]:
        """Give the pools and starts that the task can claim so that all others keep a place."""
        index, now = self._picture.index, self._picture.now
        others = without(self._picture, task)
        return {
            (pool, start)
            for pool in task.pools
            for start in feasible(
                index, Ask.for_task(index, task, pool, now, changing=True)
            ).instants()
            if self.safe(task, pool, start, others)
        }

    def fit(self, choices: Sequence[list[Session]], taken: list[Session]) -> bool:
        """Tell whether one session of each list can be had beside those taken."""
        if not choices:
            return True
        left = [[s for s in of_one if self._beside(s, taken)] for of_one in choices]
        left.sort(key=len)
        return any(self.fit(left[1:], [*taken, s]) for s in left[0])

    def most(self, tasks: Sequence[Task]) -> int:
        """Give how many of the tasks can have a place together."""
        for size in range(len(tasks), 0, -1):
            for some in combinations(tasks, size):
                if self.fit([self.places(t) for t in some], []):
                    return size
        return 0

    def _visits(
        self, ask: Ask, kind: SessionKind, starts: Sequence[datetime] | None = None
    ) -> Iterator[Session]:
        clinic = self._organisation.clinic(ask.clinic)
        service = clinic.service_of(ask.pool)
        assert ask.task is not None
        if starts is None:
            days = [FIRST + timedelta(days=n) for n in range(-1, _DAYS + 1)]
            starts = [instant(d, m, ZONE) for d in days for m in range(480, 660, 30)]
        copies = [
            combinations([r.id for r in clinic.resources.values() if role.fits(r)], role.count)
            for role in service.roles
        ]
        ways: list[Assignment] = [
            dict(zip((r.id for r in service.roles), names, strict=True))
            for names in product(*(list(c) for c in copies))
        ]
        for start in starts:
            for chosen in ways:
                if not broken(self._organisation, self._firm, ask, start, chosen):
                    yield Session(
                        f"{kind}:{ask.task.id}",
                        kind,
                        clinic.id,
                        start,
                        service.length + ask.extra,
                        service=service.id,
                        pool=ask.pool,
                        task=ask.task.id,
                        patient=ask.task.patient,
                        resources=chosen,
                        spans=resource_spans(service, start, ask.extra, chosen),
                    )

    def _beside(self, one: Session, taken: Sequence[Session]) -> bool:
        return not any(_clash(one, other) for other in taken) and self._below_quotas(one, taken)

    def _below_quotas(self, one: Session, taken: Sequence[Session]) -> bool:
        clinic = self._organisation.clinic(one.clinic)
        standing = [*(s for s in self._firm if s.task != one.task or s.task is None), *taken, one]
        for quota in clinic.quotas:
            if one.pool not in quota.pools:
                continue
            period = quota.period(_day(one))
            counted = [
                s for s in standing if s.pool in quota.pools and quota.period(_day(s)) == period
            ]
            if quota.each is None and len(counted) > quota.max:
                return False
            for name in one.spans:
                each = clinic.resources[name].kind == quota.each
                if each and sum(name in s.spans for s in counted) > quota.max:
                    return False
        return True


def _day(session: Session) -> date:
    return session.local_date(ZONE)


def _clash(one: Session, other: Session) -> bool:
    if one.patient is not None and one.patient == other.patient and one.visit.overlaps(other.visit):
        return True
    return any(
        name in other.spans and span.overlaps(other.spans[name]) for name, span in one.spans.items()
    )


def without(picture: Picture, task: Task) -> list[Task]:
    """Give the other live tasks that have a place."""
    placed = {s.task for s in picture.index.sessions.values() if s.kind is SessionKind.PLACE}
    return [t for t in picture.tasks.values() if t.id != task.id and t.id in placed]


def share_shown(seeds: Iterable[int]) -> dict[str, float]:
    """Measure how many of the truly safe candidates are shown, on small clinics.

    Raises
    ------
    AssertionError
        If one is shown that is not safe.
    """
    safe = shown = candidates = unsafe = undecided = 0
    for seed in seeds:
        picture = small(seed)
        picture = plan(picture, picture.tasks.values(), picture.now).picture
        exhaustive = Exhaustive(picture)
        for task in picture.tasks.values():
            found = offers(picture, task, picture.now, limit=1000, key="new")
            truly = exhaustive.safe_starts(task)
            assert {(o.pool, o.start) for o in found.offers} <= truly
            candidates += found.feasible
            shown, safe = shown + len(found.offers), safe + len(truly)
            unsafe, undecided = unsafe + found.unsafe, undecided + found.undecided
    return {
        "candidates": candidates,
        "safe": safe,
        "shown_pct": round(100 * shown / safe, 2),
        "unsafe": candidates - safe,
        "unsafe_proven_pct": round(100 * unsafe / max(1, candidates - safe), 2),
        "undecided_pct": round(100 * undecided / candidates, 2),
    }
