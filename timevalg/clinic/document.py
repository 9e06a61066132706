"""The text of a clinic file as plain data, and the lines on which its values stand."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from timevalg.clinic.events import Event, Malformed, Sign, json_events, json_value
from timevalg.clinic.finding import Finding, Path, shown

MAX_DEPTH = 40
MAX_VALUES = 2_000_000
"""Three times what 10 MB of bookings hold."""

MAX_REPEATED = 100_000
"""Values that aliases may repeat in all: more is an attack, not a roster."""


MAX_DOUBLE = 1000


class Document:
    """A document as plain data, and where its values stand.

    Attributes
    ----------
    value : Any
        Dicts, lists, strings, numbers, booleans and None. A key given twice keeps its first value.
    findings : list of Finding
        Keys given twice.
    """

    def __init__(self, value: Any = None, with_lines: Callable[[], Document] | None = None) -> None:
        self.value = value
        self.findings: list[Finding] = []
        self._with_lines = with_lines
        # The lines of the values in a dict or list, in its order, by the identity of it.
        self._lines: dict[int, array[int]] = {}

    def line(self, path: Path) -> int:
        """Give the line of a value (a mapping's: of its key), or of the nearest one around it."""
        if self._with_lines is not None:
            full = self._with_lines()
            self.value, self._lines, self._with_lines = full.value, full._lines, None
        value, line = self.value, 1
        for step in path:
            lines = self._lines.get(id(value))
            if lines is None or not (
                step in value if isinstance(value, dict) else _is_index(step, value)
            ):
                break
            at = list(value).index(step) if isinstance(value, dict) else int(step)
            line, value = lines[at], value[step]
        return line

    def add(self, container: dict[str, Any] | list[Any], line: int) -> None:
        """Note the line of the next value of a dict or list."""
        self._lines.setdefault(id(container), array("L")).append(line)


def _is_index(step: str | int, value: Any) -> bool:
    return isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value)


class _Open:
    """A mapping or list that is being read."""

    def __init__(self, value: dict[str, Any] | list[Any], anchor: str | None, before: int) -> None:
        self.value, self.anchor, self.before = value, anchor, before
        self.key: str | None = None
        self.key_line = 0
        self.is_double = False


def compose(events: Iterable[Event]) -> Document:
    """Build the one document of a stream.

    Raises
    ------
    Malformed
        If nothing sensible can be built.
    """
    return _Composer().compose(events)


def compose_json(text: str) -> Document:
    """Build the document of a JSON text; where its values stand is found out when it is asked.

    Raises
    ------
    Malformed
        If nothing sensible can be built.
    """
    with suppress(ValueError, RecursionError):
        value = json_value(text)
        if _is_small(value):
            return Document(value, lambda: compose(json_events(text)))
    return compose(json_events(text))  # which can say what is wrong with it, and where


def _is_small(value: Any) -> bool:
    values, level = 0, [value]
    for _ in range(MAX_DEPTH):
        values += len(level)
        inner: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                inner += each.values()
            elif isinstance(each, list):
                inner += each
        if not inner or values > MAX_VALUES:
            return values <= MAX_VALUES
        level = inner
    return False


class _Composer:
    def __init__(self) -> None:
        self.document = Document()
        self.stack: list[_Open] = []
        self.is_begun = False
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.built = 0
        self.repeated = 0

    def compose(self, events: Iterable[Event]) -> Document:
        documents = 0
        for event in events:
            if event.sign is Sign.DOCUMENT:
                documents += 1
                if documents > 1:
                    raise Malformed("holds several documents; put one clinic in a file", event.line)
            elif event.sign is Sign.END:
                self._close()
            elif event.sign is Sign.ALIAS:
                self._repeat(event)
            elif event.sign is Sign.SCALAR:
                self._scalar(event)
            else:
                self._open(event)
            if self.built > MAX_VALUES:
                raise Malformed(f"holds more than {MAX_VALUES} values", event.line or None)
        if not self.is_begun:
            raise Malformed("is empty; it needs at least `format: 1` and `clinic:`", None)
        return self.document

    def _open(self, event: Event) -> None:
        if len(self.stack) >= MAX_DEPTH:
            raise Malformed(f"is nested more than {MAX_DEPTH} deep", event.line)
        if self.stack and isinstance(self.stack[-1].value, dict) and self.stack[-1].key is None:
            raise Malformed("has a key that is a list or mapping; keys are text", event.line)
        value: dict[str, Any] | list[Any] = {} if event.sign is Sign.MAPPING else []
        self.built += 1
        self._put(value, event.line)
        if event.anchor is not None:
            self.anchors.pop(event.anchor, None)
        self.stack.append(_Open(value, event.anchor, self.built))

    def _close(self) -> None:
        done = self.stack.pop()
        if done.anchor is not None:
            self.anchors[done.anchor] = (done.value, self.built - done.before + 1)

    def _scalar(self, event: Event) -> None:
        if self.stack and isinstance(self.stack[-1].value, dict) and self.stack[-1].key is None:
            self._key(event)
            return
        self.built += 1
        if event.anchor is not None:
            self.anchors[event.anchor] = (event.value, 1)
        self._put(event.value, event.line)

    def _key(self, event: Event) -> None:
        top = self.stack[-1]
        top.key, top.key_line = event.text, event.line
        top.is_double = event.text in top.value
        if top.is_double and len(self.document.findings) < MAX_DOUBLE:
            path = (*self._path(), event.text)
            self.document.findings.append(
                Finding(path, f"the key {shown(event.text)} is given twice", event.line)
            )

    def _repeat(self, event: Event) -> None:
        if event.value not in self.anchors:
            raise Malformed(f"*{event.value} repeats what is not (yet) complete", event.line)
        value, size = self.anchors[event.value]
        if self.stack and isinstance(self.stack[-1].value, dict) and self.stack[-1].key is None:
            self._key(Event(Sign.SCALAR, event.line, value, str(value)[:100]))
            return
        self.repeated += size
        self.built += size
        if self.repeated > MAX_REPEATED:
            raise Malformed(f"repeats more than {MAX_REPEATED} values by aliases", event.line)
        self._put(value, event.line)

    def _put(self, value: Any, line: int) -> None:
        if not self.stack:
            self.document.value, self.is_begun = value, True
            return
        top = self.stack[-1]
        if isinstance(top.value, list):
            top.value.append(value)
            self.document.add(top.value, line)
            return
        assert top.key is not None
        if not top.is_double:
            top.value[top.key] = value
            self.document.add(top.value, top.key_line)
        top.key = None

    def _path(self) -> Path:
        steps: list[str | int] = []
        for parent in self.stack[:-1]:
            if isinstance(parent.value, list):
                steps.append(len(parent.value) - 1)
            else:
                steps.append(next(reversed(parent.value)))
        return tuple(steps)
