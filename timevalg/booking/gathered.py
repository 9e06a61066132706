"""A unit of work that gathers what is only added, and writes it in a few statements."""

from __future__ import annotations

from copy import copy
from typing import Any

from timevalg.booking.ports import UnitOfWork

ADDED = ("appointments", "preparations", "cases", "events", "work", "audit")
"""Kinds of rows that bulk work adds many of, in the order in which they are written."""


class Gathered:
    """Rows that wait to be written.

    Attributes
    ----------
    unit : UnitOfWork
        To be used meanwhile: what it adds waits until it is asked for, or until `write`.
    """

    def __init__(self, unit: UnitOfWork) -> None:
        self._waiting = {name: _Waiting(getattr(unit, name)) for name in ADDED}
        self.unit = copy(unit)
        for name, waiting in self._waiting.items():
            setattr(self.unit, name, waiting)

    def write(self) -> None:
        """Write what waits."""
        for waiting in self._waiting.values():
            waiting.write()


class _Waiting:
    """Rows of one kind; all but adding them is asked of the store, once they are there."""

    def __init__(self, rows: Any) -> None:
        self._rows, self._new = rows, list[Any]()

    def add(self, value: Any) -> bool:
        self._new.append(value)
        return True

    def write(self) -> None:
        new, self._new = self._new, []
        if new:
            self._rows.add_all(new)

    def __getattr__(self, name: str) -> Any:
        self.write()
        return getattr(self._rows, name)
