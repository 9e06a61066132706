"""Repair: finding places for tasks that have none, by chains in which others move aside.

A task takes a start that is free. If there is none, it takes one that is filled by places only,
whose owners are seated in the same way, one step further down the chain. Nothing on the board
moves while this is looked for: what is free and who fills what is found out once and serves every
chain tried, each of which is a list of new spots that must not clash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice, product
from typing import Generic, TypeVar
from weakref import proxy

from timevalg.model.session import Assignment
from timevalg.model.task import Task
from timevalg.solver.aside import ANYHOW, Aside
from timevalg.solver.assign import choices
from timevalg.solver.bits import cells
from timevalg.solver.board import Board
from timevalg.solver.certificates import place_id
from timevalg.solver.plan import PoolPlan
from timevalg.solver.spot import Scope, Spot

T = TypeVar("T")

Able = Callable[[Scope, int, int, int], list[str]]

ASSIGNMENTS = 12
"""Assignments tried at one start."""
CHAIN = 2
"""How many places may move in a row, those that are displaced left out."""
ALTERNATIVES = 4
"""Free spots that a task is tried at."""


@dataclass
class Budget:
    """How much may be tried; counted in steps, so that the same question has the same answer.

    Attributes
    ----------
    left : int
        Steps; one is a spot looked at, some 50 µs.
    """

    left: int

    def spend(self) -> bool:
        """Take a step if there is one left."""
        self.left -= 1
        return self.left >= 0

    @contextmanager
    def within(self, steps: int) -> Iterator[Budget]:
        """Let so many of the steps be taken at most."""
        given = min(steps, max(0, self.left))
        mine = Budget(given)
        yield mine
        self.left -= given - max(0, mine.left)


class Lazy(Generic[T]):
    """What an iterator gives, found when first asked for and then remembered."""

    __slots__ = ("_known", "_rest")

    def __init__(self, rest: Iterator[T]) -> None:
        self._known: list[T] = []
        self._rest = rest

    def __iter__(self) -> Iterator[T]:
        number = 0
        while True:
            while number < len(self._known):
                yield self._known[number]
                number += 1
            item = next(self._rest, None)
            if item is None:
                return
            self._known.append(item)


@dataclass
class Chain:
    """New spots, and the ids of what stood in their way.

    Attributes
    ----------
    new : list of Spot
        None of them clash.
    gone : set of str
    """

    new: list[Spot] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)

    def joined(self, other: Chain, place: str) -> Chain | None:
        """Give both chains as one, if they do not clash and move nobody twice but one."""
        if len(self.gone & other.gone) > (place in self.gone and place in other.gone):
            return None
        if any(a.clashes(b) for a in self.new for b in other.new):
            return None
        return Chain([*self.new, *other.new], self.gone | other.gone)

    def moves(self, board: Board) -> list[tuple[Spot, Spot]]:
        """Give those that a board has and that go, each with its new spot."""
        new = {s.task: s for s in self.new}
        old = [spot for key in sorted(self.gone) if (spot := board.spot(key)) is not None]
        return [(spot, new[spot.task]) for spot in old]

    def claims(self, board: Board) -> list[Spot]:
        """Give the new spots that take nobody's place: the first, and those of who had none."""
        moving = {spot.id for _, spot in self.moves(board)}
        return [self.new[0], *(s for s in self.new[1:] if s.id not in moving)]


@dataclass
class Moves:
    """What is known of how one may move away.

    Attributes
    ----------
    chains : list of Chain
        Ways that have been found.
    depth : int
        How long chains have been looked for.
    """

    chains: list[Chain] = field(default_factory=list)
    depth: int = -1


class Repair:
    """Chains of moves on a board that stays as it is.

    Parameters
    ----------
    board : Board
    budget : Budget
    thorough : bool
        Whether those are tried too of whom it is not seen how they could move aside: they might
        where they are, with other resources or a little later.
    """

    def __init__(self, board: Board, budget: Budget, *, thorough: bool = False) -> None:
        self.board, self.budget, self._thorough = board, budget, thorough
        self.aside = Aside(board)
        self._free: dict[str, Lazy[Spot]] = {}
        self._crowded: dict[tuple[str, int], Lazy[tuple[Spot, list[Spot] | None]]] = {}
        self._moves: dict[str, Moves] = {}
        self._stays: dict[str, tuple[bool, int]] = {}

    @contextmanager
    def within(self, steps: int) -> Iterator[None]:
        """Let so many of the budget's steps be taken at most."""
        whole = self.budget
        with whole.within(steps) as self.budget:
            yield
        self.budget = whole

    def seat(self, task: Task, depth: int) -> Chain | None:
        """Find a place for a task that has none on the board.

        Parameters
        ----------
        depth : int
            How many others may move in a row.
        """
        return self._solve([(task, depth)], Chain())

    def make_room(
        self, spot: Spot, displaced: Sequence[Spot], depth: int, also: Sequence[Task] = ()
    ) -> Chain | None:
        """Seat elsewhere whoever a spot displaces.

        Parameters
        ----------
        depth : int
            How many others may move in a row for each of them.
        also : sequence of Task
            Tasks without a place that need one as well.

        Returns
        -------
        Chain or None
            With the spot as the first of the new.
        """
        chain = Chain([spot], {s.id for s in displaced})
        owners = self._owners(displaced, depth)
        if owners is None:
            return None
        if depth > CHAIN:
            return self._solve([*owners, *((task, depth) for task in also)], chain)
        places = {s.task: s for s in displaced}
        for task, _ in owners:
            moved = self._move(task, places[task.id], depth, chain)
            if moved is None:
                return None
            chain = moved
        return self._solve([(task, depth) for task in also], chain)

    def _move(self, task: Task, place: Spot, depth: int, chain: Chain) -> Chain | None:
        """Add the moves of one who has to go; those found for an earlier question serve again."""
        known = self._moves.setdefault(task.id, Moves())
        for found in known.chains:
            joined = chain.joined(found, place.id)
            if joined is not None:
                return joined
        if depth > known.depth:
            known.depth = depth
            away = self._solve([(task, depth)], Chain([place], {place.id}))
            if away is not None:
                known.chains.append(Chain(away.new[1:], away.gone))
                joined = chain.joined(known.chains[-1], place.id)
                if joined is not None:
                    return joined
        if not known.chains and depth < CHAIN:
            return None
        moved = self._solve([(task, depth)], chain)
        if moved is not None and chain.gone == {place.id}:  # else it may lean on others' going
            new = [s for s in moved.new if s not in chain.new]
            known.chains.append(Chain(new, moved.gone - chain.gone | {place.id}))
        return moved

    def use(self, chain: Chain) -> None:
        """Move everybody on the board as a chain says; what was known of the board is void."""
        for key in chain.gone:
            spot = self.board.spot(key)
            if spot is not None:
                self.board.give(spot)
        for spot in chain.new:
            self.board.take(spot)

    def free(self, task: Task) -> Iterator[Spot]:
        """Give spots at which the task displaces nobody, latest first, some hours apart."""
        found = self._free.get(task.id)
        if found is None:
            found = self._free[task.id] = Lazy(
                islice(_free_spots(self.board, self.aside, task), ALTERNATIVES)
            )
        return iter(found)

    def crowded(self, task: Task, depth: int) -> Iterator[tuple[Spot, list[Spot] | None]]:
        """Give spots filled by those who might move aside in `depth` moves, with their places.

        None in place of these where something else is in the way too.
        """
        found = self._crowded.get((task.id, depth))
        if found is None:
            me = proxy(
                self
            )  # else it would hold itself, and all of a look, until garbage is sought
            spots = _crowded_spots(self.board, self.aside, task, depth, lambda p: me.stays(p))
            found = self._crowded[task.id, depth] = Lazy(spots)
        return iter(found)

    def _solve(self, todo: list[tuple[Task, int]], chain: Chain) -> Chain | None:
        """Seat everybody who is still to be seated, trying one spot after the other."""
        if not todo:
            return chain if self._keeps_quotas(chain) else None
        (task, depth), rest = todo[0], todo[1:]
        for spot, others in self._options(task, depth):
            if not self.budget.spend():
                return None
            if others is None or any(spot.clashes(other) for other in chain.new):
                continue
            displaced = [s for s in others if s.id not in chain.gone]
            if depth <= 0 and displaced:
                continue
            more = self._owners(displaced, depth - 1)
            if more is None or (depth == 1 and not all(self._has_free(t) for t, _ in more)):
                continue
            longer = Chain([*chain.new, spot], chain.gone.union(s.id for s in displaced))
            if not self._keeps_quotas(longer):
                continue
            found = self._solve(more + rest, longer)
            if found is not None or self.budget.left < 0:
                return found
        return None

    def _keeps_quotas(self, chain: Chain) -> bool:
        board = self.board
        if not board.index.plan.counts:
            return True
        gone = (board.spot(key) for key in chain.gone)
        return board.quotas.keep([s for s in gone if s is not None], chain.new)

    def _options(self, task: Task, depth: int) -> Iterator[tuple[Spot, list[Spot] | None]]:
        for spot in self.free(task):
            yield spot, []
        if depth > 0:
            yield from self.crowded(task, depth)
            if self._thorough:
                yield from self.crowded(task, ANYHOW)

    def _owners(self, spots: Iterable[Spot], depth: int) -> list[tuple[Task, int]] | None:
        """Give whose places these are, who can move the least first; None if one may not move."""
        known = owners(self.board, spots)
        if known is None:
            return None
        if len(known) > 1:
            known.sort(key=self._has_free)
        return [(t, depth) for t in known]

    def stays(self, place: Spot) -> tuple[bool, int]:
        """Give an order of places: who has something free first, then who has most starts."""
        found = self._stays.get(place.id)
        if found is None:
            task, found = self.board.tasks.get(place.task or ""), (True, 0)
            if task is not None:
                starts = sum(s.bits.bit_count() for s in self.board.scopes(task))
                found = not self._has_free(task), -starts
            self._stays[place.id] = found
        return found

    def _has_free(self, task: Task) -> bool:
        return next(self.free(task), None) is not None


def owners(board: Board, spots: Iterable[Spot]) -> list[Task] | None:
    """Give whose places these are; None if one of them may not move."""
    tasks = [board.tasks.get(spot.task or "") for spot in spots]
    known = [task for task in tasks if task is not None]
    return known if len(known) == len(tasks) else None


def ways(able: Able, scope: Scope, cell: int, depth: int) -> Iterator[Assignment]:
    """Give the assignments at a start, those first that displace nobody, or in one role only.

    Parameters
    ----------
    able : callable
        Gives who could serve a role at a start if only those move who might in so many moves.
    depth : int
        Only those are displaced who might move aside in so many moves.
    """
    roles = scope.pool.service.roles
    every = range(len(roles))
    free = [able(scope, role, cell, 0) for role in every]
    yield from _combined(scope.pool, free)
    if not depth:
        return
    filled = [[n for n in able(scope, role, cell, depth) if n not in free[role]] for role in every]
    for role in every:
        if filled[role]:
            mixed = filled[role] if roles[role].count == 1 else filled[role] + free[role]
            rest = [names[:1] for names in free] if scope.pool.simple else free
            yield from _combined(scope.pool, [mixed if n == role else rest[n] for n in every])
    if sum(map(bool, filled)) > 1:
        yield from _combined(scope.pool, [filled[n] + free[n] for n in every])


def _free_spots(board: Board, aside: Aside, task: Task) -> Iterator[Spot]:
    for scope in board.scopes(task):
        bits = aside.starts(scope, 0)
        while bits:
            cell = bits.bit_length() - 1
            resources = board.assign(scope, cell)
            if resources is not None:
                yield Spot.at(scope, cell, resources, place_id(task))
            bits &= (1 << max(0, cell - 2 * scope.window.length)) - 1


def _crowded_spots(
    board: Board, aside: Aside, task: Task, depth: int, stays: Callable[[Spot], tuple[bool, int]]
) -> Iterator[tuple[Spot, list[Spot] | None]]:
    for scope in board.scopes(task):
        for cell in reversed(cells(aside.starts(scope, depth))):
            for resources in islice(ways(aside.able, scope, cell, depth), ASSIGNMENTS):
                spot = Spot.at(scope, cell, resources, place_id(task))
                yield spot, board.in_the_way(spot, stays=stays)


def _combined(plan: PoolPlan, names: Sequence[Sequence[str]]) -> Iterator[Assignment]:
    if not plan.simple:
        yield from choices(plan, names)
        return
    roles = [role.id for role in plan.service.roles]
    for chosen in product(*names):
        yield {role: (name,) for role, name in zip(roles, chosen, strict=True)}
