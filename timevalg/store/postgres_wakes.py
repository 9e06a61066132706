"""LISTEN and NOTIFY: many commits, few notices.

A NOTIFY inside the transaction would make all commits of the server queue for one lock, so it is
sent after the commit, by a thread that sends at most one each `PAUSE`. What a crash between the
two keeps from being sent is found by the next sweep.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import psycopg

from timevalg.store.wakes import Wakes

CHANNEL = "timevalg_work"
PAUSE = 0.05
"""Seconds between two notices of a process."""
_AGAIN = 0.5
"""Seconds before a lost connection is tried again, and between two looks at `stop`."""


class PostgresWakes(Wakes):
    """Wakes the listeners of every process on the database.

    Parameters
    ----------
    address : str
        Of the database, for psycopg.
    """

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = address
        self._wanted, self._closed = threading.Event(), threading.Event()
        self._start = threading.Lock()
        self._sender: threading.Thread | None = None

    def rouse(self) -> None:
        """Have a notice sent soon."""
        self._wanted.set()
        with self._start:
            if self._sender is None and not self._closed.is_set():
                self._sender = threading.Thread(target=self._send, name="notify", daemon=True)
                self._sender.start()

    def listen(self, heard: Callable[[], None], stop: threading.Event) -> None:
        """Call `heard` at each notice, and whenever some may have been missed."""
        while not stop.is_set():
            try:
                with psycopg.connect(self._address, autocommit=True) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    heard()
                    while not stop.is_set():
                        for _ in connection.notifies(timeout=_AGAIN, stop_after=1):
                            heard()
            except psycopg.OperationalError:
                stop.wait(_AGAIN)  # sweeps go on meanwhile

    def close(self) -> None:
        """Send no more."""
        with self._start:
            self._closed.set()
            self._wanted.set()
            sender = self._sender
        if sender is not None:
            sender.join()

    def _send(self) -> None:
        while not self._closed.is_set():
            try:
                with psycopg.connect(self._address, autocommit=True) as connection:
                    while not self._closed.is_set():
                        self._wanted.wait()
                        self._wanted.clear()
                        connection.execute(f"NOTIFY {CHANNEL}")
                        self._closed.wait(PAUSE)
            except psycopg.OperationalError:
                self._closed.wait(_AGAIN)
