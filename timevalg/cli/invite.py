"""``timevalg invite``: many invitations from a CSV, planned first."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from timevalg.booking.invite import InvitationPlan
from timevalg.cli.counting import counted
from timevalg.cli.files import text_of
from timevalg.cli.moments import local
from timevalg.cli.reserve import shortage_row
from timevalg.cli.standing import Standing, opened
from timevalg.library.invitation_file import read_invitations
from timevalg.model.errors import InvalidInput, NotServable, Problem
from timevalg.model.states import ENDED
from timevalg.model.task import Task

_NUMBERED = re.compile(r"invitations\[(\d+)\]\.?(.*)")


def run(
    standing: Standing, file: Path, send: bool, up_to: int | None, partly: bool, as_json: bool
) -> None:
    """Plan, or send what was planned; a line sent again is as sent once, by its ref."""
    lines = dict(islice(read_invitations(text_of(file), str(file)).items(), up_to))
    with opened(standing) as valg, _told_by_line(file, lines):
        desk = valg.planner("timevalg invite")
        if not send:
            _tell_plan(file, desk.plan_invitations(lines.values()), list(lines), as_json)
            return
        sent = desk.invite_many(lines.values(), all_or_nothing=not partly)
    tasks = [(line, t) for line, one in zip(lines, sent, strict=True) if (t := one.task)]
    ended = _ended(tasks)
    drafts = [one.draft.id for one in sent if one.draft is not None]
    if as_json:
        of_lines = {"sent": [task.id for _, task in tasks], "drafts": drafts}
        typer.echo(json.dumps(of_lines | {"ended": [task.id for _, task in ended]}))
        return
    sent_now = counted(len(tasks) - len(ended), "invitation")
    typer.echo(f"{sent_now} sent; {counted(len(drafts), 'stays a draft', 'stay drafts')}")
    _tell_ended(file, ended)


def _ended(tasks: Iterable[tuple[int, Task]]) -> list[tuple[int, Task]]:
    """Give those, by line, whose invitation has come to its end: it is not sent again."""
    return [(line, task) for line, task in tasks if task.state in ENDED]


def _tell_ended(file: Path, ended: Iterable[tuple[int, Task]]) -> None:
    for line, task in ended:
        typer.echo(
            f"{file}:{line}: not sent again: its invitation is {task.state};"
            " to invite anew, give the line a ref of its own"
        )


@contextmanager
def _told_by_line(file: Path, lines: Mapping[int, Mapping[str, Any]]) -> Iterator[None]:
    """Name lines of the file where an error names invitations by number or by ref.

    Raises
    ------
    InvalidInput, NotServable
    """
    at = list(lines)

    def in_file(problem: Problem) -> Problem:
        named = _NUMBERED.fullmatch(problem.key)
        if named:
            return replace(problem, where=str(file), line=at[int(named[1])], key=named[2])
        return replace(problem, where=str(file), line=at[0] if len(at) == 1 else None)

    try:
        yield
    except InvalidInput as error:
        raise InvalidInput(map(in_file, error.problems)) from error
    except NotServable as error:
        line = next(line for line, row in lines.items() if row["ref"] == error.task)
        raise NotServable(f"of {file}:{line}", error.shortage) from error


def _tell_plan(file: Path, plan: InvitationPlan, lines: Sequence[int], as_json: bool) -> None:
    planned = list(zip(lines, plan.invitations, strict=True))
    ended = _ended((line, one.task) for line, one in planned)
    rows: list[dict[str, Any]] = [
        {
            "line": line,
            "patient": one.task.patient,
            "ref": one.task.ref,
            "start": local(one.place.start, one.zone) if one.place is not None else None,
            "shortage": shortage_row(one.shortage) if one.shortage is not None else None,
        }
        for line, one in planned
    ]
    short = [number for number, row in enumerate(rows) if row["shortage"] is not None]
    up_to = short[0] if short else len(rows)
    if as_json:
        answer = {"invitations": rows, "up_to": up_to, "proven": plan.proven}
        answer |= {"ended": [task.id for _, task in ended]}
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    if short:
        table = Table(title=f"{len(short)} of {len(rows)} cannot be promised a time")
        for heading in ("line", "patient", "why"):
            table.add_column(heading)
        for line, one in planned:
            if one.shortage is not None:
                table.add_row(str(line), one.task.patient, str(one.shortage))
        Console(width=None if sys.stdout.isatty() else 120).print(table)
    until = f", through line {lines[up_to - 1]} (--up-to {up_to})" if up_to else ""
    typer.echo(
        f"{len(rows) - len(short) - len(ended)} of {counted(len(rows), 'invitation')} can be sent;"
        f" the first {counted(up_to, 'as it stands', 'as they stand')}{until}"
    )
    _tell_ended(file, ended)
