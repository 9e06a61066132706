"""Migrations: bring a database to a revision, tell where it is.

The scripts lie in ``migrations/`` of a checkout and in ``timevalg/_migrations`` of a wheel.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from timevalg.model.errors import InvalidInput
from timevalg.store.database import dialect_of
from timevalg.store.postgres import lock_number


def upgrade(url: str, revision: str = "head") -> None:
    """Bring a database to a revision; several processes may ask for it at once.

    Parameters
    ----------
    url : str
        ``sqlite:///file.db`` or ``postgresql://…``.
    revision : str
        Its name, ``head``, or relative: ``+1``.
    """
    _migrate(url, revision, down=False)


def downgrade(url: str, revision: str) -> None:
    """Take a database back to a revision (``base``: to nothing). What it drops is lost."""
    _migrate(url, revision, down=True)


def current(url: str) -> str | None:
    """Give the revision that a database is at; None if it is empty."""
    engine = dialect_of(url).engine(url)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()


def require_current(url: str) -> None:
    """Refuse a database that is not there, or not as this installation needs it.

    Raises
    ------
    InvalidInput
        Naming ``--database``; a file that is not there is not made.
    """
    dialect_of(url)  # refuses what is no address
    where = make_url(url)
    file = where.database if where.get_backend_name() == "sqlite" else None
    if file and file != ":memory:" and not Path(file).exists():
        raise InvalidInput.single("--database", f"there is no file {file}", "command line")
    try:
        at = current(url)
    except DBAPIError as error:
        said = "it cannot be reached or read"
        raise InvalidInput.single("--database", said, "command line") from error
    if at != head():
        said = f"it is at {at or 'nothing'}, not at {head()}; run `timevalg db upgrade`"
        raise InvalidInput.single("--database", said, "command line")


def head() -> str | None:
    """Give the newest revision there is."""
    return ScriptDirectory(str(scripts())).get_current_head()


def scripts() -> Path:
    """Give the folder of the migrations.

    Raises
    ------
    FileNotFoundError
        If this installation carries none.
    """
    package = Path(str(files("timevalg")))
    for folder in (package / "_migrations", package.parent / "migrations"):
        if (folder / "env.py").exists():
            return folder
    raise FileNotFoundError(f"no migrations beside {package}: install timevalg again")


def _migrate(url: str, revision: str, down: bool) -> None:
    dialect = dialect_of(url)
    engine = dialect.engine(url)
    config = Config()
    config.set_main_option("script_location", str(scripts()).replace("%", "%%"))
    try:
        with engine.begin() as connection:  # on SQLite this alone keeps others out
            if engine.dialect.name == "postgresql":
                wait = text("SELECT set_config('lock_timeout', '0', true)")
                connection.execute(wait)
                mine = {"key": lock_number("timevalg", "migrations")}
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), mine)
            config.attributes["connection"] = connection
            (command.downgrade if down else command.upgrade)(config, revision)
    finally:
        engine.dispose()
