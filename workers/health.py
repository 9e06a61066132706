"""Is Redis there? It only carries wake-ups: without it work is done later, and none is lost."""

from __future__ import annotations

import redis

from timevalg.model.errors import InvalidInput
from timevalg.model.soundness import Finding

PATIENCE = 3.0
"""Seconds to wait for an answer."""


def health(url: str) -> list[Finding]:
    """Ask Redis for a sign of life.

    Raises
    ------
    InvalidInput
        If it is no address of a Redis.
    """
    try:
        client = redis.Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)
    except ValueError as error:
        raise InvalidInput.single("redis", str(error)) from error
    try:
        client.ping()
    except redis.RedisError as error:
        cure = "start it; until then work waits for the relay's next look at the database"
        return [Finding("redis", f"no answer: {type(error).__name__}", cure)]
    finally:
        client.close()
    return []
