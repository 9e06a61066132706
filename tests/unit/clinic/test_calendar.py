"""When a calendar's events keep somebody busy."""
# ruff: noqa: E501 - tables

from datetime import UTC, date, datetime, timedelta
from time import process_time
from zoneinfo import ZoneInfo

import pytest

from timevalg.clinic.calendar import busy_times
from timevalg.clinic.content_lines import BadCalendar

OSLO = ZoneInfo("Europe/Oslo")

ZONE = """\
BEGIN:VTIMEZONE
TZID:{name}
BEGIN:STANDARD
DTSTART:16011028T030000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010325T020000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
"""


def event(*lines: str, uid: str = "u") -> str:
    return "\n".join(["BEGIN:VEVENT", f"UID:{uid}", *lines, "END:VEVENT", ""])


def busy(*parts: str, first=date(2026, 1, 1), last=date(2028, 12, 31)):
    text = "BEGIN:VCALENDAR\nVERSION:2.0\n" + "".join(parts) + "END:VCALENDAR\n"
    times = sorted(set(busy_times(text, OSLO, first, last)))
    assert all(start.tzinfo is UTC and end.tzinfo is UTC for start, end in times)
    return [f"{start:%m-%dT%H:%M}/{end:%m-%dT%H:%M}" for start, end in times]


def refused(*parts: str) -> BadCalendar:
    with pytest.raises(BadCalendar) as caught:
        busy(*parts)
    return caught.value


NINE = ("DTSTART;TZID=Europe/Oslo:20270105T090000", "DTEND;TZID=Europe/Oslo:20270105T093000")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (NINE, ["01-05T08:00/01-05T08:30"]),
        (("DTSTART:20270105T090000Z", "DTEND:20270105T093000Z"), ["01-05T09:00/01-05T09:30"]),
        (("DTSTART:20270105T090000", "DTEND:20270105T093000"), ["01-05T08:00/01-05T08:30"]),
        (("DTSTART:20270105T090000Z", "DURATION:PT1H30M"), ["01-05T09:00/01-05T10:30"]),
        (("DTSTART:20270105T090000Z", "DURATION:P1W"), ["01-05T09:00/01-12T09:00"]),
        (("DTSTART;VALUE=DATE:20270105", "DTEND;VALUE=DATE:20270107"), ["01-04T23:00/01-06T23:00"]),
        (("DTSTART;VALUE=DATE:20270105",), ["01-04T23:00/01-05T23:00"]),
        (("DTSTART;VALUE=DATE:20270105", "DTEND;VALUE=DATE:20270105"), ["01-04T23:00/01-05T23:00"]),
        (("DTSTART;VALUE=DATE:20270105", "DURATION:P2D"), ["01-04T23:00/01-06T23:00"]),
        (("DTSTART:20270105T090000Z",), []),
        (("DTSTART;VALUE=DATE:20270328", "DURATION:P1D"), ["03-27T23:00/03-28T22:00"]),
        ((*NINE, "TRANSP:TRANSPARENT"), []),
        ((*NINE, "TRANSP:OPAQUE", "STATUS:TENTATIVE"), ["01-05T08:00/01-05T08:30"]),
        ((*NINE, "STATUS:CANCELLED"), []),
        ((*NINE, "X-MICROSOFT-CDO-BUSYSTATUS:FREE"), []),
        ((*NINE, "X-MICROSOFT-CDO-BUSYSTATUS:OOF"), ["01-05T08:00/01-05T08:30"]),
    ],
)  # fmt: skip
def test_one_event(lines, expected):
    assert busy(event(*lines)) == expected


@pytest.mark.parametrize(
    "name",
    [
        "W. Europe Standard Time",
        '"W. Europe Standard Time"',
        "/freeassociation.sourceforge.net/Europe/Oslo",
        "/Europe/Oslo",
    ],
)
def test_names_of_zones(name):
    lines = (f"DTSTART;TZID={name}:20270705T090000", "DURATION:PT30M")
    assert busy(event(*lines)) == ["07-05T07:00/07-05T07:30"]


def test_a_zone_that_the_calendar_describes():
    start = "DTSTART;TZID=Tilpasset sone:{}T090000"
    for day, hour in (("20270105", "08"), ("20270705", "07")):
        found = busy(ZONE.format(name="Tilpasset sone"), event(start.format(day), "DURATION:PT1H"))
        assert [f[6:8] for f in found] == [hour]


def test_a_described_zone_reads_skipped_and_repeated_times_like_a_named_one():
    for stamp in ("20270328T023000", "20271031T023000", "20270328T030000", "20271031T030000"):
        described = event(f"DTSTART;TZID=X:{stamp}", "DURATION:PT1H")
        named = event(f"DTSTART;TZID=Europe/Oslo:{stamp}", "DURATION:PT1H")
        assert busy(ZONE.format(name="X"), described) == busy(named)


def test_two_calendars_may_describe_the_same_name_differently():
    lines = event("DTSTART;TZID=X:20270105T090000", "DURATION:PT1H")
    east = ZONE.format(name="X").replace("+0200", "+0900").replace("+0100", "+0900")
    assert busy(ZONE.format(name="X"), lines) == ["01-05T08:00/01-05T09:00"]
    assert busy(east, lines) == ["01-05T00:00/01-05T01:00"]


def test_nine_stays_nine_when_the_clocks_change():
    found = busy(
        event(
            "DTSTART;TZID=Europe/Oslo:20270326T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=4"
        )
    )
    assert [f[:11] for f in found] == ["03-26T08:00", "03-27T08:00", "03-28T07:00", "03-29T07:00"]


def test_recurrence_in_utc_does_not_follow_the_wall_clock():
    found = busy(event("DTSTART:20270326T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=4"))
    assert {f[5:11] for f in found} == {"T09:00"}


def test_until_in_utc_is_included():
    lines = (*NINE, "RRULE:FREQ=WEEKLY;UNTIL=20270119T080000Z")
    assert [f[:5] for f in busy(event(*lines))] == ["01-05", "01-12", "01-19"]
    assert len(busy(event(*NINE, "RRULE:FREQ=WEEKLY;UNTIL=20270119T075959Z"))) == 2
    assert len(busy(event(*NINE, "RRULE:FREQ=WEEKLY;UNTIL=20270119"))) == 3, "the whole day"


WEEKLY = (*NINE, "RRULE:FREQ=WEEKLY;COUNT=4")  # 5, 12, 19, 26 January


@pytest.mark.parametrize(
    ("lines", "days"),
    [
        (("EXDATE;TZID=Europe/Oslo:20270112T090000",), ["05", "19", "26"]),
        (("EXDATE:20270112T080000Z,20270119T080000Z",), ["05", "26"]),
        (("EXDATE;VALUE=DATE:20270112",), ["05", "19", "26"]),
        (("EXDATE:20270112T090000",), ["05", "19", "26"]),
        (("RDATE;TZID=Europe/Oslo:20270113T090000,20270115T090000",), ["05", "12", "13", "15", "19", "26"]),
        (("RDATE;VALUE=PERIOD:20270114T090000Z/PT2H",), ["05", "12", "14", "19", "26"]),
        (("RDATE;VALUE=PERIOD:20270114T090000Z/20270114T100000Z",), ["05", "12", "14", "19", "26"]),
        (("EXRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=9",), ["12", "26"]),
    ],
)  # fmt: skip
def test_exceptions(lines, days):
    assert [f[3:5] for f in busy(event(*WEEKLY, *lines))] == days


def override(rid: str, *lines: str) -> str:
    return event(f"RECURRENCE-ID{rid}", *lines)


def test_one_instance_moved():
    moved = override(
        ";TZID=Europe/Oslo:20270112T090000",
        "DTSTART;TZID=Europe/Oslo:20270113T100000",
        "DURATION:PT2H",
    )
    assert busy(event(*WEEKLY), moved) == busy(moved, event(*WEEKLY))
    assert busy(event(*WEEKLY), moved) == [
        "01-05T08:00/01-05T08:30",
        "01-13T09:00/01-13T11:00",
        "01-19T08:00/01-19T08:30",
        "01-26T08:00/01-26T08:30",
    ]


@pytest.mark.parametrize("rid", [":20270112T080000Z", ":20270112T090000", ";VALUE=DATE:20270112"])
def test_one_instance_cancelled(rid):
    gone = override(rid, "DTSTART;TZID=Europe/Oslo:20270112T090000", "STATUS:CANCELLED")
    assert [f[3:5] for f in busy(event(*WEEKLY), gone)] == ["05", "19", "26"]


def test_one_instance_made_free():
    free = override(":20270112T080000Z", "DTSTART:20270112T080000Z", "TRANSP:TRANSPARENT")
    assert [f[3:5] for f in busy(event(*WEEKLY), free)] == ["05", "19", "26"]


def test_this_and_all_that_follow_moved():
    later = override(
        ";RANGE=THISANDFUTURE;TZID=Europe/Oslo:20270119T090000",
        "DTSTART;TZID=Europe/Oslo:20270120T130000",
        "DTEND;TZID=Europe/Oslo:20270120T150000",
    )
    assert busy(event(*WEEKLY), later) == [
        "01-05T08:00/01-05T08:30",
        "01-12T08:00/01-12T08:30",
        "01-20T12:00/01-20T14:00",
        "01-27T12:00/01-27T14:00",
    ]


def test_this_and_all_that_follow_with_a_rule_of_their_own_is_refused():
    later = override(
        ";RANGE=THISANDFUTURE:20270119T080000Z", "DTSTART:20270119T080000Z", "RRULE:FREQ=DAILY"
    )
    assert "not supported" in refused(event(*WEEKLY), later).message


def test_an_instance_without_its_series_counts():
    alone = override(":20270112T080000Z", "DTSTART:20270113T080000Z", "DURATION:PT1H")
    assert busy(alone) == ["01-13T08:00/01-13T09:00"]


def test_all_day_series_with_an_exception():
    lines = (
        "DTSTART;VALUE=DATE:20270104",
        "RRULE:FREQ=WEEKLY;COUNT=3",
        "EXDATE;VALUE=DATE:20270111",
    )
    assert busy(event(*lines)) == ["01-03T23:00/01-04T23:00", "01-17T23:00/01-18T23:00"]


def test_the_newest_revision_of_an_event_holds():
    old = event(*NINE, "SEQUENCE:0")
    new = event("DTSTART:20270106T090000Z", "DURATION:PT1H", "SEQUENCE:2")
    assert busy(new, old) == ["01-06T09:00/01-06T10:00"]
    assert len(busy(old.replace("UID:u", "UID:v"), new)) == 2


def test_folded_lines_and_what_is_not_an_event():
    todo = "BEGIN:VTODO\nDTSTART:20270105T090000Z\nEND:VTODO\n"
    alarm = "BEGIN:VALARM\nTRIGGER:-PT15M\nDURATION:PT9H\nEND:VALARM"
    folded = event("DTSTART;TZID=Euro\n pe/Oslo:20270105T09\n\t0000", "DURATION:PT1H", alarm)
    assert busy(todo, folded) == ["01-05T08:00/01-05T09:00"]


def test_only_the_days_asked_for():
    endless = event(*NINE, "RRULE:FREQ=DAILY")
    found = busy(endless, first=date(2027, 2, 1), last=date(2027, 2, 28))
    assert 28 <= len(found) <= 30
    long = event("DTSTART:20200101T000000Z", "DTEND:20300101T000000Z")
    assert len(busy(long, first=date(2027, 2, 1), last=date(2027, 2, 28))) == 1


@pytest.mark.parametrize(
    ("parts", "message", "component"),
    [
        ((event("SUMMARY:x"),), "has no DTSTART", "VEVENT u"),
        ((event("DTSTART:tomorrow"),), "DTSTART: 'tomorrow' is not a date or time", "VEVENT u"),
        ((event("DTSTART:20271301T090000Z"),), "is not a date or time", "VEVENT u"),
        ((event("DTSTART:20270105T250000Z"),), "is not a date or time", "VEVENT u"),
        ((event("DTSTART;TZID=Mars/Base:20270105T090000"),), "there is no time zone 'Mars/Base'", "VEVENT u"),
        ((event(*NINE, "RRULE:FREQ=NEVER"),), "RRULE: FREQ=NEVER is not a frequency", "VEVENT u"),
        ((event("DTSTART:20270105T090000Z", "DTEND:20270105T080000Z"),), "ends before it begins", "VEVENT u"),
        ((event("DTSTART;VALUE=DATE:20270105", "DTEND:20270105T080000Z"),), "not both dates or both times", "VEVENT u"),
        ((event("DTSTART:20270105T090000Z", "DURATION:long"),), "'long' is not a duration", "VEVENT u"),
        ((event(*NINE, "EXDATE:x"),), "EXDATE: 'x' is not", "VEVENT u"),
        ((event(*NINE, "RDATE;VALUE=PERIOD:20270114T090000Z"),), "is not a period", "VEVENT u"),
        ((event("DTSTART;TZID=Europe/Oslo 20270105T090000"),), "is no line of iCalendar", "VEVENT u"),
        ((ZONE.format(name="X").replace("+0100", "1"), event("DTSTART;TZID=X:20270105T090000")), "is not an offset", "STANDARD"),
        (("BEGIN:VTIMEZONE\nTZID:X\nEND:VTIMEZONE\n", event("DTSTART;TZID=X:20270105T090000")), "describes no offset", "VTIMEZONE X"),
        (("BEGIN:VEVENT\n",), "END:VCALENDAR ends nothing that is open", "VEVENT"),
        (("rubbish\n",), "'rubbish' is no line of iCalendar", ""),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_component_and_line(parts, message, component):
    error = refused(*parts)
    assert message in error.message
    assert error.component == component
    assert error.line is not None and error.line >= 3


@pytest.mark.parametrize(
    "text", ["", "<html>log in</html>", "DTSTART:20270101\n", "BEGIN:VEVENT\nEND:VEVENT\n"]
)
def test_what_is_no_calendar_is_refused(text):
    with pytest.raises(BadCalendar):
        busy_times(text, OSLO, date(2027, 1, 1), date(2027, 12, 31))


def test_a_calendar_cut_off_is_refused():
    with pytest.raises(BadCalendar, match="is cut off: VEVENT has no END"):
        busy_times("BEGIN:VCALENDAR\nBEGIN:VEVENT\n", OSLO, date(2027, 1, 1), date(2027, 12, 31))


@pytest.mark.parametrize("freq", ["SECONDLY", "MINUTELY"])
def test_an_endless_recurrence_neither_hangs_nor_eats_memory(freq):
    began = process_time()
    error = refused(event("DTSTART:20270105T090000Z", "DURATION:PT1S", f"RRULE:FREQ={freq}"))
    assert "means more than 200000 events" in error.message
    assert process_time() - began < 20


def test_an_endless_daily_recurrence_is_read_to_the_last_day():
    lines = ("DTSTART:20200105T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY")
    days = (date(2040, 12, 31) - date(2020, 1, 5)).days
    assert len(busy(event(*lines), first=date(2020, 1, 1), last=date(2040, 12, 31))) in (
        days + 1,
        days + 2,
    )


def test_a_zone_that_changes_every_second_is_refused():
    zone = ZONE.format(name="X").replace("FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10", "FREQ=SECONDLY")
    assert refused(zone, event("DTSTART;TZID=X:20270105T090000", "DURATION:PT1H"))


def test_a_calendar_of_ten_megabytes_is_read_in_time():
    start = datetime(2026, 1, 1, tzinfo=UTC)
    events = [
        event(
            f"DTSTART;TZID=Europe/Oslo:{start + timedelta(hours=n // 10):%Y%m%dT%H%M%S}",
            "DURATION:PT30M",
            "DESCRIPTION:" + "x" * 300,
            uid=f"u-{n}",
        )
        for n in range(24_000)
    ]
    text = "BEGIN:VCALENDAR\n" + "".join(events) + "END:VCALENDAR\n"
    assert len(text) > 9_000_000
    began = process_time()
    assert len(busy_times(text, OSLO, date(2026, 1, 1), date(2028, 12, 31))) == 24_000
    assert process_time() - began < 20
