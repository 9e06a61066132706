"""How a unit of work inserts: at once, or gathered until it matters and sent in one statement.

To a server each statement is a journey, and a booking inserts into seven tables. So what is
inserted waits until a statement reads, or changes, a table that some of it is for, or to the end
of the unit of work; then all of it goes together, in as many rows as there are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import cache, lru_cache
from typing import Any, Protocol

from sqlalchemy import (
    JSON,
    Connection,
    Executable,
    Table,
    Text,
    bindparam,
    cast,
    column,
    func,
    select,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect as Driver
from sqlalchemy.sql import visitors

from timevalg.store.tables import ONCE, numbered

Row = Mapping[str, Any]


class Writing(Protocol):
    """What one unit of work inserts."""

    def add(self, table: Table, rows: Iterable[Row]) -> None:
        """Insert rows; where the table is one of `ONCE`, those that are not there yet."""
        ...

    def before(self, statement: Executable) -> None:
        """Make true what a statement may look at."""
        ...

    def finish(self) -> None:
        """Send whatever has not been sent."""
        ...


class AtOnce:
    """For a database in this process.

    Parameters
    ----------
    insert : callable
        Gives a table's INSERT, which knows ``on_conflict_do_nothing``.
    """

    def __init__(self, connection: Connection, insert: Callable[[Table], Any]) -> None:
        self._connection, self._insert = connection, insert

    def add(self, table: Table, rows: Iterable[Row]) -> None:
        """Insert them now."""
        rows = list(rows)
        if rows:
            self._connection.execute(_one_by_one(table, self._insert), rows)

    def before(self, statement: Executable) -> None:
        """Do nothing: all is sent."""

    def finish(self) -> None:
        """Do nothing: all is sent."""


class Gathered:
    """For PostgreSQL: the rows of each table travel as one JSON text."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: dict[Table, list[Row]] = {}

    def add(self, table: Table, rows: Iterable[Row]) -> None:
        """Take them as they are now: what becomes of their values later is not stored."""
        shapes = _shapes(table, self._connection.dialect)
        made = [{name: shape(row[name]) for name, shape in shapes.items()} for row in rows]
        if made:
            self._rows.setdefault(table, []).extend(made)

    def before(self, statement: Executable) -> None:
        """Send all there is if the statement looks at a table that some of it is for."""
        if self._rows and not self._rows.keys().isdisjoint(_tables_of(statement)):
            self.finish()

    def finish(self) -> None:
        """Send all there is."""
        if self._rows:
            rows, self._rows = self._rows, {}
            tables = tuple(sorted(rows, key=_is_log))
            texts = {t.name: json.dumps(some, default=date.isoformat) for t, some in rows.items()}
            self._connection.execute(_together(tables), texts)


def _is_log(table: Table) -> bool:
    """Tell whether its rows are numbered: drawn last, numbers tell who had waited for whom."""
    return any(map(numbered, table.columns))


@cache
def _one_by_one(table: Table, insert: Callable[[Table], Any]) -> Any:
    return _unless_there(table, insert(table))


@cache
def _together(tables: tuple[Table, ...]) -> Any:
    """Give the INSERT into the first table, which brings those into the others with it.

    PostgreSQL begins with the first, and goes through the others from the last to the first: so
    here they stand the other way round, and of two refusals the earlier one is told.
    """
    first, *others = map(_from_json, tables)
    brought = (other.cte(f"in_{number}") for number, other in enumerate(reversed(others)))
    return first.add_cte(*brought)


def _from_json(table: Table) -> Any:
    columns = [c for c in table.columns if not numbered(c)]
    text = cast(bindparam(table.name, type_=Text()), JSON)
    shaped = func.json_to_recordset(text).table_valued(*(column(c.name, c.type) for c in columns))
    rows = shaped.render_derived(with_types=True)
    insert = postgresql.insert(table).from_select(
        [c.name for c in columns], select(*(rows.c[c.name] for c in columns))
    )
    return _unless_there(table, insert)


def _unless_there(table: Table, insert: Any) -> Any:
    once = ONCE.get(table)
    return insert.on_conflict_do_nothing(index_elements=once) if once else insert


@lru_cache(maxsize=256)
def _shapes(table: Table, driver: Driver) -> Mapping[str, Callable[[Any], Any]]:
    """Give what each column makes of a value before it is sent."""
    return {
        c.name: c.type.dialect_impl(driver).bind_processor(driver) or _as_it_is
        for c in table.columns
        if not numbered(c)
    }


def _as_it_is(value: Any) -> Any:
    return value


@lru_cache(maxsize=1024)
def _tables_of(statement: Any) -> frozenset[Table]:
    return frozenset(part for part in visitors.iterate(statement) if isinstance(part, Table))
