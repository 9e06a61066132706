"""Workers in this process: with a broker of its own, or with Redis."""

from __future__ import annotations

import threading

import dramatiq

import workers
from timevalg.booking.ports import Ports
from timevalg.model.records import Work
from workers import context
from workers.broker import make_broker
from workers.relay import Here, Relay, call

THREADS = 4
PATIENCE = 2500
"""Milliseconds that the threads have to end, twice: those that work, and those that fetch."""


def drain(ports: Ports) -> list[Work]:
    """Do everything that is due now, through the actors, until nothing is or it is time to stop."""
    context.stopping.clear()
    done: list[Work] = []
    while not context.stopping.is_set() and (batch := Relay(ports, call, Here()).sweep()):
        done += batch
    return done


def serve(redis_url: str | None, stop: threading.Event, threads: int = THREADS) -> None:
    """Work until `stop` is set; what is in hand then is finished first or given back."""
    broker = make_broker(redis_url)
    for name in workers.broker.actors:
        actor = workers.broker.get_actor(name)
        actor.broker = broker
        broker.declare_actor(actor)
    pool = dramatiq.Worker(broker, worker_threads=threads)
    pool.start()
    try:
        stop.wait()
    finally:
        pool.stop(timeout=PATIENCE)
        broker.close()
