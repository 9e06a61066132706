"""``timevalg search``: every feasible start of a pool, or for a task."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from timevalg.cli.asking import Asking, understand
from timevalg.cli.moments import local
from timevalg.model.clinic import Clinic
from timevalg.solver.ask import Ask
from timevalg.solver.assign import assign
from timevalg.solver.search import feasible


def run(asking: Asking, limit: int | None, as_json: bool) -> None:
    """Answer, as a table or as JSON."""
    asked = understand(asking)
    zone = asked.clinic.timezone
    found: list[tuple[datetime, int, Ask]] = []
    for position, ask in enumerate(asked.asks):
        found += [(start, position, ask) for start in feasible(asked.index, ask).instants()]
    found.sort(key=lambda row: row[:2])
    rows = [
        {
            "start": local(start, zone),
            "pool": ask.pool,
            "resources": {
                role: list(ids) for role, ids in (assign(asked.index, ask, start) or {}).items()
            },
        }
        for start, _, ask in found[:limit]
    ]
    if as_json:
        answer = {"pool": asking.pool, "now": local(asked.now, zone), "starts": rows}
        typer.echo(json.dumps(answer))
    else:
        _print(asked.clinic, rows, len(found))


def _print(clinic: Clinic, rows: list[dict[str, Any]], total: int) -> None:
    table = Table(
        title=f"{total} feasible starts" + (f", first {len(rows)}" if len(rows) < total else "")
    )
    for heading in ("start", "pool", "resources"):
        table.add_column(heading)
    for row in rows:
        start = datetime.fromisoformat(row["start"]).strftime("%a %Y-%m-%d %H:%M")
        served = ", ".join(f"{role}: {' + '.join(ids)}" for role, ids in row["resources"].items())
        table.add_row(start, row["pool"], served)
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    if not total:
        typer.echo(f"nothing in {clinic.name} can be booked under these conditions")
