"""What the quotas count on a board, and how much room they leave."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from operator import attrgetter

from timevalg.model.session import Session
from timevalg.solver.index import Index
from timevalg.solver.journal import Journal, either
from timevalg.solver.sight import Column
from timevalg.solver.spot import Spot
from timevalg.solver.tally import QuotaKey, Tally, counts


class Quotas:
    """The quotas of a board.

    Parameters
    ----------
    index : Index
        What lies under the board.
    now : datetime
    columns : dict
        Resource id → what the board has changed of it, the tallies of quotas that count each
        resource included.
    journal : Journal
        Of the board.
    """

    def __init__(
        self, index: Index, now: datetime, columns: Mapping[Hashable, Column], journal: Journal
    ) -> None:
        self._index, self._now, self._columns, self._journal = index, now, columns, journal
        self._tallies: dict[Hashable, Tally] = {}
        self._counts: dict[Spot, list[tuple[QuotaKey, str, date]]] = {}
        self._there: dict[tuple[Tally, date], list[Session]] = {}

    def tally(self, key: QuotaKey, name: str = "") -> Tally | None:
        """Give what a quota counts, for one resource if it counts each; None = nothing yet."""
        if name:
            return self._of_resource(name).get(key)
        return self._tallies.get(key) or self._index.tally(*key)

    def change(self, spot: Spot, *, leaving: bool) -> dict[str, dict[QuotaKey, Tally]]:
        """Bring the quotas up to date; gives the tallies of each resource that changed."""
        if not self._index.plan.counts:
            return {}
        session = spot.session(self._index.organisation)
        out: dict[str, dict[QuotaKey, Tally]] = {}
        for key, period in self._index.counted_in(session).items():
            change = either(((period, session),), leaving=leaving)
            clinic = self._index.organisation.clinics[key[0]]
            quota = clinic.quotas[key[1]]
            if quota.each is None:
                tally = self.tally(key) or Tally(quota.max, {})
                self._journal.put(self._tallies, key, tally.changed(*change))
                continue
            for name in spot.entries:
                if name in clinic.resources and clinic.resources[name].kind == quota.each:
                    known = out.setdefault(name, dict(self._of_resource(name)))
                    known[key] = (known.get(key) or Tally(quota.max, {})).changed(*change)
        return out

    def keep(self, gone: Iterable[Spot], new: Sequence[Spot]) -> bool:
        """Tell whether no quota counts more than it may once some spots have gone and others come.

        Spots that count in no quota that the new ones count in do not matter.
        """
        change: dict[tuple[QuotaKey, str, date], int] = {}
        for spot in new:
            for row in self._of(spot):
                change[row] = change.get(row, 0) + 1
        for spot in gone:
            for row in self._of(spot):
                if row in change:
                    change[row] -= 1
        return all(self._room_in(*row) >= more for row, more in change.items())

    def _of_resource(self, name: str) -> Mapping[QuotaKey, Tally]:
        """Give what the quotas that count each resource count for one."""
        column = self._columns.get(name)
        return (self._index.diary(name) if column is None else column.diary).tallies

    def _of(self, spot: Spot) -> list[tuple[QuotaKey, str, date]]:
        """Give the quotas that count a spot: key, resource (empty: no single one), and period."""
        out = self._counts.get(spot)
        if out is None:
            out = self._counts[spot] = []
            for key, period in self._periods(spot).items():
                clinic = self._index.organisation.clinics[key[0]]
                each = clinic.quotas[key[1]].each
                names = [n for n in spot.entries if n in clinic.resources] if each else [""]
                out += [
                    (key, n, period) for n in names if not n or clinic.resources[n].kind == each
                ]
        return out

    def _periods(self, spot: Spot) -> Mapping[QuotaKey, date]:
        """Give the quotas that count a spot, with its period in each."""
        at_pool = spot.at_pool
        if at_pool is None:
            return self._index.counted_in(spot.session(self._index.organisation))
        (clinic, pool), start = at_pool
        return self._index.counted_at(clinic, pool, start)

    def _room_in(self, key: QuotaKey, name: str, period: date) -> int:
        """Give how many more a quota may count in a period."""
        tally = self.tally(key, name)
        most = self._index.organisation.clinics[key[0]].quotas[key[1]].max
        return most if tally is None else most - len(self._standing(tally, period))

    def full(self, spot: Spot) -> Iterator[tuple[list[Session], int]]:
        """Give for each quota that a spot could fill the sessions it counts, and its `max`."""
        for key, name, period in self._of(spot):
            tally = self.tally(key, name)
            if tally is not None and len(tally.periods.get(period, ())) >= tally.most:
                yield self._standing(tally, period), tally.most

    def _standing(self, tally: Tally, period: date) -> list[Session]:
        """Give what counts in a period, in the order of ids: in whatever order it came."""
        found = self._there.get((tally, period))
        if found is None:
            there = sorted(tally.periods.get(period, ()), key=attrgetter("id"))
            found = [s for s in there if counts(s, self._now, True)]
            self._there[tally, period] = found
        return found
