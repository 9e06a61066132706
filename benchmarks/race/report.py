"""The figures by name, and as a table."""

from __future__ import annotations

from typing import Any

from benchmarks.race.race import Outcome
from benchmarks.race.writers import BOOKED

TITLES = {
    "bookings": "bookings on spread times",
    "conflicts": "refusals: somebody has the time",
    "overlaps": "claims that overlap",
    "deadlocks": "deadlocks",
    "retries": "transactions run again",
    "p50_ms": "booking, median ms",
    "p99_ms": "booking, p99 ms",
    "contended_p50_ms": "all want the same, median ms",
    "contended_p99_ms": "all want the same, p99 ms",
    "per_second": "bookings a second",
    "same_sql_per_second": "same SQL under pgbench, a second",
    "ratio": "of pgbench's rate",
    "contended_ratio": "p99 under contention, of the median",
    "contended_bookings": "contended bookings",
    "contended_conflicts": "contended refusals",
    "spread_conflicts": "refusals on spread times",
    "busy": "gave up waiting",
    "lost": "bookings confirmed and not there",
    "statements": "statements in a booking",
    "same_sql_mean_ms": "pgbench, mean ms",
    "whole_per_second": "planning included, a second",
    "whole_p50_ms": "planning included, median ms",
    "whole_p99_ms": "planning included, p99 ms",
    "seconds": "seconds of the first part",
    "writers": "writers",
    "load_before": "load of the machine before",
    "database": "database",
}


def figures(outcome: Outcome, writers: int, load: float) -> dict[str, Any]:
    """Give the figures; the plain ones are those of spread times.

    Of all parts together are conflicts, overlaps (by whichever of two counts found more),
    deadlocks, retries, busy and lost.
    """
    spread, wanted, whole = outcome.spread, outcome.contended, outcome.whole
    parts = (spread, wanted, whole)
    recount, same = outcome.recount, outcome.same_sql
    found: dict[str, Any] = {
        "bookings": spread.bookings,
        "conflicts": sum(p.conflicts for p in parts),
        "overlaps": max(recount.overlaps, recount.swept, recount.twice),
        "deadlocks": outcome.deadlocks,
        "retries": sum(p.retries for p in parts),
        "p50_ms": spread.ms(50),
        "p99_ms": spread.ms(99),
        "contended_p50_ms": wanted.ms(50),
        "contended_p99_ms": wanted.ms(99),
        "per_second": spread.per_second,
        "same_sql_per_second": same.per_second,
        "ratio": spread.per_second / same.per_second,
        "contended_ratio": wanted.ms(99) / (wanted.ms(50) or 1),
        "contended_bookings": wanted.bookings,
        "contended_conflicts": wanted.conflicts,
        "spread_conflicts": spread.conflicts,
        "busy": sum(p.busy for p in parts),
        "lost": outcome.lost,
        "statements": outcome.statements,
        "same_sql_mean_ms": same.mean_ms,
        "whole_per_second": whole.per_second,
        "whole_p50_ms": whole.ms(50, outcome=BOOKED),
        "whole_p99_ms": whole.ms(99, outcome=BOOKED),
        "seconds": spread.seconds,
        "writers": writers,
        "load_before": load,
    }
    return {name: round(v, 3) if isinstance(v, float) else v for name, v in found.items()}


def table(found: dict[str, Any]) -> str:
    """Give a line for each figure."""
    width = max(len(title) for title in TITLES.values())
    return "\n".join(f"{TITLES[name]:{width}}  {value}" for name, value in found.items())
