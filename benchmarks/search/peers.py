"""What the others have in common: an answer, how long it took, and where fetched things are kept.

Everything fetched lands in a cache folder outside the repository (``TIMEVALG_BENCH_CACHE``,
default ``~/.cache/timevalg-bench``) and is used again by the next run.
"""

from __future__ import annotations

import os
import statistics
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from benchmarks.search.measure import timed

LIMIT = 240
"""Seconds that a peer may take in all."""


class Missing(RuntimeError):
    """A peer cannot be fetched or run here; the message says why."""


@dataclass(frozen=True)
class Answer:
    """What a peer found.

    Attributes
    ----------
    starts : list of datetime
        UTC, in order.
    us : float
        Median time of a search.
    prepare_us : float
        What it needs before, once for each state of the calendars.
    """

    starts: list[datetime]
    us: float
    prepare_us: float = 0.0


def repeated(search: Callable[[], list[datetime]], rounds: int, prepare_us: float = 0.0) -> Answer:
    """Answer once to have the starts, and measure."""
    starts = search()
    return Answer(starts, statistics.median(timed(search) for _ in range(rounds)), prepare_us)


def cache() -> Path:
    """Give the folder for fetched things."""
    default = Path.home() / ".cache" / "timevalg-bench"
    folder = Path(os.environ.get("TIMEVALG_BENCH_CACHE", default))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def run(argv: Sequence[str | Path], cwd: Path | None = None) -> str:
    """Run a program to its end and give what it printed.

    Raises
    ------
    Missing
        If it is not there, fails or takes too long.
    """
    try:
        done = subprocess.run(
            [str(part) for part in argv],
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing(f"{argv[0]}: {error}") from error
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise Missing(f"{Path(argv[0]).name} failed: {' '.join(last)[:300]}")
    return done.stdout
