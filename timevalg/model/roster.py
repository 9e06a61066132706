"""Recurring wall-clock hours: working hours, openings, teaching, a patient's possible times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from timevalg.model.time import MINUTES_A_DAY, Span, wall_span


@dataclass(frozen=True)
class Hours:
    """The same wall-clock hours on chosen days, maybe only in some weeks of an n-week roster.

    Attributes
    ----------
    days : frozenset of int
        Weekdays, Monday = 0.
    start, end : int
        Minutes after local midnight, ``start < end <= 1440``.
    weeks : frozenset of int
        Weeks of the roster (1 … `of`); empty = every week.
    of : int
        Length of the roster in weeks.
    since : date or None
        A date in week 1; the roster counts backwards from it too.
    valid_from, valid_to : date or None
        First and last day, both included.
    """

    days: frozenset[int] = frozenset(range(7))
    start: int = 0
    end: int = MINUTES_A_DAY
    weeks: frozenset[int] = frozenset()
    of: int = 1
    since: date | None = None
    valid_from: date | None = None
    valid_to: date | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end <= MINUTES_A_DAY:
            raise ValueError(f"hours from {self.start} to {self.end} minutes are no part of a day")
        if self.weeks and (self.since is None or not self.weeks <= set(range(1, self.of + 1))):
            raise ValueError(
                f"weeks {sorted(self.weeks)} need `since` and lie within 1 … {self.of}"
            )

    def covers(self, day: date) -> bool:
        """Tell whether these hours occur on the local date."""
        if day.weekday() not in self.days:
            return False
        if self.valid_from is not None and day < self.valid_from:
            return False
        if self.valid_to is not None and day > self.valid_to:
            return False
        if not self.weeks or self.since is None:
            return True
        weeks = (_monday(day) - _monday(self.since)).days // 7
        return weeks % self.of + 1 in self.weeks

    def span(self, day: date, zone: ZoneInfo) -> Span | None:
        """Give the span on the local date; None where there is none."""
        return wall_span(day, self.start, self.end, zone) if self.covers(day) else None

    def spans(self, first: date, last: date, zone: ZoneInfo) -> Iterator[Span]:
        """Give the spans on the local dates from `first` to `last`, both included."""
        for offset in range((last - first).days + 1):
            span = self.span(first + timedelta(days=offset), zone)
            if span is not None:
                yield span


@dataclass(frozen=True)
class WorkingHours(Hours):
    """Working hours of a resource; may serve some pools only (``for``)."""

    pools: frozenset[str] | None = None


@dataclass(frozen=True)
class Opening(Hours):
    """What patients may choose from; may be kept back until `release` days before."""

    release: int | None = None


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
