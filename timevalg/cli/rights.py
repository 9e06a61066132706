"""``timevalg rights``: units, and who may what; for operators, at the machine itself."""

from __future__ import annotations

import getpass
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from timevalg.cli.at_database import nothing_published, ports_at, ports_of
from timevalg.cli.options import DatabaseUrl, Json
from timevalg.model import codec
from timevalg.model.errors import InvalidInput
from timevalg.model.principal import Principal, RoleName
from timevalg.model.time import require_aware

if TYPE_CHECKING:
    from timevalg.booking.rights import Standing
    from timevalg.library.rights import Rights
    from timevalg.model.right import Right

app = typer.Typer(no_args_is_help=True, help="Who may act as what, where and from when to when.")

Organisation = Annotated[str, typer.Option(help="The organisation's number.")]
Reason = Annotated[str, typer.Option(help="Why, for the log.")]
Instant = Annotated[str | None, typer.Option(help="An instant with its offset.")]


@app.command("give")
def give(
    url: DatabaseUrl,
    organisation: Organisation,
    role: Annotated[RoleName, typer.Option(help="As what.")],
    holder: Annotated[str | None, typer.Option(help="hpr:NUMBER, client:ID, person:….")] = None,
    person: Annotated[
        bool,
        typer.Option("--person", help="Read the holder's identity number from standard input."),
    ] = False,
    unit: Annotated[str | None, typer.Option(help="In this unit only.")] = None,
    clinic: Annotated[str | None, typer.Option(help="In this clinic only.")] = None,
    starts: Instant = None,
    ends: Instant = None,
    may_delegate: Annotated[bool, typer.Option(help="May give of it to others.")] = False,
    reason: Reason = "",
) -> None:
    """Give a right of the organisation's, also before it has published; prints its id."""
    with _rights(url, organisation, first=True) as rights:
        if person is (holder is not None):
            raise InvalidInput.single("--holder", "give a holder, or --person", "command line")
        right = rights.give(
            holder or rights.ports.pseudonym(typer.get_text_stream("stdin").readline().strip()),
            role,
            unit=unit,
            clinic=clinic,
            starts=_instant(starts, "--starts"),
            ends=_instant(ends, "--ends"),
            may_delegate=may_delegate,
            reason=reason,
        )
    typer.echo(right.id)


@app.command("revoke")
def revoke(url: DatabaseUrl, organisation: Organisation, right: str, reason: Reason = "") -> None:
    """Take a right back, and all that was given from it."""
    with _rights(url, organisation) as rights:
        rights.revoke(right, reason)
    typer.echo(f"{right} is revoked")


@app.command("list")
def list_(url: DatabaseUrl, organisation: Organisation, as_json: Json = False) -> None:
    """List every right, and where it holds now."""
    with _rights(url, organisation) as rights:
        found = rights.list()
    if as_json:
        typer.echo(json.dumps([json.loads(codec.dump(asdict(s))) for s in found]))
        return
    for standing in found:
        typer.echo(_line(standing))


@app.command("unit")
def unit(
    url: DatabaseUrl,
    organisation: Organisation,
    number: str,
    clinic: Annotated[list[str], typer.Option(help="A clinic of it; several times.")],
    name: Annotated[str, typer.Option(help="What it is called.")] = "",
    reason: Reason = "",
) -> None:
    """Say which clinics a unit has."""
    with _rights(url, organisation) as rights:
        rights.set_unit(number, name, clinic, reason)
    typer.echo(f"{number} has {', '.join(sorted(set(clinic)))}")


@app.command("verification")
def verification(url: DatabaseUrl, organisation: Organisation, reason: Reason = "") -> None:
    """Mark an organisation in which nobody is treated; it stays so."""
    with _rights(url, organisation) as rights:
        rights.mark_for_verification(reason)
    typer.echo(f"{organisation} is for verification")


@contextmanager
def _rights(url: str, organisation: str, first: bool = False) -> Iterator[Rights]:
    """Open an organisation's rights; the `first` one may come before all else, and is told so."""
    from timevalg.library.rights import Rights

    who = Principal(
        getpass.getuser(),
        RoleName.OPERATOR,
        organisation,
        channel="cli",
        address=socket.gethostname(),
    )
    with ports_at(url) if first else ports_of(url, organisation) as ports:
        if first and (unpublished := nothing_published(ports, organisation)):
            typer.echo(f"warning: {unpublished}", err=True)
        yield Rights(ports, who)


def _instant(text: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    try:
        return require_aware(datetime.fromisoformat(text), option)
    except ValueError as error:
        raise InvalidInput.single(option, str(error), "command line") from error


def _line(standing: Standing) -> str:
    right = standing.right
    clinics = standing.clinics
    now = "everywhere" if clinics is None else ", ".join(sorted(clinics)) or "nowhere"
    return f"{right.id}  {right.holder}  {right.role}  {_place(right)}  holds now: {now}"


def _place(right: Right) -> str:
    if right.clinic is not None:
        return f"clinic {right.clinic}"
    return f"unit {right.unit}" if right.unit is not None else "organisation"
