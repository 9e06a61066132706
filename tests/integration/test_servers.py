"""The servers the other tests stand on: real, separate, crash-proof, and honest when missing."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis as redis_client

from benchmarks import servers

ROOT = Path(__file__).parents[2]


@pytest.fixture
def no_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TIMEVALG_TEST_POSTGRES_URL", raising=False)
    monkeypatch.delenv("TIMEVALG_TEST_REDIS_URL", raising=False)


@pytest.fixture
def no_wheels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "find_spec", lambda name: None)


def test_postgres_refuses_overlaps_by_an_exclusion_constraint(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
        connection.execute(
            "CREATE TABLE booked (room int, span int4range,"
            " EXCLUDE USING gist (room WITH =, span WITH &&))"
        )
        insert = "INSERT INTO booked VALUES (1, int4range(%s, %s))"
        connection.execute(insert, (1, 5))
        connection.execute(insert, (5, 9))
        with pytest.raises(psycopg.errors.ExclusionViolation):
            connection.execute(insert, (4, 6))


def test_a_database_is_a_copy_of_its_template(postgres: servers.Postgres) -> None:
    template = postgres.create_database()
    with psycopg.connect(template, autocommit=True) as connection:
        connection.execute("CREATE TABLE mark (n int)")
    copy = postgres.create_database(template)
    with psycopg.connect(copy) as connection:
        connection.execute("INSERT INTO mark VALUES (1)")
    with psycopg.connect(template) as connection:
        assert connection.execute("SELECT count(*) FROM mark").fetchone() == (0,)
    for url in (template, copy):
        postgres.drop_database(url)
        with pytest.raises(psycopg.OperationalError, match="does not exist"):
            psycopg.connect(url)


def test_dropping_a_database_does_not_wait_for_who_is_connected(postgres: servers.Postgres) -> None:
    url = postgres.create_database()
    with psycopg.connect(url, autocommit=True) as connection:
        postgres.drop_database(url)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


@pytest.mark.parametrize("mark", ["first", "second"])
def test_redis_is_empty_for_each_test(redis_url: str, mark: str) -> None:
    with redis_client.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set(mark, 1)


@pytest.mark.parametrize("durable", [True, False])
def test_durability_is_postgres_own_unless_turned_off(durable: bool) -> None:
    with (
        servers.postgres(durable=durable, private=True) as server,
        psycopg.connect(server.url) as connection,
    ):
        for name in ("fsync", "full_page_writes"):
            value = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
            assert value == ("on" if durable else "off",)
        assert connection.execute("SELECT current_setting('synchronous_commit')").fetchone() == (
            "on",
        )


def test_postgres_keeps_what_was_committed_through_crash_and_restart() -> None:
    with servers.postgres(private=True) as server:
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
        for end in (server.kill, server.restart):
            end()
            server.restart()
            with psycopg.connect(server.url) as connection:
                assert connection.execute("SELECT n FROM kept").fetchone() == (1,)


def test_redis_forgets_everything_when_it_restarts() -> None:
    with servers.redis(private=True) as server:
        for end in (server.kill, server.restart):
            with redis_client.Redis.from_url(server.url) as client:
                client.set("a", 1)
            end()
            server.restart()
            with redis_client.Redis.from_url(server.url) as client:
                assert client.get("a") is None


def test_stop_leaves_neither_process_nor_folder() -> None:
    for server in (servers.postgres(private=True), servers.redis(private=True)):
        process, folder = server._process, server._folder
        assert process is not None and folder is not None and folder.exists()
        server.stop()
        assert process.poll() is not None
        assert not folder.exists()
        server.stop()  # twice does no harm


if sys.platform == "linux":  # elsewhere a process cannot ask to end with another

    def test_a_server_ends_with_the_process_that_started_it() -> None:
        """Killed with SIGKILL, that process can clean up nothing itself."""
        program = (
            "from benchmarks import servers; import os, signal;"
            "both = servers.postgres(private=True), servers.redis(private=True);"
            "print(*(f'{s._process.pid} {s._folder}' for s in both), sep='\\n', flush=True);"
            "os.kill(os.getpid(), signal.SIGKILL)"
        )
        command = [sys.executable, "-c", program]
        died = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
        started = [line.split() for line in died.stdout.splitlines()]
        assert len(started) == 2, died.stderr
        for pid, folder in started:
            assert _ended(int(pid))
            shutil.rmtree(folder)

    def _ended(pid: int) -> bool:
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            return True
        try:
            return bool(select.select([handle], [], [], 30)[0])
        finally:
            os.close(handle)


def test_an_address_in_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIMEVALG_TEST_POSTGRES_URL", "postgresql+psycopg://u@db.example/x")
    monkeypatch.setenv("TIMEVALG_TEST_REDIS_URL", "redis://r.example/3")
    postgres, redis = servers.postgres(), servers.redis()
    assert postgres.url == "postgresql://u@db.example/x"
    assert redis.database(5) == "redis://r.example/5"
    for server in (postgres, redis):
        assert not server.ours
        with pytest.raises(RuntimeError, match="private=True"):
            server.kill()
        server.stop()


@pytest.mark.usefixtures("no_addresses", "no_wheels")
def test_without_any_server_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers.shutil, "which", lambda name: None)
    monkeypatch.setattr(servers, "_DEBIAN", Path("/nowhere"))
    with pytest.raises(servers.ServerMissing, match="apt install postgresql"):
        servers.postgres()
    with pytest.raises(servers.ServerMissing, match="apt install redis-server"):
        servers.redis()


@pytest.mark.usefixtures("no_wheels")
def test_without_the_wheel_the_system_is_searched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(servers.shutil, "which", lambda name: None)
    monkeypatch.setattr(servers, "_DEBIAN", tmp_path)
    for version in ("9", "15"):
        binaries = tmp_path / version / "bin"
        binaries.mkdir(parents=True)
        for name in ("postgres", "initdb"):
            (binaries / name).touch()
    assert servers._postgres_binaries(tmp_path, copy=True) == tmp_path / "15" / "bin"
    monkeypatch.setattr(servers.shutil, "which", lambda name: f"/opt/bin/{name}")
    assert servers._redis_binary() == Path("/opt/bin/redis-server")
