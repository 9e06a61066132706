"""Where the race is run: a PostgreSQL of its own, or somebody's empty database."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import servers
from timevalg.store import Database
from timevalg.store.migrate import current, downgrade, upgrade


class NotEmpty(RuntimeError):
    """The database has organisations in it: a race would be run among patients."""


@contextmanager
def database(url: str | None, keep: bool) -> Iterator[str]:
    """Give the address of a migrated database; afterwards it is as it was, unless kept.

    Parameters
    ----------
    url : str or None
        Somebody's; None = start a server with PostgreSQL's own durability.
    """
    if url is not None:
        with _theirs(url.replace("postgresql+psycopg://", "postgresql://", 1), keep) as address:
            yield address
        return
    server = servers.postgres(durable=True, private=True)
    try:
        address = server.create_database()
        upgrade(address)
        yield address
    except BaseException:
        server.stop()
        raise
    if keep:
        _leave_running(server)
    else:
        server.stop()


def pgbench() -> Path:
    """Give pgbench, from where the servers come."""
    return servers.postgres_program("pgbench")


@contextmanager
def _theirs(url: str, keep: bool) -> Iterator[str]:
    before = current(url)
    if before is not None:
        store = Database(url)
        try:
            if store.organisations():
                raise NotEmpty(f"{servers.database_name(url)} has organisations: give an empty one")
        finally:
            store.close()
    upgrade(url)
    try:
        yield url
    finally:
        if not keep:
            downgrade(url, "base")
            if before is not None:
                upgrade(url, before)


def _leave_running(server: servers.Postgres) -> None:
    """Start it once more, so that it outlives this process."""
    server._end(server._fast)
    folder = server._ours()
    with (folder / "log").open("ab") as log:
        left = subprocess.Popen(
            server._argv,
            cwd=folder,
            user=server._user or None,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    left.returncode = 0  # it is not waited for
    print(
        f"PostgreSQL is left running in {folder}; to end it: kill -INT {left.pid}", file=sys.stderr
    )
