"""``timevalg work``: the state of the work at a glance, and what failed."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from timevalg.cli.at_database import only_organisation, ports_at, require_known
from timevalg.cli.options import DatabaseUrl, Json
from timevalg.model.errors import InvalidInput
from timevalg.model.principal import Principal, RoleName
from timevalg.model.records import Work
from timevalg.model.states import WorkState

if TYPE_CHECKING:
    from timevalg.booking.ports import Ports

app = typer.Typer(invoke_without_command=True, help="Work: at a glance; list, show, retry, drop.")

Organisation = Annotated[
    str | None, typer.Option(help="Needed only where there are several in the database.")
]
OwnUrl = Annotated[
    str, typer.Option("--database", help="sqlite:///… or postgresql://…; TIMEVALG_DATABASE_URL.")
]
"""Without the environment, which must not outdo the option before ``list`` and the others."""
Key = Annotated[str, typer.Argument(help="The work's id.")]
Reason = Annotated[str, typer.Option(prompt=True, help="Why; kept in the log.")]
State = Annotated[WorkState, typer.Option(help="Which work.")]


@dataclass(frozen=True)
class _Said:
    """The options, where they stand before ``list``, ``show``, ``retry`` or ``drop``."""

    url: str
    organisation: str | None
    as_json: bool


@app.callback()
def glance(
    context: typer.Context,
    url: DatabaseUrl = "",
    organisation: Organisation = None,
    as_json: Json = False,
) -> None:
    """Say what is due, since when, and what was given up."""
    context.obj = _Said(url, organisation, as_json)
    if context.invoked_subcommand is not None:
        return
    from timevalg.booking import parked

    with _operating(context, url, organisation) as (ports, who):
        depths = parked.depths(ports, who)
    if as_json:
        _print([asdict(depth) for depth in depths])
        return
    if not depths:
        typer.echo("nothing is due")
        return
    table = Table("kind", "clinic", "state", "pieces", "oldest due", "most attempts")
    for d in depths:
        oldest = d.oldest.isoformat(timespec="seconds")
        table.add_row(d.kind, d.clinic, d.state, str(d.count), oldest, str(d.attempts))
    Console().print(table)


@app.command("list")
def list_(
    context: typer.Context,
    url: OwnUrl = "",
    organisation: Organisation = None,
    state: State = WorkState.PARKED,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="The first so many.")] = 100,
    as_json: Json = False,
) -> None:
    """List work in a state, by default what was given up."""
    from timevalg.booking import parked

    with _operating(context, url, organisation) as (ports, who):
        found = parked.list_work(ports, who, state, limit)
    if as_json or context.obj.as_json:
        _print([_facts(work) for work in found])
        return
    for work in found:
        due = work.due_at.isoformat(timespec="seconds")
        typer.echo(f"{work.id}  {work.kind}  {work.entity}  due {due}  {work.error}")


@app.command()
def show(
    context: typer.Context,
    key: Key,
    url: OwnUrl = "",
    organisation: Organisation = None,
    as_json: Json = False,
) -> None:
    """Show all that is known of one piece of work."""
    from timevalg.booking import parked

    with _operating(context, url, organisation) as (ports, who):
        facts = _facts(parked.show_work(ports, who, key))
    if as_json or context.obj.as_json:
        _print(facts)
        return
    for name, value in facts.items():
        typer.echo(f"{name:>12}  {value}")


@app.command()
def retry(
    context: typer.Context,
    key: Key,
    reason: Reason,
    url: OwnUrl = "",
    organisation: Organisation = None,
) -> None:
    """Have parked work done again, with all its attempts."""
    from timevalg.booking import parked

    with _operating(context, url, organisation) as (ports, who):
        _tell(parked.retry_work(ports, who, key, reason))


@app.command()
def drop(
    context: typer.Context,
    key: Key,
    reason: Reason,
    url: OwnUrl = "",
    organisation: Organisation = None,
) -> None:
    """Say that work shall never be done; it stays in the list of dropped work."""
    from timevalg.booking import parked

    with _operating(context, url, organisation) as (ports, who):
        _tell(parked.drop_work(ports, who, key, reason))


def _tell(work: Work) -> None:
    typer.echo(f"{work.id} is {work.state}")


@contextmanager
def _operating(
    context: typer.Context, url: str, organisation: str | None
) -> Iterator[tuple[Ports, Principal]]:
    """Open what a command's own options say, else those before it, else the environment."""
    url = url or context.obj.url
    if not url:
        said = "is not set, nor TIMEVALG_DATABASE_URL"
        raise InvalidInput.single("--database", said, "command line")
    with ports_at(url) as ports:
        yield ports, _operator(ports, organisation or context.obj.organisation)


def _operator(ports: Ports, organisation: str | None) -> Principal:
    organisation = organisation or only_organisation(ports)
    require_known(ports, organisation)
    return Principal(getpass.getuser(), RoleName.OPERATOR, organisation, channel="cli")


def _facts(work: Work) -> dict[str, Any]:
    return {name: value for name, value in asdict(work).items() if value is not None}


def _print(value: Any) -> None:
    typer.echo(json.dumps(value, default=str, ensure_ascii=False))
