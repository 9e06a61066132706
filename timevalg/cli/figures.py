"""``timevalg figures``: what a period came to, beside the time before."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from timevalg.booking.figures import Report
from timevalg.cli.files import text_of
from timevalg.cli.moments import parse_date
from timevalg.cli.standing import Standing, opened
from timevalg.library.history_file import read_history
from timevalg.model.figures import Figure, Figures

MONTHS_ABREAST = 9
"""Months in one table."""


def run(
    standing: Standing,
    first: str | None,
    last: str | None,
    clinic: str | None,
    by_clinic: bool,
    by_month: bool,
    history: Path | None,
    as_json: bool,
) -> None:
    """Answer, as a table or as JSON."""
    before = (
        None
        if history is None
        else read_history(text_of(history).splitlines(), clinic, str(history))
    )
    with opened(standing) as valg:
        desk = valg.planner("timevalg figures")
        days = parse_date("--first", first), parse_date("--last", last)
        report = desk.figures(*days, clinic, by_month=by_month)
    if as_json:
        typer.echo(json.dumps(_answer(report, before), ensure_ascii=False))
        return
    if not report.counted:
        typer.echo("this organisation is marked for verification: it counts in no figure")
        return
    columns: dict[str, Figures] = {} if before is None else {"before": before}
    columns["now"] = report.together
    if by_clinic:
        columns |= report.clinics
    title = f"figures {report.first} … {report.last}" + (f", {clinic}" if clinic else "")
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(_table(title, columns, _told))
    for some in _some(report.months, MONTHS_ABREAST):
        console.print(_table("by month", some, _short))


def _answer(report: Report, before: Figures | None) -> dict[str, Any]:
    return {
        "first": report.first.isoformat(),
        "last": report.last.isoformat(),
        "counted": report.counted,
        "before": None if before is None else _plain(before),
        "together": _plain(report.together),
        "clinics": {name: _plain(found) for name, found in report.clinics.items()},
        "months": {name: _plain(found) for name, found in report.months.items()},
    }


def _some(columns: Mapping[str, Figures], most: int) -> Iterator[dict[str, Figures]]:
    """Cut columns into tables of so many at most."""
    left = iter(columns.items())
    while some := dict(islice(left, most)):
        yield some


def _plain(found: Figures) -> dict[str, Any]:
    return {
        f.name: {"value": f.value, "unit": f.unit, "count": f.count, "of": f.of}
        for f in found.told()
    }


def _table(title: str, columns: Mapping[str, Figures], told: Callable[[Figure], str]) -> Table:
    table = Table(title=title)
    table.add_column("")
    for name in columns:
        table.add_column(name, justify="right")
    for rows in zip(*(found.told() for found in columns.values()), strict=True):
        table.add_row(rows[0].words, *map(told, rows))
    return table


def _told(figure: Figure) -> str:
    """Say a figure in words: ``210 of 4,900 (4.3 %)``."""
    if figure.count is None:
        return "–"
    if figure.unit == "share":
        of = "?" if figure.of is None else _grouped(figure.of)
        share = "" if figure.value is None else f" ({figure.value:.1%})".replace("%", " %")
        return f"{_grouped(figure.count)} of {of}{share}"
    if figure.value is None:
        return "–"
    if figure.unit == "hours":
        return f"{_grouped(figure.value)} h"
    return f"{figure.value:,.1f}" if figure.unit in {"days", "per 100"} else f"{figure.value:,.0f}"


def _short(figure: Figure) -> str:
    """Say a figure without what it was made of: ``4.3 %``."""
    if figure.value is None:
        return "–"
    return f"{figure.value:.1%}".replace("%", " %") if figure.unit == "share" else _told(figure)


def _grouped(number: float) -> str:
    return f"{number:,.0f}" if number == int(number) else f"{number:,.1f}"
