"""A visit as an iCalendar file, for the patient's own calendar.

Calendars are shared and synchronised: it says when and where, not why, to whom or for whom.

Source: RFC 5545.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vText

from timevalg.model.appointment import Appointment
from timevalg.model.clinic import Clinic
from timevalg.model.states import AppointmentState

MEDIA_TYPE = "text/calendar"
SUMMARY: Mapping[str, str] = {
    "nb": "Time på sykehuset",
    "nn": "Time på sjukehuset",
    "se": "Áigi buohcciviesus",
    "en": "Hospital appointment",
}
"""What every visit is called, whatever it is for."""
_YEAR = timedelta(days=366)


def calendar_entry(visit: Appointment, clinic: Clinic, language: str, now: datetime) -> str:
    """Write a visit as a calendar with one event.

    The time is the wall clock's with the zone's rules beside it, so that it stays what the patient
    was told; in the hour that a clock change repeats, where local time cannot say which, it is UTC.

    Parameters
    ----------
    now : datetime
        UTC; when this was written.
    """
    zone = ZoneInfo(visit.zone) if visit.zone else clinic.timezone
    ends = visit.start + timedelta(minutes=visit.length)
    edges = [moment.astimezone(zone) for moment in (visit.start, ends)]
    if any(edge.fold for edge in edges):
        edges = [edge.astimezone(UTC) for edge in edges]
    event = Event()
    event.add("uid", f"{visit.id}@timevalg")
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", edges[0])
    event.add("dtend", edges[1])
    event.add("sequence", visit.version)
    event.add("class", "PRIVATE")
    event.add("summary", SUMMARY.get(language, SUMMARY["nb"]))
    gone = visit.state is AppointmentState.CANCELLED
    event.add("status", "CANCELLED" if gone else "CONFIRMED")
    if clinic.place is not None:
        event.add("location", vText(clinic.place.name.to(language)))
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//timevalg//timevalg//NO")
    calendar.add_component(event)
    first = edges[0].date()
    calendar.add_missing_timezones(first_date=first - _YEAR, last_date=first + _YEAR)
    written: bytes = calendar.to_ical()
    return written.decode()
