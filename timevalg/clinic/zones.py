"""Time zones as calendars name or describe them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from timevalg.clinic.content_lines import BadCalendar, Component
from timevalg.clinic.recurrence import BadRule, Budget, occurrences, parse_rule

_OFFSET = re.compile(r"([-+])(\d{2})(\d{2})(\d{2})?", re.ASCII)
_STAMP = re.compile(r"(\d{8})(?:T(\d{6})(Z)?)?", re.ASCII)
_FIRST = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock
_EARLIEST, _LATEST = datetime(1601, 1, 1), datetime(9000, 1, 1)  # noqa: DTZ001 - wall clocks


class Zone(Protocol):
    """Leads from a wall clock to UTC and back."""

    def utc(self, wall: datetime) -> datetime:
        """Give the instant (skipped: forward by the gap; repeated: the first)."""
        ...

    def wall(self, instant: datetime) -> datetime:
        """Give what the wall clock shows."""
        ...


class NamedZone:
    """A zone of the IANA database."""

    def __init__(self, info: ZoneInfo) -> None:
        self.info = info

    def utc(self, wall: datetime) -> datetime:
        """Give the instant."""
        return wall.replace(tzinfo=self.info, fold=0).astimezone(UTC)

    def wall(self, instant: datetime) -> datetime:
        """Give the wall clock."""
        return instant.astimezone(self.info).replace(tzinfo=None)


class DescribedZone:
    """A zone that a VTIMEZONE describes by its changes."""

    def __init__(self, changes: Iterable[tuple[datetime, timedelta, timedelta]]) -> None:
        """Take the changes: wall clock before it, offset before, offset after."""
        ordered = sorted(changes, key=lambda c: c[0] - c[1])
        self._before = ordered[0][1] if ordered else timedelta()
        self._offsets = [after for _, _, after in ordered]
        self._instants = [wall - before for wall, before, _ in ordered]
        # A wall clock past both readings of the change is surely after it (PEP 495, fold=0).
        walls = [max(wall, wall - before + after) for wall, before, after in ordered]
        self._walls = walls

    def utc(self, wall: datetime) -> datetime:
        """Give the instant."""
        at = bisect_right(self._walls, wall)
        return (wall - (self._offsets[at - 1] if at else self._before)).replace(tzinfo=UTC)

    def wall(self, instant: datetime) -> datetime:
        """Give the wall clock."""
        naive = instant.astimezone(UTC).replace(tzinfo=None)
        at = bisect_right(self._instants, naive)
        return naive + (self._offsets[at - 1] if at else self._before)


def parse_stamp(text: str) -> tuple[datetime, str]:
    """Read ``20270104``, ``20270104T090000`` or ``20270104T090000Z``.

    Returns
    -------
    tuple
        The time, naive, and ``date``, ``wall`` or ``utc``.

    Raises
    ------
    ValueError
        If it is none of these.
    """
    match = _STAMP.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text[:40]!r} is not a date or time")
    try:
        day = datetime.strptime(match[1], "%Y%m%d")  # noqa: DTZ007 - a wall clock
        if match[2] is None:
            return _bounded(day), "date"
        hour, minute, second = (int(match[2][n : n + 2]) for n in (0, 2, 4))
        moment = day.replace(hour=hour, minute=minute, second=min(second, 59))
    except ValueError:
        raise ValueError(f"{text[:40]!r} is not a date or time") from None
    return _bounded(moment), "utc" if match[3] else "wall"


def _bounded(moment: datetime) -> datetime:
    """Keep the years 1 and 9999, which calendars use for "ever", away from the ends of time."""
    return min(max(moment, _EARLIEST), _LATEST)


class Zones:
    """The zones of one calendar."""

    def __init__(self, components: list[Component], last: datetime, budget: Budget) -> None:
        self._described = {
            zone.text("TZID"): zone
            for calendar in components
            for zone in calendar.children
            if zone.name == "VTIMEZONE"
        }
        self._last, self._budget = last, budget
        self._known: dict[str, Zone] = {}

    def zone(self, name: str) -> Zone | None:
        """Give the zone of a TZID: by its name (IANA, Windows), else by its VTIMEZONE."""
        if name not in self._known:
            found = _named(name) or self._from_description(name)
            if found is None:
                return None
            self._known[name] = found
        return self._known[name]

    def _from_description(self, name: str) -> Zone | None:
        component = self._described.get(name)
        if component is None:
            return None
        named = _named(component.text("X-LIC-LOCATION"))
        if named is not None:
            return named
        changes = []
        for observance in component.children:
            if observance.name in ("STANDARD", "DAYLIGHT"):
                changes += _changes(observance, self._last, self._budget)
        if not changes:
            raise BadCalendar("describes no offset", component.line, f"VTIMEZONE {name}")
        return DescribedZone(changes)


def _named(name: str) -> Zone | None:
    name = name.strip("/ ")
    if name.lower() in ("utc", "z", "tzone://microsoft/utc"):
        return NamedZone(ZoneInfo("UTC"))
    parts = name.split("/")
    candidates = [WINDOWS_TO_OLSON.get(name, name)]
    candidates += ["/".join(parts[n:]) for n in range(1, len(parts) - 1)]
    for candidate in candidates:
        try:
            return NamedZone(ZoneInfo(candidate))
        except (OSError, ValueError, KeyError):
            continue
    return None


def _changes(
    observance: Component, last: datetime, budget: Budget
) -> list[tuple[datetime, timedelta, timedelta]]:
    def until(text: str) -> datetime:
        moment, kind = parse_stamp(text)
        return moment + before if kind == "utc" else moment

    try:
        before = _offset(observance.text("TZOFFSETFROM"))
        after = _offset(observance.text("TZOFFSETTO"))
        start = parse_stamp(observance.text("DTSTART"))[0]
        walls = {start}
        for rule in observance.properties.get("RRULE", []):
            parsed = parse_rule(rule.value, until)
            walls |= set(occurrences(parsed, start, _FIRST, last, budget))
        for dates in observance.properties.get("RDATE", []):
            walls |= {parse_stamp(text)[0] for text in dates.value.split(",")}
    except BadRule as error:
        raise BadCalendar(f"RRULE: {error}", observance.line, observance.label) from None
    except ValueError as error:
        raise BadCalendar(str(error), observance.line, observance.label) from None
    return [(wall, before, after) for wall in walls]


def _offset(text: str) -> timedelta:
    match = _OFFSET.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:20]!r} is not an offset such as +0100")
    hours, minutes, seconds = int(match[2]), int(match[3]), int(match[4] or 0)
    offset = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if offset >= timedelta(days=1):
        raise ValueError(f"{text[:20]!r} is not an offset such as +0100")
    return -offset if match[1] == "-" else offset
