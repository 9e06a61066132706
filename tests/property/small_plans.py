"""Random clinics so small that every plan can be tried, and the trying of them.

Two mornings, up to three clinicians and two rooms, a handful of starts; up to five tasks that want
places, among bookings and places that are there already; counts, `together`, quotas, two pools.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from random import Random

from tests.unit.solver.small import DAY, NOW, TODAY, clinic, organisation, pool, resource
from timevalg.model.pool import Quota
from timevalg.model.resource import Kind
from timevalg.model.roster import Hours, Opening
from timevalg.model.service import Role, Service, Together
from timevalg.model.session import Session, SessionKind
from timevalg.model.states import TaskState
from timevalg.model.task import Task
from timevalg.model.text import Text
from timevalg.solver.ask import Ask
from timevalg.solver.assign import assignments, session_for
from timevalg.solver.index import Index
from timevalg.solver.picture import Picture
from timevalg.solver.places import place_id
from timevalg.solver.search import feasible


@dataclass(frozen=True)
class Case:
    """A picture and the tasks that want places in it."""

    picture: Picture
    tasks: tuple[Task, ...]

    @cached_property
    def everybody(self) -> tuple[Task, ...]:
        """All tasks whose places may be moved or are wanted."""
        return tuple({**self.picture.tasks, **{t.id: t for t in self.tasks}}.values())

    @cached_property
    def had(self) -> frozenset[str]:
        """Those that have a place already."""
        return frozenset(
            s.task for s in self.picture.index.sessions.values() if s.kind is SessionKind.PLACE
        )

    @cached_property
    def spots(self) -> dict[str, list[Session]]:
        """Every place each task could have if no other had one."""
        index = self.picture.index
        bare = index.apply(removed=[place_id(t) for t in self.everybody])
        return {t.id: list(_spots(bare, t)) for t in self.everybody}

    def fits(self, tasks: frozenset[str], fixed: tuple[Session, ...] = ()) -> bool:
        """Tell whether all of some tasks can have places at once."""
        return self._fits(sorted(tasks, key=lambda t: (len(self.spots[t]), t)), fixed)

    def _fits(self, tasks: list[str], taken: tuple[Session, ...]) -> bool:
        if not tasks:
            return True
        return any(
            self.goes(spot, taken) and self._fits(tasks[1:], (*taken, spot))
            for spot in self.spots[tasks[0]]
        )

    def goes(self, spot: Session, taken: tuple[Session, ...]) -> bool:
        """Tell whether a session can stand beside others."""
        for other in taken:
            if any(
                name in other.spans and span.overlaps(other.spans[name])
                for name, span in spot.spans.items()
            ):
                return False
            if other.patient == spot.patient and other.visit.overlaps(spot.visit):
                return False
        return all(self._under(quota, spot, taken) for quota in self._clinic.quotas)

    def _under(self, quota: Quota, spot: Session, taken: tuple[Session, ...]) -> bool:
        zone, here = self._clinic.timezone, self._clinic.resources
        fixed = [s for s in self.picture.index.sessions.values() if s.kind is SessionKind.BOOKING]
        if spot.pool not in quota.pools:
            return True
        period = quota.period(spot.local_date(zone))
        there = [
            s
            for s in (*fixed, *taken)
            if s.pool in quota.pools and quota.period(s.local_date(zone)) == period
        ]
        if quota.each is None:
            return len(there) < quota.max
        mine = [n for n in spot.spans if here[n].kind == quota.each]
        return all(sum(n in s.spans for s in there) < quota.max for n in mine)

    @property
    def _clinic(self):
        return self.picture.index.organisation.clinic("c")

    def least_left_out(self) -> tuple[tuple[int, ...], list[frozenset[str]]]:
        """Give the best value of any plan, and the sets left out that have it."""
        wanted = self.tasks
        best: tuple[int, ...] | None = None
        sets: list[frozenset[str]] = []
        options = [c for n in range(len(wanted) + 1) for c in combinations(wanted, n)]
        for left_out in sorted(options, key=value):
            if best is not None and value(left_out) > best:
                break
            names = frozenset(t.id for t in left_out)
            if self.fits(frozenset(t.id for t in self.everybody) - names):
                best = value(left_out)
                sets.append(names)
        assert best is not None
        return best, sets


def value(left_out) -> tuple[int, ...]:
    counts = [sum(t.priority == p for t in left_out) for p in range(1, 6)]
    return *counts, -sum((t.deadline or t.not_after).toordinal() for t in left_out)


def _spots(index: Index, task: Task) -> Iterator[Session]:
    for name in task.pools:
        ask = Ask.for_place(index, task, name, NOW)
        for start in feasible(index, ask).instants():
            for resources in assignments(index, ask, start):
                yield session_for(
                    index.organisation,
                    ask,
                    start,
                    resources,
                    id=place_id(task),
                    kind=SessionKind.PLACE,
                )


def draw(random: Random) -> Case:
    """Make a case."""
    here = _clinic(random)
    org = organisation(here)
    tasks = [_task(random, f"t-{i}", here.pools) for i in range(random.randint(2, 5))]
    picture = Picture(Index.of(org), {}, NOW)
    for number in range(random.randint(0, 2)):
        task = _task(random, f"b-{number}", here.pools)
        spots = list(_spots(picture.index, task))
        if spots:
            booked = replace(random.choice(spots), id=f"b-{number}", kind=SessionKind.BOOKING)
            picture = picture.apply([booked])
    for task in tasks[random.randint(1, len(tasks)) :]:
        spots = list(_spots(picture.index, task))
        if spots:
            picture = picture.with_task(task).apply([random.choice(spots)])
    placed = frozenset(picture.tasks)
    return Case(picture, tuple(t for t in tasks if t.id not in placed))


def _clinic(random: Random):
    people = [resource(n) for n in ("kari", "lie", "moe")[: random.choice([1, 2, 2, 3])]]
    rooms = [resource(n, Kind.ROOM) for n in ("r-1", "r-2")[: random.randint(1, 2)]]
    roles = [Role("doctor", Kind.CLINICIAN, 60, count=random.choice([1, 1, 1, 2]))]
    if random.random() < 0.6:
        roles.append(Role("room", Kind.ROOM, random.choice([60, 90]), random.choice([0, -30])))
    if random.random() < 0.3:
        roles.append(Role("nurse", Kind.CLINICIAN, 30, 30))
    together = ()
    if len(roles) > 1 and roles[0].count == 1 and roles[1].id == "room" and random.random() < 0.4:
        rows = [(p.id, r.id) for p in people for r in rooms]
        kept = random.sample(rows, random.randint(1, len(rows)))
        together = (Together(("doctor", "room"), tuple(kept)),)
    visit = Service("v", Text.plain("visit"), 60, tuple(roles), together=together)
    opening = (Opening(start=540, end=540 + random.choice([60, 90, 120, 120])),)
    pools = [pool(open=opening, horizon=3)]
    if random.random() < 0.4:
        late = (Opening(start=600, end=690),)
        pools.append(pool("q", open=late, horizon=3, raster=30))
    quotas = tuple(
        Quota(
            frozenset(random.sample([p.id for p in pools], random.randint(1, len(pools)))),
            random.choice(["day", "week"]),
            random.randint(1, 3),
            random.choice([None, Kind.CLINICIAN, Kind.ROOM]),
        )
        for _ in range(random.choice([0, 0, 1, 2]))
    )
    return clinic(*people, *rooms, service=visit, pools=tuple(pools), quotas=quotas)


def _task(random: Random, name: str, pools: Iterable[str]) -> Task:
    first = TODAY + DAY
    last = first + random.randint(0, 1) * DAY
    return Task(
        name,
        "o",
        "c",
        random.choice(["ola", "eva", f"p-{name}", f"p-{name}", f"p-{name}"]),
        random.choice([("p",), tuple(pools)]),
        TODAY,
        TODAY,
        last,
        deadline=last + random.randint(0, 3) * DAY,
        priority=random.choice([1, 2, 3, 3, 5]),
        extra=random.choice([0, 0, 0, 0, 0, 30]),
        times=(Hours(start=540, end=660),) if random.random() < 0.2 else (),
        state=TaskState.OPEN,
    )
