"""The store on SQLite or PostgreSQL: one transaction for each unit of work."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from sqlalchemy import ExceptionContext, event, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from timevalg.booking.unit_of_work import Clock, UnitOfWork
from timevalg.model.errors import Busy, InvalidInput, Unsure
from timevalg.store.alone import Alone
from timevalg.store.dialect import Dialect
from timevalg.store.kinds import PUBLICATIONS
from timevalg.store.postgres import Postgres
from timevalg.store.refusals import Repeat, refusal
from timevalg.store.sqlite import Sqlite
from timevalg.store.tables import TABLES
from timevalg.store.unit import SqlUnit
from timevalg.store.vault import DataKeys, vault_of

R = TypeVar("R")

_DIALECTS: Mapping[str, Callable[..., Dialect]] = {
    "sqlite": Sqlite,
    "postgresql": Postgres,
}
_PUBLISHED = select(TABLES[PUBLICATIONS.table].c.organisation).distinct().order_by("organisation")
_REPEATS = 5
_PAUSE = 0.01
_FAILURE = "timevalg_failure"


class Database:
    """Where everything is kept.

    Parameters
    ----------
    url : str
        ``sqlite:///file.db`` or ``postgresql://…``, migrated by `timevalg.store.migrate`.
    clock : Clock, optional
        Instead of the database's own.
    patience : float, optional
        Seconds to wait for what others have locked; then `Busy`. 3 on PostgreSQL, 5 on SQLite.
    keys : DataKeys, optional
        What personal data are sealed with; default: they are not.

    Notes
    -----
    A statement that the database refuses ends the unit of work, also where the body catches the
    error: `run` raises it again instead of committing.
    """

    def __init__(
        self,
        url: str,
        clock: Clock | None = None,
        *,
        patience: float | None = None,
        keys: DataKeys | None = None,
    ) -> None:
        self._dialect = dialect_of(url, patience)
        self._engine = self._dialect.engine(url)
        setattr(self._engine.dialect, "timevalg_vault", vault_of(keys))  # noqa: B010 - where columns find it
        self._clock = clock
        self._alone = Alone()
        self._wakes = self._dialect.wakes(self._engine)
        event.listen(self._engine, "handle_error", self._refused)

    def run(self, organisation: str, body: Callable[[UnitOfWork], R], *, write: bool = True) -> R:
        """Run `body` in one transaction and commit.

        Again, at most 5 times, if the database chose it to end a deadlock, or if the connection
        was lost before the commit, or by one who only reads. `Unsure` if it was lost during the
        commit, `Busy` if there is none to be had.
        """
        with self._alone.held():
            for repeat in itertools.count():
                try:
                    return self._once(organisation, body, write)
                except (Repeat, Unsure) as asked:
                    if write and isinstance(asked, Unsure):
                        raise
                    if repeat == _REPEATS:
                        raise Busy() from asked
                    time.sleep(random.uniform(0, _PAUSE * 2**repeat))
        raise AssertionError("unreachable")

    def organisations(self) -> list[str]:
        """Give the organisations that have published a clinic."""
        with self._engine.connect() as connection:
            return list(connection.execute(_PUBLISHED).scalars())

    def listen(self, heard: Callable[[], None], stop: threading.Event) -> None:
        """Call `heard` whenever work that is due may have been written, until `stop` is set."""
        self._wakes.listen(heard, stop)

    def close(self) -> None:
        """Let go of all connections."""
        self._wakes.close()
        self._engine.dispose()

    def _once(self, organisation: str, body: Callable[[UnitOfWork], R], write: bool) -> R:
        try:
            connection = self._engine.connect()
        except PoolTimeout as error:
            raise Busy() from error
        with connection:
            connection.info.pop(_FAILURE, None)
            connection = connection.execution_options(**self._dialect.options(write))
            unit = SqlUnit(connection, self._dialect, organisation, self._clock, write)
            with connection.begin():
                result = body(unit)
                unit.writing.finish()
                if _FAILURE in connection.info:
                    raise connection.info[_FAILURE]
        if unit.rouses:
            self._wakes.rouse()
        return result

    def _refused(self, context: ExceptionContext) -> None:
        error = context.original_exception
        if not isinstance(context.sqlalchemy_exception, DBAPIError):
            raise error  # a value that its column refuses: the statement was not sent
        meant = _lost(context) or refusal(self._dialect.cause(error))
        if context.connection is not None:
            context.connection.info[_FAILURE] = meant or error
        if meant is not None:
            raise meant from error


def _lost(context: ExceptionContext) -> Exception | None:
    """Tell what a lost connection means: by then nothing was committed, or perhaps it was."""
    if context.connection is None:
        return Busy()  # there was none to lose: the database is away
    if not context.is_disconnect:
        return None
    return Repeat() if context.statement is not None else Unsure()


def dialect_of(url: str, patience: float | None = None) -> Dialect:
    """Give the ways of the database that an address names.

    Raises
    ------
    InvalidInput
        If it is no address, or one of another kind of database.
    """
    try:
        name = make_url(url).get_backend_name()
    except ArgumentError as error:
        raise InvalidInput.single("database", f"{url!r} is no address") from error
    if name not in _DIALECTS:
        raise InvalidInput.single("database", f"{name} is neither sqlite nor postgresql")
    return _DIALECTS[name]() if patience is None else _DIALECTS[name](patience)
