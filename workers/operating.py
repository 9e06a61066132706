"""What a process owes its operators: logs, a port that tells how it is, and an end in time."""

from __future__ import annotations

import os
import threading

import structlog
from dramatiq import Broker, Middleware, Worker

from timevalg import logs
from workers import context
from workers.watch import watch

log = structlog.get_logger(__name__)

GRACE = 6.0
"""Seconds between the wish to stop and the end, whatever holds a process up."""
DRAMATIQS = 3.0
"""Seconds that ``dramatiq workers`` adds at most: once a second its workers look whether they are
to stop, its first process whether they have ended, and its log whether there is more of it."""
LOOK = 100
"""Milliseconds between two looks of an idle thread at whether it is to stop."""
_AGAIN = 5.0
"""Seconds between two tries to get a port that another process has."""


def end_soon() -> None:
    """Have this process end in `GRACE` seconds at the latest.

    What it has in hand by then (a server has neither answered nor refused) is given back by its
    leases, which run out.
    """
    timer = threading.Timer(GRACE, _end)
    timer.daemon = True
    timer.start()


def _end() -> None:
    log.warning("ended though not everything was done: its leases run out")
    os._exit(0)


class Operating(Middleware):
    """Does for a process that ``dramatiq workers`` has started what ``timevalg worker`` does.

    Each process wants the port of ``TIMEVALG_WATCH``: the one that gets it answers there.
    """

    def __init__(self) -> None:
        self._is_dramatiqs = False

    def after_process_boot(self, broker: Broker) -> None:
        """Log as timevalg does; only dramatiq's own command calls this."""
        self._is_dramatiqs = True
        logs.configure()

    def before_worker_boot(self, broker: Broker, worker: Worker) -> None:
        """Have threads that wait for messages notice soon that they are to stop."""
        worker.worker_timeout = LOOK

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        """Answer on the port, as soon as it is free."""
        where = os.environ.get("TIMEVALG_WATCH")
        if self._is_dramatiqs and where:
            threading.Thread(target=_watch, args=(where,), name="port", daemon=True).start()

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        """Let nothing hold up the end for long."""
        if self._is_dramatiqs:
            end_soon()


def _watch(where: str) -> None:
    while not context.stopping.is_set():
        try:
            watch(context.ports(), where)
            return
        except OSError:
            context.stopping.wait(_AGAIN)
