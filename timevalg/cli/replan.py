"""``timevalg replan``: the visits that cannot stand, the places lost, and what to do about each."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from timevalg.booking.feed import read_appointment, read_task
from timevalg.booking.losses import LostPlace
from timevalg.booking.replan import Proposal, Rebooked
from timevalg.cli.counting import counted
from timevalg.cli.reserve import shortage_row
from timevalg.cli.standing import Standing, opened, row
from timevalg.library.desk import Desk
from timevalg.model.appointment import Appointment
from timevalg.model.errors import InvalidInput, NotFound, Problem, TimevalgError
from timevalg.model.task import Task
from timevalg.solver.picture import Picture


def run(
    standing: Standing, clinic: str | None, accept: Sequence[str], reason: str, as_json: bool
) -> None:
    """Answer, as a table or as JSON; or carry out the proposals for some visits."""
    with opened(standing) as valg:
        desk = valg.planner("timevalg replan")
        if accept:
            _accept(desk, _meant(desk, accept), reason, as_json)
            return
        picture = valg.ports.pictures.current(valg.organisation)
        if clinic is not None:
            picture.index.organisation.clinic(clinic)  # refuses one that there is not
        found = desk.replan(clinic)
    if as_json:
        told = rows(found.proposals, picture)
        whole: dict[str, Any] = {"proposals": told, "proven": found.proven}
        whole["lost"] = [_lost(one, picture) for one in found.lost]
        typer.echo(json.dumps(whole, ensure_ascii=False))
    else:
        console = Console(width=None if sys.stdout.isatty() else 140)
        console.print(table(found.proposals, picture))
        typer.echo(sure(found.proposals, found.proven), nl=False)
        for one in found.lost:
            typer.echo(_lost_sentence(one, picture))


def rows(found: Iterable[Proposal], picture: Picture) -> list[dict[str, Any]]:
    """Give proposals as plain data."""
    return [
        {
            "appointment": one.visit.id,
            "start": one.visit.start.astimezone(_zone(one, picture)).isoformat(),
            "absent": list(one.absent),
            "change": change(one),
            "to": None if one.session is None else row(one.session, picture),
            "harm": list(one.harm),
        }
        for one in found
    ]


def change(one: Proposal) -> str:
    """Say in a word what is proposed: resources, time or nothing."""
    if one.certificate is None:
        return "nothing"
    return "resources" if one.task is None else "time"


def sure(found: Sequence[Proposal], proven: bool) -> str:
    """Say whether the fewest move; nothing where nobody has to."""
    if not found:
        return ""
    said = "no other way moves fewer, or as many with less harm"
    return (said if proven else f"it is not proven that {said}") + "\n"


def table(found: Sequence[Proposal], picture: Picture) -> Table:
    """Give proposals as a table."""
    shown = Table(title=f"{counted(len(found), 'visit')} cannot stand")
    for heading in ("visit", "start", "why", "change", "to", "resources", "harm"):
        shown.add_column(heading)
    for one in found:
        zone, to = _zone(one, picture), one.session
        names = {} if to is None else to.resources
        shown.add_row(
            one.visit.id,
            f"{one.visit.start.astimezone(zone):%a %Y-%m-%d %H:%M}",
            "; ".join(one.absent),
            change(one),
            "" if to is None else f"{to.start.astimezone(zone):%a %Y-%m-%d %H:%M}",
            ", ".join(f"{role}: {' + '.join(ids)}" for role, ids in names.items()),
            ", ".join(one.harm),
        )
    return shown


def _zone(one: Proposal, picture: Picture) -> Any:
    return picture.index.organisation.clinic(one.visit.clinic).timezone


def _rebooked(one: Rebooked) -> dict[str, Any]:
    return {
        "appointment": one.visit.id,
        "state": one.visit.state,
        "task": one.task.id if one.task is not None else None,
    }


def _meant(desk: Desk, keys: Sequence[str]) -> list[Appointment | Task]:
    """Find the visits, and the tasks that lost their place, each once; all before any is changed.

    Raises
    ------
    InvalidInput
        Naming all that there are not.
    """
    found = {key: _found(desk, key) for key in keys}
    missing = [
        Problem("command line", None, "--accept", f"there is no visit and no task {key!r} here")
        for key, one in found.items()
        if one is None
    ]
    if missing:
        raise InvalidInput(missing)
    return list({one.id: one for one in found.values() if one is not None}.values())


def _found(desk: Desk, key: str) -> Appointment | Task | None:
    for read in (read_appointment, read_task):
        with suppress(NotFound):
            return read(desk.ports, desk.principal, key)
    return None


def _accept(desk: Desk, meant: Iterable[Appointment | Task], reason: str, as_json: bool) -> None:
    """Do what is proposed for each, and say so at once; one that is refused stops no other."""
    answer: dict[str, list[dict[str, Any]]] = {"rebooked": [], "placed": [], "refused": []}
    for one in meant:
        try:
            done = _accepted(desk, one, reason)
        except TimevalgError as error:
            answer["refused"].append({"id": one.id, "reason": str(error)})
            if not as_json:
                typer.echo(f"{one.id} is left as it is: {error}", err=True)
            continue
        if isinstance(done, Rebooked):
            answer["rebooked"].append(_rebooked(done))
        else:
            answer["placed"].append({"task": done.id})
        if not as_json:
            typer.echo(_sentence(done))
    if as_json:
        typer.echo(json.dumps(answer))
    if answer["refused"]:
        raise typer.Exit(2)


def _accepted(desk: Desk, one: Appointment | Task, reason: str) -> Rebooked | Task:
    """Do what is proposed for a visit; a task that lost its place gets one."""
    if isinstance(one, Task):
        return desk.amend(one.id, reason=reason)
    return desk.rebook(one.id, reason=reason)


def _lost(one: LostPlace, picture: Picture) -> dict[str, Any]:
    return {
        "task": one.task.id,
        "priority": one.task.priority,
        "deadline": (one.task.deadline or one.task.not_after).isoformat(),
        "since": one.case.created_at.isoformat(),
        "reason": one.case.reason,
        "place": None if one.place is None else row(one.place, picture),
        "shortage": None if one.shortage is None else shortage_row(one.shortage),
        "times": [row(time, picture) | {"harm": list(harm)} for time, harm in one.times],
    }


def _lost_sentence(one: LostPlace, picture: Picture) -> str:
    last = one.task.deadline or one.task.not_after
    said = f"{one.task.id} (priority {one.task.priority}, until {last}) has no place: "
    if one.shortage is None:
        return f"{said}there is one by now; --accept {one.task.id} takes it"
    times = [
        f"{row(time, picture)['start']}{f' ({words})' if (words := ', '.join(harm)) else ''}"
        for time, harm in one.times
    ]
    return f"{said}{one.shortage}" + (f"; staff could assign {' or '.join(times)}" if times else "")


def _sentence(done: Rebooked | Task) -> str:
    if isinstance(done, Task):
        return f"task {done.id} has a place"
    if done.task is None:
        return f"{done.visit.id} keeps its time with other resources"
    return f"{done.visit.id} is cancelled; task {done.task.id} is {done.task.state}, with a place"
