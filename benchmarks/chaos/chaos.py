"""Everything together: servers, producers, workers, faults, and the reckoning."""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import servers
from benchmarks.chaos.crew import ROOT, Producers, Workers
from benchmarks.chaos.producing import PATIENTS
from benchmarks.chaos.proxy import Proxy
from benchmarks.chaos.reckoning import Reckoning
from benchmarks.receiver import Receiver
from timevalg.channels.webhook import Webhook
from timevalg.library import Timevalg
from timevalg.store.migrate import upgrade
from timevalg.wiring import open_ports

ORGANISATION = "999999999"
SHORTEST, LONGEST = 1.5, 4.5
"""Seconds from the beginning of a fault to that of the next."""
SETTLED = 30.0
"""Seconds after the last fault within which everything must be done."""
MAIL = 0.02
"""Seconds that the mail server takes to say that it has a letter: kills find some on their way."""
KEY = "DIPS_KEY"
_RUN_OUT = (
    "UPDATE work SET leased_until = 0 WHERE state = 'leased'"
    " AND CAST(substring(owner FROM '[0-9]+$') AS int) = ANY(%s)"
)


def run(
    seconds: float,
    seed: int,
    durable: bool = True,
    pause: float = 0.02,
    leases_run_out: bool = False,
) -> dict[str, Any]:
    """Let faults happen for some seconds while producers produce; then wait, and count.

    The first fault is the kill of a worker; then each sort comes as often as the others.

    Parameters
    ----------
    durable : bool
        PostgreSQL waits for the disk.
    pause : float
        Seconds that a producer rests after a letter.
    leases_run_out : bool
        Those of the dead end with them: for who has no time to wait for that.
    """
    choice = random.Random(seed)
    with ExitStack() as stack:
        postgres = stack.enter_context(servers.postgres(durable, private=True))
        redis = stack.enter_context(servers.redis(private=True))
        receiver = stack.enter_context(Receiver())
        receiver.delay = MAIL
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="timevalg-chaos-")))
        url = postgres.create_database()
        upgrade(url)
        proxy = stack.enter_context(Proxy(url))
        environment = os.environ | {
            "TIMEVALG_DATABASE_URL": proxy.url,
            "TIMEVALG_REDIS_URL": redis.url,
            "TIMEVALG_SMTP": receiver.smtp,
            KEY: receiver.key,
        }
        workers = Workers(environment)
        stack.callback(workers.stop)
        direct = open_ports(url, hooks=Webhook({}))
        stack.callback(direct.store.close)
        _open_clinic(Timevalg(direct, ORGANISATION), receiver.url)
        reckoning = Reckoning(direct.store, ORGANISATION, receiver)

        def kill() -> None:
            dead = workers.kill(choice)
            reckoning.note_dead(dead)
            if leases_run_out:
                with psycopg.connect(url, autocommit=True) as connection:
                    connection.execute(_RUN_OUT, [list(dead)])

        producers = Producers(proxy.url, ORGANISATION, folder, pause)
        stack.callback(producers.stop)
        done = _faults(
            choice,
            seconds,
            {
                "kills": kill,
                "producer_kills": lambda: producers.kill(choice),
                "redis_flushes": redis.flush,
                "redis_restarts": redis.restart,
                "postgres_restarts": postgres.restart,
                "cuts": proxy.cut,
            },
        )
        ended = time.monotonic()
        producers.stop()
        written = producers.written()
        while not (settled := reckoning.is_settled()) and time.monotonic() - ended < SETTLED:
            time.sleep(0.2)
        took = time.monotonic() - ended
        workers.stop()
        return {
            "jobs": reckoning.jobs(),
            "letters": reckoning.letters(),
            "events": len(receiver.events),
            "faults": sum(done.values()),
            **done,
            "answers_cut": proxy.cuts,
            **reckoning.counts(written),
            "settled": settled,
            "settled_s": round(took, 1),
        }


def _open_clinic(valg: Timevalg, url: str) -> None:
    valg.system("dips").publish(ROOT / "examples" / "gastro")
    for n in range(PATIENTS):
        valg.system("dips").register(f"p-{n}", email=f"p-{n}@example.test")
    valg.system("dips").subscribe(url, KEY, ["letter."])


def _faults(
    choice: random.Random, seconds: float, faults: dict[str, Callable[[], object]]
) -> dict[str, int]:
    """Let one fault after another happen, each sort as often as the others.

    What a fault takes of the time to the next is not waited for again: however long restarts
    take, there are as many faults.
    """
    done = dict.fromkeys(faults, 0)
    names = ["kills"]
    began = time.monotonic()
    due = min(choice.uniform(SHORTEST, LONGEST), seconds)
    while due <= seconds:
        time.sleep(max(0.0, began + due - time.monotonic()))
        if not names:
            names = choice.sample(list(faults), len(faults))
        name = names.pop()
        faults[name]()
        done[name] += 1
        due += choice.uniform(SHORTEST, LONGEST)
    time.sleep(max(0.0, began + seconds - time.monotonic()))
    return done
