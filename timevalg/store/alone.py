"""One unit of work at a time in each thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Alone:
    """Refuses a unit of work inside another: it would wait for itself, or see half of it."""

    def __init__(self) -> None:
        self._thread = threading.local()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the thread for one unit of work."""
        if getattr(self._thread, "busy", False):
            raise RuntimeError("a unit of work is already open in this thread: use that one")
        self._thread.busy = True
        try:
            yield
        finally:
            self._thread.busy = False
