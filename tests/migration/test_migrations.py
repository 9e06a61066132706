"""The migrations make what the tables say, can be repeated, and can be taken back."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Engine, create_engine, inspect

from benchmarks.servers import Postgres
from tests.contract.samples import ORG, session
from timevalg.model.errors import InvalidInput, TimeTaken
from timevalg.store import Database
from timevalg.store.migrate import current, downgrade, head, scripts, upgrade
from timevalg.store.sqlite import Sqlite
from timevalg.store.tables import metadata


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/with a %20 space.db"
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    url = postgres.create_database()
    yield url
    postgres.drop_database(url)


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = create_engine(url)
    yield engine
    engine.dispose()


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


def test_migrations_equal_metadata(url: str, engine: Engine):
    upgrade(url)
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_checks_equal_metadata(url: str, engine: Engine):
    """What `compare_metadata` does not look at: names of checks, and the words in them."""
    upgrade(url)

    def words(sql: object) -> list[str]:
        return sorted(word.strip("'") for word in re.findall(r"'[^']*'|\d+", str(sql)))

    for table in metadata.sorted_tables:
        made = {
            str(check["name"]): words(check["sqltext"])
            for check in inspect(engine).get_check_constraints(table.name)
        }
        said = {
            str(check.name).removeprefix(f"ck_{table.name}_"): words(check.sqltext)
            for check in table.constraints
            if isinstance(check, CheckConstraint)
        }
        assert made == {f"ck_{table.name}_{name}": text for name, text in said.items()}


def test_up_down_up(url: str, engine: Engine):
    assert current(url) is None
    upgrade(url)
    assert current(url) == head()
    assert tables(engine) == set(metadata.tables)
    downgrade(url, "base")
    assert current(url) is None
    assert tables(engine) == set()
    upgrade(url)
    assert tables(engine) == set(metadata.tables)
    database = Database(url)
    database.run(ORG, lambda unit: unit.sessions.claim([session()]))
    with pytest.raises(TimeTaken):
        database.run(ORG, lambda unit: unit.sessions.claim([session("s-2", 10)]))
    database.close()


def test_twice_changes_nothing(url: str):
    upgrade(url)
    database = Database(url)
    database.run(ORG, lambda unit: unit.sessions.claim([session()]))
    upgrade(url)
    assert database.run(ORG, lambda unit: unit.sessions.find()) == [session()]
    database.close()


def test_several_processes_at_once(url: str, engine: Engine):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(upgrade, [url] * 4))
    assert tables(engine) == set(metadata.tables)


class Refusing(sqlite3.Connection):
    """One of several that open a new file at once: twice SQLite refuses it, without a wait."""

    left = 2

    def execute(self, sql: str, *given: Any) -> sqlite3.Cursor:
        if "journal_mode" in sql and self.left:
            self.left -= 1
            refusal = sqlite3.OperationalError("database is locked")
            refusal.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise refusal
        return super().execute(sql, *given)


@pytest.mark.parametrize("patience", [5.0, 0.0])
def test_a_new_sqlite_file_that_others_open_too_is_waited_for(tmp_path: Path, patience: float):
    connection = sqlite3.connect(tmp_path / "new.db", factory=Refusing)
    if patience:
        Sqlite(patience)._connected(connection, None)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    else:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            Sqlite(patience)._connected(connection, None)
    connection.close()


def test_each_migration_can_be_taken_back(url: str):
    """Down and up again at each step."""
    for script in reversed(list(ScriptDirectory(str(scripts())).walk_revisions())):
        upgrade(url, script.revision)
        downgrade(url, "-1")
        upgrade(url, script.revision)
    assert current(url) == head()


def test_a_failed_migration_leaves_nothing(url: str, engine: Engine):
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE work (id TEXT)")
    with pytest.raises(Exception, match="already exists"):
        upgrade(url)
    assert tables(engine) == {"work"}
    assert current(url) is None


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("mysql://x/y", "neither sqlite nor postgresql"),
        ("timevalg.db", "no address"),
    ],
)
def test_addresses_that_are_none(url: str, said: str):
    with pytest.raises(InvalidInput, match=said):
        Database(url)
