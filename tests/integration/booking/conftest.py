"""A clinic with people in it, on each store: memory, SQLite and PostgreSQL."""

import functools
import shutil

import pytest

from tests.contract.conftest import emptied_postgres_url, migrated, shared  # noqa: F401 - fixtures
from tests.world import World
from timevalg.store import Database, Memory

_URLS = {"sqlite": "sqlite_url", "postgresql": "emptied_postgres_url"}


class Lent:
    """A database that one test after the other has, each with its own clock and no connection.

    What it keeps is its statements' text: to compile them anew would take a fifth of all the time.
    """

    def __init__(self, url):
        self.clock = None
        self.store = Database(url, self)

    def now(self, unit):
        return self.clock.now(unit)


@pytest.fixture(scope="session")
def lent():
    return functools.cache(Lent)


@pytest.fixture(scope="session")
def sqlite_file(tmp_path_factory):
    return tmp_path_factory.mktemp("sqlite") / "timevalg.db"


@pytest.fixture
def sqlite_url(migrated, sqlite_file):  # noqa: F811 - the fixture
    """The address of a migrated SQLite file, a new one for each test at the same path."""
    for old in sqlite_file.parent.iterdir():
        old.unlink()
    return f"sqlite:///{shutil.copy(migrated, sqlite_file)}"


@pytest.fixture
def open_store(request, lent):
    """Open the store of a kind; closed after the test."""
    opened = []

    def make(kind, clock):
        if kind == "memory":
            store = Memory(clock)
        else:
            url = request.getfixturevalue(_URLS[kind])
            known = lent(url)
            if known.store in opened:  # it is the second of one test
                store = Database(url, clock)
            else:
                store, known.clock = known.store, clock
        opened.append(store)
        return store

    yield make
    for store in opened:
        store.close()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def make_world(request, open_store):
    """Make a world with a clinic of one's own, once for each store."""
    return lambda *source: World(lambda clock: open_store(request.param, clock), *source)


@pytest.fixture
def world(make_world):
    return make_world()


@pytest.fixture
def stored(make_world):
    """A world on each store, where most tests of a file need none."""
    return make_world()


@pytest.fixture
def quick():
    """A world in memory, for cases in which the store plays no part."""
    return World(Memory)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, open_store):
    """A world on a database, for what happens at the same moment."""
    return World(lambda clock: open_store(request.param, clock))
