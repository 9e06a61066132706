"""Backups: a copy of a SQLite file in use, and what a restored database needs before it is used."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from timevalg.model.errors import InvalidInput
from timevalg.store.migrate import reaching, require_there, upgrade

_LOCK = text("LOCK TABLE events IN EXCLUSIVE MODE")
_NUMBER_ANEW = text(
    "UPDATE events SET txid = 0, seq = numbered.seq FROM"
    " (SELECT seq AS was, (SELECT max(seq) FROM events)"
    " + row_number() OVER (ORDER BY txid, seq) AS seq FROM events) AS numbered"
    " WHERE events.seq = numbered.was"
)
_GO_ON = text(
    "SELECT setval(pg_get_serial_sequence('events', 'seq'),"
    " (SELECT coalesce(max(seq), 0) + 1 FROM events), false)"
)
_COUNT = text("SELECT count(*) FROM events")


def backup(url: str, file: Path) -> None:
    """Copy a SQLite database, as it is at one moment, while others read and write it.

    Raises
    ------
    InvalidInput
        If it is another database, or there is such a file already.
    """
    with reaching(url) as engine:
        if engine.dialect.name != "sqlite":
            why = "PostgreSQL is backed up by pg_dump or pg_basebackup; see docs/backup.md"
            raise InvalidInput.single("database", why)
        require_there(url)
        if file.exists():
            raise InvalidInput.single("file", f"{file} exists; name a new one")
        if not file.parent.is_dir():
            raise InvalidInput.single("file", f"there is no folder {file.parent}")
        driver = engine.raw_connection()
        try:
            driver.cursor().execute("VACUUM INTO ?", (str(file),))
        finally:
            driver.close()


def restored(url: str) -> int:
    """Bring a restored database's tables up to date, and put its event feed in order.

    PostgreSQL orders the feed by numbers of transactions. Another server counts its own, so that
    what was restored could stand after everything to come. Cursors of readers outlast this.

    Returns
    -------
    int
        How many events there are.

    Raises
    ------
    InvalidInput
        Naming ``--database``, if it is not there or cannot be used.
    """
    require_there(url)
    upgrade(url)
    with reaching(url) as engine, engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            for statement in (_LOCK, _NUMBER_ANEW, _GO_ON):
                connection.execute(statement)
        return int(connection.execute(_COUNT).scalar_one())
