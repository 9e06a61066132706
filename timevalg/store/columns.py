"""Column types: aware instants, text that compares by code point, enumerations, JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Dialect, Integer, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from timevalg.model import codec
from timevalg.model.errors import InvalidInput
from timevalg.model.time import require_aware
from timevalg.store import vault

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
FIRST_INSTANT = 0
LAST_INSTANT = (datetime(2200, 1, 1, tzinfo=UTC) - _EPOCH) // _TICK
"""Bounds of what a claim may take, in microseconds: 1970 up to 2200."""


def microseconds(moment: datetime) -> int:
    """Give the microseconds since 1970 (UTC) of an aware instant."""
    return (require_aware(moment, "instant") - _EPOCH) // _TICK


def moment_of(count: int) -> datetime:
    """Give the instant of `microseconds`, in UTC."""
    return _EPOCH + timedelta(microseconds=count)


def checked_text(value: str) -> str:
    """Give the text back if every database can keep it.

    Raises
    ------
    InvalidInput
        If it contains a NUL character or half of a surrogate pair.
    """
    if "\0" in value or not (value.isascii() or _is_unicode(value)):
        raise InvalidInput.single("text", f"{value[:40]!r} has a character that cannot be kept")
    return value


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


class Instant(TypeDecorator[datetime]):
    """An instant as whole UTC microseconds since 1970; naive ones are refused."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Give SQLite its 64-bit INTEGER."""
        return Integer() if dialect.name == "sqlite" else BigInteger()

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Give the count for an instant."""
        return None if value is None else microseconds(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Give the instant for a count."""
        return None if value is None else moment_of(value)


class Words(TypeDecorator[str]):
    """Text, compared and sorted by code point whatever the database's locale."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Give PostgreSQL the collation "C", which SQLite and Python have by nature."""
        return Text(collation="C") if dialect.name == "postgresql" else Text()

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Refuse what one of the databases could not keep."""
        return None if value is None else checked_text(value)


class Choice(Words):
    """One name of an enumeration."""

    cache_ok = True

    def __init__(self, enum: type[StrEnum]) -> None:
        super().__init__()
        self.enum = enum

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Give the plain name; refuse one that the enumeration has not."""
        return None if value is None else str(self.enum(value).value)

    def process_result_value(self, value: Any, dialect: Dialect) -> StrEnum | None:
        """Give the member."""
        return None if value is None else self.enum(value)


class Day(TypeDecorator[date]):
    """A date as text, so that it can be sealed."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> str | None:
        """Give the text."""
        return None if value is None else value.isoformat()

    def process_result_value(self, value: Any, dialect: Dialect) -> date | None:
        """Give the date."""
        return None if value is None else date.fromisoformat(value)


class Sealed(TypeDecorator[Any]):
    """What another column type makes text of, sealed where the database has keys.

    Parameters
    ----------
    inner : TypeDecorator
        That type.
    place : str
        ``table.column``, to which the sealed text is bound.
    """

    impl = Text
    cache_ok = True

    def __init__(self, inner: TypeDecorator[Any], place: str) -> None:
        super().__init__()
        self.inner, self.place = inner, place

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Give the other type's."""
        return self.inner.load_dialect_impl(dialect)

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Give the text as it is kept."""
        text = self.inner.process_bind_param(value, dialect)
        return None if text is None else vault.kept(text, self.place, dialect)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Give the value."""
        text = None if value is None else vault.read(value, self.place, dialect)
        is_text = isinstance(self.inner, Words)
        return text if is_text else self.inner.process_result_value(text, dialect)


def as_array(values: Iterable[Any]) -> str:
    """Give values as PostgreSQL writes an array: the driver would go through them three times."""
    return f"{{{','.join(map(_element, values))}}}"


def _element(value: Any) -> str:
    if isinstance(value, int):
        return str(value)
    text = str(value).replace("\\", r"\\").replace('"', r"\"")
    return f'"{text}"'


class Listed(TypeDecorator[Any]):
    """Values of another type as an array, for PostgreSQL; it is only ever given.

    Parameters
    ----------
    inner : TypeEngine
        That type.
    """

    impl = ARRAY
    cache_ok = True

    def __init__(self, inner: TypeEngine[Any]) -> None:
        super().__init__(inner)
        self.inner = inner

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], str]:
        """Give what writes the array."""
        shape = self.inner.dialect_impl(dialect).bind_processor(dialect)
        return lambda values: as_array(values if shape is None else map(shape, values))


class Structured(TypeDecorator[Any]):
    """A mapping, tuple, set or dataclass as JSON text."""

    impl = Text
    cache_ok = True

    def __init__(self, hint: Any) -> None:
        super().__init__()
        self.hint = hint

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Give the JSON text."""
        return None if value is None else checked_text(codec.dump(value))

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Give the value."""
        return None if value is None else codec.load(self.hint, value)
