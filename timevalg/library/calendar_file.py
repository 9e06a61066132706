"""The file of a whole calendar: JSON Lines or CSV, one visit a line, read as it comes.

A line of JSON is an object with the fields of `CalendarRow`: ``{"ref": "kontakt/1", "version": 1,
"clinic": "gastro", "service": "colonoscopy", "start": "2027-01-20T09:00:00+01:00", "resources":
{"endoscopist": ["dr-berg"]}, "patient": "p-1"}``. CSV has a line of headings, the same names;
resources are written ``endoscopist=dr-berg;nurse=nurse-1 nurse-2``, deleted ``true`` or nothing.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter, ValidationError

from timevalg.booking.calendar_import import Numbered
from timevalg.model.calendar_row import CalendarRow
from timevalg.model.errors import InvalidInput

FORMATS = ("jsonl", "csv")
_ROW = TypeAdapter(CalendarRow)
_COLUMNS = tuple(f.name for f in fields(CalendarRow))


def read_calendar(lines: Iterable[str], form: str = "jsonl") -> Iterator[Numbered]:
    """Read the lines of a calendar file; what is wrong with one is given in its stead.

    Parameters
    ----------
    lines : iterable of str
        Lines that are not UTF-8 hold surrogates (``errors="surrogateescape"``).
    form : str
        ``jsonl`` or ``csv``.

    Raises
    ------
    InvalidInput
        If it is no such file at all.
    """
    if form not in FORMATS:
        raise InvalidInput.single("format", f"{form!r} is neither {' nor '.join(FORMATS)}")
    return _csv(lines) if form == "csv" else _json_lines(lines)


def _json_lines(lines: Iterable[str]) -> Iterator[Numbered]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield number, _row(line)


def _csv(lines: Iterable[str]) -> Iterator[Numbered]:
    reader = csv.reader(lines, strict=True)
    headings = next(reader, [])
    unknown = [h for h in headings if h not in _COLUMNS]
    missing = [c for c in ("ref", "version") if c not in headings]
    if unknown or missing:
        what = f"an unknown column {unknown[0]!r}" if unknown else f"no column {missing[0]}"
        raise InvalidInput.single("headings", f"{what}; there are {', '.join(_COLUMNS)}")
    while True:
        try:
            values = next(reader, None)
        except csv.Error as error:
            yield reader.line_num, str(error)
            continue
        if values is None:
            return
        if len(values) > len(headings):
            yield reader.line_num, f"{len(values)} columns, not {len(headings)}"
        elif values:
            yield reader.line_num, _from_cells(dict(zip(headings, values, strict=False)))


def _from_cells(cells: Mapping[str, str]) -> CalendarRow | str:
    given: dict[str, Any] = {name: text.strip() for name, text in cells.items() if text.strip()}
    try:
        given["version"] = int(given.get("version", ""))
    except ValueError:
        return "version: not a whole number"
    if "deleted" in given:
        given["deleted"] = {"true": True, "false": False}.get(given["deleted"].lower(), "?")
    if "resources" in given:
        roles = (part.partition("=") for part in given["resources"].split(";") if part.strip())
        given["resources"] = {role.strip(): names.split() for role, _, names in roles}
    return _row(json.dumps(given))


def _row(text: str) -> CalendarRow | str:
    try:
        text.encode()
        row: CalendarRow = _ROW.validate_json(text, strict=True, extra="forbid")
    except UnicodeEncodeError:
        return "not UTF-8"
    except ValidationError as error:
        return "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'line'}: {e['msg']}"
            for e in error.errors(include_input=False, include_url=False, include_context=False)
        )
    if row.start is not None and row.start.tzinfo is None:
        return "start: without an offset"
    return row
