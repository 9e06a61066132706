"""Everything together: servers, producers, workers, faults, and the reckoning."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks import servers
from benchmarks.chaos.producing import PATIENTS, Producer
from benchmarks.chaos.proxy import Proxy
from benchmarks.chaos.reckoning import Reckoning
from benchmarks.receiver import Receiver
from timevalg.channels.webhook import Webhook
from timevalg.library import Timevalg
from timevalg.store.migrate import upgrade
from timevalg.wiring import open_ports

ROOT = Path(__file__).parents[2]
ORGANISATION = "999999999"
WORKERS, PRODUCERS = 2, 2
SHORTEST, LONGEST = 1.5, 4.5
"""Seconds between two faults."""
SETTLED = 120.0
"""Seconds after the last fault at which what is not done counts as lost."""
KEY = "DIPS_KEY"


class Crew:
    """Worker processes that are killed and come back."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._processes = [self._start() for _ in range(WORKERS)]

    def kill(self, choice: random.Random) -> None:
        """Kill one where it stands, and start another in its stead."""
        n = choice.randrange(WORKERS)
        self._processes[n].kill()
        self._processes[n].wait()
        self._processes[n] = self._start()

    def stop(self) -> None:
        """End all of them in an orderly way."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "timevalg.cli", "worker"],
            cwd=ROOT,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def run(seconds: float, seed: int, durable: bool = True, pause: float = 0.02) -> dict[str, Any]:
    """Let faults happen for some seconds while producers produce; then wait, and count.

    Producers rest `pause` seconds after a letter. The first fault is the kill of a worker; then
    each sort comes as often as the others.
    """
    choice = random.Random(seed)
    with ExitStack() as stack:
        postgres = stack.enter_context(servers.postgres(durable, private=True))
        redis = stack.enter_context(servers.redis(private=True))
        receiver = stack.enter_context(Receiver())
        url = postgres.create_database()
        upgrade(url)
        proxy = stack.enter_context(Proxy(url))
        environment = os.environ | {
            "TIMEVALG_DATABASE_URL": proxy.url,
            "TIMEVALG_REDIS_URL": redis.url,
            "TIMEVALG_SMTP": receiver.smtp,
            KEY: receiver.key,
        }
        direct = open_ports(url, hooks=Webhook({}))
        stack.callback(direct.store.close)
        _open_clinic(Timevalg(direct, ORGANISATION), receiver.url)
        reckoning = Reckoning(direct.store, ORGANISATION, receiver)
        stop = threading.Event()
        producers = list(_producers(stack, proxy.url, stop, reckoning, pause))
        crew = Crew(environment)
        stack.callback(crew.stop)
        for producer in producers:
            producer.start()
        done = _faults(
            choice,
            seconds,
            {
                "kills": lambda: crew.kill(choice),
                "redis_flushes": redis.flush,
                "redis_restarts": redis.restart,
                "postgres_restarts": postgres.restart,
                "cuts": proxy.cut,
            },
        )
        stop.set()
        for producer in producers:
            producer.join()
        ended = time.monotonic()
        written = [key for producer in producers for key in producer.written]
        while not (settled := reckoning.is_settled()) and time.monotonic() - ended < SETTLED:
            time.sleep(0.2)
        took = time.monotonic() - ended
        crew.stop()
        failures = [repr(p.failure) for p in producers if p.failure is not None]
        if failures:
            raise RuntimeError(f"producers failed: {failures}")
        return {
            "jobs": reckoning.jobs(),
            "letters": len(written),
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


def _producers(
    stack: ExitStack, url: str, stop: threading.Event, reckoning: Reckoning, pause: float
) -> Iterator[Producer]:
    for n in range(PRODUCERS):
        ports = open_ports(url, hooks=Webhook({}))
        stack.callback(ports.store.close)
        producer = Producer(f"l{n}", ports, ORGANISATION, stop, pause)
        producer.open = reckoning.backlog_of(producer.written)
        yield producer


def _faults(
    choice: random.Random, seconds: float, faults: dict[str, Callable[[], object]]
) -> dict[str, int]:
    """Let one fault after another happen, each sort as often as the others."""
    done = dict.fromkeys(faults, 0)
    names = ["kills"]
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(choice.uniform(SHORTEST, LONGEST), left))
        if not names:
            names = choice.sample(list(faults), len(faults))
        name = names.pop()
        faults[name]()
        done[name] += 1
    return done
