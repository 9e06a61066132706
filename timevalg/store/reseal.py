"""Reseal: what is not sealed with the newest key is, while others go on reading and writing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Column, Connection, Text, bindparam, func, select, text, type_coerce, update
from sqlalchemy.exc import ProgrammingError

from timevalg.model.errors import InvalidInput
from timevalg.store.columns import Sealed
from timevalg.store.database import dialect_of
from timevalg.store.kinds import AUDIT
from timevalg.store.tables import metadata
from timevalg.store.vault import PREFIX, DataKeys, Vault, vault_of

AT_ONCE = 500
"""Rows in one transaction."""
_TRIGGER = "tr_audit_append_only"
_MADE = text("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = :name")

STRANGE, PLAIN = "some are sealed with a key that is not there", "some are not sealed"
CURES = {
    STRANGE: "put the key back into TIMEVALG_DATA_KEYS, after the newest",
    PLAIN: "timevalg db reseal",
}


def sealed_columns() -> Iterator[Column[str]]:
    """Give every column that is sealed where keys are given, those of the audit log last."""
    tables = sorted(metadata.sorted_tables, key=lambda table: table.name == AUDIT.table)
    for table in tables:
        yield from (column for column in table.columns if isinstance(column.type, Sealed))


def reseal(url: str, keys: DataKeys, told: Callable[[str, int], None]) -> int:
    """Seal with the newest key what is not; gives how many values that was.

    So are the reasons in the audit log, by whoever owns its table: the program's own role may only
    add to it. What they say is as it was, so that the log's digests hold. On SQLite what was there
    before is also removed from the file.

    Parameters
    ----------
    told : callable
        Called with a column and how many of its values have been sealed, again and again.

    Raises
    ------
    InvalidInput
        If there are no keys, or (when all else is done) the log's table is somebody else's.
    """
    vault = vault_of(keys)
    if vault is None:
        raise InvalidInput.single("TIMEVALG_DATA_KEYS", "is not set", "environment")
    engine = dialect_of(url).engine(url)
    total = 0
    try:
        for column in sealed_columns():
            number, after = 0, ("", "")
            while True:
                with engine.begin() as connection:
                    done, after, more = _some(connection, vault, column, after)
                number += done
                told(str(column), number)
                if not more:
                    break
            total += number
        if engine.dialect.name == "sqlite":
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                driver = connection.connection.driver_connection
                assert driver is not None
                driver.execute("VACUUM")
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        engine.dispose()
    return total


def _some(
    connection: Connection, vault: Vault, column: Column[str], after: tuple[str, str]
) -> tuple[int, tuple[str, str], bool]:
    """Seal some values, those after a row; gives how many, the last row, and whether it goes on."""
    table, raw = column.table, type_coerce(column, Text)
    key = (table.c.organisation, table.c.id)
    later = (key[0] > after[0]) | ((key[0] == after[0]) & (key[1] > after[1]))
    query = select(*key, raw).where(later, raw != "").order_by(*key).limit(AT_ONCE)
    found = connection.execute(query).all()
    place = str(column)
    same = update(table).where(
        key[0] == bindparam("organisation_"),
        key[1] == bindparam("id_"),
        raw == bindparam("was", type_=Text),
    )
    change = same.values({column.name: type_coerce(bindparam("anew", type_=Text), Text)})
    rows = [
        {"organisation_": o, "id_": i, "was": was, "anew": _anew(vault, was, place)}
        for o, i, was in found
        if not vault.is_newest(was)
    ]
    if rows:
        with _writable(connection, table.name):
            connection.execute(change, rows)
    last = (found[-1][0], found[-1][1]) if found else after
    return len(rows), last, len(found) == AT_ONCE


@contextmanager
def _writable(connection: Connection, table: str) -> Iterator[None]:
    """Put the triggers aside that let the audit log only grow, within the transaction.

    Raises
    ------
    InvalidInput
        If the table is somebody else's.
    """
    if table != AUDIT.table:
        yield
        return
    if connection.dialect.name == "sqlite":
        (made,) = connection.execute(_MADE, {"name": f"{_TRIGGER}_UPDATE"}).scalars()
        aside, back = f"DROP TRIGGER {_TRIGGER}_UPDATE", str(made)
    else:
        alter = f"ALTER TABLE {table} {{}} TRIGGER {_TRIGGER}"
        aside, back = alter.format("DISABLE"), alter.format("ENABLE")
    try:
        connection.execute(text(aside))
    except ProgrammingError as error:
        why = "the audit log is sealed anew by the owner of its table; the rest is done"
        raise InvalidInput.single("--database", why, "command line") from error
    yield
    connection.execute(text(back))


def _anew(vault: Vault, was: str, place: str) -> str:
    plain = vault.open(was, place) if was.startswith(PREFIX) else was
    return vault.seal(plain, place)


def unreadable(connection: Connection, vault: Vault | None) -> Iterator[tuple[str, str]]:
    """Give columns with values whose key is not there, or that are not sealed, and which it is."""
    for column in sealed_columns():
        raw = type_coerce(column, Text)
        names = vault.names if vault else ()
        sealed = raw.startswith(PREFIX, autoescape=True)
        known = [raw.startswith(f"{PREFIX}{name}:", autoescape=True) for name in names]
        strange = select(func.count()).where(sealed, *(~k for k in known)).select_from(column.table)
        if connection.execute(strange).scalar_one():
            yield str(column), STRANGE
        plain = select(func.count()).where(raw != "", ~sealed).select_from(column.table)
        if vault and connection.execute(plain).scalar_one():
            yield str(column), PLAIN
