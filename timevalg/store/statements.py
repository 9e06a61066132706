"""Statements of SQL, each made once for each shape of what is asked; values are bound to them.

To make a statement costs SQLAlchemy some ten times what it costs to execute one that is there.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    Boolean,
    Column,
    ColumnElement,
    Delete,
    Integer,
    Select,
    Table,
    Update,
    and_,
    bindparam,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement

from timevalg.store.columns import Listed
from timevalg.store.criteria import Term, checked
from timevalg.store.kinds import Kind
from timevalg.store.tables import TABLES

MINE: Term = ("organisation", "equal")
"""Binds every statement to the rows of one organisation."""


class is_any(FunctionElement[bool]):
    """A column is one of the values of an array: the same statement for any number of them."""

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:
        """Stand as it is: SQLite would compare it with 1, and use no index."""
        return self


@compiles(is_any, "postgresql")
def _is_any(element: is_any, compiler: SQLCompiler, **how: Any) -> str:
    column, values = (compiler.process(part, **how) for part in element.clauses)
    return f"{column} = ANY({values})"


@compiles(is_any)
def _is_in(element: is_any, compiler: SQLCompiler, **how: Any) -> str:
    column, values = element.clauses
    each = bindparam(values.key, type_=column.type, expanding=True)
    return compiler.process(column.in_(each), **how)


_SQL: Mapping[str, Callable[[Column[Any], BindParameter[Any]], ColumnElement[bool]]] = {
    "equal": operator.eq,
    "any": lambda column, values: is_any(column, values),
    "from": operator.ge,
    "below": operator.lt,
    "set": lambda column, _: column.is_not(None),
    "unset": lambda column, _: column.is_(None),
}


def limit() -> BindParameter[int]:
    """Give the parameter of a LIMIT."""
    return bindparam("limit", type_=Integer())


def columns(kind: Kind[Any]) -> list[Column[Any]]:
    """Give the columns of a kind's fields, in their order."""
    return [TABLES[kind.table].c[name] for name in kind.fields]


def condition(table: Table, *terms: Term, prefix: str = "") -> ColumnElement[bool]:
    """Give the WHERE of an organisation's rows that meet all terms.

    Parameters
    ----------
    prefix : str
        What the names of the terms' parameters begin with.
    """
    tests = (_test(table.c[name], sort, prefix) for name, sort in terms)
    return and_(_test(table.c[MINE[0]], MINE[1], ""), *tests)


def _test(column: Column[Any], sort: str, prefix: str) -> ColumnElement[bool]:
    type_ = Listed(column.type) if sort == "any" else column.type
    return _SQL[sort](column, bindparam(f"{prefix}{column.name}_{sort}", type_=type_))


@cache
def found(kind: Kind[Any], terms: tuple[Term, ...]) -> Select[Any]:
    """Give the SELECT of all rows that meet the terms.

    Their order is not left to the database: SQLite would go through all of an organisation's
    rows in the order of the primary key rather than sort the few that an index finds.
    """
    checked(kind, [name for name, _ in terms])
    return select(*columns(kind)).where(condition(TABLES[kind.table], *terms))


@cache
def first(kind: Kind[Any], terms: tuple[Term, ...], order: str) -> Select[Any]:
    """Give the SELECT of the first `limit` rows that meet the terms."""
    return found(kind, terms).order_by(*_ordering(kind, order)).limit(limit())


@cache
def counted(kind: Kind[Any], terms: tuple[Term, ...]) -> Select[Any]:
    """Give the SELECT of how many rows meet the terms."""
    checked(kind, [name for name, _ in terms])
    return select(func.count()).where(condition(TABLES[kind.table], *terms))


@cache
def deleted(table: Table) -> Delete:
    """Give the DELETE of rows by id."""
    return delete(table).where(condition(table, ("id", "any")))


@cache
def updated(kind: Kind[Any], terms: tuple[Term, ...]) -> Update:
    """Give the UPDATE of the rows that meet the terms."""
    table = TABLES[kind.table]
    return update(table).where(condition(table, *terms))


def _ordering(kind: Kind[Any], order: str) -> list[ColumnElement[Any]]:
    """Order as `criteria.arranged` does."""
    name = order.removeprefix("-")
    checked(kind, [name])
    column, key = TABLES[kind.table].c[name], TABLES[kind.table].c.id
    term = column.desc() if order.startswith("-") else column.asc()
    if kind.fields[name].optional:
        term = term.nulls_first() if order.startswith("-") else term.nulls_last()
    return [term] if name == "id" else [term, key]
