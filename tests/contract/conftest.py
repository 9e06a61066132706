"""One store of each sort for each test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psycopg
import pytest

from benchmarks import servers
from tests.contract.samples import NINE
from timevalg.booking.unit_of_work import Store
from timevalg.store import Database, Memory, SetClock
from timevalg.store.database import dialect_of
from timevalg.store.migrate import upgrade
from timevalg.store.tables import metadata

_URLS = {
    "sqlite": "sqlite_url",
    "postgresql": "emptied_postgres_url",
    "own postgresql": "postgres_url",
}
_EMPTY = ["SET session_replication_role = replica"]  # no triggers: the audit is emptied too
_EMPTY += [f"DELETE FROM {table}" for table in metadata.tables]


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NINE)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "timevalg.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(migrated: Path, tmp_path: Path) -> str:
    """The address of a migrated SQLite file of its own for each test."""
    return f"sqlite:///{shutil.copy(migrated, tmp_path)}"


@pytest.fixture(scope="session")
def shared() -> Iterator[dict[servers.Postgres, str]]:
    """One migrated PostgreSQL database for all of these tests."""
    urls: dict[servers.Postgres, str] = {}
    yield urls
    for server, url in urls.items():
        server.drop_database(url)


@pytest.fixture
def emptied_postgres_url(postgres: servers.Postgres, shared: dict[servers.Postgres, str]) -> str:
    """The address of the shared database, emptied: 2 ms, where a new one takes 50."""
    if postgres not in shared:
        shared[postgres] = postgres.create_database()
        upgrade(shared[postgres])
    empty(shared[postgres])
    return shared[postgres]


def empty(url: str) -> None:
    """Delete every row of a PostgreSQL database."""
    with psycopg.connect(url) as connection:
        connection.execute(";".join(_EMPTY))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """The address of a migrated database, once for each kind."""
    return request.getfixturevalue(_URLS[request.param])


@pytest.fixture
def database(url: str, clock: SetClock) -> Iterator[Database]:
    database = Database(url, clock)
    yield database
    database.close()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, clock: SetClock) -> Iterator[Store]:
    """The port, once for each adapter."""
    if request.param == "memory":
        yield Memory(clock)
        return
    database = Database(request.getfixturevalue(_URLS[request.param]), clock)
    yield database
    database.close()


@pytest.fixture
def raw(url: str) -> Iterator[Callable[[str], Sequence[Sequence[object]]]]:
    """Execute SQL behind the store's back."""
    engine = dialect_of(url).engine(url)

    def execute(*statements: str) -> Sequence[Sequence[object]]:
        with engine.begin() as connection:
            for statement in statements:
                result = connection.exec_driver_sql(statement)
            return [tuple(row) for row in result] if result.returns_rows else []

    yield execute
    engine.dispose()
