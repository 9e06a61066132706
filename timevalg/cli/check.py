"""``timevalg check``: everything wrong with a clinic file, or a summary."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from timevalg.cli.counting import counted
from timevalg.clinic import json_schema, read, summary
from timevalg.model.errors import InvalidInput


def run(file: Path, as_json: bool) -> None:
    """Read the file and sum it up; problems leave with exit status 2."""
    try:
        contents = read(file)
    except InvalidInput as error:
        if not as_json:
            raise
        typer.echo(json.dumps({"ok": False, "problems": [asdict(p) for p in error.problems]}))
        print(counted(len(error.problems), "problem"), file=sys.stderr)
        raise typer.Exit(2) from error
    rows = summary(contents)
    if as_json:
        answer = {
            "ok": True,
            "warnings": [asdict(w) for w in contents.warnings],
            "clinics": [asdict(c) for c in rows],
        }
        typer.echo(json.dumps(answer))
        return
    for warning in contents.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    table = Table(title=f"{file}: no errors, {counted(len(contents.warnings), 'warning')}")
    for heading in ("clinic", "resources", "pools", "bookable hours a week"):
        table.add_column(heading, justify="left" if heading == "clinic" else "right")
    for row in rows:
        table.add_row(
            row.clinic, str(row.resources), str(row.pools), f"{row.bookable_hours_a_week:.1f}"
        )
    Console(width=None if sys.stdout.isatty() else 100).print(table)


def schema() -> None:
    """Print the format's JSON Schema."""
    typer.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
