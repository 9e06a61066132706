"""Workers whose work is to do nothing: what remembering costs, beside dramatiq alone.

Run as ``dramatiq benchmarks.week.nothing``.
"""

from __future__ import annotations

import os
from typing import Any, cast

import dramatiq
import redis

import workers
from timevalg.booking import work as booking_work
from timevalg.booking.running import run
from workers import actors, context
from workers.actors.actor import actor

KIND, PLAIN = "nothing", "timevalg-benchmark-plain"

kinds = cast("dict[str, Any]", booking_work.KINDS)
kinds[KIND] = booking_work.Kind(lambda ports, who, _: run(ports, who, "do work", lambda act: None))
counter = redis.Redis.from_url(os.environ["TIMEVALG_REDIS_URL"])


@actor(KIND)
def nothing(organisation: str, works: list[str]) -> None:
    """Do nothing, once for each piece of work."""
    context.perform(organisation, KIND, works)


@dramatiq.actor(queue_name="plain")
def plain() -> None:
    """Do nothing, and count it."""
    counter.incr(PLAIN)


cast("dict[str, Any]", actors.BY_KIND)[KIND] = nothing
broker = workers.broker
