"""What every test may ask for: a PostgreSQL database and a Redis of its own.

With xdist the controller starts both servers before the workers, which inherit their addresses;
without it a server starts when the first test asks for it. Either way one run starts each once.
"""

from __future__ import annotations

import functools
import os
import uuid
from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql

from benchmarks import servers
from timevalg.store.migrate import upgrade

# The same examples in every run; --hypothesis-profile=long looks for new ones.
settings.register_profile(
    "timevalg",
    derandomize=True,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "long", settings.get_profile("timevalg"), derandomize=False, max_examples=5_000
)
settings.load_profile("timevalg")

_RUN = "TIMEVALG_TEST_RUN"  # names the run: its processes share one template database
_POSTGRES = pytest.StashKey[servers.Postgres]()
_REDIS = pytest.StashKey[servers.Redis]()


def pytest_configure(config: pytest.Config) -> None:
    if _is_worker(config):
        return
    _export(config, _RUN, uuid.uuid4().hex[:12])
    _let_processes_keep_bytecode(config)
    if getattr(config.option, "tx", None):  # xdist: the workers are about to inherit this
        try:
            _start_postgres(config)
            _start_redis(config)
        except (RuntimeError, OSError) as error:
            raise pytest.UsageError(str(error)) from error


@pytest.fixture
def postgres(pytestconfig: pytest.Config) -> servers.Postgres:
    """The PostgreSQL of the run. A test that stops it takes `servers.postgres(private=True)`."""
    return _start_postgres(pytestconfig)


@pytest.fixture
def postgres_url(postgres: servers.Postgres) -> Iterator[str]:
    """The address of a migrated database of its own for each test, dropped after it."""
    url = postgres.create_database(_template(postgres))
    yield url
    postgres.drop_database(url)


@pytest.fixture
def redis_url(pytestconfig: pytest.Config) -> str:
    """The address of an empty Redis database that no other xdist worker uses."""
    redis = _start_redis(pytestconfig)
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw-1")
    number = int(worker.removeprefix("gw")) + 1
    redis.flush(number)
    return redis.database(number)


def _start_postgres(config: pytest.Config) -> servers.Postgres:
    if _POSTGRES not in config.stash:
        server = config.stash[_POSTGRES] = servers.postgres()
        if not _is_worker(config):
            _export(config, "TIMEVALG_TEST_POSTGRES_URL", server.url)
            config.add_cleanup(server.stop)
            if not server.ours:
                config.add_cleanup(lambda: server.drop_database(_template_name()))
    return config.stash[_POSTGRES]


def _start_redis(config: pytest.Config) -> servers.Redis:
    if _REDIS not in config.stash:
        server = config.stash[_REDIS] = servers.redis()
        if not _is_worker(config):
            _export(config, "TIMEVALG_TEST_REDIS_URL", server.url)
            config.add_cleanup(server.stop)
    return config.stash[_REDIS]


def _template_name() -> str:
    return f"timevalg_template_{os.environ[_RUN]}"


@functools.cache
def _template(server: servers.Postgres) -> str:
    """Return the run's migrated database; the first process that asks makes it."""
    name = _template_name()
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(hashtext(%s))", [name])
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if not known.fetchone():
            url = server.create_database()
            try:
                upgrade(url)
                rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
                made = sql.Identifier(servers.database_name(url))
                server.execute(rename.format(made, sql.Identifier(name)))
            except BaseException:
                server.drop_database(url)
                raise
    return name


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _let_processes_keep_bytecode(config: pytest.Config) -> None:
    """What the first of many processes compiled need not be compiled by each."""
    patch = pytest.MonkeyPatch()
    patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    config.add_cleanup(patch.undo)


def _export(config: pytest.Config, name: str, value: str) -> None:
    """Set an environment variable until the end of the run."""
    patch = pytest.MonkeyPatch()
    patch.setenv(name, value)
    config.add_cleanup(patch.undo)
