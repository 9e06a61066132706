"""A unit of work that reads a row once, and writes what it gathers in a few statements."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from timevalg.booking.unit_of_work import UnitOfWork
from timevalg.model.errors import LeaseLost
from timevalg.model.records import Work

KEPT = ("tasks", "appointments", "preparations", "letters", "deliveries", "cases", "patients")
"""Kinds of rows that are known once they have been read or written."""
LOGS = ("events", "audit")


class Gathered:
    """Changes that wait to be written, and rows that are known.

    Attributes
    ----------
    unit : UnitOfWork
        To be used meanwhile. What it adds and saves waits until other rows of the kind are asked
        for, or until `write`; so it is only then that a stale version, or a lease that was lost,
        is noticed. What it knows is forgotten when it waits for a lock.
    """

    def __init__(self, unit: UnitOfWork) -> None:
        self._rows: dict[str, Any] = {name: _Kept(getattr(unit, name)) for name in KEPT}
        self._rows |= {name: _Waiting(getattr(unit, name)) for name in LOGS}
        self._rows["work"] = _Works(unit.work)
        self.unit = cast(UnitOfWork, _Unit(unit, self._rows))

    def knows(self, kind: str, values: Iterable[Any]) -> None:
        """Take rows of a kind as they are there now, read under the locks that were taken last."""
        self._rows[kind].knows(values)

    def know_work(self, works: Iterable[Work]) -> None:
        """Read at once how some work stands."""
        self._rows["work"].know([work.id for work in works])

    def know_cases(self, tasks: Collection[str]) -> None:
        """Read at once which cases of some tasks are open."""
        self._rows["cases"].know("task", tasks, {"closed_at": None}, {})

    def know_last(
        self, kind: str, field: str, keys: Collection[str], order: str, **criteria: Any
    ) -> None:
        """Read at once what is the first, in an order, of the rows with each key."""
        self._rows[kind].know(field, keys, criteria, {"order": order, "limit": 1})

    def write(self) -> None:
        """Write what waits."""
        for rows in self._rows.values():
            rows.write()


class _Unit:
    """A unit of work with other rows, that takes a lock once."""

    def __init__(self, unit: UnitOfWork, rows: dict[str, Any]) -> None:
        self._unit, self._rows, self._locked = unit, rows, set[str]()
        self.__dict__ |= rows

    def lock(self, keys: Collection[str], *, whole: bool = False) -> None:
        if not whole and self._locked.issuperset(keys):
            return
        self._unit.lock(keys, whole=whole)
        self._locked |= set(keys)
        for name in KEPT:
            self._rows[name].forget()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._unit, name)


class _Waiting:
    """Rows of one kind; all but adding them is asked of the store, once they are there."""

    def __init__(self, rows: Any) -> None:
        self._rows, self._new = rows, list[Any]()

    def add(self, value: Any) -> bool:
        self._new.append(value)
        return True

    def add_all(self, values: Iterable[Any]) -> None:
        self._new += values

    def write(self) -> None:
        new, self._new = self._new, []
        if new:
            self._rows.add_all(new)

    def __getattr__(self, name: str) -> Any:
        self.write()
        return getattr(self._rows, name)


class _Kept(_Waiting):
    """Rows with an id, each known once it was met; None = there is none."""

    def __init__(self, rows: Any) -> None:
        super().__init__(rows)
        self._known: dict[str, Any] = {}
        self._read: dict[str, Any] = {}
        self._changed: dict[str, Any] = {}
        self._asked: list[tuple[dict[str, Any], list[Any]]] = []

    def know(
        self,
        field: str,
        keys: Collection[str],
        criteria: Mapping[str, Any],
        page: Mapping[str, Any],
    ) -> None:
        """Ask at once for rows that are soon asked for with each key; known until any changes.

        Parameters
        ----------
        page : mapping
            The order and the limit that each will ask for; empty for all rows.
        """
        order = {name: page[name] for name in page if name == "order"}
        found = self.find(**order, **criteria, **{field: frozenset(keys)})
        for key in keys:
            same = [value for value in found if getattr(value, field) == key]
            question = {**page, **criteria, field: key}
            self._asked.append((question, same[: page.get("limit")]))

    def knows(self, values: Iterable[Any]) -> None:
        """Take rows as they are there now."""
        found = {value.id: value for value in values}
        self._known |= found
        self._read |= found

    def add(self, value: Any) -> bool:
        self._known[value.id] = value
        self._asked.clear()
        return super().add(value)

    def add_all(self, values: Iterable[Any]) -> None:
        for value in values:
            self.add(value)

    def get(self, key: str) -> Any:
        found = self.find(id=key)
        if not found:
            return self._rows.get(key)  # which says what is not there
        return found[0]

    def find(self, **asked: Any) -> list[Any]:
        if asked.keys() == {"id"}:
            keys = {asked["id"]} if isinstance(asked["id"], str) else set(asked["id"])
            if new := keys - self._known.keys():
                self._known |= dict.fromkeys(new)
                self.knows(self._rows.find(id=new))
            found = (self._known[key] for key in sorted(keys))
            return [value for value in found if value is not None]
        for question, answer in self._asked:
            if question == asked:
                return answer
        self.write()
        values: list[Any] = self._rows.find(**asked)
        self.knows(values)
        return values

    def save(self, value: Any) -> Any:
        if value.id in self._changed or any(new.id == value.id for new in self._new):
            self.write()
        self._changed[value.id] = value
        self._asked.clear()
        if hasattr(value, "version"):
            value = replace(value, version=value.version + 1)
        self._known[value.id] = value
        return value

    def write(self) -> None:
        super().write()
        changed, self._changed = self._changed, {}
        if changed:
            self._rows.save_all(changed.values(), self._read)

    def forget(self) -> None:
        self.write()
        self._known.clear()
        self._asked.clear()


class _Works(_Waiting):
    """Work to be added, work that is finished, and work that is known as it was."""

    def __init__(self, rows: Any) -> None:
        super().__init__(rows)
        self._finished: list[Work] = []
        self._known: dict[str, Work] = {}

    def know(self, keys: Collection[str]) -> None:
        """Read some at once, for `get`; that one was taken since, `write` notices."""
        self._known |= {work.id: work for work in self._rows.find(id=keys)}

    def get(self, key: str) -> Work:
        work: Work = self._known.get(key) or self._rows.get(key)
        return work

    def finish(self, work: Work) -> bool:
        self._finished.append(work)
        return True

    def write(self) -> None:
        super().write()
        finished, self._finished = self._finished, []
        if finished and not self._rows.finish_all(finished):
            raise LeaseLost(", ".join(work.id for work in finished))
