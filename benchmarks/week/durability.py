"""Messages a second of dramatiq alone, and pieces of work a second, on the same Redis."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis as redis_client

from benchmarks import servers
from timevalg.booking.publish import publish
from timevalg.channels.sink import Sink
from timevalg.clinic import read_files
from timevalg.model.principal import Principal, RoleName
from timevalg.model.records import Work
from timevalg.store import Database
from timevalg.store.migrate import upgrade
from timevalg.wiring import ports_on

ROOT = Path(__file__).parents[2]
ORGANISATION = "999999999"
PROCESSES, THREADS = 2, 4
CLINICS = 8
"""Of each the relay announces a share at a time: one alone would not keep the workers busy."""


def measure(pieces: int) -> dict[str, Any]:
    """Let the same workers drain as many plain messages, then as many pieces of work."""
    with (
        servers.postgres(durable=True, private=True) as postgres,
        servers.redis(private=True) as redis,
    ):
        url = postgres.create_database()
        upgrade(url)
        store = Database(url)
        who = Principal("week", RoleName.PLANNER, ORGANISATION)
        publish(ports_on(store, Sink()), who, read_files(ROOT / "examples" / "gastro"))
        os.environ["TIMEVALG_REDIS_URL"] = redis.url
        os.environ["TIMEVALG_DATABASE_URL"] = url
        from benchmarks.week import nothing

        command = [sys.executable, "-m", "dramatiq", "benchmarks.week.nothing"]
        command += ["--processes", str(PROCESSES), "--threads", str(THREADS)]
        with redis_client.Redis.from_url(redis.url) as client:
            workers = subprocess.Popen(
                command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            try:
                nothing.plain.send()
                _until(lambda: int(client.get(nothing.PLAIN) or 0) >= 1)
                began = time.perf_counter()
                for _ in range(pieces):
                    nothing.plain.send()
                _until(lambda: int(client.get(nothing.PLAIN) or 0) >= pieces + 1)
                plain = pieces / (time.perf_counter() - began)
                began = time.perf_counter()
                for first in range(0, pieces, 100):
                    _write(store, range(first, min(first + 100, pieces)), nothing.KIND)
                _until(lambda: _left(store, nothing.KIND) == 0)
                ours = pieces / (time.perf_counter() - began)
            finally:
                workers.terminate()
                workers.wait()
        store.close()
    return {
        "pieces": pieces,
        "dramatiq_per_second": round(plain, 1),
        "timevalg_per_second": round(ours, 1),
        "ratio": round(ours / plain, 3),
    }


def _write(store: Database, numbers: range, kind: str) -> None:
    def body(unit: Any) -> None:
        now = unit.now()
        keys = {n: f"{kind}:{n}" for n in numbers}
        unit.work.add_all(
            Work(key, ORGANISATION, f"clinic-{n % CLINICS}", kind, str(n), now, key)
            for n, key in keys.items()
        )

    store.run(ORGANISATION, body)


def _left(store: Database, kind: str) -> int:
    depths = store.run(ORGANISATION, lambda unit: unit.work.depths(unit.now()), write=False)
    return sum(depth.count for depth in depths if depth.kind == kind)


def _until(condition: Callable[[], bool], seconds: float = 600.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("the workers did not get it done")
        time.sleep(0.02)
