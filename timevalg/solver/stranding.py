"""Proof that a start is unsafe: that claiming it would leave somebody without a place.

Looked at is less than there is: of each visit one role; of the tasks only those few that a claim
pushes aside, whoever these push aside in turn, and so on; no patients and no quotas. Somebody who
is left without a resource even then is without one whatever else is so. What cannot be shown in a
few steps is not said.

Source: clinic-file.md, "Reserves and safe offers"; Hall's theorem, for the counting.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from timevalg.model.resource import Kind
from timevalg.model.task import Task
from timevalg.solver.bits import cells
from timevalg.solver.board import Board
from timevalg.solver.certificates import place_id
from timevalg.solver.repair import Repair
from timevalg.solver.spot import Scope

SEATS = 80
"""Seats of a task that is looked at; one with more is taken to find another."""
TASKS = 14
"""Tasks looked at for one start."""

Seat = tuple[str, int, int]
"""A resource, and the first and end cell (from 1970) for which one role of a visit takes it."""


class Stranding:
    """Proofs on one board, which stays as it is; what is found out for one start serves the next.

    Parameters
    ----------
    repair : Repair
        Whose board and steps are used.
    """

    def __init__(self, repair: Repair) -> None:
        self._repair = repair
        self._board: Board = repair.board
        self._seats: dict[tuple[str, Kind], frozenset[Seat]] = {}
        self._there: dict[Seat, frozenset[str]] = {}

    def proven(self, scope: Scope, cell: int) -> bool:
        """Tell whether it is proven that a claim at the start would strand somebody."""
        roles = scope.pool.service.roles
        return any(
            self._strands(self._at(scope, number, 1 << cell), role.kind)
            for number, role in reversed(list(enumerate(roles)))
        )

    def _strands(self, claim: frozenset[Seat], kind: Kind) -> bool:
        """Tell whether a claim of one of these seats is shown to leave no seat for somebody."""
        group: dict[str, frozenset[Seat]] = {}
        while len(group) <= TASKS:
            seated = self._seat([claim, *group.values()])
            if seated is None:
                return self._repair.budget.left >= 0
            pushed = {t for seat in seated for t in self._owners(seat) if t not in group}
            more = {t: seats for t in pushed if (seats := self._seats_of(t, kind))}
            if not more:
                return False
            group.update(more)
        return False

    def _seat(self, wanted: Sequence[frozenset[Seat]]) -> list[Seat] | None:
        """Give everybody one of their seats; None if that cannot be (or no step is left)."""
        if not wanted:
            return []
        wanted = sorted(wanted, key=len)
        if not self._repair.budget.spend() or _too_few(wanted):
            return None
        first, *rest = wanted
        for seat in sorted(first, key=lambda s: (len(self._owners(s)), s)):
            found = self._seat([_beside(seat, seats) for seats in rest])
            if found is not None:
                return [seat, *found]
        return None

    def _owners(self, seat: Seat) -> frozenset[str]:
        """Give the tasks whose places a seat would push aside."""
        found = self._there.get(seat)
        if found is None:
            name, start, end = seat
            there = self._board.diary(name).places.touching(start, end)
            tasks = (spot.task for *_, key in there if (spot := self._board.spot(key)) is not None)
            found = self._there[seat] = frozenset(t for t in tasks if t is not None)
        return found

    def _seats_of(self, name: str, kind: Kind) -> frozenset[Seat]:
        """Give every seat that a task could have if no other had a place; none = more than some."""
        found = self._seats.get((name, kind))
        if found is None:
            task = self._board.tasks.get(name)
            found = frozenset() if task is None else self._few_seats(task, kind)
            self._seats[name, kind] = found
        return found

    def _few_seats(self, task: Task, kind: Kind) -> frozenset[Seat]:
        board, out = self._board, set[Seat]()
        for scope in board.scopes(task):
            roles = scope.pool.service.roles
            number = next((n for n, role in enumerate(roles) if role.kind is kind), None)
            starts = board.starts(scope, places=False)
            if number is None or starts.bit_count() > SEATS:
                return frozenset()
            out |= self._at(scope, number, starts)
        place = board.spot(place_id(task))
        if place is None or len(out) > SEATS:
            return frozenset()
        now = {(name, start, end) for name, (start, end, _) in place.entries.items()}
        return frozenset(out) if now & out else frozenset()  # else it stands by older rules

    def _at(self, scope: Scope, number: int, starts: int) -> frozenset[Seat]:
        """Give the seats of one role at some starts."""
        board, role, grid = self._board, scope.pool.service.roles[number], scope.frame.grid
        by = scope.frame.offset + role.start // grid
        length = -(-(role.length + scope.ask.extra) // grid)
        sight = board.sight(scope, False)
        return frozenset(
            (name, by + cell, by + cell + length)
            for name in scope.names[number]
            for cell in cells(board.mask(sight, number, name) & starts)
        )


def _beside(seat: Seat, seats: Iterable[Seat]) -> frozenset[Seat]:
    """Give the seats that can be had beside another."""
    name, start, end = seat
    return frozenset(s for s in seats if s[0] != name or s[2] <= start or end <= s[1])


def _too_few(wanted: Sequence[frozenset[Seat]]) -> bool:
    """Tell whether some of those with the fewest seats want more than can be had side by side."""
    seats = set[Seat]()
    for number, more in enumerate(wanted):
        if not seats.issuperset(more):
            if _most(seats) < number:
                return True
            seats |= more
    return _most(seats) < len(wanted)


def _most(seats: Iterable[Seat]) -> int:
    """Count how many of the seats can be had side by side: on each resource the first to end."""
    until: dict[str, int] = {}
    count = 0
    for name, start, end in sorted(seats, key=lambda s: s[2]):
        if start >= until.get(name, 0):
            until[name] = end
            count += 1
    return count
