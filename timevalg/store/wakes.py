"""Wake whoever waits for work: inside the process, and through PostgreSQL where there is one."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Wakes:
    """Wakes listeners of this process."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[], None]] = []

    def rouse(self) -> None:
        """Tell everybody that work may be due."""
        for heard in tuple(self._listeners):
            heard()

    def listen(self, heard: Callable[[], None], stop: threading.Event) -> None:
        """Call `heard` at each `rouse` until `stop` is set."""
        self._listeners.append(heard)
        try:
            stop.wait()
        finally:
            self._listeners.remove(heard)

    def close(self) -> None:
        """Let go of what it holds."""
