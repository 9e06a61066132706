"""Proof that a start is unsafe: quotas so full that whoever they count could not go elsewhere.

Looked at is less than there is: what quotas count, and no time that places of others take. A
period that a quota counts full is spent, unless somebody who has a place in it could be in one
that is not. Who is left has nowhere to be but in spent periods, and these are full of them: one
more in any of them leaves somebody without a place.

Source: docs/clinic-file.md, "Reserves and safe offers"; Hall's theorem.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping
from datetime import date, timedelta

from timevalg.model.pool import Quota
from timevalg.model.time import local_date
from timevalg.solver.aside import ANYHOW, Aside, Site
from timevalg.solver.board import Board
from timevalg.solver.certificates import is_movable, place_of
from timevalg.solver.plan import PoolPlan
from timevalg.solver.spot import Scope
from timevalg.solver.tally import QuotaKey, counts

Periods = Mapping[str, set[date]]
"""Resource id (empty: the quota counts none by itself) → the first days of periods."""


class Spent:
    """The quotas of one board, which stays as it is.

    Parameters
    ----------
    aside : Aside
        Who could be where on it.
    narrowed : mapping or None
        Site → place → the starts that are left of those that the roster has.
    """

    def __init__(
        self,
        board: Board,
        aside: Aside,
        narrowed: Mapping[Hashable, Mapping[str, int]] | None = None,
    ) -> None:
        self._board, self._aside, self._narrowed = board, aside, narrowed or {}
        self._known: dict[tuple[QuotaKey, int], Periods] = {}

    def forbids(self, scope: Scope, cell: int, role: int | None = None, name: str = "") -> bool:
        """Tell whether a claim at the start would strand somebody.

        Parameters
        ----------
        role, name : int or None, str
            A resource that it takes, and in which role; None = whoever serves it.
        """
        plan = scope.pool
        kind = None if role is None else plan.service.roles[role].kind
        quotas = plan.together if role is None else [q for q in plan.each if q[1].each is kind]
        if not quotas:
            return False
        day = local_date(scope.frame.moment(cell), plan.clinic.timezone)
        return any(
            quota.period(day) in self._spent((plan.key[0], number), quota).get(name, ())
            for number, quota in quotas
        )

    def _spent(self, key: QuotaKey, quota: Quota) -> Periods:
        self._aside.find_moves(1)  # so that everybody is there who hangs together with this
        at = key, len(self._aside.resources)
        found = self._known.get(at)
        if found is None:
            found = self._known[at] = self._spend(key, quota)
        return found

    def _spend(self, key: QuotaKey, quota: Quota) -> Periods:
        roster, sites = self._aside.roster, self._aside.sites
        counted = {
            number: self._seats(site, quota)
            for number, site in sites.items()
            if _counts(key, quota, site.window.pool)
        }
        spent: dict[str, set[date]] = defaultdict(set)
        at: dict[str, list[tuple[str, date]]] = defaultdict(list)
        for name in dict.fromkeys(name for seats in counted.values() for name in seats):
            for period, places in self._full(key, name):
                if all(
                    p in roster.sites and counted.keys() >= set(roster.sites[p]) for p in places
                ):
                    spent[name].add(period)
                    for place in places:
                        at[place].append((name, period))
        going = True
        while going:
            going = False
            for number, seats in counted.items():
                free = self._free(sites[number], quota, seats, spent)
                narrowed = self._narrowed.get(number, {})
                for place, steps in roster.rows.get(number, {}).items() if free else ():
                    if place in at and narrowed.get(place, steps) & free:
                        going = True
                        for name, period in at.pop(place):
                            spent[name].discard(period)
        return spent

    def _full(self, key: QuotaKey, name: str) -> Iterator[tuple[date, list[str]]]:
        """Give the periods that a quota counts full, with the places in them that may move."""
        board = self._board
        tally = board.quotas.tally(key, name)
        if tally is None:
            return
        for period in tally.reached(board.now, (), True):
            there = [s for s in tally.periods.get(period, ()) if counts(s, board.now, True)]
            yield period, [place_of(s.task or "") for s in there if is_movable(s, board.now)]

    def _seats(self, site: Site, quota: Quota) -> dict[str, int]:
        """Give the steps at which a site's tasks could be, for each resource that is counted."""
        ground, raster = self._aside.ground(site, ANYHOW), self._aside.roster.raster
        free = self._aside.steps(site, ANYHOW)
        if quota.each is None:
            return {"": free}
        seats: dict[str, int] = {}
        for role, masks in zip(site.window.pool.service.roles, ground.masks, strict=True):
            for name, bits in masks.items() if role.kind is quota.each else ():
                steps = raster.squeezed(bits, site.window.frame.offset) & free
                seats[name] = seats.get(name, 0) | steps
        return seats

    def _free(
        self, site: Site, quota: Quota, seats: Mapping[str, int], spent: Mapping[str, set[date]]
    ) -> int:
        """Give the steps at which a site's tasks could be in a period that is not spent."""
        days, offset, free = site.window.days, site.window.frame.offset, 0
        more = timedelta(days=6 if quota.per == "week" else 0)
        for name, steps in seats.items():
            taken = 0
            for period in spent.get(name, ()):
                taken |= days.dates(period, period + more)
            free |= steps & ~self._aside.roster.raster.squeezed(taken, offset)
        return free


def _counts(key: QuotaKey, quota: Quota, plan: PoolPlan) -> bool:
    """Tell whether a quota counts every visit of a pool."""
    kinds = {role.kind for role in plan.service.roles}
    ours = plan.key[0] == key[0] and plan.key[1] in quota.pools
    return ours and (quota.each is None or quota.each in kinds)
