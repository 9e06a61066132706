"""dramatiq workers: the database remembers what is to be done, messages only wake.

``dramatiq workers`` imports this: it sets the broker (Redis if ``TIMEVALG_REDIS_URL`` is set, else
one in the process) and declares the actors. Connections are made when first used.
"""

from __future__ import annotations

import os

import dramatiq

from workers.broker import make_broker

broker = make_broker(os.environ.get("TIMEVALG_REDIS_URL"))
dramatiq.set_broker(broker)

from workers import actors  # noqa: E402 - an actor is declared on the broker that is set

__all__ = ["actors", "broker"]
