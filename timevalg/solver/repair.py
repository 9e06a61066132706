"""Repair: finding places for tasks that have none, by chains in which others move aside.

A task takes a start that is free. If there is none, it takes one that is filled by places only,
whose owners are seated in the same way, one step further down the chain. Nothing on the board
moves while this is looked for: what is free and who fills what is found out once and serves every
chain tried, each of which is a list of new spots that must not clash.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Generic, TypeVar

from timevalg.model.task import Task
from timevalg.solver.assign import choices
from timevalg.solver.bits import cells
from timevalg.solver.board import Board
from timevalg.solver.certificates import place_id
from timevalg.solver.spot import Scope, Spot

T = TypeVar("T")

ASSIGNMENTS = 12
"""Assignments tried at one start."""
ALTERNATIVES = 4
"""Free spots that a task is tried at."""


@dataclass
class Budget:
    """How much may be tried; counted in steps, so that the same question has the same answer.

    Attributes
    ----------
    left : int
        Steps; one is a spot tried, some 20 µs.
    """

    left: int

    def spend(self) -> bool:
        """Take a step if there is one left."""
        self.left -= 1
        return self.left >= 0


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


class Repair:
    """Chains of moves on a board that stays as it is.

    Parameters
    ----------
    board : Board
    budget : Budget
    """

    def __init__(self, board: Board, budget: Budget) -> None:
        self.board, self.budget = board, budget
        self._free: dict[str, Lazy[Spot]] = {}
        self._crowded: dict[str, Lazy[tuple[Spot, list[Spot]]]] = {}

    def seat(self, task: Task, depth: int) -> Chain | None:
        """Find a place for a task that has none on the board.

        Parameters
        ----------
        depth : int
            How many others may move in a row.
        """
        return self._solve([(task, depth)], Chain())

    def make_room(
        self, spot: Spot, displaced: Iterable[Spot], depth: int, also: Sequence[Task] = ()
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
        displaced = list(displaced)
        todo = self._owners(displaced, depth)
        if todo is None:
            return None
        todo += [(task, depth) for task in also]
        return self._solve(todo, Chain([spot], {s.id for s in displaced}))

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
            found = self._free[task.id] = Lazy(islice(self._find_free(task), ALTERNATIVES))
        return iter(found)

    def crowded(self, task: Task) -> Iterator[tuple[Spot, list[Spot]]]:
        """Give spots that places of others fill, with these; one crowded role before several."""
        found = self._crowded.get(task.id)
        if found is None:
            found = self._crowded[task.id] = Lazy(self._find_crowded(task))
        return iter(found)

    def _solve(self, todo: list[tuple[Task, int]], chain: Chain) -> Chain | None:
        """Seat everybody who is still to be seated, trying one spot after the other."""
        if not todo:
            return chain if self._keeps_quotas(chain) else None
        (task, depth), rest = todo[0], todo[1:]
        for spot, others in self._options(task, depth):
            if any(spot.clashes(other) for other in chain.new):
                continue
            displaced = [s for s in others if s.id not in chain.gone]
            if displaced and depth <= 0:
                continue
            if depth == 1 and not all(self._may_move(s) for s in displaced):
                continue
            if not self.budget.spend():
                return None
            more = self._owners(displaced, depth - 1)
            if more is None:
                continue
            found = self._solve(
                more + rest,
                Chain([*chain.new, spot], chain.gone.union(s.id for s in displaced)),
            )
            if found is not None or self.budget.left < 0:
                return found
        return None

    def _options(self, task: Task, depth: int) -> Iterator[tuple[Spot, list[Spot]]]:
        for spot in self.free(task):
            yield spot, []
        if depth > 0:
            yield from self.crowded(task)

    def _owners(self, spots: Iterable[Spot], depth: int) -> list[tuple[Task, int]] | None:
        """Give whose places these are, who can move the least first; None if one may not move."""
        tasks = [self.board.tasks.get(s.task or "") for s in spots]
        known = [t for t in tasks if t is not None]
        if len(known) < len(tasks):
            return None
        if len(known) > 1:
            known.sort(key=lambda t: sum(1 for _ in self.free(t)))
        return [(t, depth) for t in known]

    def _may_move(self, spot: Spot) -> bool:
        """Tell whether a place's task has a free spot."""
        task = self.board.tasks.get(spot.task or "")
        return task is not None and next(self.free(task), None) is not None

    def _keeps_quotas(self, chain: Chain) -> bool:
        """Try a chain on the board, where quotas could be reached by several spots together."""
        board = self.board
        if not board.index.plan.counts:
            return True
        mark = board.mark()
        for key in chain.gone:
            spot = board.spot(key)
            if spot is not None:
                board.give(spot)
        fits = True
        for spot in chain.new:
            fits = fits and board.in_the_way(spot) == []
            board.take(spot)
        board.back(mark)
        return fits

    def _find_free(self, task: Task) -> Iterator[Spot]:
        board = self.board
        for scope in board.scopes(task):
            bits = board.starts(scope)
            while bits:
                cell = bits.bit_length() - 1
                resources = board.assign(scope, board.able(scope, cell))
                if resources is not None:
                    yield Spot.at(scope, cell, resources, place_id(task))
                bits &= (1 << max(0, cell - 2 * scope.window.length)) - 1

    def _find_crowded(self, task: Task) -> Iterator[tuple[Spot, list[Spot]]]:
        board = self.board
        scopes = board.scopes(task)
        most = max(len(scope.names) for scope in scopes)
        for together in (False, True):
            for role in range(1 if together else most):
                for scope in scopes:
                    if role >= len(scope.names) or (together and len(scope.names) == 1):
                        continue
                    crowded = tuple(range(len(scope.names))) if together else (role,)
                    bits = board.starts(scope, crowded=crowded)
                    for cell in reversed(cells(bits)):
                        for spot in self.ways(scope, cell, crowded, place_id(task)):
                            others = board.in_the_way(spot)
                            if others is not None:
                                yield spot, others

    def ways(self, scope: Scope, cell: int, crowded: Sequence[int], key: str) -> Iterator[Spot]:
        """Give ways to take a start, those first in which crowded roles displace the fewest."""
        board = self.board
        free = board.able(scope, cell)
        filled = board.able(scope, cell, places=False)
        if scope.pool.simple and len(crowded) == 1:
            (role,) = crowded
            first = [names[0] if names else "" for names in free]
            if all(name or n == role for n, name in enumerate(first)):
                for name in filled[role]:
                    chosen = [*first[:role], name, *first[role + 1 :]]
                    yield Spot.at(
                        scope,
                        cell,
                        {r.id: (n,) for r, n in zip(scope.pool.service.roles, chosen, strict=True)},
                        key,
                    )
            return
        names = [
            [*here, *(n for n in filled[role] if n not in here)] if role in crowded else here
            for role, here in enumerate(free)
        ]
        for resources in islice(choices(scope.pool, names), ASSIGNMENTS):
            yield Spot.at(scope, cell, resources, key)
