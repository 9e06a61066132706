"""Figures: what a clinic's time with its patients comes to, counted, and how it is told.

Visits count in the period in which they (now) start, invitations in that of their due date, what
staff do in that in which they do it. docs/figures.md says what each count is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from statistics import median

MEASURES: Mapping[str, str] = {
    "visits": "visits that were not cancelled",
    "lettered": "visits whose time a letter told",
    "moved": "of them, those whose start was moved after the first letter",
    "moved_by_patient": "of them, moved on the patient's wish at least once",
    "moved_by_hospital": "of them, moved by the hospital at least once",
    "attended": "visits to which the patient came",
    "no_shows": "visits to which the patient did not come",
    "invited": "invitations to choose that were sent",
    "chosen": "of them, those whose patient chose a time",
    "invited_visits": "visits that came of an invitation",
    "waiting_days": "days from the first day of choice to the visit, all together",
    "past_planned": "of these visits, those after the planned date",
    "with_deadline": "invitations with a legal deadline in the period",
    "deadline_breaches": "of them, those without a visit by then",
    "touches": "acts of staff on invitations and visits",
    "lost_minutes": "minutes of clinicians whose visit was cancelled, moved away or missed",
    "refilled_minutes": "of them, those in which they have another visit",
    "stranded": "invitations that lost their place and got no other",
    "stranded_now": "invitations without a place at this moment",
}
"""What is counted, by clinic."""


@dataclass(frozen=True)
class Period:
    """Local days, both included, and what they are as instants.

    Attributes
    ----------
    since, until : datetime
        UTC; the latter is not included.
    today : date
        Deadlines before it have passed.
    """

    first: date
    last: date
    since: datetime
    until: datetime
    today: date


@dataclass(frozen=True)
class Counted:
    """One count of one clinic; of one resource, or so many days waited, where it is about those."""

    clinic: str
    measure: str
    count: int
    resource: str | None = None
    days: int | None = None


def waited(clinic: str, days: int, visits: int, past_planned: int) -> list[Counted]:
    """Give the counts of visits that came of an invitation after so many days."""
    return [
        Counted(clinic, "invited_visits", visits, days=days),
        Counted(clinic, "waiting_days", days * visits),
        Counted(clinic, "past_planned", past_planned),
    ]


@dataclass(frozen=True)
class Figure:
    """One figure as people read it.

    Attributes
    ----------
    value : float or None
        In its unit; None where there is nothing to divide by, or it is not known.
    unit : str
        ``share`` (0 … 1), ``per 100``, ``days``, ``hours`` or ``count``.
    count, of : float or None
        What was divided by what.
    """

    name: str
    words: str
    unit: str
    value: float | None
    count: float | None
    of: float | None = None


@dataclass(frozen=True)
class _Told:
    words: str
    unit: str
    count: str
    of: str = ""


_FIGURES: Mapping[str, _Told] = {
    "replanned": _Told("re-planned after the letter", "share", "moved", "lettered"),
    "replanned_by_patient": _Told("… by the patient", "share", "moved_by_patient", "lettered"),
    "replanned_by_hospital": _Told("… by the hospital", "share", "moved_by_hospital", "lettered"),
    "touches": _Told("staff touches per 100 visits", "per 100", "touches", "visits"),
    "own_choice": _Told("own choice, of those invited", "share", "chosen", "invited"),
    "no_shows": _Told("did not come", "share", "no_shows", "expected"),
    "hours_lost": _Told("clinicians' hours freed", "hours", "lost_minutes"),
    "hours_refilled": _Told(
        "… of these hours refilled", "share", "refilled_minutes", "lost_minutes"
    ),
    "waiting_days": _Told("waiting days, mean", "days", "waiting_days", "invited_visits"),
    "waiting_days_median": _Told("… median", "days", "waiting_days_median"),
    "past_planned": _Told("past the planned date", "share", "past_planned", "invited_visits"),
    "deadline_breaches": _Told("deadline breaches", "share", "deadline_breaches", "with_deadline"),
    "stranded": _Told("left without a place", "share", "stranded", "invited"),
    "stranded_now": _Told("… without one now", "count", "stranded_now"),
}


@dataclass(frozen=True)
class Figures:
    """The counts of a clinic, or of several together.

    Attributes
    ----------
    counts : mapping
        Measure → count; a measure that is not there is not known.
    waited : mapping
        Days waited → visits that came of an invitation after so many; empty = not known.
    """

    counts: Mapping[str, float]
    waited: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def together(cls, several: Iterable[Figures]) -> Figures:
        """Add counts up."""
        total, waited = dict[str, float](), Counter[int]()
        for one in several:
            for measure, count in one.counts.items():
                total[measure] = total.get(measure, 0) + count
            waited.update(one.waited)
        return cls(total, waited)

    def median_days(self) -> float | None:
        """Give the days that half of the visits waited at most, the middle of two if need be."""
        days = list(Counter(self.waited).elements())
        return median(days) if days else None

    def told(self) -> tuple[Figure, ...]:
        """Give the figures in the order in which people read them."""
        counts = dict(self.counts)
        if counts.keys() >= {"attended", "no_shows"}:
            counts["expected"] = counts["attended"] + counts["no_shows"]
        if (middle := self.median_days()) is not None:
            counts["waiting_days_median"] = middle
        return tuple(_figure(name, told, counts) for name, told in _FIGURES.items())


def _figure(name: str, told: _Told, counts: Mapping[str, float]) -> Figure:
    count = counts.get(told.count)
    of = counts.get(told.of) if told.of else None
    value: float | None = None
    if told.unit == "hours":
        count = value = None if count is None else count / 60
    elif not told.of:
        value = count
    elif count is not None and of:
        value = count / of * (100 if told.unit == "per 100" else 1)
    if name == "hours_refilled":  # minutes are told as hours
        count, of = (None if n is None else n / 60 for n in (count, of))
    return Figure(name, told.words, told.unit, value, count, of)
