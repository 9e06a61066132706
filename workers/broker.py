"""The broker: Redis where it is configured, else one inside the process. Never by accident."""

from __future__ import annotations

from dramatiq import Broker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from workers.operating import Operating
from workers.relaying import Relaying

HEARTBEAT = 10_000
"""Milliseconds after which a silent worker's messages are taken by others."""
NAMESPACE = "timevalg"


def make_broker(redis_url: str | None) -> Broker:
    """Give a broker that only carries wake-ups.

    It has no retries, limits of age or of time: what failed is remembered by the database, whose
    clock alone counts.
    """
    middleware = [Operating(), Relaying()]
    if redis_url is None:
        return StubBroker(middleware=middleware)
    # A Redis that is away must keep nobody from stopping: no waiting inside its client. (Given an
    # address of its own, dramatiq's broker would take these settings and use none of them.)
    client = Redis.from_url(
        redis_url,
        retry=Retry(NoBackoff(), 0),
        socket_connect_timeout=2.0,
        socket_timeout=5.0,
    )
    return RedisBroker(  # type: ignore[no-untyped-call]  # dramatiq leaves it untyped
        client=client,
        middleware=middleware,
        heartbeat_timeout=HEARTBEAT,
        namespace=NAMESPACE,
    )
