"""iCalendar text as components and properties (RFC 5545, section 3.1).

Only what says when somebody is busy is kept. Written here rather than taken from `icalendar`,
because that remembers time zones of one file for the next, warns about others, and takes ten
times as long; its table of Windows' zone names is used in `timevalg.clinic.zones`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

KEPT = frozenset(
    {
        "DTSTART",
        "DTEND",
        "DURATION",
        "RRULE",
        "EXRULE",
        "RDATE",
        "EXDATE",
        "RECURRENCE-ID",
        "UID",
        "SEQUENCE",
        "STATUS",
        "TRANSP",
        "X-MICROSOFT-CDO-BUSYSTATUS",
        "TZID",
        "TZOFFSETFROM",
        "TZOFFSETTO",
        "X-LIC-LOCATION",
    }
)
MAX_DEPTH = 20

_NAME = re.compile(r"[A-Za-z0-9-]+(?=[;:])")
_LINE = re.compile(
    r'([A-Za-z0-9-]+)((?:;[^=:;"]+=(?:"[^"]*"|[^":;,]*)(?:,(?:"[^"]*"|[^":;,]*))*)*):(.*)',
    re.DOTALL,
)
_PARAMETER = re.compile(r';([^=:;"]+)=("[^"]*"|[^":;]*)')


class BadCalendar(Exception):
    """What is wrong with a calendar, and where."""

    def __init__(self, message: str, line: int | None, component: str = "") -> None:
        super().__init__(message)
        self.message, self.line, self.component = message, line, component


@dataclass(frozen=True)
class Property:
    """One property: ``DTSTART;TZID=Europe/Oslo:20270101T090000``."""

    name: str
    parameters: dict[str, str]
    value: str
    line: int


@dataclass
class Component:
    """``BEGIN:VEVENT`` … ``END:VEVENT``."""

    name: str
    line: int
    properties: dict[str, list[Property]] = field(default_factory=dict)
    children: list[Component] = field(default_factory=list)

    def first(self, name: str) -> Property | None:
        """Give the first property of a name."""
        return next(iter(self.properties.get(name, ())), None)

    def text(self, name: str) -> str:
        """Give the value of the first property of a name, or nothing."""
        found = self.first(name)
        return found.value.strip() if found else ""

    @property
    def label(self) -> str:
        """Name and UID, for messages."""
        return f"{self.name} {self.text('UID')[:80]}".strip()


def read_components(text: str) -> list[Component]:
    """Read the calendars in a text.

    Raises
    ------
    BadCalendar
        If it is no iCalendar text, or is cut off.
    """
    root = Component("", 0)
    stack = [root]
    for line, content in _unfolded(text):
        name = _NAME.match(content)
        if name is None:
            if len(stack) < 3 and content.strip():
                raise BadCalendar(f"{content[:40]!r} is no line of iCalendar", line)
            continue
        word = name[0].upper()
        if word == "BEGIN":
            opened = Component(content[6:].strip().upper(), line)
            if len(stack) == 1 and opened.name != "VCALENDAR":
                raise BadCalendar(f"begins with {opened.name}, not with VCALENDAR", line)
            if len(stack) > MAX_DEPTH:
                raise BadCalendar("is nested too deeply", line)
            stack[-1].children.append(opened)
            stack.append(opened)
        elif word == "END":
            closed = content[4:].strip().upper()
            if closed != stack[-1].name or len(stack) == 1:
                raise BadCalendar(f"END:{closed} ends nothing that is open", line, stack[-1].label)
            stack.pop()
        elif len(stack) == 1:
            raise BadCalendar("is no iCalendar file; it does not begin with BEGIN:VCALENDAR", line)
        elif word in KEPT:
            found = _property(word, content, line, stack[-1])
            stack[-1].properties.setdefault(word, []).append(found)
    if len(stack) > 1:
        raise BadCalendar(f"is cut off: {stack[-1].name} has no END", None, stack[-1].label)
    if not root.children:
        raise BadCalendar("is no iCalendar file; it does not begin with BEGIN:VCALENDAR", None)
    return root.children


def _unfolded(text: str) -> list[tuple[int, str]]:
    out: list[tuple[int, str]] = []
    start, parts = 0, [""]
    for number, raw in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        if raw[:1] in (" ", "\t") and start:
            parts.append(raw[1:])
            continue
        if start:
            out.append((start, "".join(parts)))
        start, parts = number, [raw]
    out.append((start, "".join(parts)))
    return out


def _property(name: str, content: str, line: int, component: Component) -> Property:
    match = _LINE.fullmatch(content)
    if match is None:
        raise BadCalendar(f"{content[:40]!r} is no line of iCalendar", line, component.label)
    parameters = {key.upper(): value.strip('"') for key, value in _PARAMETER.findall(match[2])}
    return Property(name, parameters, match[3], line)
