"""``timevalg pools whatif``: what an edited clinic file would do, before it is published."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from timevalg.booking.whatif import Forecast
from timevalg.cli.replan import rows, sure, table
from timevalg.cli.reserve import shortage_row
from timevalg.cli.standing import Standing, opened, row
from timevalg.clinic import read_files, stated_organisation


def run(file: Path, url: str, now: str | None, as_json: bool) -> None:
    """Answer, as tables or as JSON."""
    organisation = stated_organisation(read_files(file))
    with opened(Standing(None, now, url, organisation)) as valg:
        found = valg.planner("timevalg pools whatif").what_if(file)
    if as_json:
        typer.echo(json.dumps(_answer(found), ensure_ascii=False))
    else:
        _print(found)


def _answer(found: Forecast) -> dict[str, Any]:
    picture = found.picture
    return {
        "clinics": list(found.published.clinics),
        "outside": [
            {"appointment": key, "rules": list(rules)}
            for key, rules in found.published.outside.items()
        ],
        "moved": [
            {"task": old.task, "from": row(old, picture), "to": row(new, picture)}
            for old, new in found.moved
        ],
        "lost": [
            {"task": key, "shortage": shortage_row(short)} for key, short in found.lost.items()
        ],
        "proposals": rows(found.proposals, picture),
        "proven": found.proven,
        "conflicts": len(found.published.conflicts),
    }


def _print(found: Forecast) -> None:
    console = Console(width=None if sys.stdout.isatty() else 140)
    if not found.published.clinics:
        typer.echo("nothing would change")
        return
    sums = Table(title=f"publishing would change {', '.join(found.published.clinics)}")
    sums.add_column("what")
    sums.add_column("how many", justify="right")
    for what, count in (
        ("visits outside the new rules", len(found.published.outside)),
        ("visits that cannot stand", len(found.proposals)),
        ("places that move", len(found.moved)),
        ("tasks left without a place", len(found.lost)),
        ("listed bookings that conflict", len(found.published.conflicts)),
    ):
        sums.add_row(what, str(count))
    console.print(sums)
    if found.proposals:
        console.print(table(found.proposals, found.picture))
        typer.echo(sure(found.proposals, found.proven), nl=False)
    for key, short in found.lost.items():
        cures = "; ".join(f"{c.change} gives {c.starts}" for c in short.cures)
        typer.echo(f"{key} would have no place: {short}" + (f" ({cures})" if cures else ""))
