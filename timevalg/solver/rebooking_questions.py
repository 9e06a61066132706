"""All visits that cannot stand at once, as a prover is asked about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from timevalg.model.session import Session, SessionKind
from timevalg.model.task import Task
from timevalg.solver.ask import Ask
from timevalg.solver.complete import around, components, without_others
from timevalg.solver.lost_visits import LostVisit, ask_of, booking_with
from timevalg.solver.picture import Picture
from timevalg.solver.places import is_valid_place
from timevalg.solver.pose import Standing, Wish, pose, session_of
from timevalg.solver.problem import Problem, Solution
from timevalg.solver.verify import broken

NEAR = 120
"""Places of others that a prover may move."""


@dataclass(frozen=True)
class Question:
    """All visits at once, as a prover is asked.

    Attributes
    ----------
    whole : bool
        No way of carrying it out is missing among the answers, so that the best is a bound.
    """

    state: Picture
    visits: Sequence[LostVisit]
    wishes: Sequence[Wish]
    problem: Problem
    whole: bool

    def goals(self, answer: Solution) -> list[Session | None] | None:
        """Give where each visit would be, None for one left as it is; None = no answer."""
        if answer.seats is None:
            return None
        return [
            self._goal(visit, wish, answer)
            for visit, wish in zip(self.visits, self.wishes, strict=False)
        ]

    def places(self, answer: Solution) -> dict[str, Session]:
        """Give where the places of others would be, by their ids."""
        seats = answer.seats or {}
        found = [
            session_of(self.state, self.problem, wish, seats[wish.task.id])
            for wish in self.wishes[len(self.visits) :]
        ]
        return {s.id: s for s in found}

    def _goal(self, visit: LostVisit, wish: Wish, answer: Solution) -> Session | None:
        assert answer.seats is not None
        seat = answer.seats[wish.task.id]
        if seat.option < len(wish.asks):
            return session_of(self.state, self.problem, wish, seat)
        if seat.option > len(wish.asks) or wish.stands is None:
            return None
        ask = wish.stands.ask
        roles = self.state.index.plan.pool(ask.clinic, ask.pool).service.roles
        resources = {role.id: names for role, names in zip(roles, seat.names, strict=True)}
        return booking_with(self.state, ask, visit, resources)


def questions(picture: Picture, visits: Sequence[LostVisit]) -> list[Question]:
    """Give them: as if nobody had a place, then with the places that may move."""
    counted = [_counts(picture, visit) for visit in visits]
    for visit in visits:
        picture = picture.with_task(visit.renewed)
    bare = picture.apply(removed=[visit.session.id for visit in visits])
    others = _sharing(bare, visits)
    near = [pair for pair in others[:NEAR] if is_valid_place(bare, *pair, bare.now)]
    state = bare.apply(removed=[s.id for _, s in near])
    wishes = [
        *(_wish(state, v, counts) for v, counts in zip(visits, counted, strict=True)),
        *(Wish(t, _places(state, t), True, place) for t, place in near),
    ]
    alone = [without_others(wish) for wish in wishes[: len(visits)]]
    return [
        Question(state, visits, alone, pose(state, alone), True),
        Question(state, visits, wishes, pose(state, wishes), len(near) == len(others)),
    ]


def _counts(picture: Picture, visit: LostVisit) -> bool:
    """Tell whether no quota has too many with the visit where it is."""
    ask, old = ask_of(picture, visit), visit.session
    rest = around(picture, old)
    verdict = broken(picture.index.organisation, rest, ask, old.start, old.resources)
    return not any(fault.startswith("quota") for fault in verdict)


def _wish(state: Picture, visit: LostVisit, counts: bool) -> Wish:
    ask = replace(ask_of(state, visit), count_places=True)
    stands = Standing(visit.session, ask, visit.task.not_after, counts)
    return Wish(visit.renewed, _places(state, visit.renewed), True, stands=stands)


def _places(state: Picture, task: Task) -> tuple[Ask, ...]:
    return tuple(Ask.for_place(state.index, task, pool, state.now) for pool in task.pools)


def _sharing(bare: Picture, visits: Sequence[LostVisit]) -> list[tuple[Task, Session]]:
    """Give those who have a place and share anything with a visit, those near in time first."""
    placed = {
        s.task: s
        for s in bare.index.sessions.values()
        if s.kind is SessionKind.PLACE and s.task in bare.tasks
    }
    ours = {visit.renewed.id for visit in visits}
    tasks = [v.renewed for v in visits] + [bare.tasks[t] for t in placed if t is not None]
    for visit in visits:  # the pool in which it is may be another; it is the same patient's
        here = (visit.session.pool or "",)
        tasks.append(replace(visit.renewed, id=f"now:{visit.renewed.id}", pools=here))
    shared = [
        (task, placed[task.id])
        for component in components(bare, tasks)
        if any(task.id in ours for task in component)
        for task in component
        if task.id in placed
    ]

    def far(pair: tuple[Task, Session]) -> tuple[timedelta, str]:
        return min(abs(pair[1].start - v.session.start) for v in visits), pair[0].id

    return sorted(shared, key=far)
