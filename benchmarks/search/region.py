"""A region in one process: 20,000 resources in 250 clinics, three quarters booked.

Run as a process of its own (``python -m benchmarks.search.region``), so that its memory is its
own. What is taken comes resource by resource, as a record system would hand it over; clinics use
a few hundred different calendars, each turned into bits anew for everyone who has it.
"""

from __future__ import annotations

import gc
import json
import random
import resource as system
import statistics
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks.search.cases import NOW, case, make_clinic
from benchmarks.search.measure import timed
from benchmarks.search.ours import bookings
from timevalg.model.clinic import Clinic, Organisation
from timevalg.model.time import Span
from timevalg.solver.ask import Ask
from timevalg.solver.index import Index
from timevalg.solver.search import feasible

_VARIANTS = 5


class Taken(Mapping[str, list[Span]]):
    """Resource id → spans, made when asked for; asked in order, so that few are alive at once."""

    def __init__(self, names: dict[str, tuple[int, str]], days: int, size: tuple[int, int]) -> None:
        self._names = dict(sorted(names.items(), key=lambda item: item[1]))
        self._days, self._size = days, size
        self._variant, self._spans = -1, dict[str, list[Span]]()
        self.spans, self.making_s = 0, 0.0

    def __getitem__(self, name: str) -> list[Span]:
        variant, template = self._names[name]
        if variant != self._variant:
            begin = time.perf_counter()
            self._spans = case(*self._size, self._days, seed=f"region-{variant}").taken
            self._variant = variant
            self.making_s += time.perf_counter() - begin
        self.spans += len(self._spans[template])
        return self._spans[template]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names


def measure(clinics: int = 250, days: int = 90, searches: int = 20_000) -> dict[str, float]:
    """Load the region and search it at random, with a booking before every tenth search."""
    size = (50, 30)
    made: dict[str, Clinic] = {}
    names: dict[str, tuple[int, str]] = {}
    for number in range(clinics):
        variant = number % _VARIANTS
        pattern = case(*size, days, seed=f"region-{variant}", booked=False).clinic
        here = []
        for one in pattern.resources.values():
            names[f"{number}-{one.id}"] = (variant, one.id)
            here.append(replace(one, id=f"{number}-{one.id}", clinic=f"k{number}"))
        made[f"k{number}"] = make_clinic(f"k{number}", here, days)
    taken = Taken(names, days, size)
    begin = time.perf_counter()
    index = Index.of(Organisation("region", made), taken=taken)
    load_s = time.perf_counter() - begin - taken.making_s
    loaded_mb = _rss_mb()
    asks = [Ask(name, "p", NOW) for name in made]
    first = [timed(partial(feasible, index, ask)) for ask in asks]
    plain = _searches(index, asks, searches // 4)
    gc.collect()
    gc.freeze()
    frozen = _searches(index, asks, searches)
    return {
        "resources": len(names),
        "spans": taken.spans,
        "rss_mb": _rss_mb(),
        "peak_mb": system.getrusage(system.RUSAGE_SELF).ru_maxrss / 1024,
        "loaded_mb": loaded_mb,
        "load_s": load_s,
        "first_us": statistics.median(first),
        **frozen,
        "p99_unfrozen_us": plain["p99_us"],
        "change_p99_unfrozen_us": plain["change_p99_us"],
    }


def _searches(index: Index, asks: list[Ask], number: int) -> dict[str, float]:
    dice = random.Random(number)
    times, changes = [], []
    for turn in range(number):
        ask = dice.choice(asks)
        if turn % 10 == 0:
            (session,) = bookings(index, ask, feasible(index, ask), 1)
            session = replace(session, id=f"{number}-{turn}")
            begin = time.perf_counter()
            index = index.apply((session,))
            changes.append((time.perf_counter() - begin) * 1e6)
        begin = time.perf_counter()
        feasible(index, ask)
        times.append((time.perf_counter() - begin) * 1e6)
    return {
        "p50_us": statistics.median(times),
        "p99_us": statistics.quantiles(times, n=100)[98],
        "change_p50_us": statistics.median(changes),
        "change_p99_us": statistics.quantiles(changes, n=100)[98],
    }


def _rss_mb() -> float:
    status = Path("/proc/self/status")
    if not status.exists():  # macOS: the peak is all there is
        return system.getrusage(system.RUSAGE_SELF).ru_maxrss / 2**20
    line = next(x for x in status.read_text().splitlines() if x.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    print(json.dumps(measure(*map(int, sys.argv[1:]))))
