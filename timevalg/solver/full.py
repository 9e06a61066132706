"""Proof that a start is unsafe: resources so full that whoever is there could not go elsewhere.

Looked at is less than there is: of each visit one role; no patients and no quotas. Those who cannot
move aside (`timevalg.solver.aside`) are seated anew in thought, all at once, wherever rules and
bookings let them. Their possible seats fall into stretches of one resource's time; a seat is worth
the time it takes, so that a stretch holds only so much (`timevalg.solver.stretches`). A claim that
drives more out of a stretch than could flow off into stretches that have room
(`timevalg.solver.overflow`) leaves somebody without a place, however they are arranged. Which tasks
are looked at decides how much can be shown, not whether it is true.

Time is counted in steps of the raster (`timevalg.solver.raster`), from the first of all sites on.

Source: clinic-file.md, "Reserves and safe offers"; Hall's theorem, weighted: the maximal flow.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_

from timevalg.model.resource import Kind
from timevalg.solver.aside import ANYHOW, Aside, Site
from timevalg.solver.bits import shifted
from timevalg.solver.board import Board
from timevalg.solver.diary import Entry
from timevalg.solver.overflow import Filled, Seats, Where
from timevalg.solver.spent import Spent
from timevalg.solver.spot import Scope
from timevalg.solver.stretches import Sort, Stretches, parted

MOVES = 3
"""Who cannot move aside in so many moves is looked at."""


class Full:
    """Proofs on one board, which stays as it is.

    Parameters
    ----------
    aside : Aside
        Who can move aside on it.
    """

    def __init__(self, board: Board, aside: Aside) -> None:
        self._board, self._aside = board, aside
        self._spent = Spent(board, aside)
        self._filled: dict[tuple[Kind, int], Filled] = {}
        self._tried: dict[tuple[Scope, int], int] = {}  # in vain, with so many resources known

    def proven(self, scope: Scope, cell: int, *, at_hand: bool = False) -> bool:
        """Tell whether it is proven that a claim at the start would strand somebody.

        Parameters
        ----------
        at_hand : bool
            Go only by what other starts were asked by: that costs little.
        """
        key = scope, cell
        if (at_hand and not self._filled) or self._tried.get(key) == len(self._aside.resources):
            return False
        if self._spent.forbids(scope, cell):
            return True
        sight, raster = self._board.sight(scope.window, False), self._aside.roster.raster
        for number, role in reversed(list(enumerate(scope.pool.service.roles))):
            filled = self._filled_by(role.kind, at_hand)
            if filled is None:
                continue
            by, reach = sight.reach[number]
            first = scope.frame.offset + cell + by
            start = raster.first(first) - filled.base
            end = raster.first(first + reach + 1) - filled.base
            left = role.count
            for name in scope.names[number]:
                if left and self._board.mask(sight, number, name) >> cell & 1:
                    left -= not (
                        filled.takes(name, start, end)
                        or self._spent.forbids(scope, cell, number, name)
                    )
            if left:
                return True
        if not at_hand:
            self._tried[key] = len(self._aside.resources)
        return False

    def _filled_by(self, kind: Kind, at_hand: bool) -> Filled | None:
        self._aside.find_moves(MOVES)
        key = kind, len(self._aside.resources)
        found = self._filled.get(key)
        if found is None and not at_hand:
            found = self._filled[key] = self._fill(kind)
        return found

    def _fill(self, kind: Kind) -> Filled:
        raster, left = self._aside.roster.raster, self._aside.left
        sites = [(site, _role(site, kind)) for site in self._aside.sites.values()]
        known = [(site, role) for site, role in sites if role is not None and site.waiting]
        unknown = {place for site, role in sites if role is None for place, _ in site.waiting}
        names = dict.fromkeys(name for site, role in known for name in site.names[role])
        entries = {e[2]: (name, e) for name in names for e in left(name, MOVES)}
        base = min((raster.first(site.window.frame.offset) for site, _ in known), default=0)
        seats = []
        for site, role in known:
            rows = [row for row in site.waiting if row[0] in entries and row[0] not in unknown]
            if rows:
                seats.append(self._seats(site, role, base, dict(rows)))
        sorts = defaultdict[str, list[Sort]](list)
        for of_site in seats:
            for name, begins in of_site.begins.items():
                sorts[name].append((begins, of_site.length, of_site.worth))
        every = {name: parted(tuple(of_one)) for name, of_one in sorts.items()}
        return Filled(base, seats, every, self._there(seats, base, entries, every))

    def _seats(self, site: Site, number: int, base: int, stuck: Mapping[str, int]) -> Seats:
        """Give every seat that some of a site's tasks could have if no other had a place."""
        raster, window = self._aside.roster.raster, site.window
        offset, ground = window.frame.offset, self._aside.ground(site, ANYHOW)
        starts = reduce(or_, stuck.values()) & self._aside.steps(site, ANYHOW)
        by, reach = self._board.sight(window, False).reach[number]
        by, length = raster.first(offset) + by // raster.unit - base, reach // raster.unit + 1
        of_pool = window.pool.pool.raster // window.frame.grid // raster.unit
        begins = {
            name: shifted(could, -by)
            for name, bits in ground.masks[number].items()
            if (could := raster.squeezed(bits, offset) & starts)
        }
        return Seats(by, length, -(-length // of_pool) * of_pool, begins, stuck)

    def _there(
        self,
        seats: Sequence[Seats],
        base: int,
        entries: Mapping[str, tuple[str, Entry]],
        every: Mapping[str, Stretches],
    ) -> dict[str, tuple[Where, int]]:
        """Find those whose place is one of their seats: where it is, and its worth.

        Who stands by older rules is left out, and who has a site in which nothing is known of them.
        """
        raster = self._aside.roster.raster
        worths: dict[str, int] = {}
        at: dict[str, Where] = {}
        for of_site in seats:
            by, length, worth = of_site.by, of_site.length, of_site.worth
            for place, steps in of_site.stuck.items():
                worths[place] = min(worth, worths.get(place, worth))
                name, (start, end, _) = entries[place]
                step = raster.step(start)
                if step is None or raster.first(end) - step != length:
                    continue
                here = step - base - by
                if here >= 0 and steps >> here & of_site.begins.get(name, 0) >> here + by & 1:
                    at[place] = name, every[name].number(here + by)
        return {place: (where, worths[place]) for place, where in at.items()}


def _role(site: Site, kind: Kind) -> int | None:
    """Give the number of the first role of a kind that takes one resource."""
    for number, role in enumerate(site.window.pool.service.roles):
        if role.kind is kind and role.count == 1:
            return number
    return None
