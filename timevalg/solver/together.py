"""Moves that only fit together: where somebody goes depends on who else has gone.

A chain of single moves (`timevalg.solver.repair`) takes what is free while everybody still has
their place. Here those displaced are taken off the board first, and each is then seated where that
leaves room, be it half an hour off in the same room; or else in the place of one or two others,
who are then seated in the same way. That is tried only at times at which of each kind of resource
needed somebody is idle, whoever it is. The board is put back as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import islice

from timevalg.model.resource import Kind
from timevalg.model.task import Task
from timevalg.solver.bits import cells, runs, shifted, spread
from timevalg.solver.certificates import place_id
from timevalg.solver.frame import Frame
from timevalg.solver.repair import ASSIGNMENTS, Chain, Repair, owners, ways
from timevalg.solver.spot import Scope, Spot

DEPTH = 1
"""How many others may have to go for one who is displaced, one because of the other."""
MOST = 2
"""How many have to go for one."""


class Together:
    """Joint moves on a board.

    Parameters
    ----------
    repair : Repair
        On the same board; its budget is spent, a step for each spot looked at.
    """

    def __init__(self, repair: Repair) -> None:
        self._repair, self._board = repair, repair.board
        self._stuck: set[tuple[str, int]] = set()
        self._open: dict[object, int] = {}

    def make_room(
        self, spot: Spot, displaced: Sequence[Spot], depth: int, also: Sequence[Task] = ()
    ) -> Chain | None:
        """Seat elsewhere whoever a spot displaces.

        Who could not go when displaced alone is not tried again, whatever the spot.

        Parameters
        ----------
        depth : int
            How many others may have to go for each of them, one because of the other.
        also : sequence of Task
            Tasks without a place that need one as well.

        Returns
        -------
        Chain or None
            With the spot as the first of the new.
        """
        board = self._board
        if depth:
            _ = self._idle  # who is idle while everybody has their place
        if any((old.id, depth) in self._stuck for old in displaced):
            return None
        begin = board.mark()
        found = None
        if self._instead(spot, displaced, depth, [(task, depth) for task in also], frozenset()):
            went, came = board.changes(begin)
            new = [s for s in came if s.id != spot.id]
            found = Chain([spot, *new], {s.id for s in went})
        elif len(displaced) == 1:
            self._stuck.add((displaced[0].id, depth))
        board.back(begin)
        return found

    def _instead(
        self,
        spot: Spot,
        others: Sequence[Spot],
        depth: int,
        rest: Sequence[tuple[Task, int]],
        moved: frozenset[str],
    ) -> bool:
        """Put a spot in the place of others, and seat these and the rest."""
        board = self._board
        tasks = owners(board, others)
        if tasks is None:
            return False
        begin = board.mark()
        for old in others:
            board.give(old)
        board.take(spot)
        todo = [*((task, depth) for task in tasks), *rest]
        if self._seat(todo, moved.union(old.id for old in others)):
            return True
        board.back(begin)
        return False

    def _seat(self, todo: Sequence[tuple[Task, int]], moved: frozenset[str]) -> bool:
        """Seat everybody who is still to be seated."""
        if not todo:
            return True
        board, budget = self._board, self._repair.budget
        (task, depth), rest = todo[0], todo[1:]
        if not budget.spend():
            return False
        free = board.latest(task)
        if free is not None:
            return self._instead(free, (), depth, rest, moved)
        for spot in self._filled(task) if depth > 0 else ():
            if not budget.spend():
                return False
            others = board.in_the_way(spot)
            if (
                others is not None
                and len(others) <= MOST
                and moved.isdisjoint(old.id for old in others)
                and self._instead(spot, others, depth - 1, rest, moved)
            ):
                return True
        return False

    def _filled(self, task: Task) -> Iterator[Spot]:
        """Give spots that displace others, latest first."""
        board = self._board

        def able(scope: Scope, role: int, cell: int, depth: int) -> list[str]:
            return list(board.able(scope, role, cell, places=not depth))

        for scope in board.scopes(task):
            bits = board.starts(scope, places=False) & self._opens(scope)
            for cell in reversed(cells(bits)):
                for resources in islice(ways(able, scope, cell, 1), ASSIGNMENTS):
                    yield Spot.at(scope, cell, resources, place_id(task))

    def _opens(self, scope: Scope) -> int:
        """Give the starts at which of each role's kind somebody is idle for a step."""
        found = self._open.get(scope.site)
        if found is None:
            found = -1
            reach = self._board.sight(scope.window, True).reach
            for role, (by, last) in zip(scope.pool.service.roles, reach, strict=True):
                found &= spread(shifted(self._idle.get((scope.frame, role.kind), 0), by), last)
            self._open[scope.site] = found
        return found

    @cached_property
    def _idle(self) -> dict[tuple[Frame, Kind], int]:
        """Frame and kind → the cells from which somebody has a step free."""
        board, aside = self._board, self._repair.aside
        found: dict[tuple[Frame, Kind], int] = {}
        seen = set()
        for site in aside.sites.values():
            frame, pool = site.window.frame, site.window.pool
            for role, names in zip(pool.service.roles, site.names, strict=True):
                for name in names:
                    if (frame, name) in seen:
                        continue
                    seen.add((frame, name))
                    resource = pool.clinic.resources[name]
                    free = site.window.calendar.free(pool.clinic, resource, pool.pool.id)
                    free ^= free & board.diary(name).taken(frame, board.now, True)
                    key = frame, role.kind
                    found[key] = found.get(key, 0) | runs(free, aside.roster.raster.unit)
        return found
