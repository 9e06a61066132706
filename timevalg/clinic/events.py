"""YAML and JSON text as one stream of events with line numbers.

Nothing is built here, and nothing recurses, so that text made to hurt (deep nesting, aliases of
aliases) can be stopped by whoever reads the stream.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import Any, NamedTuple

import ruamel.yaml
from ruamel.yaml.error import MarkedYAMLError, YAMLError


class Sign(Enum):
    """What an event is."""

    MAPPING = "mapping"
    LIST = "list"
    END = "end"
    SCALAR = "scalar"
    ALIAS = "alias"
    DOCUMENT = "document"


class Event(NamedTuple):
    """One event: `value` is a scalar's value or an alias's anchor, `text` a scalar as written."""

    sign: Sign
    line: int
    value: Any = None
    text: str = ""
    anchor: str | None = None


class Malformed(Exception):
    """The text is not YAML or JSON."""

    def __init__(self, message: str, line: int | None) -> None:
        super().__init__(message)
        self.message, self.line = message, line


class NotYaml(Malformed):
    """A parser of YAML does not understand the text."""


_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_ODD_FLOAT = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
MAX_DIGITS = 400
_STR = "tag:yaml.org,2002:str"


def plain_value(text: str) -> Any:
    """Give the value of an unquoted scalar by the core schema of YAML 1.2.

    ``NO``, ``9:00`` and ``2027-07-05`` are text.
    """
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if text[0] not in "-+.0123456789" or len(text) > MAX_DIGITS:
        return text
    if _INT.fullmatch(text):
        return int(text, 0 if text[:2] in ("0o", "0x") else 10)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _ODD_FLOAT.fullmatch(text):
        return float(text.replace(".", ""))
    return text


def yaml_events(text: str) -> Iterator[Event]:
    """Give the events of a YAML text.

    Raises
    ------
    NotYaml
        If it is not YAML.
    Malformed
        If it uses tags other than ``!!str``.
    """
    # Never its C parser, even if that is installed: it is of YAML 1.1 and refuses {from: 9:00}.
    loader = ruamel.yaml.YAML(typ="safe", pure=True)
    try:
        yield from _read(loader.parse(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(part for part in (error.context, error.problem) if part)
        raise NotYaml(f"is not YAML: {what}", None if mark is None else mark.line + 1) from None
    except (YAMLError, ValueError, RecursionError) as error:
        what = " ".join(str(error).split())[:200]
        raise NotYaml(f"is not YAML: {what}", None) from None


def libyaml_events(text: str) -> Iterator[Event]:
    """Give the events of a YAML text by libyaml, twenty times as fast.

    Raises
    ------
    NotYaml
        If PyYAML, which brings libyaml, is not installed; or if libyaml does not understand the
        text, which does not say that it is not YAML 1.2.
    Malformed
        If it uses tags other than ``!!str``.
    """
    try:
        module: Any = importlib.import_module("yaml.cyaml")
    except ImportError:
        raise NotYaml("is too large to be read without PyYAML", None) from None
    parser = module.CParser(text)
    try:
        yield from _read(iter(parser.get_event, None))
    except Malformed:
        raise
    except Exception as error:
        raise NotYaml(f"is not YAML: {error}", None) from None
    finally:
        parser.dispose()


def _read(events: Iterable[Any]) -> Iterator[Event]:
    for event in events:
        read = _READERS.get(type(event).__name__)
        if read is not None:
            yield read(event)


def _scalar(event: Any) -> Event:
    tag, line = event.tag, event.start_mark.line + 1
    if tag is None and event.implicit[0] and not event.style:
        return Event(Sign.SCALAR, line, plain_value(event.value), event.value, event.anchor)
    if tag not in (None, "!", _STR):
        raise Malformed(f"has the tag {tag!r}; the format has no tags", line)
    return Event(Sign.SCALAR, line, event.value, event.value, event.anchor)


def _opening(event: Any) -> Event:
    line = event.start_mark.line + 1
    if event.tag not in (None, "!"):
        raise Malformed(f"has the tag {event.tag!r}; the format has no tags", line)
    is_mapping = type(event).__name__ == "MappingStartEvent"
    return Event(Sign.MAPPING if is_mapping else Sign.LIST, line, anchor=event.anchor)


def _closing(event: Any) -> Event:
    return _END


_END = Event(Sign.END, 0)
# By name, as ruamel.yaml and PyYAML have classes of the same names.
_READERS: dict[str, Callable[[Any], Event]] = {
    "ScalarEvent": _scalar,
    "MappingStartEvent": _opening,
    "SequenceStartEvent": _opening,
    "MappingEndEvent": _closing,
    "SequenceEndEvent": _closing,
    "AliasEvent": lambda e: Event(Sign.ALIAS, e.start_mark.line + 1, e.anchor),
    "DocumentStartEvent": lambda e: Event(Sign.DOCUMENT, e.start_mark.line + 1),
}


_TOKEN = re.compile(
    r'[\s,:]*(?:(?P<open>[{\[])|(?P<end>[}\]])|(?P<string>"(?:[^"\\]++|\\.)*+")|(?P<word>[^\s,:{}\[\]"]+))'
)


def json_value(text: str) -> Any:
    """Give the value of a JSON text at once, in which no key is given twice.

    Raises
    ------
    ValueError, RecursionError
        If it is something else; `json_events` can say where.
    """
    return json.loads(
        text,
        parse_constant=_refuse_constant,
        parse_int=_whole_number,
        object_pairs_hook=_without_doubles,
    )


def json_events(text: str) -> Iterator[Event]:
    """Give the events of a JSON text.

    Raises
    ------
    Malformed
        If it is not JSON.
    """
    try:
        json.loads(text, parse_constant=_refuse_constant, parse_int=_whole_number)
    except json.JSONDecodeError as error:
        raise Malformed(f"is not JSON: {error.msg}", error.lineno) from None
    except RecursionError:
        raise Malformed("is nested too deeply", None) from None
    except ValueError as error:
        raise Malformed(f"is not JSON: {error}", None) from None
    yield Event(Sign.DOCUMENT, 1)
    line, counted = 1, 0
    for token in _TOKEN.finditer(text):
        start = token.start(token.lastgroup or 0)
        line += text.count("\n", counted, start)
        counted = start
        word = token.group(token.lastgroup or 0)
        if token.lastgroup == "open":
            yield Event(Sign.MAPPING if word == "{" else Sign.LIST, line)
        elif token.lastgroup == "end":
            yield Event(Sign.END, line)
        else:
            value = json.loads(word)
            yield Event(Sign.SCALAR, line, value, value if isinstance(value, str) else word)


def _whole_number(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number has more than {MAX_DIGITS} digits")
    return int(digits)


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is given twice")
    return found


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")
