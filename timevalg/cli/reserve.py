"""``timevalg reserve``: a place for every live task, or what is missing."""

from __future__ import annotations

import json
import sys
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from timevalg.cli.counting import counted
from timevalg.cli.standing import Standing, opened, picture_of_file, row
from timevalg.prover import CpSat
from timevalg.solver.reserves import Reserves, reserve
from timevalg.solver.shortage import Shortage


def run(standing: Standing, as_json: bool) -> None:
    """Answer, as tables or as JSON."""
    lost: list[str] = []  # in a file nobody has a place yet
    if standing.file is not None:
        _, picture = picture_of_file(standing)
        found = reserve(picture, CpSat().solve)
    else:
        with opened(standing) as valg:
            found = valg.planner("timevalg reserve").reserves()
        lost = [task for task in found.places if task in found.planned]
    if as_json:
        typer.echo(json.dumps({**_answer(found), "lost": lost}, ensure_ascii=False))
        return
    _print(found)
    if lost:
        typer.echo(f"without a place, until a worker gives them these: {', '.join(lost)}")


def _answer(found: Reserves) -> dict[str, Any]:
    return {
        "reserves": [
            {"task": task} | row(place, found.picture) for task, place in found.places.items()
        ],
        "unservable": [
            {"task": task.id, "shortage": shortage_row(missing)}
            for task, missing in found.unservable
        ],
        "proven": found.proven,
    }


def shortage_row(missing: Shortage) -> dict[str, Any]:
    """Give a shortage as plain data."""
    return {
        "roles": list(missing.roles),
        "from": missing.first.isoformat(),
        "to": missing.last.isoformat(),
        "minutes": missing.minutes,
        "cures": [{"change": c.change, "starts": c.starts} for c in missing.cures],
    }


def _print(found: Reserves) -> None:
    console = Console(width=None if sys.stdout.isatty() else 120)
    table = Table(title=counted(len(found.places), "reserve"))
    for heading in ("task", "start", "pool", "resources"):
        table.add_column(heading)
    for task, place in found.places.items():
        zone = found.picture.index.organisation.clinic(place.clinic).timezone
        served = ", ".join(f"{role}: {' + '.join(ids)}" for role, ids in place.resources.items())
        start = f"{place.start.astimezone(zone):%a %Y-%m-%d %H:%M}"
        table.add_row(task, start, place.pool, served)
    console.print(table)
    for without, missing in found.unservable:
        typer.echo(f"{without.id} cannot be served: {missing}")
    if found.unservable:
        typer.echo(
            "no plan serves more" if found.proven else "it is not proven that none is better"
        )
