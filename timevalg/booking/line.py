"""A line of callers, of whom one at a time serves all that wait with it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")

MOST = 16
"""Served at once: their transaction is as long as all of them."""


@dataclass
class _Place(Generic[T]):
    """One caller's place in the line."""

    wanted: T
    served: bool = False
    called: threading.Event = field(default_factory=threading.Event)


class Line(Generic[T]):
    """Callers of one process who want the same done, each with something of their own.

    Whoever comes first is served alone, and all who come meanwhile are served together when that
    is done.

    Parameters
    ----------
    patience : float
        Seconds for which the next waits for as many to come as were served together the last
        time: where many come, those who follow them come at nearly the same moment too.
    """

    def __init__(self, patience: float = 0.0) -> None:
        self._patience = patience
        self._lock = threading.Lock()
        self._waiting: list[_Place[T]] = []
        self._busy = False
        self._expected = 1
        self._came = threading.Condition(self._lock)

    def join(self, wanted: T, serve: Callable[[list[T]], None]) -> None:
        """Have `serve` called once with what is wanted, and what others want; perhaps by another.

        Raises
        ------
        BaseException
            What `serve` raises, in the thread of whoever called it: it must tell the others.
        """
        place = _Place(wanted)
        with self._lock:
            self._waiting.append(place)
            if len(self._waiting) >= self._expected:
                self._came.notify()
            first, self._busy = not self._busy, True
        if not first:
            place.called.wait()
        if not place.served:
            self._serve(serve)

    def _serve(self, serve: Callable[[list[T]], None]) -> None:
        """Serve those who wait, from the first: the caller. Then the next who waits does."""
        with self._lock:
            self._came.wait_for(lambda: len(self._waiting) >= self._expected, self._patience)
            places, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            self._expected = len(places)
        try:
            serve([place.wanted for place in places])
        finally:
            with self._lock:
                following = self._waiting[:1]
                self._busy = bool(following)
            for place in places:
                place.served = True
            for place in (*places, *following):
                place.called.set()
