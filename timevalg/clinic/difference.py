"""What is different between two clinic files, key by key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Difference:
    """One key that is different.

    Attributes
    ----------
    key : str
        Such as ``pools[colonoscopy-first].notice``: rows that have an id go by it.
    old, new : Any
        What stands there; None where the key is not there.
    """

    key: str
    old: Any
    new: Any


def differences(old: Any, new: Any, key: str = "") -> Iterator[Difference]:
    """Give every key that is different, in the order of the older document.

    Parameters
    ----------
    old, new : Any
        Plain data.
    """
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in dict.fromkeys((*old, *new)):
            yield from differences(old.get(name), new.get(name), f"{key}.{name}" if key else name)
        return
    rows = [_by_id(side) for side in (old, new)]
    if rows[0] is None or rows[1] is None:
        yield Difference(key, old, new)
        return
    for name in dict.fromkeys((*rows[0], *rows[1])):
        yield from differences(rows[0].get(name), rows[1].get(name), f"{key}[{name}]")


def _by_id(value: Any) -> Mapping[str, Any] | None:
    """Give rows by their ids; None if they have none, or the same twice."""
    if value is None:
        return {}
    if not isinstance(value, list) or not all(isinstance(r, Mapping) and "id" in r for r in value):
        return None
    found = {str(row["id"]): row for row in value}
    return found if len(found) == len(value) else None
