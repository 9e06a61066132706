"""``timevalg audit verify``: whether the audit log is as it was written."""

from __future__ import annotations

import json
from dataclasses import asdict

import typer

from timevalg.booking.seal import verify_audit
from timevalg.cli.at_database import ports_at, require_known
from timevalg.model.principal import Principal, RoleName


def verify(url: str, organisation: str | None, as_json: bool) -> None:
    """Say for each organisation whether its log holds; exit status 1 if one does not."""
    with ports_at(url) as ports:
        if organisation:
            require_known(ports, organisation)
        names = [organisation] if organisation else ports.store.organisations()
        verdicts = {
            name: verify_audit(ports, Principal("cli", RoleName.AUDITOR, name, channel="cli"))
            for name in names
        }
    if as_json:
        typer.echo(json.dumps({name: asdict(v) for name, v in verdicts.items()}))
    for name, verdict in verdicts.items() if not as_json else ():
        state = "is not as it was written" if verdict.broken else "is as it was written"
        typer.echo(
            f"{name}: the audit log {state}; {verdict.entries} entries under {verdict.seals} seals,"
            f" {verdict.unsealed} not yet sealed; last digest {verdict.head or 'none'}"
        )
        for what in verdict.broken:
            typer.echo(f"  {what}", err=True)
    raise typer.Exit(1 if any(v.broken for v in verdicts.values()) else 0)
