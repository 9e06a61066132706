"""What whoever invites may say of an invitation, and in which types a task keeps it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any, TypeVar

from timevalg.booking.terms import SAID
from timevalg.model.errors import InvalidInput
from timevalg.model.roster import Hours
from timevalg.model.service import PreparationRule
from timevalg.model.task import Mode

T = TypeVar("T")


def as_said(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Give the fields of a new task; `not_after` is the deadline where only that is said.

    Raises
    ------
    InvalidInput
        Naming a field that is none of `SAID`, is missing, or holds what it cannot.
    """
    if not isinstance(fields, Mapping):
        raise InvalidInput.single("", f"is {type(fields).__name__}, not fields by name")
    for name in fields:
        if name not in SAID:
            raise InvalidInput.single(name, f"is not for the asker; there are {', '.join(SAID)}")
    given = values_of({name: value for name, value in fields.items() if value is not None})
    given["not_after"] = given.get("not_after") or given.get("deadline")
    for name in ("patient", "pools", "opens", "due"):
        if not given.get(name):
            raise InvalidInput.single(name, "is missing")
    if given["not_after"] is None:
        raise InvalidInput.single("not_after", "give not_after or deadline")
    return {"clinic": None, **given}


def values_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Give a task's fields in the types in which it keeps them; others stay as they are.

    Raises
    ------
    InvalidInput
        Naming a field that holds what it cannot.
    """
    values = {}
    for name, value in fields.items():
        try:
            values[name] = value if value is None else _KEPT.get(name, _same)(value)
        except (TypeError, ValueError, AttributeError) as error:
            raise InvalidInput.single(name, str(error)) from error
    return values


def _same(value: Any) -> Any:
    return value


def _one(kind: type[T]) -> Callable[[Any], T]:
    def read(value: Any) -> T:
        if not isinstance(value, kind) or type(value) in {bool, datetime} - {kind}:
            raise TypeError(f"is {type(value).__name__}, not {kind.__name__}")
        return value

    return read


def _many(kind: type[T]) -> Callable[[Any], tuple[T, ...]]:
    def read(values: Iterable[Any]) -> tuple[T, ...]:
        if isinstance(values, str):
            raise TypeError(f"is one text, not several of {kind.__name__}")
        return tuple(map(_one(kind), values))

    return read


_KEPT: Mapping[str, Callable[[Any], Any]] = {
    "patient": _one(str),
    "clinic": _one(str),
    "ref": _one(str),
    "referral": _one(str),
    "opens": _one(date),
    "due": _one(date),
    "not_before": _one(date),
    "not_after": _one(date),
    "deadline": _one(date),
    "pools": _many(str),
    "times": _many(Hours),
    "preparations": _many(PreparationRule),
    "done": lambda names: frozenset(_many(str)(names)),
    "only": lambda only: {role: _many(str)(names) for role, names in only.items()},
    "mode": Mode,
    "priority": _one(int),
    "extra": _one(int),
    "letters": _one(bool),
}
