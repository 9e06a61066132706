"""What the memory store keeps, how a change is undone, and records on plain dicts."""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, NoReturn, TypeVar

from timevalg.model import codec
from timevalg.model.errors import NotFound
from timevalg.model.time import require_aware
from timevalg.store.columns import checked_text
from timevalg.store.criteria import arranged, matcher
from timevalg.store.kinds import Kind
from timevalg.store.records import changed, check_organisation, stale
from timevalg.store.refusals import ReadOnly, refusal

T = TypeVar("T")
Claimed = tuple[datetime, datetime, str]
"""Start, end, session."""


@dataclass
class Shelf:
    """What one organisation has: rows by kind and id (in order of insertion), claims by subject."""

    rows: dict[str, dict[str, Any]] = field(default_factory=lambda: defaultdict(dict))
    claims: dict[str, list[Claimed]] = field(default_factory=lambda: defaultdict(list))


class Journal:
    """The changes of one transaction, each with its undoing; undone last things first."""

    def __init__(self, shelf: Shelf, organisation: str, write: bool) -> None:
        self.shelf, self.organisation = shelf, organisation
        self.failure: Exception | None = None
        self._write = write
        self._undo: list[Callable[[], Any]] = []

    def put(self, rows: MutableMapping[str, Any], key: str, value: Any) -> None:
        """Set a row."""
        self._check_write()
        old = rows.get(key)
        rows[key] = value
        self._undo.append(
            (lambda: rows.pop(key)) if old is None else (lambda: rows.update({key: old}))
        )

    def drop(self, rows: MutableMapping[str, Any], key: str) -> None:
        """Delete a row."""
        self._check_write()
        old = rows.pop(key)
        self._undo.append(lambda: rows.update({key: old}))

    def take(self, subject: str, row: Claimed) -> None:
        """Add a claim."""
        self._check_write()
        bisect.insort(self.shelf.claims[subject], row)
        self._undo.append(lambda: self.shelf.claims[subject].remove(row))

    def give_back(self, subject: str, row: Claimed) -> None:
        """Delete a claim."""
        self._check_write()
        self.shelf.claims[subject].remove(row)
        self._undo.append(lambda: bisect.insort(self.shelf.claims[subject], row))

    def undo(self) -> None:
        """Take back everything."""
        while self._undo:
            self._undo.pop()()

    def refuse(self, cause: str) -> NoReturn:
        """Fail as a database does on a cause: the transaction cannot be committed any more."""
        self._fail(refusal(cause) or AssertionError(cause))

    def _check_write(self) -> None:
        if not self._write:
            self._fail(ReadOnly())

    def _fail(self, error: Exception) -> NoReturn:
        self.failure = error
        raise error


class MemoryRecords(Generic[T]):
    """One kind of value in one organisation."""

    def __init__(self, journal: Journal, kind: Kind[T]) -> None:
        self.rows: dict[str, T] = journal.shelf.rows[kind.table]
        self._journal, self._kind = journal, kind

    def get(self, key: str) -> T:
        """Give one by id."""
        if key not in self.rows:
            raise NotFound(self._kind.name, key)
        return self.rows[key]

    def find(self, *, order: str = "id", limit: int | None = None, **criteria: Any) -> list[T]:
        """Give those that meet all criteria, in order."""
        matches = matcher(self._kind, criteria)
        found = [value for value in self.rows.values() if matches(value)]
        return arranged(self._kind, found, order)[:limit]

    def count(self, **criteria: Any) -> int:
        """Count those that meet all criteria."""
        return len(self.find(**criteria))

    def add(self, value: T) -> None:
        """Insert one."""
        value = self._kept(value)
        key: str = value.id  # type: ignore[attr-defined]  # every kind has an id
        if key in self.rows:
            self._journal.refuse(f"pk_{self._kind.table}")
        self.put(value)

    def add_all(self, values: Iterable[T]) -> None:
        """Insert many."""
        for value in values:
            self.add(value)

    def save(self, value: T) -> T:
        """Replace the value if its version is the stored one's; give it with the next one."""
        value = self._kept(value)
        new: Any = value
        actual: Any = self.get(new.id)
        if self._kind.versioned:
            if actual.version != new.version:
                raise stale(self._kind, actual, new.version)
            value = changed(value, version=new.version + 1)
        self.put(value)
        return value

    def save_all(self, values: Iterable[T], before: Mapping[str, T] | None = None) -> None:
        """Replace many values, each as `save` does, whatever they were before."""
        for value in values:
            self.save(value)

    def remove(self, keys: Collection[str]) -> int:
        """Delete some by id."""
        gone = self.rows.keys() & set(keys)
        for key in gone:
            self._journal.drop(self.rows, key)
        return len(gone)

    def put(self, value: T) -> None:
        """Store a value under its id unless it breaks a rule of the kind."""
        key: str = value.id  # type: ignore[attr-defined]  # every kind has an id
        for rule in self._kind.unique:
            wanted = {name: getattr(value, name) for name in rule.fields}
            wanted |= {"state": rule.states} if rule.states else {}
            if None in wanted.values() or not matcher(self._kind, wanted)(value):
                continue
            if any(other != key for other in self._ids(wanted)):
                self._journal.refuse(rule.name(self._kind.table))
        self._journal.put(self.rows, key, value)

    def _ids(self, wanted: dict[str, Any]) -> list[str]:
        matches = matcher(self._kind, wanted)
        return [key for key, value in self.rows.items() if matches(value)]

    def _kept(self, value: T) -> T:
        """Give the value as a database would give it back, sharing nothing with the caller."""
        row = {name: getattr(value, name) for name in self._kind.fields}
        if "organisation" in row:
            check_organisation(self._kind, row, self._journal.organisation)
        for name, kept in row.items():
            column = self._kind.fields[name]
            if kept is None:
                continue
            if column.is_structured:
                row[name] = codec.load(column.hint, checked_text(codec.dump(kept)))
            elif column.is_choice:
                row[name] = column.hint(kept)
            elif column.hint is str:
                checked_text(kept)
            elif column.hint is datetime:
                row[name] = require_aware(kept, name)
        return changed(value, **row)
