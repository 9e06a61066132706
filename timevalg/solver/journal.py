"""Changes that can be undone."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")

_NOTHING: Any = object()


class Journal:
    """What has been changed in some mappings, and what was there before."""

    def __init__(self) -> None:
        self._rows: list[tuple[dict[Hashable, Any], Hashable, Any]] = []

    def put(self, mapping: dict[Hashable, Any], key: Hashable, value: Any) -> None:
        """Set a value in a mapping."""
        self._rows.append((mapping, key, mapping.get(key, _NOTHING)))
        mapping[key] = value

    def mark(self) -> int:
        """Give a mark to come back to."""
        return len(self._rows)

    def back(self, mark: int) -> None:
        """Undo everything since a mark."""
        rows = self._rows
        while len(rows) > mark:
            mapping, key, old = rows.pop()
            if old is _NOTHING:
                del mapping[key]
            else:
                mapping[key] = old

    def before(
        self, mapping: dict[Hashable, T], mark: int, first: Callable[[Any], T]
    ) -> dict[Hashable, T]:
        """Give the values of a mapping that have been set since a mark, as they were then.

        Parameters
        ----------
        first : callable
            Gives the value of a key that the mapping did not have.
        """
        found: dict[Hashable, T] = {}
        for there, key, old in self._rows[mark:]:
            if there is mapping and key not in found:
                found[key] = first(key) if old is _NOTHING else old
        return found


def either(rows: tuple[T, ...], *, leaving: bool) -> tuple[tuple[T, ...], tuple[T, ...]]:
    """Give what is added and what is removed."""
    return ((), rows) if leaving else (rows, ())
