"""The run: each kind of request at one rate after another, in turn with a bare route."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import servers
from benchmarks.api import bare, hospital
from benchmarks.api.load import Outcome, drive
from benchmarks.api.statements import per_request
from timevalg.store.migrate import upgrade

PROCESSES = 2
SHARES = (0.5, 0.7, 0.85, 1.0, 1.2, 1.45, 1.75)
"""Arrival rates, as shares of what is answered when as much is asked as is answered: with more
under way, more are done together. Rates rise until two in a row are not kept."""
BELOW = 0.7
"""Share up to which a rate is below saturation."""
KEPT = 0.95
"""Share of what arrives that must be answered in time for a rate to be kept."""
WARM = 1.0
"""Seconds of requests that are not measured, before each kind."""
KINDS = {"offers": 1.0, "hold": 0.5, "choose": 0.5}
"""How long each is measured, beside the bare route: each patient claims once."""
_ROOT = Path(__file__).parents[2]
_Measuring = Generator[None, None, dict[str, Any]]
"""Stops after each step; in the end it gives the figures."""


def run(seconds: float) -> dict[str, Any]:
    """Measure; gives the figures by name.

    Parameters
    ----------
    seconds : float
        For each rate of each kind.
    """
    found: dict[str, Any] = {"live_tasks": hospital.LIVE}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = servers.postgres(durable=True, private=True)
        stack.callback(server.stop)
        url = server.create_database()
        with psycopg.connect(url) as connection:
            connection.execute(bare.TABLES)
        plain = stack.enter_context(_bare(url, folder))
        for kind in KINDS:
            found[kind] = _of_kind(kind, server.create_database(), folder, plain, seconds)
    return found


def _of_kind(kind: str, url: str, folder: Path, plain: int, seconds: float) -> dict[str, Any]:
    """Measure one kind where nobody has held or chosen a time yet, in turn with the bare route."""
    upgrade(url)
    invited = hospital.fill(url, folder / "key.json")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ANALYZE")  # as PostgreSQL does by itself within a minute
    requests = hospital.kinds(invited)[kind]
    asked = per_request(_settings(url, folder), {kind: requests})[kind]
    with _ours(url, folder) as port:
        beside, ours = _in_turn(
            _measuring(plain, hospital.rows(), seconds),
            _measuring(port, requests, seconds * KINDS[kind]),
        )
    rate = beside["per_second"]
    of_bare = round(ours["per_second"] / rate, 3) if rate else None
    return {"of_bare": of_bare, **asked, **ours, "bare": beside}


def _in_turn(*measurings: _Measuring) -> list[dict[str, Any]]:
    """Go from one to the next after each step: a machine's faster and slower times meet all."""
    found: dict[_Measuring, dict[str, Any]] = {}
    while waiting := [each for each in measurings if each not in found]:
        for each in waiting:
            try:
                next(each)
            except StopIteration as end:
                found[each] = end.value
    return [found[each] for each in measurings]


def _measuring(port: int, requests: Iterator[bytes], seconds: float) -> _Measuring:
    """Find out how much is answered, then what comes of shares of it at fixed rates."""
    drive(port, requests, WARM)
    most = drive(port, requests, seconds).answered
    steps: dict[float, Outcome] = {}
    for share in SHARES:
        yield
        step = drive(port, requests, seconds, most * share)
        if not _is_kept(step):  # something else on the machine may have been in the way
            yield
            step = max(step, drive(port, requests, seconds, most * share), key=_answered)
        steps[share] = step
        last = list(steps.values())[-2:]
        if len(last) == 2 and not any(map(_is_kept, last)):
            break
    kept = {share: step for share, step in steps.items() if _is_kept(step)}
    best = kept[max(kept)] if kept else Outcome()
    below = [step for share, step in kept.items() if share <= BELOW]
    refused = sum(n for s in steps.values() for status, n in s.statuses.items() if status >= 300)
    total = sum(s.statuses.total() for s in steps.values())
    return {
        "per_second": round(best.per_second, 1),
        "most_at_once": round(most, 1),
        "p99_of_p50": round(max((s.ms(99) / s.ms(50) for s in below if s.ms(50)), default=0), 1),
        "refused": round(refused / total, 3) if total else 0.0,
        "rates": {
            f"{share:.0%}": {
                "arriving": round(s.rate, 1),
                "answered": round(s.answered, 1),
                "p50_ms": round(s.ms(50), 1),
                "p99_ms": round(s.ms(99), 1),
            }
            for share, s in steps.items()
        },
    }


def _answered(step: Outcome) -> float:
    return step.answered


def _is_kept(step: Outcome) -> bool:
    return bool(step.statuses) and step.answered >= KEPT * step.rate


@contextmanager
def _bare(url: str, _: Path) -> Iterator[int]:
    port = _free_port()
    command = ["-m", "uvicorn", "benchmarks.api.bare:make_app", "--factory", "--no-access-log"]
    command += ["--port", str(port), "--workers", str(PROCESSES), "--log-level", "warning"]
    with _served(command, {bare.ADDRESS: url}, port, "/rows/1"):
        yield port


@contextmanager
def _ours(url: str, folder: Path) -> Iterator[int]:
    port = _free_port()
    command = ["-m", "timevalg.cli", "serve", "--port", str(port), "--processes", str(PROCESSES)]
    with _served(command, _settings(url, folder), port, "/ready"):
        yield port


def _settings(url: str, folder: Path) -> dict[str, str]:
    return {
        "TIMEVALG_DATABASE_URL": url,
        "TIMEVALG_DEVELOPMENT_KEY": str(folder / "key.json"),
        "TIMEVALG_RATE_BY_ADDRESS": "9999999/minute",
        "TIMEVALG_RATE_BY_PRINCIPAL": "9999999/minute",
    }


@contextmanager
def _served(command: list[str], settings: dict[str, str], port: int, path: str) -> Iterator[None]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TIMEVALG_")}
    with subprocess.Popen(
        [sys.executable, *command],
        cwd=_ROOT,
        env=kept | settings,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            _await(process, port, path)
            yield
        finally:
            process.send_signal(signal.SIGTERM)


def _await(process: subprocess.Popen[bytes], port: int, path: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    ask: Callable[[], Outcome] = lambda: drive(port, iter([request] * 8), 5)  # noqa: E731 - once
    while process.poll() is None:
        try:
            if ask().statuses[200] == 8:
                return
        except (OSError, EOFError, ExceptionGroup):
            time.sleep(0.1)
    raise RuntimeError("the server has ended")


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port
