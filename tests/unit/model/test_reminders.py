"""Reminders are local calendar times: working days, quiet hours, both clock changes."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from timevalg.model.clinic import Clinic
from timevalg.model.reminders import RULES, awake_from, reminders, rule_on
from timevalg.model.text import Text

OSLO = ZoneInfo("Europe/Oslo")
CLINIC = Clinic(
    "c", "999999999", Text((("nb", "K"),)), OSLO, holidays=frozenset({date(2027, 3, 26)})
)


def oslo(*when):
    return datetime(*when, tzinfo=OSLO)


@pytest.mark.parametrize(
    ("start", "days"),
    [
        (oslo(2027, 1, 20, 9), [(13, 9), (15, 9), (19, 9)]),
        (oslo(2027, 1, 18, 9), [(11, 9), (15, 9)]),  # Monday: Friday and Sunday are one Friday
        # Easter: Good Friday gives way to Thursday; after the change 10:00 is 08:00 UTC.
        (oslo(2027, 3, 29, 9), [(22, 9), (25, 9)]),
        (oslo(2027, 4, 1, 9), [(25, 9), (29, 8), (31, 8)]),
        (oslo(2027, 11, 3, 9), [(27, 8), (29, 8), (2, 9)]),
    ],
)
def test_days_and_hours_in_utc(start, days):
    found = [moment.astimezone(UTC) for _, moment in reminders(CLINIC, start.astimezone(UTC))]
    assert [(m.day, m.hour) for m in found] == days


@pytest.mark.parametrize(
    ("now", "then"),
    [
        (oslo(2027, 1, 4, 12), oslo(2027, 1, 4, 12)),
        (oslo(2027, 1, 4, 20, 59), oslo(2027, 1, 4, 20, 59)),
        (oslo(2027, 1, 4, 21), oslo(2027, 1, 5, 8)),
        (oslo(2027, 1, 4, 7, 59), oslo(2027, 1, 4, 8)),
        (oslo(2027, 3, 27, 22), oslo(2027, 3, 28, 8)),  # a night of ten hours
        (oslo(2027, 10, 30, 22), oslo(2027, 10, 31, 8)),  # and one of twelve
    ],
)
def test_quiet_hours(now, then):
    assert awake_from(now.astimezone(UTC), OSLO) == then


def test_every_rule_has_its_source_and_its_order():
    assert [rule.since for rule in RULES] == sorted({rule.since for rule in RULES})
    assert all(rule.source for rule in RULES)
    assert rule_on(date(2019, 1, 1)) is None
