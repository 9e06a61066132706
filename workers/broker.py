"""The broker: Redis where it is configured, else one inside the process. Never by accident."""

from __future__ import annotations

import threading

import structlog
from dramatiq import Broker, Middleware, Worker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import AgeLimit, Callbacks, ShutdownNotifications, TimeLimit

log = structlog.get_logger(__name__)

HEARTBEAT = 10_000
"""Milliseconds after which a silent worker's messages are taken by others."""
PAUSE = 0.5
"""Seconds between two looks for due work where nothing wakes the relay."""


class Relaying(Middleware):
    """Runs a relay beside each worker: several do no harm, the work's lease decides."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        """Start to announce due work."""
        self._thread = threading.Thread(target=self._run, name="timevalg-relay", daemon=True)
        self._thread.start()

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        """Announce no more; what was announced is still in the database if nobody does it."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        from workers.context import ports
        from workers.relay import Relay

        relay = Relay(ports())
        while not self._stop.is_set():
            try:
                relay.sweep()
            except Exception:
                log.exception("a sweep failed; the next one tries again")
            self._stop.wait(PAUSE)


def make_broker(redis_url: str | None) -> Broker:
    """Give a broker without retries of its own: what failed is remembered by the database."""
    middleware: list[Middleware] = [
        AgeLimit(),
        TimeLimit(),
        ShutdownNotifications(),
        Callbacks(),
    ]
    if redis_url is None:
        return StubBroker(middleware=middleware)
    return RedisBroker(  # type: ignore[no-untyped-call]  # dramatiq leaves it untyped
        url=redis_url,
        middleware=[*middleware, Relaying()],
        heartbeat_timeout=HEARTBEAT,
        namespace="timevalg",
    )
