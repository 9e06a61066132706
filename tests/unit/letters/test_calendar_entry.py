"""A visit in the patient's own calendar: the right instant, and nothing secret."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from timevalg.letters.calendar_entry import calendar_entry
from timevalg.model.appointment import Appointment, Origin
from timevalg.model.clinic import Clinic, VisitPlace
from timevalg.model.states import AppointmentState
from timevalg.model.text import Text

OSLO = ZoneInfo("Europe/Oslo")
CLINIC = Clinic(
    "psychiatry",
    "999999999",
    Text.plain("Psykiatrisk poliklinikk"),
    OSLO,
    5,
    place=VisitPlace(Text.plain("Sykehuset, bygg 2"), "5. etg., Psykiatrisk poliklinikk"),
)
NOW = datetime(2027, 1, 4, 7, tzinfo=UTC)


def visit(start, length=60, **more):
    return Appointment(
        "a-1",
        "999999999",
        "psychiatry",
        "therapy",
        start,
        "",
        "Europe/Oslo",
        length,
        {"therapist": ("dr-berg",)},
        Origin.CHOSEN,
        patient="01017012345",
        **more,
    )


def read(start, length=60, **more):
    text = calendar_entry(visit(start, length, **more), CLINIC, "nb", NOW)
    (event,) = Calendar.from_ical(text).walk("VEVENT")
    return text, event


@pytest.mark.parametrize(
    "start",
    [
        datetime(2027, 1, 12, 8, tzinfo=UTC),
        datetime(2027, 3, 28, 0, 30, tzinfo=UTC),  # 01:30, half an hour before clocks go forward
        datetime(2027, 3, 28, 1, 0, tzinfo=UTC),
        datetime(2027, 3, 29, 7, tzinfo=UTC),
        datetime(2027, 10, 30, 22, 30, tzinfo=UTC),
        datetime(2027, 10, 31, 0, 30, tzinfo=UTC),  # 02:30 for the first time
        datetime(2027, 10, 31, 1, 30, tzinfo=UTC),  # 02:30 for the second
        datetime(2027, 11, 1, 8, tzinfo=UTC),
    ],
)
@pytest.mark.parametrize("length", [30, 90])
def test_the_instants_are_the_visits(start, length):
    text, event = read(start, length)
    assert event["DTSTART"].dt.astimezone(UTC) == start
    assert event["DTEND"].dt.astimezone(UTC) == start + timedelta(minutes=length)
    if "TZID" in text:
        assert "BEGIN:VTIMEZONE" in text


def test_the_wall_clock_and_its_zone_are_told():
    text, _ = read(datetime(2027, 3, 29, 7, tzinfo=UTC))
    assert "DTSTART;TZID=Europe/Oslo:20270329T090000" in text
    assert "TZOFFSETTO:+0200" in text


def test_nothing_tells_what_for_or_for_whom():
    text, event = read(datetime(2027, 1, 12, 8, tzinfo=UTC), task="t-1", ref="kontakt/88")
    assert (event["SUMMARY"], event["LOCATION"]) == ("Time på sykehuset", "Sykehuset, bygg 2")
    for secret in ("01017012345", "therap", "berg", "sykiatri", "t-1", "kontakt"):
        assert secret not in text


def test_a_change_and_a_cancellation_replace_the_entry():
    first = visit(datetime(2027, 1, 12, 8, tzinfo=UTC))
    gone = replace(first, state=AppointmentState.CANCELLED, version=3)
    texts = [calendar_entry(v, CLINIC, "en", NOW) for v in (first, gone)]
    before, after = (Calendar.from_ical(text).walk("VEVENT")[0] for text in texts)
    assert before["UID"] == after["UID"]
    assert before["SEQUENCE"] < after["SEQUENCE"]
    assert (before["STATUS"], after["STATUS"]) == ("CONFIRMED", "CANCELLED")
