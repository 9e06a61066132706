"""What `find` and `count` ask for: as the shape of a statement, and as a test of plain values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from timevalg.booking.unit_of_work import Between
from timevalg.store.kinds import Kind

Term = tuple[str, str]
"""A field and the sort of its test: ``equal``, ``any``, ``from``, ``below``, ``set``, ``unset``."""


def checked(kind: Kind[Any], names: Collection[str]) -> None:
    """Refuse names that are no fields, and fields that are kept as JSON or sealed.

    Raises
    ------
    TypeError
        If a criterion or an order names one.
    """
    for name in names:
        field = kind.fields.get(name)
        if field is None or field.is_structured or name in kind.sealed:
            raise TypeError(f"{kind.table} cannot be looked up by {name!r}")


def asked(criteria: Mapping[str, Any]) -> tuple[tuple[Term, ...], dict[str, Any]]:
    """Split criteria into their shape and its parameters, named ``field_sort``."""
    terms: list[Term] = []
    parameters: dict[str, Any] = {}
    for name, wanted in criteria.items():
        for sort, value in _sorts(wanted):
            terms.append((name, sort))
            if value is not None:
                parameters[f"{name}_{sort}"] = value
    return tuple(terms), parameters


def _sorts(wanted: Any) -> Iterator[tuple[str, Any]]:
    if wanted is None:
        yield "unset", None
    elif isinstance(wanted, Between):
        if wanted.low is not None:
            yield "from", wanted.low
        if wanted.high is not None:
            yield "below", wanted.high
        if wanted == Between():
            yield "set", None
    elif isinstance(wanted, Collection) and not isinstance(wanted, str):
        values = [value for value in wanted if value is not None]
        yield ("equal", values[0]) if len(values) == 1 else ("any", values)
    else:
        yield "equal", wanted


def matcher(kind: Kind[Any], criteria: Mapping[str, Any]) -> Callable[[Any], bool]:
    """Give the test of all criteria on a value."""
    checked(kind, criteria)
    tests = [(name, _test(wanted)) for name, wanted in criteria.items()]
    return lambda value: all(test(getattr(value, name)) for name, test in tests)


def arranged(kind: Kind[Any], values: list[Any], order: str) -> list[Any]:
    """Sort values by a field, ``-field`` for descending; ties by id.

    What is not set comes last, descending: first.
    """
    name = order.removeprefix("-")
    checked(kind, [name])
    values = sorted(values, key=lambda value: str(value.id))
    unset = [v for v in values if getattr(v, name) is None]
    rest = [v for v in values if getattr(v, name) is not None]
    rest.sort(key=lambda value: getattr(value, name), reverse=order.startswith("-"))
    return unset + rest if order.startswith("-") else rest + unset


def _test(wanted: Any) -> Callable[[Any], bool]:
    if wanted is None:
        return lambda value: value is None
    if isinstance(wanted, Between):
        return lambda value: (
            value is not None
            and (wanted.low is None or value >= wanted.low)
            and (wanted.high is None or value < wanted.high)
        )
    if isinstance(wanted, Collection) and not isinstance(wanted, str):
        return lambda value: value is not None and value in wanted
    return lambda value: value == wanted
