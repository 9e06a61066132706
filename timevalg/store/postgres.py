"""PostgreSQL: READ COMMITTED for writers, advisory locks, an exclusion constraint."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Table,
    bindparam,
    create_engine,
    event,
    literal_column,
    text,
    tuple_,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.expression import ColumnElement

from timevalg.model.errors import InvalidInput
from timevalg.store import refusals
from timevalg.store.columns import as_array
from timevalg.store.wakes import Wakes
from timevalg.store.writing import Gathered

_MOST_LOCKS = 1000
"""A transaction that needs more takes the organisation's alone: the server's table of locks
holds some thousands, for everybody together."""

_STATES: Mapping[str, str] = {
    "40001": refusals.REPEAT,  # serialization failure
    "40P01": refusals.REPEAT,  # deadlock
    "55P03": refusals.BUSY,  # lock_timeout
    "53200": refusals.BUSY,  # out of shared memory
    "53300": refusals.BUSY,  # too many connections
    "25006": refusals.READ_ONLY,
    "23502": refusals.NOT_NULL,
}
_OLDEST = "CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)"
_CLOCK = text("SELECT clock_timestamp()")
_WHOLE = text("SELECT pg_advisory_xact_lock(:whole), clock_timestamp() AS after")
_TRY = text(
    "SELECT bool_and(pg_try_advisory_xact_lock(key)) FROM unnest(CAST(:keys AS bigint[])) AS key"
)
_LOCKS = text(
    "SELECT CASE position WHEN 1 THEN pg_advisory_xact_lock_shared(key)"
    " ELSE pg_advisory_xact_lock(key) END, clock_timestamp() AS after"
    " FROM unnest(CAST(:keys AS bigint[])) WITH ORDINALITY AS wanted (key, position)"
)


@dataclass(frozen=True)
class Postgres:
    """The ways of PostgreSQL; `patience` = seconds to wait for a lock."""

    takes_arrays: ClassVar[bool] = True
    patience: float = 3.0

    def insert(self, table: Table) -> postgresql.Insert:
        """Give its INSERT, which knows ``on_conflict_do_nothing``."""
        return postgresql.insert(table)

    def writing(self, connection: Connection) -> Gathered:
        """Gather what is inserted, to send it together."""
        return Gathered(connection)

    @property
    def oldest_running(self) -> ColumnElement[int]:
        """The oldest transaction that still runs: nothing below it can appear any more."""
        return literal_column(_OLDEST, BigInteger)

    def after(self, transaction: Column[int], sequence: Column[int]) -> ColumnElement[bool]:
        """Compare the pairs, as the index of the feed has them."""
        last = (bindparam(name, type_=BigInteger()) for name in ("transaction", "sequence"))
        return tuple_(transaction, sequence) > tuple_(*last)

    def engine(self, url: str) -> Engine:
        """Make the engine."""
        try:
            engine = create_engine(
                url,
                isolation_level="READ COMMITTED",
                hide_parameters=True,  # errors go to logs; patients do not
                pool_size=20,
                max_overflow=10,
                pool_use_lifo=True,  # few stay busy, with their statements prepared
            )
        except ModuleNotFoundError as error:
            raise InvalidInput.single(
                "database", f"{error.name} is missing: pip install 'timevalg[postgres]'"
            ) from error
        event.listen(engine, "connect", self._connected)
        return engine

    def wakes(self, engine: Engine) -> Wakes:
        """Wake every process on the database."""
        from timevalg.store.postgres_wakes import PostgresWakes  # psycopg is an extra

        address = engine.url.set(drivername="postgresql")
        return PostgresWakes(address.render_as_string(hide_password=False))

    def options(self, write: bool) -> Mapping[str, Any]:
        """Give readers one snapshot for all they read."""
        if write:
            return {}
        return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}

    def now(self, connection: Connection) -> datetime:
        """Read the server's clock as it is now, not as it was when the transaction began."""
        moment: datetime = connection.execute(_CLOCK).scalar_one()
        return moment.astimezone(UTC)

    def lock(
        self, connection: Connection, organisation: str, keys: Collection[str], whole: bool
    ) -> datetime:
        """Take the organisation's lock, then the others in the order of their numbers."""
        first = lock_number(organisation)
        if whole or len(keys) > _MOST_LOCKS:
            taken = connection.execute(_WHOLE, {"whole": first})
        else:
            rest = sorted({lock_number(organisation, key) for key in keys})
            taken = connection.execute(_LOCKS, {"keys": as_array([first, *rest])})
        moment: datetime = taken.all()[-1].after
        return moment.astimezone(UTC)

    def try_lock(self, connection: Connection, organisation: str, keys: Collection[str]) -> bool:
        """Take locks unless another transaction holds one of them; waits for nobody."""
        numbers = [lock_number(organisation, key) for key in keys]
        return bool(connection.execute(_TRY, {"keys": as_array(numbers)}).scalar_one())

    def cause(self, error: BaseException) -> str:
        """Give the cause of a driver's error."""
        state = getattr(error, "sqlstate", None) or ""
        if state in _STATES:
            return _STATES[state]
        diagnosis = getattr(error, "diag", None)
        name = getattr(diagnosis, "constraint_name", None)
        return name or (refusals.VALUE if state.startswith("22") else state)

    def _connected(self, connection: Any, _: Any) -> None:
        connection.execute(f"SET lock_timeout = {round(self.patience * 1000)}")
        connection.execute("SET timezone = 'UTC'")
        connection.commit()


def lock_number(*names: str) -> int:
    """Give the advisory lock of an organisation, or of a key in it: a signed 64-bit number."""
    digest = hashlib.blake2b("\0".join(names).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
