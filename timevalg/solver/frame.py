"""The stretch of time that bitmaps cover, and local days in it.

A frame is whole UTC days cut into cells; bit 0 is its origin. Local days lie in it where a zone's
midnights do. On a regular day (24 hours, one offset) every wall-clock time is a fixed number of
cells after midnight, so recurring hours are one pattern times the set of midnights; the few days
on which clocks change are taken one by one through `timevalg.model.time.instant`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from timevalg.model.roster import Hours
from timevalg.model.time import MINUTES_A_DAY, Span, instant
from timevalg.solver.bits import marks, stretch

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = date(1970, 1, 1).toordinal()


def first_cell(moment: datetime, grid: int) -> int:
    """Give the cell, counted from 1970, in which an instant lies (`grid` minutes a cell)."""
    since = moment - EPOCH
    return (since.days * 86400 + since.seconds) // (60 * grid)


def end_cell(moment: datetime, grid: int) -> int:
    """Give the first cell, counted from 1970, that begins at or after an instant."""
    since = moment - EPOCH
    seconds = since.days * 86400 + since.seconds + bool(since.microseconds)
    return -(-seconds // (60 * grid))


class Frame(NamedTuple):
    """Whole UTC days as cells.

    Attributes
    ----------
    base : int
        First day, counted from 1970-01-01.
    days : int
        How many.
    grid : int
        Minutes a cell; divides 60.
    """

    base: int
    days: int
    grid: int

    @property
    def per_day(self) -> int:
        """Cells a UTC day."""
        return MINUTES_A_DAY // self.grid

    @property
    def size(self) -> int:
        """Cells in all."""
        return self.days * MINUTES_A_DAY // self.grid

    @property
    def offset(self) -> int:
        """Cell of the origin, counted from 1970."""
        return self.base * MINUTES_A_DAY // self.grid

    @property
    def origin(self) -> datetime:
        """UTC instant of bit 0."""
        return EPOCH + timedelta(days=self.base)

    def cell(self, moment: datetime) -> int:
        """Give the cell in which an instant lies; may be outside."""
        return first_cell(moment, self.grid) - self.offset

    def range(self, span: Span) -> tuple[int, int]:
        """Give the cells that a span touches, ``[start, end)``; may be outside."""
        return self.cell(span.start), end_cell(span.end, self.grid) - self.offset

    def moment(self, cell: int) -> datetime:
        """Give the UTC instant at which a cell begins."""
        return self.origin + timedelta(minutes=cell * self.grid)

    def moments(self, cells: Iterable[int]) -> list[datetime]:
        """Give the UTC instants at which cells begin; remembered, for lists ask for them again."""
        return list(map(_moments(self).__getitem__, cells))


class _Moments(dict[int, datetime]):
    """Cell → instant, of one frame."""

    def __init__(self, frame: Frame) -> None:
        super().__init__()
        self._frame = frame

    def __missing__(self, cell: int) -> datetime:
        found = self[cell] = self._frame.moment(cell)
        return found


@lru_cache(maxsize=4)
def _moments(frame: Frame) -> _Moments:
    return _Moments(frame)


class LocalDays:
    """The local days of a zone that lie wholly inside a frame.

    Parameters
    ----------
    zone : ZoneInfo
    frame : Frame
    """

    def __init__(self, zone: ZoneInfo, frame: Frame) -> None:
        self.zone, self.frame = zone, frame
        first = date.fromordinal(EPOCH_DAY + frame.base - 1)
        dates = [first + timedelta(days=i) for i in range(frame.days + 3)]
        cells = [frame.cell(instant(day, 0, zone)) for day in dates]
        inside = [i for i in range(len(dates) - 1) if cells[i] >= 0 and cells[i + 1] <= frame.size]
        self.first, self.last = dates[inside[0]], dates[inside[-1]]
        self._midnights = cells[inside[0] : inside[-1] + 2]
        self.regular = [
            (dates[i], cells[i]) for i in inside if cells[i + 1] - cells[i] == frame.per_day
        ]
        self.irregular = [dates[i] for i in inside if cells[i + 1] - cells[i] != frame.per_day]
        self._marks: dict[tuple[object, ...], tuple[int, list[date]]] = {}
        self._bits: dict[tuple[object, ...], int] = {}

    def midnight(self, day: date) -> int:
        """Give the cell at which a local day begins, clipped to the days inside."""
        at = (day - self.first).days
        return self._midnights[max(0, min(at, len(self._midnights) - 1))]

    def dates(self, first: date, last: date) -> int:
        """Give the bits of whole local days, both ends included."""
        return stretch(self.midnight(first), self.midnight(last + timedelta(days=1)))

    def on(self, hours: Hours) -> tuple[int, list[date]]:
        """Give the midnights of the regular days on which hours occur, and the irregular days."""
        key = _recurrence(hours)
        found = self._marks.get(key)
        if found is None:
            regular = marks((c for day, c in self.regular if hours.covers(day)), self.frame.size)
            found = regular, [day for day in self.irregular if hours.covers(day)]
            self._marks[key] = found
        return found

    def span(self, hours: Hours, day: date) -> tuple[datetime, datetime]:
        """Give the instants of the hours on a date; the end may not be after the start."""
        return instant(day, hours.start, self.zone), instant(day, hours.end, self.zone)

    def bits(self, hours: Hours) -> int:
        """Give the time that recurring hours cover."""
        key = (hours.start, hours.end, *_recurrence(hours))
        found = self._bits.get(key)
        if found is None:
            midnights, days = self.on(hours)
            grid = self.frame.grid
            found = (midnights << -(-hours.end // grid)) - (midnights << hours.start // grid)
            for day in days:
                begins, ends = self.span(hours, day)
                if begins < ends:
                    found |= stretch(*self.frame.range(Span(begins, ends)))
            self._bits[key] = found
        return found


def _recurrence(hours: Hours) -> tuple[object, ...]:
    return (
        hours.days,
        hours.weeks,
        hours.of,
        hours.since,
        hours.valid_from,
        hours.valid_to,
    )
