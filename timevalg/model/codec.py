"""Values as JSON text: the same value gives the same text, and comes back equal."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Iterable, Mapping, Set
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter


def dump(value: Any) -> str:
    """Give the JSON text of a value; sets are sorted, so equal values give equal text.

    Raises
    ------
    TypeError
        If something in it has no JSON form.
    """
    return _ENCODER.encode(value)


def digest(value: Any) -> str:
    """Give 64 hexadecimal digits that equal values share, in whatever order or zone they come.

    Fields that do not compare do not count. Numbers that are none (``.nan`` in a clinic file) have
    theirs: who reads them refuses them.
    """
    plain = json.loads(json.dumps(value, default=_compared))
    canonical = json.dumps(plain, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(canonical.encode(errors="surrogatepass")).hexdigest()


def load(hint: Any, text: str) -> Any:
    """Give the value of a JSON text as the type that `hint` names."""
    return _adapter(hint).validate_json(text)


@functools.cache
def _adapter(hint: Any) -> TypeAdapter[Any]:
    return TypeAdapter(hint)


def _compared(value: Any) -> Any:
    """Give a value without what does not make it another."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if f.compare}
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Set):
        return sorted(value)
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat()
    if isinstance(value, ZoneInfo):
        return value.key
    if isinstance(value, date):
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, Iterable):
        return list(value)
    raise TypeError(f"{value!r} has no JSON form")


_ENCODER = json.JSONEncoder(
    default=_plain, ensure_ascii=False, allow_nan=False, separators=(",", ":")
)
