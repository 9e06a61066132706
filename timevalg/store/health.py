"""Is a database as the program needs it: its tables, its guards, its clock?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Table, text
from sqlalchemy.exc import DBAPIError

from timevalg.model.soundness import Finding
from timevalg.store.database import dialect_of
from timevalg.store.dialect import Dialect
from timevalg.store.grants import APPENDED
from timevalg.store.migrate import mismatch, upgrade
from timevalg.store.refusals import APPEND_ONLY, NO_OVERLAP
from timevalg.store.reseal import CURES, unreadable
from timevalg.store.tables import metadata
from timevalg.store.vault import DataKeys, vault_of

APART = timedelta(seconds=2)
"""How far the clocks of the database and of this machine may be apart."""

_UPGRADE = "timevalg db upgrade"
_OBJECTS = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"
_NO_OVERLAP = (
    "EXCLUDE USING gist"
    " (organisation WITH =, subject WITH =, int8range(starts_at, ends_at) WITH &&)"
)
_CONSTRAINTS = text(
    "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE connamespace = current_schema()::regnamespace AND convalidated"
)
_AHEAD = text(
    "SELECT count(*) FROM events"
    " WHERE txid >= CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint)"
)
_TOO_MUCH = text(
    "SELECT lower(what) FROM unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) AS what"
    " WHERE has_table_privilege(CAST(:table AS text), what)"
)
_TRIGGERS = text(
    "SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
    " WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')"
    " AND c.relnamespace = current_schema()::regnamespace"
)


def health(url: str, *, keys: DataKeys | None = None, production: bool = False) -> list[Finding]:
    """Look at a database itself; nothing is changed.

    Parameters
    ----------
    keys : DataKeys or None
        With which personal data can be opened.
    production : bool
        Also whether the program has more rights there than it needs.

    Raises
    ------
    InvalidInput
        If it is no address of a database.
    """
    dialect = dialect_of(url)
    engine = dialect.engine(url)
    is_file = engine.dialect.name == "sqlite"
    if is_file and not Path(engine.url.database or "").exists():
        return [Finding("reachable", "there is no such file", _UPGRADE)]
    try:
        with engine.connect() as connection:
            findings = [*_common(connection, dialect)]
            if "migrations" in {f.check for f in findings}:
                return findings  # the tables are other ones
            findings += (_sqlite if is_file else _postgres)(connection)
            if production and not is_file and not findings:
                findings += _rights(connection)
            if "tables" not in {f.check for f in findings}:
                findings += _keys(connection, keys)
            return findings
    except DBAPIError as error:
        cure = "start the server, or mend the address, the user's rights, the network"
        return [Finding("reachable", f"no answer: {type(error.orig).__name__}", cure)]
    finally:
        engine.dispose()


def _common(connection: Connection, dialect: Dialect) -> Iterator[Finding]:
    context = MigrationContext.configure(connection)
    differs = mismatch(context.get_current_revision())
    if differs is not None:
        yield Finding("migrations", *differs)
        return
    for difference in compare_metadata(context, metadata):
        what = _described(difference)
        yield Finding("tables", f"not as the program expects: {what}", f"put it back ({_UPGRADE})")
    apart = abs(dialect.now(connection) - datetime.now(UTC))
    if apart > APART:
        what = f"the database's clock and this machine's are {apart.total_seconds():.0f} s apart"
        yield Finding("clock", what, "let both follow the same time server")


def _described(difference: object) -> str:
    """Give a difference of alembic's in words: ``add_index ix_…``."""
    if isinstance(difference, list):
        return "; ".join(map(_described, difference))
    assert isinstance(difference, tuple)
    verb, *things = difference
    names = [
        getattr(t, "name", t) for t in things if isinstance(t, Table | str) or hasattr(t, "name")
    ]
    return " ".join(map(str, (verb, *names)))


def _postgres(connection: Connection) -> Iterator[Finding]:
    extension = text("SELECT 1 FROM pg_extension WHERE extname = 'btree_gist'")
    if connection.execute(extension).first() is None:
        yield Finding("btree_gist", "the extension is missing", "CREATE EXTENSION btree_gist")
    ahead = connection.execute(_AHEAD).scalar_one()
    if ahead:
        what = f"{ahead} events are numbered by another server: readers do not see them"
        yield Finding("feed", what, "stop everything; timevalg db restored")
    there = {name: told for name, told in connection.execute(_CONSTRAINTS)}
    if there.get(NO_OVERLAP) != _NO_OVERLAP:
        what = f"the constraint {NO_OVERLAP} is missing or another: times can be booked twice"
        cure = "stop all writers, mend what --deep finds, put back what migration 0001 makes"
        yield Finding("no overlap", what, cure)
    wanted = {str(c.name) for t in metadata.tables.values() for c in t.constraints}
    for name in sorted(wanted - there.keys()):
        yield Finding("constraints", f"{name} is missing or not validated", "put it back")
    triggers = set(connection.execute(_TRIGGERS).scalars())
    for name in sorted({APPEND_ONLY, "tr_audit_seals_append_only"} - triggers):
        yield Finding("audit", f"the trigger {name} is missing or off", "put it back")


def _keys(connection: Connection, keys: DataKeys | None) -> Iterator[Finding]:
    for column, what in unreadable(connection, vault_of(keys)):
        yield Finding("keys", f"{column}: {what}", CURES[what])


def _rights(connection: Connection) -> Iterator[Finding]:
    for table in APPENDED:
        if too_much := connection.execute(_TOO_MUCH, {"table": table}).scalars().all():
            what = f"this role may {', '.join(too_much)} in {table}: it could change the log"
            yield Finding(
                "audit", what, "timevalg db grant ROLE, and let the program use that role"
            )


def _sqlite(connection: Connection) -> Iterator[Finding]:
    mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
    if mode != "wal":
        yield Finding("journal", f"journal_mode is {mode}", "PRAGMA journal_mode=WAL")
    for (said,) in connection.exec_driver_sql("PRAGMA quick_check(5)"):
        if said != "ok":
            yield Finding("file", f"the file is damaged: {said}", "restore from a backup")
    there = {(kind, name): sql for kind, name, sql in connection.exec_driver_sql(_OBJECTS)}
    for (kind, name), sql in _fresh().items():
        if there.get((kind, name)) != sql:
            check = "no overlap" if name.startswith(NO_OVERLAP) else kind
            what = f"the {kind} {name} is missing or another"
            yield Finding(check, what, "timevalg doctor --deep; then put it back")


@cache
def _fresh() -> dict[tuple[str, str], str]:
    """Give the objects of a database that has just been made."""
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/fresh.db"
        upgrade(url)
        engine = dialect_of(url).engine(url)
        try:
            with engine.connect() as connection:
                rows = connection.exec_driver_sql(_OBJECTS)
                return {(kind, name): sql for kind, name, sql in rows}
        finally:
            engine.dispose()
