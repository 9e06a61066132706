"""``timevalg purge`` and ``timevalg export``."""

from __future__ import annotations

import getpass
import json
import os
import socket

import typer

from timevalg.booking.export import export_patient
from timevalg.booking.purge import Purged
from timevalg.booking.purge import purge as purge_all
from timevalg.cli.at_database import ports_of
from timevalg.model.principal import Principal, RoleName
from timevalg.model.retention import classes, read_days
from timevalg.settings import Settings


def purge(url: str, organisation: str, apply: bool, as_json: bool) -> None:
    """Say, class by class, what goes before which day, and what stays and why."""
    kept = classes(read_days(Settings.of(os.environ)["RETENTION"]))
    with ports_of(url, organisation) as ports:
        found = purge_all(ports, _who(RoleName.OPERATOR, organisation), apply, kept)
    if as_json:
        typer.echo(json.dumps({"applied": apply, "classes": [_facts(one) for one in found]}))
        return
    for one in found:
        before = f"over before {one.before.date()}" if one.before else "not removed here"
        rows = ", ".join(f"{n} {table}" for table, n in sorted(one.removed.items())) or "nothing"
        typer.echo(f"{one.retention.name} ({one.retention.what}): {before}")
        typer.echo(f"    {'removed' if apply else 'would go'}: {rows}")
        typer.echo(f"    kept: {one.kept}; {one.retention.why}")
    if not apply:
        typer.echo("nothing was removed; --apply does it")


def export(url: str, organisation: str, patient: str) -> None:
    """Print one JSON object."""
    with ports_of(url, organisation) as ports:
        found = export_patient(ports, _who(RoleName.AUDITOR, organisation), patient)
    typer.echo(json.dumps(found, ensure_ascii=False, indent=2))


def _facts(one: Purged) -> dict[str, object]:
    return {
        "name": one.retention.name,
        "what": one.retention.what,
        "days": one.retention.days,
        "before": one.before.isoformat() if one.before else None,
        "removed": dict(one.removed),
        "kept": one.kept,
        "why": one.retention.why,
    }


def _who(role: RoleName, organisation: str) -> Principal:
    name, machine = getpass.getuser(), socket.gethostname()
    return Principal(name, role, organisation, channel="cli", address=machine)
