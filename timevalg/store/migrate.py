"""Migrations: bring a database to a revision, tell where it is.

The scripts lie in ``migrations/`` of a checkout and in ``timevalg/_migrations`` of a wheel.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, make_url, text
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

    Raises
    ------
    InvalidInput
        Naming ``--database``, if it cannot be reached, or a newer timevalg has been there.
    """
    _migrate(url, revision, down=False)


def downgrade(url: str, revision: str) -> None:
    """Take a database back to a revision (``base``: to nothing). What it drops is lost."""
    _migrate(url, revision, down=True)


def current(url: str) -> str | None:
    """Give the revision that a database is at; None if it is empty."""
    with reaching(url) as engine, engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


@contextmanager
def reaching(url: str) -> Iterator[Engine]:
    """Give an engine for work on a database itself, as long as it lasts.

    Raises
    ------
    InvalidInput
        Naming ``--database``, with what the database or its driver says if it refuses.
    """
    engine = dialect_of(url).engine(url)
    try:
        yield engine
    except (DBAPIError, sqlite3.Error) as error:
        said = str(error.orig if isinstance(error, DBAPIError) else error).partition("\n")[0]
        raise _refused(f"it cannot be reached or used: {said}") from error
    finally:
        engine.dispose()


def require_there(url: str) -> None:
    """Refuse a file that is not there, which SQLite would make.

    Raises
    ------
    InvalidInput
        Naming ``--database``.
    """
    if not is_there(url):
        raise _refused(f"there is no file {make_url(url).database}")


def is_there(url: str) -> bool:
    """Tell whether there is a database to ask: SQLite would make the file that is not there.

    Raises
    ------
    InvalidInput
        If it is no address.
    """
    dialect_of(url)
    where = make_url(url)
    file = where.database if where.get_backend_name() == "sqlite" else None
    return not file or file == ":memory:" or Path(file).exists()


def require_current(url: str) -> None:
    """Refuse a database that is not there, or not as this installation needs it.

    Raises
    ------
    InvalidInput
        Naming ``--database``; a file that is not there is not made.
    """
    require_there(url)
    differs = mismatch(current(url))
    if differs is not None:
        raise _refused("; ".join(differs))


def mismatch(at: str | None) -> tuple[str, str] | None:
    """Say how a database's revision is not the one needed here, and the cure; None = it is."""
    if at == head():
        return None
    if _is_known(at):
        return f"it is at {at or 'nothing'}, not at {head()}", "run `timevalg db upgrade`"
    return f"it is at {at}, which this timevalg does not know", "install the newer timevalg"


def head() -> str | None:
    """Give the newest revision there is."""
    return _directory().get_current_head()


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


def _directory() -> ScriptDirectory:
    return ScriptDirectory(str(scripts()))


def _is_known(at: str | None) -> bool:
    return at is None or at in {script.revision for script in _directory().walk_revisions()}


def _refused(said: str) -> InvalidInput:
    return InvalidInput.single("--database", said, "command line")


def _migrate(url: str, revision: str, down: bool) -> None:
    config = Config()
    config.set_main_option("script_location", str(scripts()).replace("%", "%%"))
    with reaching(url) as engine, engine.begin() as connection:  # on SQLite this keeps others out
        if engine.dialect.name == "postgresql":
            wait = text("SELECT set_config('lock_timeout', '0', true)")
            connection.execute(wait)
            mine = {"key": lock_number("timevalg", "migrations")}
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), mine)
        at = MigrationContext.configure(connection).get_current_revision()
        if not _is_known(at):
            raise _refused("; ".join(mismatch(at) or ()))
        config.attributes["connection"] = connection
        (command.downgrade if down else command.upgrade)(config, revision)
