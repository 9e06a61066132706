"""Prometheus metrics: what this process has done, and what the database says is to be done."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from timevalg.booking.ports import Ports
from timevalg.booking.work import Done
from timevalg.model.records import Depth, Work

_own = CollectorRegistry()
OUTCOMES = Counter(
    "timevalg_work_total",
    "Pieces of work by what came of them.",
    ["kind", "outcome"],
    registry=_own,
)
SECONDS = Histogram("timevalg_work_seconds", "Time a piece took.", ["kind"], registry=_own)
LATENESS = Histogram(
    "timevalg_work_lateness_seconds",
    "How long after it was due a piece was begun.",
    ["kind"],
    buckets=(0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 3600, 6 * 3600),
    registry=_own,
)
ATTEMPTS = Histogram(
    "timevalg_work_attempts",
    "The how manieth attempt it was.",
    ["kind"],
    buckets=(1, 2, 3, 5, 8, 13, 21, 35),
    registry=_own,
)


def count(work: Work, done: Done, lease: timedelta, seconds: float) -> None:
    """Note what came of a piece of work."""
    OUTCOMES.labels(work.kind, done.outcome).inc()
    SECONDS.labels(work.kind).observe(seconds)
    ATTEMPTS.labels(work.kind).observe(work.attempts)
    if work.leased_until is not None:  # the database's clock, not this machine's
        late = work.leased_until - lease - work.due_at
        LATENESS.labels(work.kind).observe(max(0.0, late.total_seconds()))


class Depths(Collector):
    """Depth and age of the oldest, as the database has them at the moment of the scrape."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def collect(self) -> Iterable[Metric]:
        """Give the two gauges."""
        labels = ["organisation", "kind", "state"]
        depth = GaugeMetricFamily("timevalg_work_depth", "Work that is due.", labels=labels)
        oldest = GaugeMetricFamily(
            "timevalg_work_oldest_seconds", "How long the oldest has been due.", labels=labels
        )
        for organisation in self._ports.store.organisations():
            now, depths = self._ports.store.run(
                organisation, lambda unit: (unit.now(), unit.work.depths(unit.now())), write=False
            )
            for (kind, state), (number, since) in _by_kind(depths).items():
                depth.add_metric([organisation, kind, state], number)
                oldest.add_metric([organisation, kind, state], (now - since).total_seconds())
        return [depth, oldest]


def _by_kind(depths: Iterable[Depth]) -> dict[tuple[str, str], tuple[int, datetime]]:
    groups: dict[tuple[str, str], list[Depth]] = defaultdict(list)
    for depth in depths:
        groups[depth.kind, str(depth.state)].append(depth)
    return {
        group: (sum(d.count for d in of), min(d.oldest for d in of)) for group, of in groups.items()
    }


def page(ports: Ports) -> bytes:
    """Give the text of ``/metrics``: with ``PROMETHEUS_MULTIPROC_DIR`` that of all processes."""
    registry = CollectorRegistry()
    registry.register(Depths(ports))
    own = _own
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        own = CollectorRegistry()
        multiprocess.MultiProcessCollector(own)  # type: ignore[no-untyped-call]  # theirs
    return generate_latest(own) + generate_latest(registry)
