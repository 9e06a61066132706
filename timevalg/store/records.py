"""Rows of one kind as values: find, add, and save with compare and swap."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sqlalchemy import CursorResult, Update

from timevalg.model.errors import NotFound, StaleVersion
from timevalg.store import statements
from timevalg.store.criteria import arranged, asked
from timevalg.store.kinds import Kind
from timevalg.store.tables import TABLES

if TYPE_CHECKING:
    from timevalg.store.unit import SqlUnit

T = TypeVar("T")


class SqlRecords(Generic[T]):
    """One kind of value in one organisation."""

    def __init__(self, unit: SqlUnit, kind: Kind[T]) -> None:
        self._unit, self._kind = unit, kind

    def get(self, key: str) -> T:
        """Give one by id."""
        found = self.find(id=key)
        if not found:
            raise NotFound(self._kind.name, key)
        return found[0]

    def find(self, *, order: str = "id", limit: int | None = None, **criteria: Any) -> list[T]:
        """Give those that meet all criteria, in order."""
        terms, parameters = asked(criteria)
        if limit is None:
            rows = self._unit.execute(statements.found(self._kind, terms), **parameters)
            return arranged(self._kind, self.values(rows), order)
        query = statements.first(self._kind, terms, order)
        return self.values(self._unit.execute(query, **parameters, limit=limit))

    def values(self, rows: CursorResult[Any]) -> list[T]:
        """Give the values of rows of the kind's columns in their order."""
        make: Callable[..., T] = self._kind.type
        return [make(*row) for row in rows]

    def count(self, **criteria: Any) -> int:
        """Count those that meet all criteria."""
        terms, parameters = asked(criteria)
        query = statements.counted(self._kind, terms)
        return int(self._unit.execute(query, **parameters).scalar_one())

    def add(self, value: T) -> None:
        """Insert one."""
        self.add_all([value])

    def add_all(self, values: Iterable[T]) -> None:
        """Insert many, with whatever else this unit of work inserts."""
        self._unit.writing.add(TABLES[self._kind.table], [self.row(value) for value in values])

    def save(self, value: T) -> T:
        """Update the row if its version is the value's; give the value with the next one."""
        update, row = self._update(value)
        if self._unit.execute(update, **row).rowcount == 0:
            raise self._refusal(row)
        return self._next(value)

    def save_all(self, values: Iterable[T], before: Mapping[str, T] | None = None) -> None:
        """Update many rows, each as `save` does; what is as it was before is not written again."""
        updates = [(value, *self._update(value)) for value in values]
        if not updates:
            return
        same = self._same([value for value, *_ in updates], before or {})
        update = updates[0][1]
        rows = [{k: v for k, v in row.items() if k not in same} for *_, row in updates]
        if self._unit.execute_many(update, rows) < len(rows):
            refused = (row for value, _, row in updates if not self._is_there(value, row))
            raise self._refusal(next(refused, rows[0]))

    def _same(self, values: Iterable[T], before: Mapping[str, T]) -> set[str]:
        """Give the fields in which no value differs from what it was at the same version."""
        same = set(self._kind.fields) - {"id", "version"} if self._kind.versioned else set[str]()
        for value in values:
            key: str = value.id  # type: ignore[attr-defined]  # every kind has an id
            was: Any = before.get(key)
            is_known = was is not None and was.version == getattr(value, "version", None)
            same = {n for n in same if is_known and getattr(was, n) == getattr(value, n)}
        return same

    def _update(self, value: T) -> tuple[Update, dict[str, Any]]:
        row = self.row(value)
        guard: dict[str, Any] = {"id": row.pop("id")}
        if self._kind.versioned:
            guard["version"] = row["version"]
            row["version"] += 1
        terms, parameters = asked(guard)
        return statements.updated(self._kind, terms), row | parameters

    def remove(self, keys: Collection[str]) -> int:
        """Delete some by id."""
        delete = statements.deleted(TABLES[self._kind.table])
        return sum(self._unit.execute(delete, id_any=some).rowcount for some in chunks(keys))

    def row(self, value: T) -> dict[str, Any]:
        """Give a value's columns.

        Raises
        ------
        ValueError
            If it is of another organisation than the unit.
        """
        row = {name: getattr(value, name) for name in self._kind.fields}
        check_organisation(self._kind, row, self._unit.organisation)
        return row

    def _next(self, value: T) -> T:
        if not self._kind.versioned:
            return value
        version: int = value.version  # type: ignore[attr-defined]  # as the kind says
        return changed(value, version=version + 1)

    def _is_there(self, value: T, row: Mapping[str, Any]) -> bool:
        return self.find(id=row["id_equal"]) == [self._next(value)]

    def _refusal(self, row: Mapping[str, Any]) -> Exception:
        key = row["id_equal"]
        actual = self.find(id=key)
        if not actual or not self._kind.versioned:
            return NotFound(self._kind.name, key)
        return stale(self._kind, actual[0], row["version"] - 1)


def stale(kind: Kind[Any], actual: Any, expected: int) -> StaleVersion:
    """Give the error for a save of an `expected` version where there is another."""
    return StaleVersion(
        kind.name, actual.id, expected, actual.version, str(getattr(actual, "state", ""))
    )


def changed(value: T, /, **fields: Any) -> T:
    """Give a frozen value with other fields."""
    return dataclasses.replace(value, **fields)  # type: ignore[type-var]  # every kind is a dataclass


def check_organisation(kind: Kind[Any], row: Mapping[str, Any], organisation: str) -> None:
    """Refuse a value of another organisation."""
    if row["organisation"] != organisation:
        raise ValueError(
            f"{kind.name} {row['id']} is of organisation {row['organisation']}, "
            f"this unit of work of {organisation}"
        )


def chunks(keys: Iterable[str], size: int = 500) -> list[Sequence[str]]:
    """Split keys into lists that fit a statement, sorted and each once."""
    ordered = sorted(set(keys))
    return [ordered[i : i + size] for i in range(0, len(ordered), size)]
