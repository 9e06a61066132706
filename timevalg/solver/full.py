"""Proof that a start is unsafe: resources so full that whoever is there could not go elsewhere.

Looked at is less than there is: of each visit one role; no patients and no quotas. Those who cannot
move aside (`timevalg.solver.aside`) are seated anew in thought, all at once, wherever rules and
bookings let them. Their possible seats fall into stretches of one resource's time; a seat is worth
the time it takes, so that a stretch holds only so much (`timevalg.solver.stretches`). A claim that
drives more out of a stretch than could flow off into stretches that have room
(`timevalg.solver.overflow`) leaves somebody without a place, however they are arranged. Which tasks
are looked at decides how much can be shown, not whether it is true.

What that leaves open is weighed once more with the starts that are left of each task
(`timevalg.solver.narrow`).

Source: docs/clinic-file.md, "Reserves and safe offers"; Hall's theorem, weighted: the maximal flow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from timevalg.model.resource import Kind
from timevalg.solver.aside import Aside
from timevalg.solver.board import Board
from timevalg.solver.filling import MOVES, Filling
from timevalg.solver.narrow import Narrowed, is_worthwhile
from timevalg.solver.overflow import Filled
from timevalg.solver.spent import Spent
from timevalg.solver.spot import Scope


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
        self._filled: dict[tuple[Kind, int], Sequence[Filled]] = {}
        self._tried: dict[tuple[Scope, int], int] = {}  # in vain, with so many resources known
        self._narrowed: dict[int, Narrowed] = {}  # with so many resources known

    def proven(self, scope: Scope, cell: int, *, kinds: int | None = None) -> bool:
        """Tell whether it is proven that a claim at the start would strand somebody.

        Parameters
        ----------
        kinds : int or None
            Weigh so many kinds of resources at most, those among them that have been weighed for
            other starts; these cost little. Default all.
        """
        key = scope, cell
        if (kinds == 0 and not self._filled) or self._tried.get(key) == len(self._aside.resources):
            return False
        self._aside.find_moves(MOVES)
        if self._strands(scope, cell, self._spent, lambda kind: self._filled_by(kind, kinds)):
            return True
        if kinds is None:
            self._tried[key] = len(self._aside.resources)
        return False

    def proven_narrowly(self, scope: Scope, cell: int) -> bool:
        """Tell the same by all that can be found out; once that is known it costs little.

        Nothing is found out where too many hang together.
        """
        self._aside.starts(scope, 0)  # so that it is known who hangs together with this
        self._aside.find_moves(MOVES)
        if not is_worthwhile(self._aside):
            return False
        known = len(self._aside.resources)
        narrowed = self._narrowed.get(known)
        if narrowed is None:
            narrowed = self._narrowed[known] = Narrowed(self._board, self._aside)
        return self._strands(scope, cell, narrowed.spent, narrowed.filled)

    def _strands(
        self,
        scope: Scope,
        cell: int,
        spent: Spent,
        filled_by: Callable[[Kind], Sequence[Filled] | None],
    ) -> bool:
        """Tell whether too few are left for a role; nothing is said of kinds that are not known."""
        if spent.forbids(scope, cell):
            return True
        sight, raster = self._board.sight(scope.window, False), self._aside.roster.raster
        for number, role in reversed(list(enumerate(scope.pool.service.roles))):
            every = filled_by(role.kind)
            if every is None:
                continue
            by, reach = sight.reach[number]
            first = scope.frame.offset + cell + by
            start, end = raster.first(first), raster.first(first + reach + 1)
            left = role.count
            for name in scope.names[number]:
                if left and self._board.mask(sight, number, name) >> cell & 1:
                    left -= not (
                        any(f.takes(name, start - f.base, end - f.base) for f in every)
                        or spent.forbids(scope, cell, number, name)
                    )
            if left:
                return True
        return False

    def _filled_by(self, kind: Kind, kinds: int | None) -> Sequence[Filled] | None:
        known = len(self._aside.resources)
        found = self._filled.get((kind, known))
        if found is None and (kinds is None or sum(k == known for _, k in self._filled) < kinds):
            rows = {key: dict(site.waiting) for key, site in self._aside.sites.items()}
            found = Filling(self._board, self._aside, kind, rows).filled
            self._filled[kind, known] = found
        return found
