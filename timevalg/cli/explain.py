"""``timevalg explain``: what each rule leaves, what blocks one start, what would cure it.

The answer's shape is in docs/explain.md.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from timevalg.cli.asking import Asked, Asking, understand
from timevalg.cli.moments import local, parse_moment
from timevalg.model.errors import InvalidInput
from timevalg.solver.explain import Explanation, explain
from timevalg.solver.visit import Blocker

_YEARS = range(1971, 9001)
_SAME = 3
"""Rows of one sort shown in the table before the rest are counted."""


def run(asking: Asking, start: str | None, as_json: bool) -> None:
    """Answer, as tables or as JSON."""
    asked = understand(asking)
    zone = asked.clinic.timezone
    moment = None if start is None else _start(start, zone)
    found = explain(asked.index, asked.asks, moment)
    answer = {
        "rules": _rules(asked, found),
        "blockers": [_blocker(asked, b, zone) for b in found.blockers],
        "cures": [
            {"change": cure.change, "starts": cure.starts} | _pool(asked, cure.pool)
            for cure in found.cures
        ],
    }
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False))
    else:
        _print(answer, moment is not None, zone)


def _start(text: str, zone: ZoneInfo) -> datetime:
    moment = parse_moment("--start", text, zone)
    if moment.year not in _YEARS:
        message = f"{text!r} is not within {_YEARS[0]} … {_YEARS[-1]}"
        raise InvalidInput.single("--start", message, "command line")
    return moment


def _pool(asked: Asked, pool: str | None) -> dict[str, str]:
    """Name the pool where several are asked about."""
    return {"pool": pool} if pool is not None and len(asked.asks) > 1 else {}


def _rules(asked: Asked, found: Explanation) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for rule, total in found.total().items():
        row: dict[str, Any] = {"rule": rule, "left": total}
        if len(asked.asks) > 1:
            row["pools"] = {
                ask.pool: of_one[rule] for ask, of_one in zip(asked.asks, found.left, strict=True)
            }
        rows.append(row)
    return rows


def _blocker(asked: Asked, blocker: Blocker, zone: ZoneInfo) -> dict[str, Any]:
    row: dict[str, Any] = {"rule": blocker.rule}
    if blocker.role is not None:
        row["role"] = blocker.role
    if blocker.resource is not None:
        row["resource"] = blocker.resource
    row["why"] = blocker.why
    if blocker.start is not None:
        row["from"] = local(blocker.start, zone)
    if blocker.end is not None:
        row["to"] = local(blocker.end, zone)
    if blocker.session is not None:
        row[blocker.why] = blocker.session
    return row | dict(blocker.more) | _pool(asked, blocker.pool)


def _print(answer: dict[str, Any], one_start: bool, zone: ZoneInfo) -> None:
    console = Console(width=None if sys.stdout.isatty() else 120)
    rules = answer["rules"]
    table = Table(title="what each rule leaves")
    table.add_column("rule")
    table.add_column("starts left", justify="right")
    pools = list(rules[0].get("pools", ()))
    for pool in pools:
        table.add_column(pool, justify="right")
    for row in rules:
        table.add_row(row["rule"], str(row["left"]), *(str(row["pools"][p]) for p in pools))
    console.print(table)
    if answer["blockers"]:
        console.print(_blockers(answer["blockers"], zone))
    elif one_start:
        console.print("nothing is in the way of this start")
    if answer["cures"]:
        table = Table(title="what would cure it, smallest first")
        table.add_column("change")
        table.add_column("starts then", justify="right")
        for row in answer["cures"]:
            name = f"{row['change']} ({row['pool']})" if "pool" in row else row["change"]
            table.add_row(name, str(row["starts"]))
        console.print(table)
    elif answer["blockers"] or not rules[-1]["left"]:
        console.print("no small change of the rules would cure it")


def _blockers(rows: list[dict[str, Any]], zone: ZoneInfo) -> Table:
    """Show what is in the way; of many of one sort the first few and how many more."""
    table = Table(title="in the way of this start")
    for heading in ("rule", "role", "resource", "why", "from", "to", ""):
        table.add_column(heading)
    shown: Counter[tuple[str, ...]] = Counter()
    told = {"rule", "role", "resource", "why", "from", "to"}
    for row in rows:
        sort = (row["rule"], row.get("pool", ""), row.get("role", ""), row["why"])
        shown[sort] += 1
        if shown[sort] > _SAME and row["why"] in {"skills", "pool", "only", "hours"}:
            continue
        rest = ", ".join(f"{k}: {_plain(v)}" for k, v in row.items() if k not in told)
        table.add_row(
            row["rule"],
            row.get("role", ""),
            row.get("resource", ""),
            row["why"],
            *(_when(row.get(key), zone) for key in ("from", "to")),
            rest,
        )
    for (rule, pool, role, why), count in shown.items():
        if count > _SAME and why in {"skills", "pool", "only", "hours"}:
            table.add_row(rule, role, f"{count - _SAME} more", why, "", "", pool)
    return table


def _plain(value: Any) -> str:
    return " + ".join(map(str, value)) if isinstance(value, list) else str(value)


def _when(text: str | None, zone: ZoneInfo) -> str:
    if text is None:
        return ""
    return datetime.fromisoformat(text).astimezone(zone).strftime("%a %Y-%m-%d %H:%M")
