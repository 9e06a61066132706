"""Runs a relay beside each worker: several do no harm, the work's lease decides."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import structlog
from dramatiq import Broker, Middleware, Worker

from workers import context

if TYPE_CHECKING:
    from workers.relay import Relay

log = structlog.get_logger(__name__)

SWEEP = 3.0
"""Seconds between two sweeps if nothing wakes the relay."""
SHORTEST, LONGEST = 0.05, 1.0
"""Seconds between two sweeps while there is much to do; never more than half of the time."""


class Relaying(Middleware):
    """Announces due work while a worker runs, and tells its actors when it is to stop."""

    def __init__(self) -> None:
        self._stop, self._heard = threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        """Start to listen and to announce."""
        # Actors are declared on a broker, and this is a part of one: they come later.
        from workers.relay import Relay, announcements_of, sender

        context.stopping.clear()
        self._stop.clear()
        ports = context.ports()
        relay = Relay(ports, sender(broker), announcements_of(broker))
        self._threads = [
            threading.Thread(target=ports.store.listen, args=(self._heard.set, self._stop)),
            threading.Thread(target=self._run, args=(relay,)),
        ]
        for thread in self._threads:
            thread.daemon = True
            thread.start()

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        """Announce no more, begin no more; what is not done is still in the database."""
        context.stopping.set()
        self._stop.set()
        self._heard.set()
        for thread in self._threads:
            thread.join()

    def _run(self, relay: Relay) -> None:
        while not self._stop.is_set():
            began, announced = time.monotonic(), 0
            try:
                self._heard.clear()
                announced = len(relay.sweep())
                context.swept()
            except Exception as error:
                # The database or Redis is away: the next sweep finds everything that is due.
                log.warning("a sweep failed", error=type(error).__name__)
            took = time.monotonic() - began
            self._stop.wait(min(max(SHORTEST, took), LONGEST))
            if not announced:
                self._heard.wait(SWEEP)
