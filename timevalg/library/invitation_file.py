"""Many invitations as CSV: a line of headings, then one patient a line.

The headings are names of fields of an invitation: ``patient,pools,opens,due,not_after`` and, if
wanted, ``not_before, deadline, clinic, ref, referral, mode, priority, extra, letters, done``. Pools
and preparations done are separated by blanks, dates are written ``2027-01-31``, letters ``true`` or
``false``; an empty cell is as one left out. Commas or semicolons separate, as the line of headings
does. A line without a ref gets one made of what it says: whatever part of a file is sent, and in
whatever order, nobody is invited twice for the same line.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from timevalg.model.codec import digest
from timevalg.model.errors import InvalidInput, Problem

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,9}", re.ASCII)
_TRUTHS = {"true": True, "false": False}


def _words(text: str) -> list[str]:
    return text.split()


def _truth(text: str) -> bool:
    if text.lower() not in _TRUTHS:
        raise ValueError(f"{text!r} is neither true nor false")
    return _TRUTHS[text.lower()]


def _day(text: str) -> date:
    if not _DAY.fullmatch(text):
        raise ValueError(f"{text!r} is not a date such as 2027-01-31")
    return date.fromisoformat(text)


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is not a number such as 3")
    return int(text)


COLUMNS: Mapping[str, Callable[[str], Any]] = {
    "patient": str,
    "pools": _words,
    "opens": _day,
    "due": _day,
    "not_before": _day,
    "not_after": _day,
    "deadline": _day,
    "clinic": str,
    "ref": str,
    "referral": str,
    "mode": str,
    "priority": _number,
    "extra": _number,
    "letters": _truth,
    "done": _words,
}
"""What a line may say, and how it is read."""
NEEDED = ("patient", "pools", "opens", "due")
MOST = 10_000
"""Invitations at once."""
MODES = ("choose", "allot", "request")


def read_invitations(text: str, where: str = "CSV") -> dict[int, dict[str, Any]]:
    """Give the fields of each invitation, by its line in the file (headings are line 1).

    Raises
    ------
    InvalidInput
        Everything that is wrong, each with its line.
    """
    text = text.lstrip("\ufeff")
    comma = ";" if ";" in text.partition("\n")[0] else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=comma, strict=True)
    problems: list[Problem] = []
    rows: dict[int, dict[str, Any]] = {}

    def wrong(key: str, message: str) -> None:
        problems.append(Problem(where, max(1, reader.line_num), key, message))

    try:
        headings = [h.strip() for h in next(reader, [])]
        for heading in headings:
            if heading not in COLUMNS:
                wrong(heading, f"is no column; there are {', '.join(COLUMNS)}")
        for needed in NEEDED:
            if needed not in headings:
                wrong(needed, "this column is missing")
        if len(set(headings)) < len(headings):
            wrong("", "a column is there twice")
        if problems:
            raise InvalidInput(problems)
        for cells in reader:
            if len(cells) > len(headings):
                wrong("", f"{len(cells)} columns, not {len(headings)}")
            elif any(cell.strip() for cell in cells):
                rows[reader.line_num] = _row(dict(zip(headings, cells, strict=False)), wrong)
    except csv.Error as error:
        wrong("", str(error))
    if len(rows) > MOST:
        wrong("", f"more than {MOST} lines; send them in parts")
    if not rows and not problems:
        wrong("", "there is no line after the headings")
    if problems:
        raise InvalidInput(problems)
    return dict(zip(rows, with_refs(rows.values()), strict=True))


def with_refs(invitations: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give each invitation that has no ref one made of what it says.

    Two that say the same are two invitations: the second has another ref than the first.
    """
    seen: Counter[str] = Counter()
    rows = []
    for fields in invitations:
        row = dict(fields)
        if row.get("ref") is None:
            said = digest(row)[:32]
            seen[said] += 1
            row["ref"] = f"line:{said}/{seen[said]}"
        rows.append(row)
    return rows


def _row(cells: Mapping[str, str], wrong: Callable[[str, str], None]) -> dict[str, Any]:
    given = {name: text.strip() for name, text in cells.items() if text.strip()}
    row: dict[str, Any] = {}
    for name, text in given.items():
        if not text.isprintable():
            wrong(name, f"{text!r} has a line break in it, or another sign that nobody sees")
            continue
        try:
            row[name] = COLUMNS[name](text)
        except ValueError as error:
            wrong(name, str(error))
    for name in NEEDED:
        if name not in given:
            wrong(name, "is missing")
    if row.get("mode", MODES[0]) not in MODES:
        wrong("mode", f"{row['mode']!r} is not one of {', '.join(MODES)}")
    if not given.keys() & {"not_after", "deadline"}:
        wrong("not_after", "give not_after or deadline")
    return row
