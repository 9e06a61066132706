"""Recurrence rules: examples of RFC 5545, agreement with dateutil, and bounds."""
# ruff: noqa: E501 - tables

from datetime import date, datetime, timedelta
from itertools import islice
from time import process_time

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st

from timevalg.clinic.recurrence import BadRule, Budget, TooMuch, occurrences, parse_rule
from timevalg.clinic.zones import parse_stamp

FAR = datetime(2040, 12, 31)  # noqa: DTZ001 - a wall clock


def until(text: str) -> datetime:
    return parse_stamp(text)[0]


def expand(rule: str, start: datetime, last: datetime = FAR, steps: int = 1_000_000):
    return list(occurrences(parse_rule(rule, until), start, start, last, Budget(steps)))


def wall(*parts: int) -> datetime:
    return datetime(*parts)  # noqa: DTZ001 - a wall clock


@pytest.mark.parametrize(
    ("rule", "start", "expected"),
    [
        ("FREQ=DAILY;COUNT=3", wall(1997, 9, 2, 9), ["9-2", "9-3", "9-4"]),
        ("FREQ=WEEKLY;INTERVAL=2;COUNT=4;WKST=SU;BYDAY=TU,TH", wall(1997, 9, 2, 9), ["9-2", "9-4", "9-16", "9-18"]),
        ("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", wall(1997, 8, 5, 9), ["8-5", "8-10", "8-19", "8-24"]),
        ("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", wall(1997, 8, 5, 9), ["8-5", "8-17", "8-19", "8-31"]),
        ("FREQ=MONTHLY;COUNT=3;BYDAY=1FR", wall(1997, 9, 5, 9), ["9-5", "10-3", "11-7"]),
        ("FREQ=MONTHLY;COUNT=3;BYDAY=-2MO", wall(1997, 9, 22, 9), ["9-22", "10-20", "11-17"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-3;COUNT=3", wall(1997, 9, 28, 9), ["9-28", "10-29", "11-28"]),
        ("FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", wall(1997, 9, 4, 9), ["9-4", "10-7", "11-6"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2;COUNT=3", wall(1997, 9, 29, 9), ["9-29", "10-30", "11-27"]),
        ("FREQ=YEARLY;COUNT=3;BYMONTH=6,7", wall(1997, 6, 10, 9), ["6-10", "7-10", "6-10"]),
        ("FREQ=YEARLY;BYDAY=20MO;COUNT=2", wall(1997, 5, 19, 9), ["5-19", "5-18"]),
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO;COUNT=3", wall(1997, 5, 12, 9), ["5-12", "5-11", "5-17"]),
        ("FREQ=YEARLY;INTERVAL=3;COUNT=4;BYYEARDAY=1,100,200", wall(1997, 1, 1, 9), ["1-1", "4-10", "7-19", "1-1"]),
        ("FREQ=MONTHLY;COUNT=3;BYMONTHDAY=31", wall(1997, 1, 31, 9), ["1-31", "3-31", "5-31"]),
        ("FREQ=DAILY;UNTIL=19970904T090000", wall(1997, 9, 2, 9), ["9-2", "9-3", "9-4"]),
        # What the rule leaves open comes from DTSTART (dateutil would give all seven days).
        ("FREQ=YEARLY;BYWEEKNO=20;COUNT=2", wall(1997, 5, 12, 9), ["5-12", "5-11"]),
        # Plain and numbered weekdays together (dateutil would give none).
        ("FREQ=MONTHLY;BYDAY=MO,1TU;COUNT=3", wall(1997, 9, 1, 9), ["9-1", "9-2", "9-8"]),
    ],
)  # fmt: skip
def test_examples(rule, start, expected):
    assert [f"{m.month}-{m.day}" for m in expand(rule, start)] == expected


def test_a_series_cut_before_its_start_is_empty():
    assert expand("FREQ=DAILY;UNTIL=19970901T090000", wall(1997, 9, 2, 9)) == []


def test_the_start_counts_even_where_the_rule_does_not_give_it():
    found = expand("FREQ=WEEKLY;BYDAY=FR;COUNT=2", wall(2027, 1, 4, 9))
    assert found == [wall(2027, 1, 4, 9), wall(2027, 1, 8, 9)]


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "FREQ=FORTNIGHTLY",
        "BYDAY=MO",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=x",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;FREQ=WEEKLY",
        "FREQ=DAILY;BYDAY=XX",
        "FREQ=DAILY;BYDAY=0MO",
        "FREQ=DAILY;BYMONTH=13",
        "FREQ=DAILY;BYEASTER=1",
        "FREQ=DAILY;RSCALE=CHINESE",
        "FREQ=DAILY;UNTIL=soon",
        "FREQ=DAILY;WKST=X",
        "FREQ",
    ],
)
def test_a_bad_rule_is_refused(rule):
    with pytest.raises((BadRule, ValueError)):
        parse_rule(rule, until)


@pytest.mark.parametrize(
    "rule",
    [
        f"FREQ={freq};BYMONTH=2;BYMONTHDAY=31"
        for freq in ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY")
    ]
    + ["FREQ=DAILY;INTERVAL=7;BYDAY=TU", "FREQ=SECONDLY;INTERVAL=86400;BYHOUR=10"],
)
def test_a_rule_that_never_matches_ends(rule):
    began = process_time()
    assert expand(rule, wall(2027, 1, 4, 9)) == [wall(2027, 1, 4, 9)]
    assert process_time() - began < 5


def test_an_endless_rule_ends_with_its_budget():
    with pytest.raises(TooMuch):
        expand("FREQ=SECONDLY", wall(2027, 1, 4, 9), steps=10_000)


def test_what_is_long_past_is_skipped():
    rule = parse_rule("FREQ=MINUTELY;INTERVAL=7", until)
    start, first = wall(1990, 1, 1), wall(2027, 1, 4)
    found = occurrences(rule, start, first, first + timedelta(hours=1), Budget(1000))
    late = [m for m in found if m >= first]
    assert len(late) in (8, 9)
    assert all((m - start) % timedelta(minutes=7) == timedelta() for m in late)


numbers = {
    "BYMONTH": st.integers(1, 12),
    "BYMONTHDAY": st.integers(1, 31) | st.integers(-31, -1),
    "BYYEARDAY": st.integers(1, 366) | st.integers(-366, -1),
    "BYHOUR": st.integers(0, 23),
    "BYMINUTE": st.integers(0, 59),
}
REACH = {"MINUTELY": 10, "HOURLY": 100}
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@st.composite
def rules(draw: st.DrawFn) -> str:
    freq = draw(st.sampled_from(["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY"]))
    parts = [f"FREQ={freq}", f"INTERVAL={draw(st.integers(1, 5))}"]
    possible = ["BYMONTH", "BYHOUR", "BYMINUTE"]
    if freq != "WEEKLY":
        possible.append("BYMONTHDAY")
    if freq in ("YEARLY", "HOURLY", "MINUTELY"):
        possible.append("BYYEARDAY")
    for key in draw(st.lists(st.sampled_from(possible), unique=True, max_size=2)):
        chosen = draw(st.lists(numbers[key], unique=True, min_size=1, max_size=3))
        parts.append(f"{key}={','.join(map(str, chosen))}")
    if draw(st.booleans()):
        number = ""
        if freq in ("MONTHLY", "YEARLY"):
            number = draw(st.sampled_from(["", "1", "2", "-1", "5"]))
        days = draw(st.lists(st.sampled_from(WEEKDAYS), unique=True, min_size=1, max_size=3))
        parts.append(f"BYDAY={','.join(number + day for day in days)}")
        if freq == "YEARLY" and not number and draw(st.booleans()):
            parts.append(f"BYWEEKNO={draw(st.integers(1, 53) | st.integers(-53, -1))}")
    if draw(st.booleans()):
        parts.append(f"WKST={draw(st.sampled_from(WEEKDAYS))}")
    if len(parts) > 2 and freq != "WEEKLY" and draw(st.booleans()):
        parts.append(f"BYSETPOS={draw(st.sampled_from(['1', '-1', '2', '1,-1']))}")
    return ";".join(parts)


@given(
    rules(), st.dates(date(1999, 1, 1), date(2005, 1, 1)), st.integers(0, 23), st.integers(2, 40)
)
def test_agrees_with_dateutil(rule, day, hour, count):
    start = datetime(day.year, day.month, day.day, hour, 30)  # noqa: DTZ001 - a wall clock
    days = next((d for freq, d in REACH.items() if freq in rule), 3 * 366)
    last = start + timedelta(days=days)
    budget = Budget(1_000_000)
    ours = list(occurrences(parse_rule(rule, until), start, start, last, budget, False))[:count]
    if ours:
        # Ask it for no more than there are: it would look for another one to the year 9999.
        assert ours == list(islice(rrulestr(rule, dtstart=start), len(ours)))
