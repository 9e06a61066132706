"""Workers in this process: without a broker, or with Redis and dramatiq's own threads."""

from __future__ import annotations

import threading

import dramatiq

import workers
from timevalg.booking.ports import Ports
from timevalg.model.records import Work
from workers.broker import PAUSE, make_broker
from workers.relay import Relay, call

THREADS = 4


def drain(ports: Ports) -> list[Work]:
    """Do everything that is due now, through the actors, until nothing is."""
    done: list[Work] = []
    while batch := Relay(ports, call).sweep():
        done += batch
    return done


def serve(ports: Ports, redis_url: str | None, stop: threading.Event) -> None:
    """Work until `stop` is set; what is in hand then is finished first."""
    if redis_url is None:
        while not stop.is_set():
            drain(ports)
            stop.wait(PAUSE)
        return
    broker = make_broker(redis_url)
    for name in workers.broker.actors:
        actor = workers.broker.get_actor(name)
        actor.broker = broker
        broker.declare_actor(actor)
    pool = dramatiq.Worker(broker, worker_threads=THREADS)
    pool.start()
    try:
        stop.wait()
    finally:
        pool.stop()
        broker.close()
