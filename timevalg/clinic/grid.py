"""Local times of the file as instants, and spans rounded outward to the organisation's grid."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from timevalg.model.time import Span, joined

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """Give the UTC instant of a local date-time (skipped: forward by the gap; repeated: first)."""
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def outward(start: datetime, end: datetime, grid: int) -> Span | None:
    """Give the smallest span on the grid that holds [start, end); None if that is empty."""
    if start >= end:
        return None
    cell = timedelta(minutes=grid)
    first = (start - _EPOCH) // cell
    last = -((_EPOCH - end) // cell)
    return Span(_EPOCH + first * cell, _EPOCH + last * cell)


def all_outward(spans: Iterable[tuple[datetime, datetime]], grid: int) -> tuple[Span, ...]:
    """Round spans outward, sort them and join those that touch."""
    rounded = (outward(start, end, grid) for start, end in spans)
    return tuple(joined([span for span in rounded if span is not None]))
