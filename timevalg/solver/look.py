"""One ask against one index: rule 5's masks, brought up to date as little as need be."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from functools import cached_property

from timevalg.model.session import Session
from timevalg.solver.ask import Ask
from timevalg.solver.bits import runs, shifted
from timevalg.solver.diary import Diary, entry_of
from timevalg.solver.fits import Fits
from timevalg.solver.index import Index
from timevalg.solver.masks import Cell, Only, Variant
from timevalg.solver.tally import QuotaKey
from timevalg.solver.window import Window

_ANY: Only = frozenset()


class Look:
    """What the rules need to answer an ask.

    Parameters
    ----------
    index : Index
    ask : Ask
    around : sequence of date
        Local dates that the frame must reach whatever the ask's own.
    window : Window or None
        The ask's, or one with the same pool, frame and `extra` where masks are all that is wanted.
    """

    def __init__(
        self, index: Index, ask: Ask, around: Sequence[date] = (), window: Window | None = None
    ) -> None:
        self.index, self.ask = index, ask
        window = window or index.windows.of(ask)
        if around and not all(window.reaches(day) for day in around):
            window = Window(index.plan, ask, around)
        self.window, self.pool, self.frame = window, window.pool, window.frame

    @cached_property
    def ignored(self) -> tuple[Session, ...]:
        """The sessions that do not count for this ask, as far as there are any."""
        sessions = self.index.sessions
        return tuple(sessions[name] for name in self.ask.ignore if name in sessions)

    @property
    def only(self) -> Only:
        """The task's named resources."""
        task = self.ask.task
        if task is None or not task.only:
            return _ANY
        return frozenset((role, tuple(names)) for role, names in task.only.items())

    def variant(self) -> Variant:
        """Give the pool's masks, right for this index, instant and asker."""
        now = self.ask.now
        key = (self.frame, self.window.extra, self.ask.count_places)
        cell = self.index.cells.get(self.pool.key)
        if cell is None:
            cell = Cell()
            self.index.cells = self.index.cells.set(self.pool.key, cell)
        known = cell.get(key)
        if known is None:
            variant = self._whole()
            cell.put(key, variant)
        else:
            variant, stale = known
            if not variant.since <= now < variant.until:
                stale = stale.union(variant.holds)
            if stale:
                variant = variant.patched(stale, self._fit, self._holds)
                cell.put(key, variant)
        if self.ask.ignore:
            own = {name for s in self.ignored for name in s.spans if name in self.pool.roles_of}
            if own:
                variant = variant.patched(own, self._fit_of_asker, self._holds)
        return variant

    def periods(self, key: QuotaKey, sessions: Collection[Session]) -> list[tuple[date, str]]:
        """Give the period and id of those sessions that a quota counts."""
        counted = [(self.index.counted_in(s).get(key), s.id) for s in sessions]
        return [(period, name) for period, name in counted if period is not None]

    def _whole(self) -> Variant:
        holds = {name: self._holds(name) for name in self.pool.roles_of}
        return Variant.of(
            self.pool,
            tuple(
                Fits({resource.id: self._fit(role, resource.id) for resource in candidates})
                for role, candidates in enumerate(self.pool.candidates)
            ),
            self.window.domain,
            {name: steady for name, steady in holds.items() if steady},
        )

    def _holds(self, resource: str) -> tuple[datetime, datetime] | None:
        diary = self.index.diary(resource)
        return diary.steady(self.ask.now) if diary.holds else None

    def _fit(self, role: int, resource: str) -> int:
        return self.fit(role, resource, self.index.diary(resource))

    def _fit_of_asker(self, role: int, resource: str) -> int:
        ignored = [s for s in self.ignored if resource in s.spans]
        diary = self.index.diary(resource)
        if ignored:
            grid = self.frame.grid
            diary = diary.without([(entry_of(s, resource, grid), s) for s in ignored])
        return self.fit(role, resource, diary, ignored)

    def fit(self, number: int, name: str, diary: Diary, ignored: Collection[Session] = ()) -> int:
        """Give the starts at which a resource is free for a role and below its quotas.

        Parameters
        ----------
        diary : Diary
            What is taken of the resource.
        ignored : collection of Session
            What its tallies count all the same.
        """
        pool = self.pool
        clinic, role = pool.clinic, pool.service.roles[number]
        resource = clinic.resources[name]
        frame, grid = self.frame, self.frame.grid
        now, places = self.ask.now, self.ask.count_places
        free = self.window.calendar.free(clinic, resource, pool.pool.id)
        free ^= free & diary.taken(frame, now, places)
        free = runs(free, -(-(role.length + self.window.extra) // grid))
        free = shifted(free, role.start // grid)
        for at, quota in pool.each:
            if quota.each != resource.kind:
                continue
            if quota.max <= 0:
                return 0
            tally = diary.tallies.get((clinic.id, at))
            if tally is not None:
                mine = self.periods((clinic.id, at), ignored)
                free &= ~tally.mask(self.window.days, quota, now, mine, places)
        return free
