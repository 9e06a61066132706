"""How often somebody may ask: counted in one place for all processes where there is Redis.

Without Redis, and while it is away, each process counts by itself: a limit is then as many times as
high as there are processes, and nobody is locked out. Redis is told digests of who asks.
"""

from __future__ import annotations

import hashlib
import time

import structlog
from limits import RateLimitItem
from limits.aio.storage import RedisStorage
from limits.aio.storage.redis.redispy import RedispyBridge
from limits.aio.strategies import MovingWindowRateLimiter

from timevalg.api.window import MovingWindow

PATIENCE = 0.25
"""Seconds in which Redis has to answer."""
AWAY = 5.0
"""Seconds for which it is not asked again, once it has not."""
_log = structlog.get_logger("timevalg.api")


class Rates:
    """Counts requests.

    Parameters
    ----------
    redis : str
        Address of Redis; empty = each process counts by itself.
    """

    def __init__(self, redis: str = "") -> None:
        self._alone: dict[RateLimitItem, MovingWindow] = {}
        self._storage = _storage(redis) if redis else None
        self._together = (
            MovingWindowRateLimiter(self._storage) if self._storage is not None else None
        )
        self._back_at = 0.0

    async def wait(self, limit: RateLimitItem, what: str, who: str) -> float:
        """Count a request if it is within the limit; gives the seconds until it would be, or 0."""
        if self._together is not None and time.monotonic() >= self._back_at:
            name = hashlib.blake2b(who.encode(), digest_size=16).hexdigest()
            try:
                if await self._together.hit(limit, what, name):
                    return 0
                stats = await self._together.get_window_stats(limit, what, name)
                return max(0.001, stats.reset_time - time.time())
            except Exception as error:  # whatever ails it, the limits go on
                self._back_at = time.monotonic() + AWAY
                _log.warning("rates counted alone", error=type(error).__name__)
        if limit not in self._alone:
            self._alone[limit] = MovingWindow(limit.amount, limit.get_expiry())
        return self._alone[limit].wait(f"{what} {who}")

    async def close(self) -> None:
        """Let go of Redis."""
        if self._storage is not None:
            bridge = self._storage.bridge
            assert isinstance(bridge, RedispyBridge)
            await bridge.storage.aclose()


def _storage(url: str) -> RedisStorage:
    return RedisStorage(
        f"async+{url}",
        implementation="redispy",
        key_prefix="timevalg:rate",
        socket_timeout=PATIENCE,
        socket_connect_timeout=PATIENCE,
    )
