"""``timevalg clinic`` and ``timevalg pools on|off``: clinic files in force, and the way back."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table

from timevalg.cli.counting import counted
from timevalg.cli.standing import Standing, opened
from timevalg.clinic import read, read_files, stated_organisation

if TYPE_CHECKING:
    from timevalg.booking.publish import Published

WHO = "timevalg clinic"


def publish(file: Path, url: str, as_json: bool) -> None:
    """Put a file, or a folder of them, in force; on SQLite the tables are brought up to date."""
    from timevalg.library import Timevalg
    from timevalg.store.migrate import is_there, require_current

    organisation = stated_organisation(read_files(file))
    if not is_there(url):
        read(file)  # nothing is published that would complete it: no database for a wrong file
    if not url.startswith("sqlite"):
        require_current(url)
    with Timevalg.open(url, organisation=organisation) as valg:
        _tell(valg.planner(WHO).publish(file), as_json)


def versions(standing: Standing, clinic: str, as_json: bool) -> None:
    """Give a clinic's versions, newest first."""
    with opened(standing) as valg:
        found = valg.planner(WHO).versions(clinic)
    if as_json:
        rows = [
            {"version": p.version, "published_at": p.published_at.isoformat(), "by": p.by}
            for p in found
        ]
        typer.echo(json.dumps({"clinic": clinic, "versions": rows}))
        return
    table = Table(title=f"versions of {clinic}")
    for heading in ("version", "published (UTC)", "by"):
        table.add_column(heading)
    for one in found:
        table.add_row(str(one.version), f"{one.published_at:%Y-%m-%d %H:%M}", one.by)
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def rollback(standing: Standing, clinic: str, version: int, reason: str, as_json: bool) -> None:
    """Put an earlier version in force again."""
    with opened(standing) as valg:
        _tell(valg.planner(WHO).roll_back(clinic, version, reason=reason), as_json)


def switch(
    standing: Standing,
    clinic: str,
    pool: str,
    on: bool,
    reason: str,
    override: bool,
    as_json: bool,
) -> None:
    """Open a pool for choice, or close it."""
    with opened(standing) as valg:
        desk = valg.planner("timevalg pools")
        done = desk.switch_pool(clinic, pool, on, reason=reason, override=override)
        _tell(done, as_json)


def _tell(done: Published, as_json: bool) -> None:
    if as_json:
        answer = {
            "clinics": list(done.clinics),
            "outside": {visit: list(rules) for visit, rules in done.outside.items()},
            "lost": list(done.lost),
            "conflicts": list(done.conflicts),
        }
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    if not done.clinics:
        typer.echo("nothing has changed")
        return
    typer.echo(f"in force: {', '.join(done.clinics)}")
    for visit, rules in done.outside.items():
        typer.echo(f"visit {visit} is outside the rules now: {'; '.join(rules)}")
    for task in done.lost:
        typer.echo(f"task {task} has no place any more: see the staff list")
    if done.conflicts:
        were = counted(len(done.conflicts), "listed booking was", "listed bookings were")
        typer.echo(f"{were} not taken in: see the staff list")
