"""``timevalg invite``: many invitations from a CSV, planned first."""

from __future__ import annotations

import json
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from timevalg.booking.invite import InvitationPlan
from timevalg.cli.files import text_of
from timevalg.cli.moments import local
from timevalg.cli.reserve import shortage_row
from timevalg.cli.standing import Standing, opened
from timevalg.library.invitation_file import read_invitations


def run(
    standing: Standing, file: Path, send: bool, up_to: int | None, partly: bool, as_json: bool
) -> None:
    """Plan, or send what was planned; the same lines sent twice in a day are as sent once."""
    text = text_of(file)
    rows = read_invitations(text, str(file))[:up_to]
    with opened(standing) as valg:
        desk = valg.planner("timevalg invite")
        if not send:
            _tell_plan(desk.plan_invitations(rows), as_json)
            return
        key = sha256(f"{up_to} {partly} {text}".encode()).hexdigest()
        sent = desk.invite_many(rows, all_or_nothing=not partly, idempotency_key=key)
    tasks = [one.task.id for one in sent if one.task is not None]
    drafts = [one.draft.id for one in sent if one.draft is not None]
    if as_json:
        typer.echo(json.dumps({"sent": tasks, "drafts": drafts}))
    else:
        typer.echo(f"{len(tasks)} invitations sent; {len(drafts)} stay drafts")


def _tell_plan(plan: InvitationPlan, as_json: bool) -> None:
    rows: list[dict[str, Any]] = [
        {
            "line": number,
            "patient": one.task.patient,
            "ref": one.task.ref,
            "start": local(one.place.start, one.zone) if one.place is not None else None,
            "shortage": shortage_row(one.shortage) if one.shortage is not None else None,
        }
        for number, one in enumerate(plan.invitations, 1)
    ]
    short = [row["line"] for row in rows if row["shortage"] is not None]
    up_to = short[0] - 1 if short else len(rows)
    if as_json:
        answer = {"invitations": rows, "up_to": up_to, "proven": plan.proven}
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    if short:
        table = Table(title=f"{len(short)} of {len(rows)} cannot be promised a time")
        for heading in ("line", "patient", "why"):
            table.add_column(heading)
        for number, one in enumerate(plan.invitations, 1):
            if one.shortage is not None:
                table.add_row(str(number), one.task.patient, str(one.shortage))
        Console(width=None if sys.stdout.isatty() else 120).print(table)
    typer.echo(
        f"{len(rows) - len(short)} of {len(rows)} can be sent; lines 1 … {up_to} as they stand"
    )
