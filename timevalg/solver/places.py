"""Places of the guarantee: where every live task could still go, and how to keep it so.

Late first: the tasks with the latest earliest day go first, each to the latest start that is free
(the mirror image of earliest deadline first). Early times, which patients want, stay free of
places, and places late in time survive the clock. Where no start is free, places of others move
aside by a short chain of moves (`timevalg.solver.repair`).

Source: docs/guarantee.md; docs/clinic-file.md, "Reserves and safe offers".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from timevalg.model.clinic import Organisation
from timevalg.model.session import Session, SessionKind
from timevalg.model.task import Task
from timevalg.solver.ask import Ask
from timevalg.solver.assign import allows
from timevalg.solver.board import Board
from timevalg.solver.certificates import (
    Certificate,
    after,
    as_place,
    is_place,
    own_place,
    place_id,
)
from timevalg.solver.picture import Picture
from timevalg.solver.repair import Budget, Chain, Repair
from timevalg.solver.search import feasible
from timevalg.solver.spot import Spot

__all__ = [
    "Certificate",
    "Plan",
    "after",
    "conflicts",
    "is_place",
    "is_valid_place",
    "make_room",
    "own_place",
    "place",
    "place_id",
    "plan",
]

CHAIN = 3
"""How many places may move in a row for one that has none."""
STEPS = 3_000
"""Steps spent on one task at most; see `Budget`."""
ROUNDS = (30, 300, 20_000)
"""Steps spent on one task in each round of a plan: what is soon found need not wait."""
STEPS_A_PLAN, STEPS_AN_ATTEMPT, STEPS_A_TASK = 120_000, 4_000, 1
"""Steps of all attempts at a plan together, and of one of them: so many, and more for each task."""
ATTEMPTS = 8
"""Orders in which it is tried at most; the last one has all steps that are left."""
FEW = 40
"""Tasks left out at most for which another order may help; with more the next is the last."""

AGAIN: tuple[Callable[[Task], tuple[object, ...]], ...] = (
    lambda _: (),
    lambda task: (task.priority,),
    lambda task: task.urgency,
)
"""By what those are ordered in turn, after their pools, when somebody has been left out."""


@dataclass(frozen=True)
class Plan:
    """Places for many tasks at once.

    Attributes
    ----------
    placed : tuple of Certificate
        In the order in which they must be applied.
    picture : Picture
        With all of them applied.
    unplaced : tuple of Task
        Tasks for which no place was found.
    """

    placed: tuple[Certificate, ...]
    picture: Picture
    unplaced: tuple[Task, ...]


def plan(
    picture: Picture, tasks: Iterable[Task], now: datetime, *, steps: int | None = None
) -> Plan:
    """Give every task a valid place, as far as late-first with repair reaches.

    If somebody is left out, it is tried again with the tasks of their pools first, the more are
    left out the sooner, and with those first whom it would harm most to go without; the plan that
    leaves out the fewest of priority 1, then of 2 … 5, then those with the latest deadlines, is
    given.
    All attempts together have the steps of one plan; where hundreds cannot be served, these end
    before everything has been tried.

    Parameters
    ----------
    picture : Picture
        As it is; places that these tasks have already are released.
    tasks : iterable of Task
        All need not be of one clinic. Those who could as well go without as others do so the
        later, the earlier they stand here.
    now : datetime
        UTC.
    steps : int or None
        Of repair, for all attempts together; a little more for each task. See `Budget`. Default
        `STEPS_A_PLAN`.
    """
    wanted = list(tasks)
    stage = replace(picture, now=now, tasks={**picture.tasks, **{t.id: t for t in wanted}})
    placed, unplaced = _best(Board(stage), wanted, STEPS_A_PLAN if steps is None else steps)
    standing: dict[str, Session] = {}
    gone: set[str] = set()
    for certificate in placed:
        for old in (*certificate.released, *certificate.displaced):
            if standing.pop(old.id, None) is None:
                gone.add(old.id)
        standing.update((s.id, s) for s in (*certificate.claims, *certificate.moved))
    stage = replace(stage.apply(standing.values(), gone), now=picture.now)
    return Plan(tuple(placed), stage, tuple(unplaced))


def _best(board: Board, wanted: Sequence[Task], steps: int) -> tuple[list[Certificate], list[Task]]:
    """Plan in one order after the other until nobody is left out who could have a place."""
    budget = Budget(steps + STEPS_A_TASK * len(wanted))
    first_days = {t.id: _first_day(board, t) for t in wanted}
    late_first, other_way = (
        sorted(tasks, key=lambda t: first_days[t.id], reverse=True)
        for tasks in (wanted, wanted[::-1])
    )
    best: tuple[list[Certificate], list[Task]] | None = None
    begin, tried, missing = board.mark(), list[Sequence[Task]](), list[Task]()
    left_out = Counter[str]()
    for attempt in range(1, ATTEMPTS + 1):
        last = attempt == ATTEMPTS or len(missing) > FEW
        left_out.update(pool for task in missing for pool in task.pools)
        order = late_first if last or attempt == 1 else other_way  # of those alike
        order = sorted(order, key=lambda t: -max((left_out[p] for p in t.pools), default=0))
        order.sort(key=AGAIN[1 if last else max(0, attempt - 2) % len(AGAIN)])
        if order in tried and not last:
            continue  # would leave out the same again
        board.back(begin)
        given = budget.left if last else STEPS_AN_ATTEMPT + STEPS_A_TASK * len(wanted)
        with budget.within(given) as mine:
            found = _plan(board, order, mine)
        if best is None or worth(found[1]) < worth(best[1]):
            best = found
        tried.append(order)
        missing = [t for t in found[1] if has_start(board, t)]
        if last or not missing or budget.left <= 0:
            break
    return best or ([], [])


def _plan(
    board: Board, tasks: Sequence[Task], budget: Budget
) -> tuple[list[Certificate], list[Task]]:
    placed: list[Certificate] = []
    left: list[Task] = []
    given_up = {task.id: _vacate(board, task) for task in tasks}
    organisation = board.index.organisation
    for task in tasks:
        spot = board.latest(task)
        if spot is None:
            left.append(task)
            continue
        board.take(spot)
        placed.append(certificate(organisation, [spot], given_up[task.id]))
    left.sort(key=lambda t: t.urgency)
    repair = Repair(board, budget, thorough=True)
    for steps in ROUNDS:
        unplaced = []
        for task in left:
            with repair.within(steps):
                chain = _chain(repair, task)
            if chain is None:
                unplaced.append(task)
                continue
            placed.append(_use(repair, chain, given_up[task.id]))
            repair = Repair(board, budget, thorough=True)
        left = unplaced
    return placed, left


def has_start(board: Board, task: Task) -> bool:
    """Tell whether a task could have a place if no other task had one."""
    return any(board.starts(scope, places=False) for scope in board.scopes(task))


def _first_day(board: Board, task: Task) -> date:
    """Give the earliest day of a task."""
    return min(scope.window.first for scope in board.scopes(task))


def _vacate(board: Board, task: Task) -> list[Spot]:
    """Take a task's own places off the board; gives them."""
    own = [board.seen(s) for s in board.index.by_task(task.id) if is_place(s)]
    for spot in own:
        board.give(spot)
    return own


def _seat(
    board: Board, task: Task, given_up: Sequence[Spot], budget: Budget | None = None
) -> Certificate | None:
    """Find a task's place and use it on the board."""
    repair = Repair(board, budget or Budget(STEPS), thorough=True)
    chain = _chain(repair, task)
    return None if chain is None else _use(repair, chain, given_up)


def _chain(repair: Repair, task: Task) -> Chain | None:
    """Find a task's place, by as few moves in a row as it takes."""
    for depth in range(CHAIN + 1):
        chain = repair.seat(task, depth)
        if chain is not None or repair.budget.left <= 0:
            return chain
    return None


def _use(repair: Repair, chain: Chain, given_up: Sequence[Spot]) -> Certificate:
    """Seat a task on the board as a chain says; what repair knew of the board is void."""
    pairs = chain.moves(repair.board)
    repair.use(chain)
    return certificate(repair.board.index.organisation, chain.new[:1], given_up, pairs)


def certificate(
    organisation: Organisation,
    claims: Iterable[Spot],
    released: Iterable[Spot] = (),
    pairs: Sequence[tuple[Spot, Spot]] = (),
) -> Certificate:
    """Make a certificate of spots.

    Parameters
    ----------
    pairs : sequence of (Spot, Spot)
        Places of others as they were, and where they go instead.
    """
    return Certificate(
        tuple(s.session(organisation) for s in claims),
        tuple(s.session(organisation) for s in released),
        tuple(old.session(organisation) for old, _ in pairs),
        tuple(then.session(organisation) for _, then in pairs),
    )


def worth(unplaced: Iterable[Task]) -> tuple[int, ...]:
    """Tell how bad it is that tasks go without; less is better.

    The fewest of priority 1, then of 2 … 5, then those with the latest deadlines.
    """
    tasks = list(unplaced)
    counts = [sum(t.priority == priority for t in tasks) for priority in range(1, 6)]
    return *counts, -sum((t.deadline or t.not_after).toordinal() for t in tasks)


def place(
    picture: Picture,
    task: Task,
    now: datetime,
    prefer: Session | None = None,
    *,
    budget: Budget | None = None,
) -> Certificate | None:
    """Find a valid place for a task that has none, moving places of others if need be.

    Parameters
    ----------
    picture : Picture
        What is taken; a place that the task still has is released.
    prefer : Session or None
        A time to try first (the one that was just given back).
    budget : Budget or None
        Steps to spend; default `STEPS`.
    """
    if prefer is not None:
        same = as_place(prefer)
        if is_valid_place(picture, task, same, now):
            return Certificate((same,))
    board = Board(replace(picture.with_task(task), now=now))
    return _seat(board, task, _vacate(board, task), budget)


def is_valid_place(picture: Picture, task: Task, session: Session, now: datetime) -> bool:
    """Tell whether the session's start and resources are a valid place for the task."""
    if session.pool is None or session.pool not in task.pools:
        return False
    ask = Ask.for_place(picture.index, task, session.pool, now)
    ask = replace(ask, ignore=ask.ignore | {session.id})
    return session.start in feasible(picture.index, ask) and allows(
        picture.index, ask, session.start, session.resources
    )


def conflicts(picture: Picture, session: Session) -> list[Session]:
    """Give the places that a session would displace: overlapping ones, and those over a quota.

    Of holds that are places as well those alone that a quota has too many.
    """
    board = Board(picture)
    spot = Spot.of(session, picture.index.plan.grid)
    found = board.in_the_way(spot, anyway=True) or []
    for old in found:
        board.give(old)
    board.take(spot)
    found += board.crowding(spot)
    return [s.session(picture.index.organisation) for s in found]


def make_room(
    picture: Picture, session: Session, now: datetime, *, override: bool
) -> tuple[Certificate, tuple[Session, ...]]:
    """Re-place whoever a staff booking displaces, as far as that goes.

    A hold gives way to nobody. Where it was also its task's place, and an override has a quota
    count too many with it, the place moves away from it.

    Parameters
    ----------
    picture : Picture
        Without whatever the session is put in the place of.

    Returns
    -------
    certificate, lost
        The session, and where places go; `lost` are those for which there is no other.
    """
    board = Board(replace(picture, now=now))
    spot = Spot.of(session, picture.index.plan.grid)
    displaced = board.in_the_way(spot, anyway=True) or []
    begin = board.mark()
    for old in displaced:
        board.give(old)
    board.take(spot)
    crowding = board.crowding(spot) if override else ()
    bare = {hold.id: board.without_place(hold) for hold in crowding}
    lost = []
    for old in [*displaced, *bare.values()]:
        task = board.tasks.get(old.task or "")
        if task is None or _seat(board, task, ()) is None:
            lost.append(old)
    went, came = board.changes(begin)
    new = {s.task: s for s in came if s.kind is SessionKind.PLACE}
    pairs = [(s, new.get(s.task) or bare[s.id]) for s in went if s.task in new or s.id in bare]
    claims = [spot, *(hold for hold in bare.values() if hold.task in new)]
    organisation = picture.index.organisation
    found = certificate(organisation, claims, [s for s in lost if s.id not in bare], pairs)
    return found, tuple(s.session(organisation) for s in lost)
