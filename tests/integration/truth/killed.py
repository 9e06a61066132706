"""A process that is killed while it books, at a named point around the commit.

The points are reached from outside: production code knows nothing of them.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from sqlalchemy import event

from tests.integration.truth.scenes import patient
from tests.meanwhile import meanwhile
from tests.world import MONDAY, Post
from timevalg.booking import choose
from timevalg.store import Database, SetClock
from timevalg.store.postgres import Postgres
from timevalg.store.sessions import SqlSessions
from timevalg.store.unit import SqlUnit
from timevalg.wiring import ports_on

KEY = "one-choice"


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def after(owner, name, reached=lambda *_, **__: True):
    """Die as soon as a method of a class has done its part of the booking."""
    real = getattr(owner, name)

    def method(self, *args, **named):
        result = real(self, *args, **named)
        if reached(*args, **named):
            die()
        return result

    setattr(owner, name, method)


def before_commit(store: Database) -> None:
    real = SqlSessions.claim

    def claim(self, sessions):
        real(self, sessions)
        event.listen(store._engine, "commit", lambda connection: die())

    SqlSessions.claim = claim


POINTS: dict[str, Callable[[Database], None]] = {
    "after the locks": lambda store: after(
        SqlUnit, "lock", lambda keys, **_: any(key.startswith("r:") for key in keys)
    ),
    "after the deletes": lambda store: after(SqlSessions, "release"),
    "after the claims": lambda store: after(SqlSessions, "claim"),
    "before the commit": before_commit,
    "after the commit": lambda store: after(Database, "run", lambda *_, write=True: write),
}
"""Where the process is killed, in the order of a booking, and how."""
COMMITTED = {"after the commit"}


def choose_and_die(url: str, point: str, wanted, atomic: bool) -> None:
    store = Database(url, SetClock(MONDAY))
    if not atomic:
        Postgres.options = lambda self, write: {"isolation_level": "AUTOCOMMIT"}
    POINTS[point](store)
    ports = replace(ports_on(store, Post()), key=KEY)
    calls = [partial(choose.choose, ports, patient(w), task, at) for w, task, at in wanted]
    if len(calls) == 1:
        calls[0]()
    else:
        meanwhile(ports, *calls)


def killed(url, point, *wanted, atomic=True) -> None:
    """Let a process of its own choose times, together if they are many, and see it killed.

    Parameters
    ----------
    wanted : tuple of (str, str, datetime)
        Who wants which start for which task.
    """
    # It is forked from one that has only loaded the modules: no threads, no connections.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=choose_and_die, args=(url, point, wanted, atomic))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
