"""What a database must answer for itself; `sqlite` and `postgres` do."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Protocol

from sqlalchemy import Column, Connection, Engine, Table
from sqlalchemy.sql.expression import ColumnElement

from timevalg.store.wakes import Wakes
from timevalg.store.writing import Writing


class Dialect(Hashable, Protocol):
    """One database's own ways; a value, by which statements are kept."""

    takes_arrays: ClassVar[bool]
    """Whether a value may be an array, to be unnested."""

    def insert(self, table: Table) -> Any:
        """Give its INSERT, which knows ``on_conflict_do_nothing``."""
        ...

    def writing(self, connection: Connection) -> Writing:
        """Give the way in which a unit of work inserts."""
        ...

    @property
    def oldest_running(self) -> ColumnElement[int]:
        """The number of the oldest transaction that still runs."""
        ...

    def after(self, transaction: Column[int], sequence: Column[int]) -> ColumnElement[bool]:
        """Give the test that an event comes after ``:transaction`` and ``:sequence``."""
        ...

    def engine(self, url: str) -> Engine:
        """Make the engine; nothing is connected yet."""
        ...

    def wakes(self, engine: Engine) -> Wakes:
        """Give the way to wake whoever waits for work."""
        ...

    def options(self, write: bool) -> Mapping[str, Any]:
        """Give the execution options of a connection that writes, or only reads."""
        ...

    def now(self, connection: Connection) -> datetime:
        """Read its clock."""
        ...

    def lock(
        self, connection: Connection, organisation: str, keys: Collection[str], whole: bool
    ) -> datetime:
        """Take locks to the end of the transaction; gives the clock's instant after the last."""
        ...

    def try_lock(self, connection: Connection, organisation: str, keys: Collection[str]) -> bool:
        """Take locks to the end of the transaction unless another holds one of them."""
        ...

    def cause(self, error: BaseException) -> str:
        """Give the cause of a driver's error: see `timevalg.store.refusals`."""
        ...
