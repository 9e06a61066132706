"""A clinic on a database of its own, whose guards may be taken away."""

import pytest

from tests.contract.conftest import (  # noqa: F401 - fixtures
    emptied_postgres_url,
    migrated,
    shared,
    sqlite_url,
)
from tests.integration.truth.scenes import Scratch

_URLS = {"sqlite": "sqlite_url", "postgresql": "emptied_postgres_url"}


@pytest.fixture(params=["sqlite", "postgresql"])
def scratch(request, monkeypatch):
    """A migrated database that no other test uses at the time, of each kind."""
    scratch = Scratch(request.getfixturevalue(_URLS[request.param]), monkeypatch)
    yield scratch
    scratch.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def own(request, monkeypatch):
    """A database that no other test will use either: its guards need not be put back."""
    url = request.getfixturevalue(
        {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    )
    scratch = Scratch(url, monkeypatch)
    yield scratch
    scratch.close()


@pytest.fixture
def on_postgres(emptied_postgres_url, monkeypatch):  # noqa: F811 - the fixture
    scratch = Scratch(emptied_postgres_url, monkeypatch)
    yield scratch
    scratch.close()


@pytest.fixture
def on_sqlite(sqlite_url, monkeypatch):  # noqa: F811 - the fixture
    scratch = Scratch(sqlite_url, monkeypatch)
    yield scratch
    scratch.close()
