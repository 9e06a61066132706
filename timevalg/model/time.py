"""Instants, spans and wall-clock time.

All instants are aware and in UTC. Wall-clock times that a clock change skips move forward by the
gap; those that it repeats mean the first (docs/clinic-file.md, "When is a start feasible?"): both
are what ``fold=0`` of PEP 495 gives.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

MINUTES_A_DAY = 24 * 60
YEARS = range(1900, 2201)
"""In which every date lies that somebody gives: others are slips."""
DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def require_aware(value: datetime, what: str) -> datetime:
    """Give the instant in UTC, refusing a naive one.

    Raises
    ------
    ValueError
        If `value` has no zone.
    """
    if value.tzinfo is UTC:
        return value
    if value.tzinfo is None or value.utcoffset() is None:
        raise ValueError(f"{what} {value.isoformat()} has no time zone; give it an offset")
    return value.astimezone(UTC)


def instant(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """Give the UTC instant of a wall-clock minute.

    Parameters
    ----------
    day : date
        Local date.
    minute : int
        Minutes on the wall clock after the day's 00:00; 1440 is the end of the day.
    zone : ZoneInfo
        The clinic's zone.
    """
    wall = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)  # noqa: DTZ001 - wall
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def local_date(moment: datetime, zone: ZoneInfo) -> date:
    """Give the local date of an instant."""
    return moment.astimezone(zone).date()


@dataclass(frozen=True, order=True)
class Span:
    """A non-empty half-open range of time ``[start, end)`` in UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is not UTC:
            object.__setattr__(self, "start", require_aware(self.start, "span start"))
        if self.end.tzinfo is not UTC:
            object.__setattr__(self, "end", require_aware(self.end, "span end"))
        if self.start >= self.end:
            raise ValueError(f"span is empty: {self.start.isoformat()} is not before its end")

    def overlaps(self, other: Span) -> bool:
        """Tell whether the two share any time."""
        return self.start < other.end and other.start < self.end


def wall_span(day: date, start: int, end: int, zone: ZoneInfo) -> Span | None:
    """Give the span between two wall-clock minutes of a day; None if a clock change empties it."""
    begins, ends = instant(day, start, zone), instant(day, end, zone)
    return Span(begins, ends) if begins < ends else None


def day_span(first: date, last: date, zone: ZoneInfo) -> Span:
    """Give the span of whole local days, both ends included."""
    return Span(instant(first, 0, zone), instant(last, MINUTES_A_DAY, zone))


def joined(spans: list[Span]) -> list[Span]:
    """Sort spans and join those that touch or overlap."""
    out: list[Span] = []
    for span in sorted(spans):
        if out and span.start <= out[-1].end:
            if span.end > out[-1].end:
                out[-1] = Span(out[-1].start, span.end)
        else:
            out.append(span)
    return out
