"""SQLite: one writer at a time, by BEGIN IMMEDIATE; any number of readers beside it, by WAL."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    Table,
    UniqueConstraint,
    and_,
    bindparam,
    create_engine,
    event,
    literal,
    make_url,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.expression import ColumnElement

from timevalg.model.errors import InvalidInput
from timevalg.store import refusals
from timevalg.store.tables import metadata
from timevalg.store.wakes import Wakes
from timevalg.store.writing import AtOnce

_WRITES = "timevalg_writes"
_WAL = "journal_mode=WAL"
_PAUSE = 0.01
"""Seconds between two tries to set it."""
_PRAGMAS = (
    "synchronous=FULL",
    "foreign_keys=ON",
    "recursive_triggers=ON",  # or REPLACE would delete unseen by the triggers
)
_CODES: Mapping[int, str] = {
    sqlite3.SQLITE_BUSY: refusals.BUSY,
    sqlite3.SQLITE_LOCKED: refusals.BUSY,
    sqlite3.SQLITE_READONLY: refusals.READ_ONLY,
    sqlite3.SQLITE_TOOBIG: refusals.VALUE,
}


@dataclass(frozen=True)
class Sqlite:
    """The ways of SQLite; `patience` = seconds to wait for another writer."""

    takes_arrays: ClassVar[bool] = False
    patience: float = 5.0

    def insert(self, table: Table) -> sqlite.Insert:
        """Give its INSERT, which knows ``on_conflict_do_nothing``."""
        return sqlite.insert(table)

    def writing(self, connection: Connection) -> AtOnce:
        """Insert at once: there is no journey to save."""
        return AtOnce(connection, sqlite.insert)

    @property
    def oldest_running(self) -> ColumnElement[int]:
        """Above every transaction id (all are 0): the only writer has ended when others read."""
        return literal(1)

    def after(self, transaction: Column[int], sequence: Column[int]) -> ColumnElement[bool]:
        """Compare the sequence alone: SQLite would compare pairs with all there are."""
        return and_(transaction == 0, sequence > bindparam("sequence", type_=Integer()))

    def engine(self, url: str) -> Engine:
        """Make the engine of a database file."""
        if make_url(url).database in (None, "", ":memory:"):
            raise InvalidInput.single(
                "database", "SQLite needs a file: sqlite:///timevalg.db; in memory there is Memory"
            )
        engine = create_engine(url, hide_parameters=True, connect_args={"timeout": self.patience})
        event.listen(engine, "connect", self._connected)
        event.listen(engine, "begin", _begin)
        return engine

    def wakes(self, engine: Engine) -> Wakes:
        """Wake this process; others find the work when they look."""
        return Wakes()

    def options(self, write: bool) -> Mapping[str, Any]:
        """Tell `_begin` whether the transaction writes."""
        return {_WRITES: write}

    def now(self, connection: Connection) -> datetime:
        """Read the clock of this machine, which is the database's."""
        return datetime.now(UTC)

    def lock(
        self, connection: Connection, organisation: str, keys: Collection[str], whole: bool
    ) -> datetime:
        """Give the instant alone: whoever writes has the whole database."""
        return self.now(connection)

    def try_lock(self, connection: Connection, organisation: str, keys: Collection[str]) -> bool:
        """Give True: whoever writes has the whole database."""
        return True

    def cause(self, error: BaseException) -> str:
        """Give the cause of a driver's error."""
        code = getattr(error, "sqlite_errorcode", None)
        if code is not None and code & 0xFF in _CODES:
            return _CODES[code & 0xFF]
        said = str(error)
        if said in refusals.REFUSALS:  # a trigger
            return said
        kind, _, what = said.partition(" constraint failed: ")
        causes = {"UNIQUE": unique_names().get(what, what), "NOT NULL": refusals.NOT_NULL}
        return "fk_claims_sessions" if kind.startswith("FOREIGN KEY") else causes.get(kind, what)

    def _connected(self, connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself
        until = time.monotonic() + self.patience
        while not _is_set(connection, _WAL, last=time.monotonic() >= until):
            time.sleep(_PAUSE)
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")


def _is_set(connection: sqlite3.Connection, pragma: str, *, last: bool) -> bool:
    """Set a pragma of the file; of those who do so at once SQLite makes none wait but refuses."""
    try:
        connection.execute(f"PRAGMA {pragma}")
    except sqlite3.OperationalError as error:
        if last or error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


def unique_names() -> dict[str, str]:
    """Give the names of what is unique by the columns that SQLite's message lists."""
    return dict(_unique_names())


def _unique_names() -> Iterator[tuple[str, str]]:
    for table in metadata.tables.values():
        rules: list[Any] = [c for c in table.constraints if isinstance(c, UniqueConstraint)]
        rules += [table.primary_key, *(i for i in table.indexes if i.unique)]
        for rule in rules:
            yield ", ".join(f"{table.name}.{column.name}" for column in rule.columns), rule.name


def _begin(connection: Connection) -> None:
    write = connection.get_execution_options().get(_WRITES, True)
    driver: Any = connection.connection.driver_connection
    driver.execute(f"PRAGMA query_only={'OFF' if write else 'ON'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
