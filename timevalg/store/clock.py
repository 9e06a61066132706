"""Clocks behind the Clock port: the demo and the tests set theirs, production asks the database."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from timevalg.booking.unit_of_work import UnitOfWork
from timevalg.model.time import require_aware


class SetClock:
    """A clock that stands still until it is set."""

    def __init__(self, moment: datetime) -> None:
        self._moment = require_aware(moment, "clock")
        self._lock = threading.Lock()

    def now(self, unit: UnitOfWork | None = None) -> datetime:
        """Give the instant it was last set to."""
        with self._lock:
            return self._moment

    def set(self, moment: datetime) -> None:
        """Set it, forwards or backwards."""
        with self._lock:
            self._moment = require_aware(moment, "clock")

    def advance(self, by: timedelta) -> datetime:
        """Move it on and give the new instant."""
        with self._lock:
            self._moment += by
            return self._moment
