"""How often somebody may ask: so many requests within any so many seconds, counted exactly."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable


class MovingWindow:
    """Counts requests by who makes them, in this process.

    A request costs the same however many have asked: nothing goes through them all, as the storage
    in memory of `limits` does a hundred times a second.

    Parameters
    ----------
    most, seconds : int
        How many of one caller are let in within any so many seconds.
    clock : callable
        Seconds that never go back.
    """

    def __init__(
        self, most: int, seconds: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._seconds, self._clock = most, seconds, clock
        self._times: dict[str, deque[float]] = {}
        """Of each caller the requests that count still; whoever was let in last comes last."""

    def wait(self, who: str) -> float:
        """Count one more if it is within the limit; gives the seconds until it would be, else 0."""
        now = self._clock()
        past = now - self._seconds
        times = self._times.get(who, deque())
        while times and times[0] <= past:
            times.popleft()
        if len(times) >= self._most:
            return times[0] - past
        times.append(now)
        self._times.pop(who, None)
        self._times[who] = times
        self._forget(past)
        return 0

    def _forget(self, past: float) -> None:
        """Let go of those none of whose requests counts any more."""
        while True:
            first = next(iter(self._times))
            if self._times[first][-1] > past:
                return
            del self._times[first]
