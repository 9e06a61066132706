"""``timevalg audit verify``: whether the audit log is as it was written."""

from __future__ import annotations

import json
from dataclasses import asdict

import typer

from timevalg.booking.seal import verify_audit
from timevalg.cli.at_database import NOTHING, ports_at, require_known
from timevalg.cli.counting import counted
from timevalg.model.errors import InvalidInput
from timevalg.model.principal import Principal, RoleName


def verify(url: str, organisation: str | None, expect: str, as_json: bool) -> None:
    """Say for each organisation whether its log holds; exit status 1 if one does not."""
    with ports_at(url) as ports:
        if organisation:
            require_known(ports, organisation)
        names = [organisation] if organisation else ports.store.organisations()
        if not names:
            raise InvalidInput.single("--database", NOTHING, "command line")
        if expect and len(names) != 1:
            said = "say whose digest --expect is"
            raise InvalidInput.single("--organisation", said, "command line")
        verdicts = {name: verify_audit(ports, _auditor(name), expect) for name in names}
    if as_json:
        typer.echo(json.dumps({name: asdict(v) for name, v in verdicts.items()}))
    for name, verdict in verdicts.items() if not as_json else ():
        state = "is not as it was written" if verdict.broken else "is as it was written"
        entries = counted(verdict.entries, "entry", "entries")
        typer.echo(
            f"{name}: the audit log {state}; {entries} under {counted(verdict.seals, 'seal')},"
            f" {verdict.unsealed} not yet sealed; last digest {verdict.head or 'none'}"
        )
        for what in verdict.broken:
            typer.echo(f"  {what}", err=True)
        if verdict.overdue:
            are = counted(verdict.overdue, "entry is", "entries are")
            why = "no worker seals them, or seals were removed"
            typer.echo(f"  {are} older than two hours and not sealed: {why}", err=True)
    raise typer.Exit(1 if any(v.broken or v.overdue for v in verdicts.values()) else 0)


def _auditor(organisation: str) -> Principal:
    return Principal("cli", RoleName.AUDITOR, organisation, channel="cli")
