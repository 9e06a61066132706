"""The calendars that a clinic file names, read for the days that matter."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import PurePath
from zoneinfo import ZoneInfo

from timevalg.clinic.calendar import Times, busy_times
from timevalg.clinic.check import Checked, zone
from timevalg.clinic.content_lines import BadCalendar
from timevalg.clinic.files import Written, calendar_names
from timevalg.clinic.finding import Finding, shown

FIRST = date(2020, 1, 1)
LAST = date(2040, 12, 31)
"""Where a clinic does not say until when it is planned, events are read to here."""


class Calendars:
    """The busy times of one clinic's calendars, and what is wrong with them.

    Events are read from 2020 (or two years before `planned_until`, if that is earlier) to one
    year after `planned_until`, or to 2040: no clock is read.
    """

    def __init__(self, written: Written, checked: Checked) -> None:
        self.findings: list[Finding] = []
        self._times: dict[str, list[Times]] = {}
        clinic = checked.clinic
        local = (zone(clinic.timezone) if clinic else None) or ZoneInfo("UTC")
        until = clinic.planned_until if clinic else None
        last = until + timedelta(days=366) if until else LAST
        first = min(FIRST, last - timedelta(days=3 * 366))
        for name, index in calendar_names(written.document).items():
            self._times[name] = self._read(written, name, index, local, first, last)

    def busy(self, name: str) -> list[Times]:
        """Give the busy times of the calendar of this name."""
        return self._times[name]

    def _read(
        self, written: Written, name: str, index: int, local: ZoneInfo, first: date, last: date
    ) -> list[Times]:
        text = written.calendars.get(name)
        if text is None:
            text = Finding(("resources", index, "busy"), f"there is no calendar {shown(name)}")
        if isinstance(text, Finding):
            self.findings.append(text)
            return []
        try:
            return busy_times(text, local, first, last)
        except BadCalendar as error:
            where = (
                str(PurePath(written.where).parent / name)
                if written.lines
                else f"{written.where}: {name}"
            )
            path = (error.component,) if error.component else ()
            self.findings.append(Finding(path, error.message, error.line, where))
            return []
