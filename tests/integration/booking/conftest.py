"""A clinic with people in it, on each store: memory, SQLite and PostgreSQL."""

import pytest

from tests.contract.conftest import (  # noqa: F401 - fixtures
    emptied_postgres_url,
    migrated,
    shared,
    sqlite_url,
)
from tests.world import World
from timevalg.store import Database, Memory

_URLS = {"sqlite": "sqlite_url", "postgresql": "emptied_postgres_url"}


@pytest.fixture
def open_store(request):
    """Open the store of a kind; closed after the test."""
    opened = []

    def make(kind, clock):
        store = (
            Memory(clock)
            if kind == "memory"
            else Database(request.getfixturevalue(_URLS[kind]), clock)
        )
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
