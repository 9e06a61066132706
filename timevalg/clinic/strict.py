"""Whether a row has the right keys and types, said in sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from timevalg.clinic.finding import Finding, Path, nearest, shown
from timevalg.clinic.format import Row
from timevalg.clinic.shape import fields, row_at, size

R = TypeVar("R", bound=Row)

MAX_ROW = 50_000
"""Values in one row: beyond it, something else than a clinic is written here."""


def read_row(model: type[R], value: Any, path: Path) -> tuple[R | None, list[Finding]]:
    """Read one row.

    Returns
    -------
    tuple
        The row, or None and all that is wrong with its keys and types.
    """
    if size(value, MAX_ROW) > MAX_ROW:
        return None, [Finding(path, f"holds more than {MAX_ROW} values")]
    try:
        return model.model_validate(value), []
    except ValidationError as error:
        return None, list(_findings(model, path, error.errors(include_url=False)))


def _findings(model: type[Row], path: Path, errors: list[ErrorDetails]) -> Iterator[Finding]:
    renamed: set[Path] = set()
    for error in errors:
        if error["type"] == "extra_forbidden":
            loc: Path = tuple(error["loc"])
            row = row_at(model, loc[:-1])
            hint = nearest(loc[-1], fields(row) if row else ())
            if "did you mean" in hint:
                renamed.add((*loc[:-1], hint.split("'")[1]))
            yield Finding((*path, *loc), f"unknown key {shown(loc[-1])}{hint}")
    for error in errors:
        loc = tuple(error["loc"])
        if error["type"] == "extra_forbidden" or (error["type"] == "missing" and loc in renamed):
            continue
        yield Finding((*path, *loc), _sentence(error))


_EXPECTED = re.compile(r"'([^']*)'")
_HINTS = {
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "finite_number": "a number",
}


def _sentence(error: ErrorDetails) -> str:
    kind, value, context = error["type"], error.get("input"), error.get("ctx", {})
    if kind == "missing":
        return "is required"
    if kind in _HINTS:
        return f"{shown(value)} is not {_HINTS[kind]}{_mend(kind, value)}"
    if kind in ("literal_error", "enum"):
        expected = _EXPECTED.findall(str(context.get("expected", "")))
        return f"{shown(value)} is not possible here{nearest(value, expected)}"
    if kind == "string_pattern_mismatch":
        return f"{shown(value)} has characters that are not possible here ({context['pattern']})"
    if kind in ("too_short", "string_too_short"):
        return f"{shown(value)} is empty; give something or leave the key out"
    if kind == "greater_than_equal":
        return f"{shown(value)} is less than {context['ge']}"
    if kind == "less_than_equal":
        return f"{shown(value)} is more than {context['le']}"
    if kind in ("clinic_file", "empty"):
        return error["msg"]
    return f"{shown(value)}: {error['msg'][:1].lower()}{error['msg'][1:]}"


def _mend(kind: str, value: Any) -> str:
    if kind == "int_type" and isinstance(value, str) and value.strip().lstrip("+-").isdecimal():
        return "; leave out the quotes"
    if kind == "string_type" and isinstance(value, int | float) and not isinstance(value, bool):
        return f'; put it in quotes: "{shown(value)}"'
    if kind == "list_type" and isinstance(value, str):
        return f"; put it in brackets: [{shown(value)}]"
    return ""
