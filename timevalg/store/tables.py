"""The tables, made from `kinds`; what only one database can say stands in the migrations.

On PostgreSQL an exclusion constraint, on SQLite two triggers keep `claims` from overlapping: both
are called ``ex_claims_no_overlap``. Triggers keep `audit` append-only.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.types import TypeEngine

from timevalg.store.columns import (
    FIRST_INSTANT,
    LAST_INSTANT,
    Choice,
    Day,
    Instant,
    Sealed,
    Structured,
    Words,
)
from timevalg.store.kinds import KINDS, SESSIONS, WORK, Field, Kind

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


class TransactionId(FunctionElement[int]):
    """The number of the transaction that writes: 0 on SQLite, where there is one at a time."""

    type = BigInteger()
    inherit_cache = True


@compiles(TransactionId)
def _one_writer(*_: Any, **__: Any) -> str:
    return "0"


@compiles(TransactionId, "postgresql")
def _transaction_id(*_: Any, **__: Any) -> str:
    return "CAST(CAST(pg_current_xact_id() AS text) AS bigint)"


def _type(field: Field) -> TypeEngine[Any]:
    if field.is_choice:
        return Choice(field.hint)
    plain: Mapping[Any, TypeEngine[Any]] = {
        str: Words(),
        int: Integer(),
        bool: Boolean(),
        date: Date(),
        datetime: Instant(),
    }
    return plain.get(field.hint) or Structured(field.hint)


def _sealed(kind: Kind[Any], name: str) -> Sealed | None:
    if name not in kind.sealed:
        return None
    field, place = kind.fields[name], f"{kind.table}.{name}"
    if field.hint is date:
        return Sealed(Day(), place)
    return Sealed(Words() if field.hint is str else Structured(field.hint), place)


def _columns(kind: Kind[Any]) -> list[Column[Any]]:
    columns = [
        Column(name, _sealed(kind, name) or _type(field), nullable=field.optional)
        for name, field in kind.fields.items()
    ]
    if "organisation" not in kind.fields:
        columns.insert(1, Column("organisation", Words(), nullable=False))
    return columns


def _checks(kind: Kind[Any]) -> list[CheckConstraint]:
    return [
        CheckConstraint(f"{name} IN ({_quoted(field.hint)})", name=name)
        for name, field in kind.fields.items()
        if field.is_choice
    ]


def _quoted(names: Any) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _table(kind: Kind[Any]) -> Table:
    logged = kind.ordered  # has its own order, and its id is unique beside it
    serial = BigInteger().with_variant(Integer(), "sqlite")
    table = Table(
        kind.table,
        metadata,
        *([Column("seq", serial, primary_key=True, autoincrement=True)] if logged else []),
        *([Column("txid", BigInteger, default=TransactionId(), nullable=False)] if logged else []),
        *_columns(kind),
        UniqueConstraint("organisation", "id")
        if logged
        else PrimaryKeyConstraint("organisation", "id"),
        *_checks(kind),
        *(UniqueConstraint("organisation", *u.fields) for u in kind.unique if not u.states),
        sqlite_autoincrement=logged,
    )
    for fields in kind.indexes:
        Index(None, table.c.organisation, *(table.c[name] for name in fields))
    for unique in kind.unique:
        if unique.states:
            states = text(f"state IN ({_quoted(unique.states)})")
            Index(
                unique.name(kind.table),
                table.c.organisation,
                *(table.c[name] for name in unique.fields),
                unique=True,
                postgresql_where=states,
                sqlite_where=states,
            )
    return table


TABLES: Mapping[str, Table] = {kind.table: _table(kind) for kind in KINDS}
ONCE: Mapping[Table, tuple[str, ...]] = {TABLES[WORK.table]: ("organisation", "effect")}
"""Tables in which a row that is there already, by these columns, stays as it is."""

sessions = TABLES[SESSIONS.table]
sessions.append_constraint(
    CheckConstraint("(kind = 'hold') = (until IS NOT NULL)", name="hold_until")
)
sessions.append_constraint(CheckConstraint("length > 0", name="length"))

claims = Table(
    "claims",
    metadata,
    Column("organisation", Words(), nullable=False),
    Column("session_id", Words(), nullable=False),
    Column("subject", Words(), nullable=False),
    Column("starts_at", Instant(), nullable=False),
    Column("ends_at", Instant(), nullable=False),
    PrimaryKeyConstraint("organisation", "session_id", "subject"),
    ForeignKeyConstraint(
        ["organisation", "session_id"],
        ["sessions.organisation", "sessions.id"],
        ondelete="CASCADE",
    ),
    CheckConstraint(
        "substr(subject, 1, 2) IN ('r:', 'p:') AND length(subject) > 2", name="subject"
    ),
    CheckConstraint("starts_at < ends_at", name="span"),
    CheckConstraint(f"starts_at >= {FIRST_INSTANT} AND ends_at <= {LAST_INSTANT}", name="bounds"),
    Index(None, "organisation", "subject", "starts_at"),
    sqlite_strict=True,
)


def numbered(column: Column[Any]) -> bool:
    """Tell whether the database itself gives a column its value."""
    return column.default is not None or column.autoincrement is True
