"""When a calendar's events keep somebody busy (RFC 5545, and what Outlook makes of it)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from timevalg.clinic.content_lines import BadCalendar, Component, Property, read_components
from timevalg.clinic.recurrence import BadRule, Budget, TooMuch, occurrences, parse_rule
from timevalg.clinic.zones import NamedZone, Zone, Zones, parse_stamp

MAX_OCCURRENCES = 200_000
MAX_STEPS = 5_000_000
MAX_ZONE_STEPS = 500_000

Times = tuple[datetime, datetime]

_DURATION = re.compile(
    r"([-+])?P(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})S)?)?",
    re.ASCII,
)


def busy_times(text: str, zone: ZoneInfo, first: date, last: date) -> list[Times]:
    """Give the times that the events of a calendar take, recurring ones too.

    Parameters
    ----------
    text : str
        An iCalendar file.
    zone : ZoneInfo
        The zone of floating times and whole days: the clinic's.
    first, last : date
        Occurrences outside these days may be left out.

    Returns
    -------
    list of tuple
        Start and end in UTC, in no special order; they may overlap.

    Raises
    ------
    BadCalendar
        Naming the component and the line.
    """
    calendars = read_components(text)
    budget = Budget(MAX_STEPS)
    begin, end = datetime.combine(first, time.min), datetime.combine(last, time.max)
    try:
        zones = Zones(calendars, end, Budget(MAX_ZONE_STEPS))
        events = [
            _Event(component, zones, NamedZone(zone))
            for calendar in calendars
            for component in calendar.children
            if component.name == "VEVENT"
        ]
        out: list[Times] = []
        for series in _series(events):
            for times in series.times(begin, end, budget):
                if len(out) >= MAX_OCCURRENCES:
                    raise TooMuch
                out.append(times)
    except TooMuch:
        message = f"means more than {MAX_OCCURRENCES} events from {first} to {last}"
        raise BadCalendar(message, None) from None
    return out


@dataclass(frozen=True)
class _When:
    wall: datetime
    zone: Zone
    is_date: bool

    @property
    def utc(self) -> datetime:
        return self.zone.utc(self.wall)


class _Event:
    """One VEVENT."""

    def __init__(self, component: Component, zones: Zones, local: Zone) -> None:
        self.component, self._zones, self._local = component, zones, local
        start = component.first("DTSTART")
        if start is None:
            raise BadCalendar("has no DTSTART", component.line, component.label)
        self.start = self._whens(start)[0]
        self.uid = component.text("UID")
        self.sequence = int(s) if (s := component.text("SEQUENCE")).isdecimal() else 0
        rid = component.first("RECURRENCE-ID")
        self.replaces = None if rid is None else self._whens(rid, self.start.zone)[0]
        self.and_future = rid is not None and "RANGE" in rid.parameters
        self.days, self.exact = self._length()

    @property
    def is_busy(self) -> bool:
        c = self.component
        return (
            c.text("STATUS").upper() != "CANCELLED"
            and c.text("TRANSP").upper() != "TRANSPARENT"
            and c.text("X-MICROSOFT-CDO-BUSYSTATUS").upper() != "FREE"
        )

    def _length(self) -> tuple[int, timedelta]:
        end, duration = self.component.first("DTEND"), self.component.first("DURATION")
        if end is not None:
            when = self._whens(end)[0]
            if when.is_date != self.start.is_date:
                raise self._bad("DTSTART and DTEND are not both dates or both times", end)
            if when.is_date:
                days = (when.wall - self.start.wall).days
                length = max(days, 1) if days >= 0 else days, timedelta()
            else:
                length = 0, when.utc - self.start.utc
        elif duration is not None:
            length = self._duration(duration.value, duration)
        else:
            length = (1 if self.start.is_date else 0), timedelta()
        if length[0] < 0 or length[1] < timedelta():
            raise self._bad("ends before it begins", end or duration)
        return length

    def _duration(self, text: str, source: Property) -> tuple[int, timedelta]:
        match = _DURATION.fullmatch(text.strip().upper())
        if match is None or not any(match.groups()[1:]):
            raise self._bad(f"{text[:40]!r} is not a duration", source)
        weeks, days, hours, minutes, seconds = (int(n or 0) for n in match.groups()[1:])
        exact = timedelta(hours=hours, minutes=minutes, seconds=seconds)
        sign = -1 if match[1] == "-" else 1
        return sign * (7 * weeks + days), sign * exact

    def end(self, wall: datetime, zone: Zone) -> datetime:
        """Give the instant at which the event ends, if it begins at this wall clock."""
        return zone.utc(wall + timedelta(days=self.days)) + self.exact

    def times(self, wall: datetime) -> Times:
        """Give the times, if it begins at this wall clock of its zone."""
        return self.start.zone.utc(wall), self.end(wall, self.start.zone)

    def walls(self, first: datetime, last: datetime, budget: Budget) -> set[datetime]:
        """Give the wall clocks at which it begins (RRULE, RDATE), exceptions taken out."""
        first -= timedelta(days=self.days + 2) + self.exact
        last += timedelta(days=2)
        if self.component.first("RRULE") is None:
            walls = {self.start.wall}
        else:
            walls = self._by_rules("RRULE", first, last, budget)
        walls -= self._by_rules("EXRULE", first, last, budget)
        for source in self.component.properties.get("RDATE", []):
            if source.parameters.get("VALUE", "").upper() != "PERIOD":
                walls |= {self._as_own_wall(w) for w in self._whens(source, self.start.zone)}
        for source in self.component.properties.get("EXDATE", []):
            for when in self._whens(source, self.start.zone):
                if when.is_date and not self.start.is_date:
                    walls = {w for w in walls if w.date() != when.wall.date()}
                else:
                    walls.discard(self._as_own_wall(when))
        return walls

    def periods(self) -> Iterator[Times]:
        """Give the RDATEs that say their own end."""
        for source in self.component.properties.get("RDATE", []):
            if source.parameters.get("VALUE", "").upper() == "PERIOD":
                for text in source.value.split(","):
                    begin_text, slash, end_text = text.partition("/")
                    begin = self._when(begin_text, source, self.start.zone)
                    if not slash:
                        raise self._bad(f"{text[:40]!r} is not a period", source)
                    if end_text[:1] in "P+-":
                        days, exact = self._duration(end_text, source)
                        yield begin.utc, begin.zone.utc(begin.wall + timedelta(days=days)) + exact
                    else:
                        yield begin.utc, self._when(end_text, source, self.start.zone).utc

    def _by_rules(
        self, name: str, first: datetime, last: datetime, budget: Budget
    ) -> set[datetime]:
        walls: set[datetime] = set()
        for source in self.component.properties.get(name, []):
            try:
                rule = parse_rule(source.value, self._until)
            except ValueError as error:
                raise self._bad(f"{name}: {error}", source) from None
            start, forced = self.start.wall, name == "RRULE"
            for wall in occurrences(rule, start, first, last, budget, forced):
                if wall >= first or wall == self.start.wall:
                    walls.add(wall)
                    if len(walls) > MAX_OCCURRENCES:
                        raise TooMuch
        return walls

    def _until(self, text: str) -> datetime:
        moment, kind = parse_stamp(text)
        if kind == "date":
            return datetime.combine(moment.date(), time.max)
        if kind == "utc":
            wall = self.start.zone.wall(moment.replace(tzinfo=UTC))
            return datetime.combine(wall.date(), time.max) if self.start.is_date else wall
        return moment

    def _as_own_wall(self, when: _When) -> datetime:
        if self.start.is_date:
            own = when.wall if when.is_date else self.start.zone.wall(when.utc)
            return datetime.combine(own.date(), time.min)
        return self.start.zone.wall(when.utc)

    def own_wall(self, when: _When, walls: set[datetime]) -> datetime:
        """Give the wall clock of the instance that an exception means."""
        if when.is_date and not self.start.is_date:
            return min((w for w in walls if w.date() == when.wall.date()), default=when.wall)
        return self._as_own_wall(when)

    def _whens(self, source: Property, zone: Zone | None = None) -> list[_When]:
        return [self._when(text, source, zone) for text in source.value.split(",")]

    def _when(self, text: str, source: Property, zone: Zone | None = None) -> _When:
        try:
            moment, kind = parse_stamp(text)
        except ValueError as error:
            raise self._bad(f"{source.name}: {error}", source) from None
        if kind == "date":
            return _When(moment, self._local, True)
        if kind == "utc":
            return _When(moment, NamedZone(ZoneInfo("UTC")), False)
        name = source.parameters.get("TZID")
        if name is None:
            return _When(moment, zone or self._local, False)
        found = self._zones.zone(name)
        if found is None:
            raise self._bad(f"there is no time zone {name[:60]!r}, by name or VTIMEZONE", source)
        return _When(moment, found, False)

    def _bad(self, message: str, source: Property | None) -> BadCalendar:
        line = self.component.line if source is None else source.line
        return BadCalendar(message, line, self.component.label)


class _Series:
    """An event with the instances that replace its own."""

    def __init__(self, masters: list[_Event], exceptions: list[_Event]) -> None:
        self.masters, self.exceptions = masters, exceptions

    def times(self, first: datetime, last: datetime, budget: Budget) -> Iterator[Times]:
        """Give all busy times that touch the days."""
        for begin, end in self._all(first, last, budget):
            touches = begin.replace(tzinfo=None) <= last + timedelta(days=1)
            if begin < end and touches and end.replace(tzinfo=None) >= first - timedelta(days=1):
                yield begin, end

    def _all(self, first: datetime, last: datetime, budget: Budget) -> Iterator[Times]:
        try:
            for event in self.exceptions:
                if event.is_busy:
                    yield event.times(event.start.wall)
                    yield from event.periods()
            for event in self.masters:
                yield from self._of_master(event, first, last, budget)
        except OverflowError:
            event = [*self.masters, *self.exceptions][0]
            component = event.component
            raise BadCalendar("reaches beyond all time", component.line, component.label) from None

    def _of_master(
        self, event: _Event, first: datetime, last: datetime, budget: Budget
    ) -> Iterator[Times]:
        if not event.is_busy and not any(e.and_future for e in self.exceptions):
            return
        walls = event.walls(first, last, budget)
        replaced: set[datetime] = set()
        later: list[tuple[datetime, _Event]] = []
        for exception in self.exceptions:
            assert exception.replaces is not None
            wall = event.own_wall(exception.replaces, walls)
            replaced.add(wall)
            if exception.and_future:
                if exception.component.first("RRULE") is not None:
                    raise BadCalendar(
                        "RECURRENCE-ID with RANGE and an RRULE of its own is not supported",
                        exception.component.line,
                        exception.component.label,
                    )
                later.append((wall, exception))
        later.sort(key=lambda pair: pair[0])
        for wall in sorted(walls - replaced):
            budget.spend(1)
            ruling = [e for since, e in later if since <= wall]
            if not ruling:
                if event.is_busy:
                    yield event.times(wall)
            elif ruling[-1].is_busy:
                since = max(s for s, _ in later if s <= wall)
                moved = ruling[-1].start.wall + (wall - since)
                yield ruling[-1].times(moved)
        if event.is_busy:
            yield from event.periods()


def _series(events: list[_Event]) -> list[_Series]:
    """Put events together by UID, the newest revision (SEQUENCE) of each."""
    by_uid: dict[str, list[_Event]] = {}
    for number, event in enumerate(events):
        by_uid.setdefault(event.uid or f"\n{number}", []).append(event)
    out = []
    for same in by_uid.values():
        masters = [e for e in same if e.replaces is None]
        newest = max((e.sequence for e in masters), default=0)
        exceptions: dict[tuple[datetime, bool], _Event] = {}
        for event in same:
            if event.replaces is not None:
                key = (event.replaces.utc, event.replaces.is_date)
                if key not in exceptions or event.sequence >= exceptions[key].sequence:
                    exceptions[key] = event
        current = [e for e in masters if e.sequence == newest]
        out.append(_Series(current, list(exceptions.values())))
    return out


__all__ = ["BadCalendar", "BadRule", "busy_times"]
