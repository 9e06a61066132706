"""Medians of many short samples, taken in turns, so that a noisy machine hits all alike."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Probe:
    """Something to measure.

    Attributes
    ----------
    run : callable
        What is timed; where it gives a float, that is the time of one call in microseconds
        (measured by itself).
    times : int
        Calls in a sample.
    samples : int
        Samples a round.
    """

    run: Callable[[], object]
    times: int = 1
    samples: int = 1

    def sample(self) -> float:
        """Give the microseconds of one call."""
        begin = time.perf_counter()
        for _ in range(self.times):
            found = self.run()
        spent = (time.perf_counter() - begin) / self.times * 1e6
        return found if isinstance(found, float) else spent


def medians(probes: Mapping[str, Probe], rounds: int) -> dict[str, float]:
    """Measure all probes in turns; gives the median of each in microseconds.

    Garbage is collected between rounds and never within a sample of microseconds.
    """
    found: dict[str, list[float]] = {name: [] for name in probes}
    for _ in range(rounds):
        gc.collect()
        gc.disable()
        try:
            for name, probe in probes.items():
                found[name] += [probe.sample() for _ in range(probe.samples)]
        finally:
            gc.enable()
    return {name: statistics.median(samples) for name, samples in found.items()}


def timed(run: Callable[[], object]) -> float:
    """Give the microseconds of one call."""
    return Probe(run).sample()
