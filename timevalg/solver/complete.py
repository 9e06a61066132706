"""Plans as good as they can be: where late-first leaves tasks without a place, a prover goes on.

It is asked about a neighbourhood first (the tasks left out and those nearest to them), then about
ever larger ones, up to all tasks that share anything with them. Each is asked twice at once: with
everybody else where they are (for a better plan), and as if nobody else were there (what cannot be
done then cannot be done at all). Every answer is verified by the rules before it is believed.

Source: docs/guarantee.md; docs/clinic-file.md, "Reserves and safe offers".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from timevalg.model.session import Session, SessionKind
from timevalg.model.task import Task
from timevalg.solver.ask import Ask
from timevalg.solver.board import Board
from timevalg.solver.picture import Picture
from timevalg.solver.places import Certificate, Plan, has_start, is_valid_place, plan, worth
from timevalg.solver.pose import Wish, pose, session_of
from timevalg.solver.problem import Solution, Solve
from timevalg.solver.verify import broken

FIRST, GROWTH, MOST = 40, 5, 1000
"""Tasks in the first neighbourhood, how many times more in the next, and in the last at most."""


@dataclass(frozen=True)
class Settled:
    """A plan, and whether it is proven that none is better.

    Attributes
    ----------
    proven : bool
        No plan leaves out fewer tasks of priority 1, then of 2 … 5, then with later deadlines,
        without taking a place from a task that had one.
    """

    plan: Plan
    proven: bool


def settle_plan(picture: Picture, tasks: Iterable[Task], now: datetime, solve: Solve) -> Settled:
    """Give every task a valid place, or leave out as few as possible.

    Parameters
    ----------
    picture : Picture
        Without places for these tasks. The places in it may be moved; none is lost.
    solve : callable
        A prover, called only where late-first with repair leaves out a task that has starts of
        its own.
    """
    wanting = list(tasks)
    made = plan(picture, wanting, now)
    board = Board(replace(picture, now=now))
    hopeless = {t.id for t in made.unplaced if not has_start(board, t)}
    if len(hopeless) == len(made.unplaced):
        return Settled(made, True)
    picture = replace(picture, tasks={**picture.tasks, **{t.id: t for t in wanting}})
    had = [s.task or "" for s in picture.index.sessions.values() if s.kind is SessionKind.PLACE]
    possible = [t for t in wanting if t.id not in hopeless]
    movable = [picture.tasks[name] for name in had if name in picture.tasks]
    work = _Work(replace(picture, index=made.picture.index), frozenset(t.id for t in movable), now)
    proven = True
    for component in components(picture, [*possible, *movable]):
        if work.without(component):
            proven = work.improve(component, solve) and proven
    if work.picture.index is made.picture.index:
        return Settled(made, proven)
    return Settled(_as_plan(picture, work, wanting), proven)


class _Work:
    """The best plan so far.

    Parameters
    ----------
    picture : Picture
        With that plan's places.
    had : frozenset of str
        Tasks whose places may be moved but not lost.
    """

    def __init__(self, picture: Picture, had: frozenset[str], now: datetime) -> None:
        self.picture, self._had, self._now = picture, had, now

    def place(self, task: Task) -> Session | None:
        """Give a task's place."""
        sessions = self.picture.index.by_task(task.id)
        return next((s for s in sessions if s.kind is SessionKind.PLACE), None)

    def without(self, tasks: Iterable[Task]) -> list[Task]:
        """Give those that have no place."""
        return [t for t in tasks if self.place(t) is None]

    def improve(self, component: Sequence[Task], solve: Solve) -> bool:
        """Leave out as few as possible; tells whether that is proven."""
        size = FIRST
        while True:
            left_out = self.without(component)
            others = self._nearest(left_out, component)
            near = [t for t in others[:size] if self._is_movable(t)]
            last = size >= len(others)
            whole = last and len(near) == len(others)
            proven = self._improve_among([*left_out, *near], whole, solve)
            if proven is None:
                return False
            if proven or not self.without(component):
                return True
            if last or size >= MOST:
                return False
            size *= GROWTH

    def _improve_among(self, tasks: Sequence[Task], whole: bool, solve: Solve) -> bool | None:
        """Try to do better by moving some tasks; None = the prover says nothing.

        Tells whether it is proven that no plan is better.
        """
        old = {t.id: place for t in tasks if (place := self.place(t)) is not None}
        state = self.picture.apply(removed=[s.id for s in old.values()])
        wishes = [self._wish(state, t, old.get(t.id)) for t in tasks]
        problem = pose(state, wishes)
        alone = [] if whole else [pose(state, [without_others(w) for w in wishes])]
        answer, *bounds = solve([problem, *alone])
        if answer.seats is None:
            return None
        seated = {w.task.id: w for w in wishes if w.task.id in answer.seats}
        new = [
            session_of(state, problem, wish, answer.seats[name]) for name, wish in seated.items()
        ]
        better = state.apply(new)
        if any(faults(better, seated[s.task or ""].task, s, self._now) for s in new):
            return None
        if any(name in self._had for name in old.keys() - seated.keys()):
            return None
        if worth(t for t in tasks if t.id not in seated) < worth(self.without(tasks)):
            self.picture = better
        if whole:
            return answer.proven
        return any(_reaches(bound, tasks, worth(self.without(tasks))) for bound in bounds)

    def _wish(self, state: Picture, task: Task, place: Session | None) -> Wish:
        asks = tuple(Ask.for_place(state.index, task, p, self._now) for p in task.pools)
        return Wish(task, asks, task.id in self._had, place)

    def _nearest(self, left_out: Sequence[Task], component: Sequence[Task]) -> list[Task]:
        """Give the other tasks that have a place, those nearest to the windows left empty first."""
        middles = [_middle(t) for t in left_out]
        rows = []
        for task in component:
            place = self.place(task)
            if place is not None:
                day = place.start.toordinal()
                rows.append((min(abs(day - m) for m in middles), task.id, task))
        return [task for *_, task in sorted(rows, key=lambda row: row[:2])]

    def _is_movable(self, task: Task) -> bool:
        """Tell whether a prover may be asked where else the task could be.

        A place from before that the rules no longer allow stays where it is.
        """
        place = self.place(task)
        return task.id not in self._had or (
            place is not None and is_valid_place(self.picture, task, place, self._now)
        )


def faults(picture: Picture, task: Task, place: Session, now: datetime) -> tuple[str, ...]:
    """Say which rules a place in the picture breaks, by the verifier."""
    index = picture.index
    ask = Ask.for_place(index, task, place.pool or "", now, ignore=[place.id])
    return broken(index.organisation, around(picture, place), ask, place.start, place.resources)


def around(picture: Picture, session: Session) -> list[Session]:
    """Give the other sessions that the verifier must see: in its time, and in its quotas."""
    index = picture.index
    clinic = index.organisation.clinic(session.clinic)
    found = {s.id: s for s in index.touching(session)}
    for quota in clinic.quotas:
        if session.pool in quota.pools:
            for counted in index.counted(clinic, quota, session):
                found.update((s.id, s) for s in counted)
    return list(found.values())


def without_others(wish: Wish) -> Wish:
    """Give the same wish as if no other place counted."""
    asks = tuple(replace(ask, count_places=False) for ask in wish.asks)
    booked = wish.stands
    if booked is not None:
        booked = replace(booked, ask=replace(booked.ask, count_places=False))
    return replace(wish, asks=asks, stands=booked)


def _middle(task: Task) -> int:
    return sum(first_and_last(task)) // 2


def first_and_last(task: Task) -> tuple[int, int]:
    """Give the first and the last day on which a task's place could be, as numbers of days."""
    first = max(task.not_before or task.after_due, task.after_due)
    return first.toordinal(), task.not_after.toordinal()


def _reaches(bound: Solution, tasks: Sequence[Task], value: tuple[int, ...]) -> bool:
    """Tell whether a plan is as good as one would be if nobody else were there."""
    if bound.seats is None or not bound.proven:
        return False
    return worth(t for t in tasks if t.id not in bound.seats) == value


def components(picture: Picture, tasks: Sequence[Task]) -> list[list[Task]]:
    """Give the tasks in groups that share no resource, patient or quota with each other."""
    head: dict[object, object] = {}

    def find(key: object) -> object:
        while (above := head.setdefault(key, key)) != key:
            head[key] = key = head[above]
        return key

    for task in tasks:
        mine = find(("task", task.id))
        head[find(("patient", task.patient))] = mine
        for name in task.pools:
            pool = picture.index.plan.pool(task.clinic, name)
            shared = [*pool.roles_of, *(f"{task.clinic}/quota/{n}" for n, _ in pool.together)]
            for key in shared:
                head[find(key)] = find(("task", task.id))
    groups: dict[object, list[Task]] = {}
    for task in tasks:
        groups.setdefault(find(("task", task.id)), []).append(task)
    return list(groups.values())


def sharing(picture: Picture, task: Task) -> list[tuple[Task, Session]]:
    """Give those who have a place and share anything with the task, in a fixed order."""
    placed = {
        s.task: s
        for s in picture.index.sessions.values()
        if s.kind is SessionKind.PLACE and s.task in picture.tasks
    }
    tasks = [task, *(picture.tasks[name] for name in placed if name is not None)]
    component = next(c for c in components(picture, tasks) if any(t is task for t in c))
    return [(t, placed[t.id]) for t in sorted(component, key=lambda t: t.id) if t.id != task.id]


def _as_plan(before: Picture, work: _Work, wanting: Sequence[Task]) -> Plan:
    """Give the plan as certificates; the first brings the moves of all places from before."""
    placed = [(t, place) for t in wanting if (place := work.place(t)) is not None]
    was, moved = [], []
    for old in before.index.sessions.values():
        new = work.picture.index.sessions.get(old.id)
        if old.kind is SessionKind.PLACE and new is not None and new != old:
            was.append(old)
            moved.append(new)
    moves = [(tuple(was), tuple(moved)), *(((), ()) for _ in placed[1:])]
    certificates = tuple(
        Certificate((place,), (), *move) for (_, place), move in zip(placed, moves, strict=True)
    )
    return Plan(certificates, work.picture, tuple(work.without(wanting)))
