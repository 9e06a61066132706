"""Recurrence rules (RFC 5545, section 3.3.10), expanded on the wall clock within bounds.

Agrees with `dateutil.rrule` (a property test compares them) but for three things: the work is
bounded also where a rule never matches, plain and numbered weekdays may be mixed, and a rule that
leaves the weekday open takes it from DTSTART, as the RFC says.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import product
from typing import Any

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
STEPS = {
    "WEEKLY": timedelta(weeks=1),
    "DAILY": timedelta(days=1),
    "HOURLY": timedelta(hours=1),
    "MINUTELY": timedelta(minutes=1),
    "SECONDLY": timedelta(seconds=1),
}
_BY_RANGES = {
    "BYMONTH": (1, 12, False),
    "BYWEEKNO": (1, 53, True),
    "BYYEARDAY": (1, 366, True),
    "BYMONTHDAY": (1, 31, True),
    "BYHOUR": (0, 23, False),
    "BYMINUTE": (0, 59, False),
    "BYSECOND": (0, 60, False),
    "BYSETPOS": (1, 366, True),
}
_BYDAY = re.compile(r"([-+]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)


class BadRule(ValueError):
    """The rule breaks RFC 5545, or is beyond what is supported."""


class TooMuch(Exception):
    """The budget is spent."""


@dataclass
class Budget:
    """Steps that may still be taken: days and times looked at."""

    steps: int

    def spend(self, steps: int) -> None:
        """Take steps.

        Raises
        ------
        TooMuch
            If there are none left.
        """
        self.steps -= steps
        if self.steps < 0:
            raise TooMuch


Numbers = tuple[int, ...]


@dataclass(frozen=True)
class Rule:
    """One RRULE; `until` is on the wall clock and included. Empty parts do not limit."""

    freq: str
    interval: int = 1
    count: int | None = None
    until: datetime | None = None
    wkst: int = 0
    bymonth: Numbers = ()
    byweekno: Numbers = ()
    byyearday: Numbers = ()
    bymonthday: Numbers = ()
    byday: tuple[tuple[int, int], ...] = ()
    byhour: Numbers = ()
    byminute: Numbers = ()
    bysecond: Numbers = ()
    bysetpos: Numbers = ()


def parse_rule(text: str, until: Callable[[str], datetime]) -> Rule:
    """Read a rule.

    Parameters
    ----------
    until : callable
        Reads the value of UNTIL as a time on the wall clock of the rule's zone.

    Raises
    ------
    BadRule
        Naming the part that is wrong.
    """
    parts: dict[str, str] = {}
    for part in text.strip().strip(";").split(";"):
        key, equals, value = part.partition("=")
        key = key.strip().upper()
        if not equals or key in parts:
            raise BadRule(f"{part[:40]!r} in it is not understood")
        parts[key] = value.strip().upper()
    freq = parts.pop("FREQ", "")
    if freq not in ("YEARLY", "MONTHLY", *STEPS):
        raise BadRule(f"FREQ={freq} is not a frequency")
    if parts.pop("RSCALE", "GREGORIAN") != "GREGORIAN" or parts.pop("SKIP", "OMIT") != "OMIT":
        raise BadRule("RSCALE and SKIP other than GREGORIAN and OMIT are not supported")
    rule = Rule(
        freq,
        interval=_number("INTERVAL", parts.pop("INTERVAL", "1"), 1, 10**6, False),
        wkst=_weekday(parts.pop("WKST", "MO")),
        byday=tuple(map(_byday, _split(parts.pop("BYDAY", "")))),
    )
    if "COUNT" in parts:
        rule = replace(rule, count=_number("COUNT", parts.pop("COUNT"), 1, 10**9, False))
    if "UNTIL" in parts:
        rule = replace(rule, until=until(parts.pop("UNTIL")))
    for key, value in parts.items():
        if key.startswith("X-"):
            continue
        if key not in _BY_RANGES:
            raise BadRule(f"{key[:40]} is not supported")
        numbers = tuple(sorted({_number(key, n, *_BY_RANGES[key]) for n in _split(value)}))
        changes: dict[str, Any] = {key.lower(): numbers}
        rule = replace(rule, **changes)
    return rule


def occurrences(
    rule: Rule,
    start: datetime,
    first: datetime,
    last: datetime,
    budget: Budget,
    with_start: bool = True,
) -> Iterator[datetime]:
    """Give the times of a rule in order.

    Parameters
    ----------
    start : datetime
        DTSTART on the wall clock (naive).
    first, last : datetime
        Times before `first` may be left out; none after `last` is given.
    with_start : bool
        Whether `start` is one of the times even where the rule does not give it.

    Raises
    ------
    TooMuch
        If the budget is spent.
    """
    if rule.until is not None and rule.until < start:
        return
    end = last if rule.until is None else min(last, rule.until)
    rule = _completed(rule, start)
    made = int(with_start)
    if with_start and start <= end:
        yield start
    for period in _periods(rule, start, first, end, budget):
        for moment in _positions(period, rule.bysetpos):
            if moment < start or (moment == start and with_start):
                continue
            if moment > end or (rule.count is not None and made >= rule.count):
                return
            made += 1
            yield moment


def _completed(rule: Rule, start: datetime) -> Rule:
    """Fill in from DTSTART what the rule leaves open."""
    chooses_day = rule.byday or rule.bymonthday or rule.byyearday
    if rule.freq == "YEARLY" and not chooses_day:
        if rule.byweekno:
            rule = replace(rule, byday=((0, start.weekday()),))
        else:
            months = rule.bymonth or (start.month,)
            rule = replace(rule, bymonth=months, bymonthday=(start.day,))
    elif rule.freq == "MONTHLY" and not chooses_day:
        rule = replace(rule, bymonthday=(start.day,))
    elif rule.freq == "WEEKLY" and not chooses_day:
        rule = replace(rule, byday=((0, start.weekday()),))
    if rule.freq not in ("HOURLY", "MINUTELY", "SECONDLY") and not rule.byhour:
        rule = replace(rule, byhour=(start.hour,))
    if rule.freq not in ("MINUTELY", "SECONDLY") and not rule.byminute:
        rule = replace(rule, byminute=(start.minute,))
    if rule.freq != "SECONDLY" and not rule.bysecond:
        rule = replace(rule, bysecond=(start.second,))
    return rule


def _periods(
    rule: Rule, start: datetime, first: datetime, end: datetime, budget: Budget
) -> Iterator[list[datetime]]:
    """Give the candidates of each period in order, sorted."""
    if rule.freq in ("HOURLY", "MINUTELY", "SECONDLY"):
        yield from _short_periods(rule, start, first, end, budget)
        return
    times = [
        timedelta(hours=h, minutes=m, seconds=min(s, 59))
        for h, m, s in product(rule.byhour, rule.byminute, rule.bysecond)
    ]
    for days in _day_periods(rule, start, first, end):
        budget.spend(len(days))
        good = [datetime(d.year, d.month, d.day) for d in days if _day_fits(rule, d)]  # noqa: DTZ001 - wall clock
        budget.spend(len(good) * len(times))
        yield [day + time for day in good for time in times]


def _day_periods(
    rule: Rule, start: datetime, first: datetime, end: datetime
) -> Iterator[list[date]]:
    """Give the days of each period from that of `start` on, skipping what lies before `first`."""
    skip = 0
    if rule.freq in ("YEARLY", "MONTHLY"):
        months = 12 if rule.freq == "YEARLY" else 1
        begin = start.year * 12 + (start.month - 1 if months == 1 else 0)
        if rule.count is None:
            skip = max(0, (first.year * 12 - begin) // (months * rule.interval) - 1)
        month = begin + skip * months * rule.interval
        while month // 12 <= end.year:
            wanted = (m for m in range(month, month + months) if _in(m % 12 + 1, rule.bymonth))
            yield [day for m in wanted for day in _month(m)]
            month += months * rule.interval
        return
    length = 7 if rule.freq == "WEEKLY" else 1
    day = start.date()
    if length == 7:
        day -= timedelta(days=(day.weekday() - rule.wkst) % 7)
    if rule.count is None:
        skip = max(0, (first.date() - day).days // (length * rule.interval) - 1)
    step = length * rule.interval
    ordinal = day.toordinal() + skip * step
    while ordinal <= end.toordinal():
        yield [date.fromordinal(ordinal + n) for n in range(length)]
        ordinal += step


def _short_periods(
    rule: Rule, start: datetime, first: datetime, end: datetime, budget: Budget
) -> Iterator[list[datetime]]:
    step = STEPS[rule.freq] * rule.interval
    hour, minute = timedelta(hours=1), timedelta(minutes=1)
    now = start
    if rule.count is None and first > start:
        now += max(0, (first - start) // step - 1) * step
    while now <= end + hour:
        budget.spend(1)
        # Skip to the end of the day, hour or minute that cannot match at all.
        if not _day_fits(rule, now.date()):
            edge = now.replace(hour=0, minute=0, second=0) + timedelta(days=1)
        elif not _in(now.hour, rule.byhour):
            edge = now.replace(minute=0, second=0) + hour
        elif rule.freq != "HOURLY" and not _in(now.minute, rule.byminute):
            edge = now.replace(second=0) + minute
        else:
            yield _inside(rule, now)
            now += step
            continue
        now += max(1, -((now - edge) // step)) * step


def _inside(rule: Rule, now: datetime) -> list[datetime]:
    if rule.freq == "SECONDLY":
        return [now] if _in(now.second, rule.bysecond) else []
    minutes = rule.byminute if rule.freq == "HOURLY" else (now.minute,)
    return [now.replace(minute=m, second=min(s, 59)) for m, s in product(minutes, rule.bysecond)]


def _day_fits(rule: Rule, day: date) -> bool:
    if not _in(day.month, rule.bymonth):
        return False
    if rule.bymonthday:
        from_end = day.day - calendar.monthrange(day.year, day.month)[1] - 1
        if day.day not in rule.bymonthday and from_end not in rule.bymonthday:
            return False
    if rule.byyearday:
        number = day.timetuple().tm_yday
        from_end = number - (366 if calendar.isleap(day.year) else 365) - 1
        if number not in rule.byyearday and from_end not in rule.byyearday:
            return False
    if rule.byday and not any(_weekday_fits(rule, n, w, day) for n, w in rule.byday):
        return False
    return not rule.byweekno or _week_fits(rule, day)


def _weekday_fits(rule: Rule, number: int, weekday: int, day: date) -> bool:
    if day.weekday() != weekday:
        return False
    if number == 0 or rule.freq not in ("YEARLY", "MONTHLY"):
        return True
    if rule.freq == "YEARLY" and not rule.bymonth:
        before = day.timetuple().tm_yday
        length = 366 if calendar.isleap(day.year) else 365
    else:
        before, length = day.day, calendar.monthrange(day.year, day.month)[1]
    return number == (before - 1) // 7 + 1 if number > 0 else -number == (length - before) // 7 + 1


def _week_fits(rule: Rule, day: date) -> bool:
    """Weeks begin on WKST; week 1 is the first with four days in the year."""
    fourth = day + timedelta(days=3 - (day.weekday() - rule.wkst) % 7)
    week = (fourth.timetuple().tm_yday - 1) // 7 + 1
    length = 366 if calendar.isleap(fourth.year) else 365
    weeks = week + (length - fourth.timetuple().tm_yday) // 7
    return week in rule.byweekno or week - weeks - 1 in rule.byweekno


def _positions(period: list[datetime], wanted: Numbers) -> list[datetime]:
    if not wanted:
        return sorted(set(period)) if len(period) > 1 else period
    ordered = sorted(set(period))
    size = len(ordered)
    chosen = {p - 1 if p > 0 else size + p for p in wanted}
    return [ordered[at] for at in sorted(chosen) if 0 <= at < size]


def _month(number: int) -> list[date]:
    year, month = divmod(number, 12)
    length = calendar.monthrange(year, month + 1)[1]
    return [date(year, month + 1, day) for day in range(1, length + 1)]


def _in(value: int, allowed: Numbers) -> bool:
    return not allowed or value in allowed


def _split(value: str) -> list[str]:
    return [item.strip() for item in value.split(",") if item.strip()][:1000]


def _number(key: str, text: str, low: int, high: int, may_be_negative: bool) -> int:
    if not re.fullmatch(r"[-+]?\d{1,9}", text, re.ASCII):
        raise BadRule(f"{key}={text[:40]} is not a number")
    number = int(text)
    if not low <= (abs(number) if may_be_negative else number) <= high:
        raise BadRule(f"{key}={number} is out of range")
    return number


def _weekday(text: str) -> int:
    if text not in WEEKDAYS:
        raise BadRule(f"{text[:40]!r} is not a weekday")
    return WEEKDAYS.index(text)


def _byday(text: str) -> tuple[int, int]:
    match = _BYDAY.fullmatch(text)
    if match is None or not -53 <= int(match[1] or 0) <= 53 or match[1] in ("0", "+0", "-0"):
        raise BadRule(f"BYDAY={text[:40]} is not a weekday")
    return int(match[1] or 0), WEEKDAYS.index(match[2])
