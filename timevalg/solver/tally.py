"""How many sessions a quota counts, period by period."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta

from timevalg.model.pool import Quota
from timevalg.model.session import Session, SessionKind
from timevalg.solver.frame import Frame, LocalDays
from timevalg.solver.memory import remember

QuotaKey = tuple[str, int]
"""Clinic id, number of the quota in its clinic."""


class Tally:
    """Sessions that one quota counts (for one resource, if it counts each), by period.

    Parameters
    ----------
    most : int
        The quota's `max`.
    periods : mapping
        First day of a period → its sessions, holds included.
    full : pair of frozenset of date
        Periods that are full by bookings alone, and with places.
    holds : frozenset of date
        Periods with a hold, whose count depends on the instant.
    """

    __slots__ = ("full", "holds", "masks", "most", "periods")

    def __init__(
        self,
        most: int,
        periods: Mapping[date, tuple[Session, ...]],
        full: tuple[frozenset[date], frozenset[date]] = (frozenset(), frozenset()),
        holds: frozenset[date] = frozenset(),
    ) -> None:
        self.most, self.periods, self.full, self.holds = most, periods, full, holds
        self.masks: dict[tuple[Frame, bool], int] = {}

    def changed(
        self, added: Iterable[tuple[date, Session]], removed: Iterable[tuple[date, Session]]
    ) -> Tally:
        """Give the tally after some sessions came and went."""
        periods = dict(self.periods)
        touched = set()
        for period, session in removed:
            periods[period] = tuple(s for s in periods[period] if s.id != session.id)
            touched.add(period)
        for period, session in added:
            periods[period] = (*periods.get(period, ()), session)
            touched.add(period)
        plain, with_places = set(self.full[0]), set(self.full[1])
        holds = set(self.holds)
        for period in touched:
            there = periods[period]
            booked = sum(s.kind is SessionKind.BOOKING for s in there)
            places = sum(s.kind is SessionKind.PLACE for s in there)
            for full, count in ((plain, booked), (with_places, booked + places)):
                (full.add if count >= self.most else full.discard)(period)
            waiting = any(s.kind is SessionKind.HOLD for s in there)
            (holds.add if waiting else holds.discard)(period)
            if not there:
                del periods[period]
        return Tally(
            self.most, periods, (frozenset(plain), frozenset(with_places)), frozenset(holds)
        )

    def reached(
        self, now: datetime, ignored: Collection[tuple[date, str]], places: bool
    ) -> Collection[date]:
        """Give the periods in which the quota is reached; does not speak of a `max` of 0.

        Parameters
        ----------
        now : datetime
            Holds that are live at this instant count.
        ignored : collection of (date, str)
            Period and id of sessions that do not count.
        places : bool
            Whether places count, expired holds that serve as one included.
        """
        full = self.full[places]
        if not self.holds and not ignored:
            return full
        ids = {name for _, name in ignored}
        out = set(full)
        for period in self.holds.union(period for period, _ in ignored):
            count = sum(
                s.id not in ids and counts(s, now, places) for s in self.periods.get(period, ())
            )
            (out.add if count >= self.most else out.discard)(period)
        return out

    def mask(
        self,
        days: LocalDays,
        quota: Quota,
        now: datetime,
        ignored: Collection[tuple[date, str]],
        places: bool,
    ) -> int:
        """Give the cells of the periods in which the quota is reached."""
        key = (days.frame, places)
        timeless = not self.holds and not ignored
        known = self.masks.get(key) if timeless else None
        if known is not None:
            return known
        bits = 0
        for first in self.reached(now, ignored, places):
            last = first if quota.per == "day" else first + timedelta(days=6)
            if days.first <= last and first <= days.last:
                bits |= days.dates(first, last)
        if timeless:
            remember(self.masks, key, bits, 2)
        return bits


def counts(session: Session, now: datetime, places: bool) -> bool:
    """Tell whether a session takes its time at an instant.

    A hold does until it expires; then it is a place if it served as one. Places do where asked.
    """
    if session.kind is SessionKind.PLACE:
        return places
    if session.kind is SessionKind.HOLD and not session.is_live(now):
        return places and session.is_place
    return True
