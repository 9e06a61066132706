"""When patients are reminded of a visit: versioned data with its source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from timevalg.model.clinic import Clinic
from timevalg.model.time import instant, local_date


@dataclass(frozen=True)
class ReminderRule:
    """What holds for visits from a date on.

    Attributes
    ----------
    days : tuple of int
        How many days before the visit.
    at : int
        Minute of the local day.
    quiet_from, quiet_until : int
        Minutes of the local day between which nobody is disturbed; over midnight.
    """

    since: date
    days: tuple[int, ...]
    at: int
    quiet_from: int
    quiet_until: int
    source: str


RULES = (
    ReminderRule(
        since=date(2020, 1, 1),
        days=(7, 3, 1),
        at=10 * 60,
        quiet_from=21 * 60,
        quiet_until=8 * 60,
        source="Norwegian hospitals remind by SMS 7, 3 and 1 days before, as they tell patients on"
        " their public pages (collected 2026); quiet hours are ours.",
    ),
)
"""Oldest first; the last one that has begun on the visit's day holds."""


def rule_on(day: date) -> ReminderRule | None:
    """Give the rule for visits of a local day."""
    return next((rule for rule in reversed(RULES) if rule.since <= day), None)


def reminders(clinic: Clinic, start: datetime) -> Iterator[tuple[date, datetime]]:
    """Give the local days on which, and the instants at which, to remind of a visit.

    A day on which the clinic does not work gives way to the last working day before it; two
    reminders that would come on one day are one.
    """
    visit = local_date(start, clinic.timezone)
    rule = rule_on(visit)
    if rule is None:
        return
    for day in sorted({_working_day(clinic, visit - timedelta(days=n)) for n in rule.days}):
        moment = instant(day, rule.at, clinic.timezone)
        if moment < start:
            yield day, moment


def awake_from(moment: datetime, zone: ZoneInfo) -> datetime:
    """Give the instant itself, or the end of the quiet hours that it falls into."""
    day = local_date(moment, zone)
    rule = rule_on(day)
    if rule is None:
        return moment
    if moment < (morning := instant(day, rule.quiet_until, zone)):
        return morning
    if moment >= instant(day, rule.quiet_from, zone):
        return instant(day + timedelta(days=1), rule.quiet_until, zone)
    return moment


def _working_day(clinic: Clinic, day: date) -> date:
    if day.weekday() < 5 and not clinic.is_closed(day):
        return day
    return clinic.working_days_before(day, 1)
