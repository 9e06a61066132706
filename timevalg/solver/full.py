"""Proof that a start is unsafe: resources so full that whoever is there could not go elsewhere.

Looked at is less than there is: of each visit one role; no patients and no quotas. Those who cannot
move aside (`timevalg.solver.aside`) are seated anew in thought, all at once, wherever rules and
bookings let them. Their possible seats fall into stretches of one resource's time; a seat is worth
the time it takes, so that a stretch holds only so much. It is open if its places are worth less
than that, or if a task of one of its places has a seat in an open one. What is left is closed: the
tasks have no seat but in closed stretches and fill these to the brim, however they are arranged.
A claim that makes one of them hold less leaves somebody without a place. Which tasks are looked at
decides how much can be shown, not whether it is true.

Source: clinic-file.md, "Reserves and safe offers"; Hall's theorem, weighted.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from timevalg.model.resource import Kind
from timevalg.solver.aside import Aside, Site
from timevalg.solver.bits import cells, marks
from timevalg.solver.board import Board
from timevalg.solver.spot import Scope

MOVES = 3
"""Who cannot move aside in so many moves is looked at."""
SEATS = 8_000
"""Seats looked at; where those of all tasks together are more, nothing is shown."""


Seat = tuple[int, int, int, int, int]
"""First and end cell counted from 1970, worth, number of the site, start in the site's frame."""


@dataclass(eq=False)
class Stretch:
    """Time of one resource that no seat leaves.

    Attributes
    ----------
    most, there : int
        What seats that it can hold side by side are worth at most; what its places are worth.
    """

    start: int
    end: int
    seats: list[Seat] = field(default_factory=list)
    most: int = 0
    there: int = 0
    is_open: bool = False

    def holds_less(self, start: int, end: int) -> bool:
        """Tell whether a claim of some cells takes from what it can hold."""
        return _most(s for s in self.seats if s[1] <= start or end <= s[0]) < self.most


class Full:
    """Proofs on one board, which stays as it is.

    Parameters
    ----------
    aside : Aside
        Who can move aside on it.
    """

    def __init__(self, board: Board, aside: Aside) -> None:
        self._board, self._aside = board, aside
        self._closed: dict[tuple[Kind, int], dict[str, list[Stretch]]] = {}

    def proven(self, scope: Scope, cell: int) -> bool:
        """Tell whether it is proven that a claim at the start would strand somebody."""
        sight = self._board.sight(scope.window, False)
        for number, role in reversed(list(enumerate(scope.pool.service.roles))):
            closed = self._closed_by(role.kind)
            by, reach = sight.reach[number]
            start = scope.frame.offset + cell + by
            left = role.count
            for name in scope.names[number]:
                if left and self._board.mask(sight, number, name) >> cell & 1:
                    left -= not _is_full(closed.get(name, ()), start, start + reach + 1)
            if left:
                return True
        return False

    def _closed_by(self, kind: Kind) -> dict[str, list[Stretch]]:
        """Give the closed stretches of every resource of a kind, in order."""
        self._aside.find_moves(MOVES)
        key = kind, len(self._aside.resources)
        found = self._closed.get(key)
        if found is None:
            found = self._closed[key] = self._close(kind)
        return found

    def _close(self, kind: Kind) -> dict[str, list[Stretch]]:
        sites = [s for s in self._aside.sites.values() if s.waiting]
        roles = [_role(site, kind) for site in sites]
        seats: dict[str, list[Seat]] = {name: [] for name in self._aside.resources}
        for number, (site, role) in enumerate(zip(sites, roles, strict=True)):
            if role is not None:
                self._seat(seats, number, site, role)
        if sum(map(len, seats.values())) > SEATS:
            return {}
        stretches = {name: _parted(of_one) for name, of_one in seats.items() if of_one}
        staying, worth, at = self._there(sites, roles, stretches)
        every = [s for of_one in stretches.values() for s in of_one]
        opened = [0] * len(sites)
        opening = [s for s in every if s.there < s.most]
        while opening:
            _open(opening, opened, sites)
            going = [p for p, mine in staying.items() if any(opened[n] & bits for n, bits in mine)]
            for place in going:
                del staying[place]
            opening = list({at[p]: None for p in going if not at[p].is_open})
        closed = {n: [s for s in of_one if not s.is_open] for n, of_one in stretches.items()}
        brim = sum(s.most for of_one in closed.values() for s in of_one)
        return closed if sum(worth[p] for p in staying) >= brim else {}

    def _seat(
        self, seats: dict[str, list[Seat]], number: int, site: Site, role: tuple[int, int]
    ) -> None:
        """Add every seat that a site's tasks could have if no other had a place."""
        window, (of_role, worth) = site.window, role
        starts = 0
        for _, bits in site.waiting:
            starts |= bits
        starts = self._board.served(window, site.names, starts, places=False)
        sight = self._board.sight(window, False)
        by, reach = sight.reach[of_role]
        by += window.frame.offset
        for name in site.names[of_role]:
            could = cells(self._board.mask(sight, of_role, name) & starts)
            seats[name] += [(c + by, c + by + reach + 1, worth, number, c) for c in could]

    def _there(
        self,
        sites: Sequence[Site],
        roles: Sequence[tuple[int, int] | None],
        stretches: Mapping[str, Sequence[Stretch]],
    ) -> tuple[dict[str, list[tuple[int, int]]], dict[str, int], dict[str, Stretch]]:
        """Find those whose place is one of their seats: their sites, their worth, and where.

        Who stands by older rules is left out, and who has a site in which nothing is known of them.
        """
        mine: dict[str, list[tuple[int, int]]] = {}
        unknown = set()
        for number, (site, role) in enumerate(zip(sites, roles, strict=True)):
            for place, bits in site.waiting:
                mine.setdefault(place, []).append((number, bits))
                if role is None:
                    unknown.add(place)
        worth: dict[str, int] = {}
        at: dict[str, Stretch] = {}
        for name, of_one in stretches.items():
            for start, end, place in self._aside.left(name, MOVES):
                there = _holding(of_one, start, end)
                if there is None or place in at or place in unknown or place not in mine:
                    continue
                starts = dict(mine[place])
                if any(
                    s[:2] == (start, end) and starts.get(s[3], 0) >> s[4] & 1 for s in there.seats
                ):
                    at[place] = there
                    worth[place] = min(role[1] for n, _ in mine[place] if (role := roles[n]))
                    there.there += worth[place]
        return {place: mine[place] for place in at}, worth, at


def _role(site: Site, kind: Kind) -> tuple[int, int] | None:
    """Give the number of the first role of a kind that takes one resource, and a seat's worth."""
    pool = site.window.pool
    for number, role in enumerate(pool.service.roles):
        if role.kind is kind and role.count == 1:
            return number, -(-(role.length + site.window.extra) // pool.pool.raster)
    return None


def _parted(seats: list[Seat]) -> list[Stretch]:
    """Part the seats of one resource into stretches."""
    seats.sort()
    out: list[Stretch] = []
    for seat in seats:
        start, end = seat[:2]
        if out and start < out[-1].end:
            out[-1].seats.append(seat)
            out[-1].end = max(out[-1].end, end)
        else:
            out.append(Stretch(start, end, [seat]))
    for stretch in out:
        stretch.most = _most(stretch.seats)
    return out


def _most(seats: Iterable[Seat]) -> int:
    """Give what seats that can be had side by side are worth at most."""
    ends, best = [0], [0]
    for start, end, worth, *_ in sorted(seats, key=itemgetter(1)):
        whole = best[bisect_right(ends, start) - 1] + worth
        if whole > best[-1]:
            ends.append(end)
            best.append(whole)
    return best[-1]


def _holding(stretches: Sequence[Stretch], start: int, end: int) -> Stretch | None:
    """Give the stretch in which some cells are."""
    number = bisect_right(stretches, start, key=lambda s: s.end)
    if number < len(stretches) and end <= stretches[number].end:
        return stretches[number]
    return None


def _open(stretches: Iterable[Stretch], opened: list[int], sites: Sequence[Site]) -> None:
    """Open stretches; `opened` gets the starts of their seats, by site."""
    starts: dict[int, list[int]] = {}
    for stretch in stretches:
        stretch.is_open = True
        for *_, number, cell in stretch.seats:
            starts.setdefault(number, []).append(cell)
    for number, of_site in starts.items():
        opened[number] |= marks(of_site, sites[number].window.frame.size)


def _is_full(closed: Sequence[Stretch], start: int, end: int) -> bool:
    """Tell whether nobody can have some cells beside those whose places are there."""
    number = bisect_right(closed, start, key=lambda s: s.end)
    while number < len(closed) and closed[number].start < end:
        if closed[number].holds_less(start, end):
            return True
        number += 1
    return False
