"""``timevalg doctor``: what is wrong with an installation, and what to do about it."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import asdict

import typer

from timevalg.booking.examine import examine
from timevalg.cli.counting import counted
from timevalg.model.errors import InvalidInput
from timevalg.model.principal import Principal, RoleName
from timevalg.model.soundness import Finding
from timevalg.settings import Settings
from timevalg.store.health import health
from timevalg.store.vault import KeysInText
from timevalg.wiring import open_ports

NEEDED = {"reachable", "migrations"}
"""Checks without which the rows cannot be read."""


def run(url: str, redis: str | None, deep: bool, as_json: bool) -> None:
    """Examine; findings leave with exit status 1."""
    settings = Settings.of(os.environ)
    findings = [*_database(url, settings), *_keys(settings)]
    looked_at: Counter[str] = Counter()
    if redis is not None:
        findings += _redis(redis)
    if deep and not NEEDED & {f.check for f in findings}:
        more, looked_at = _deep(url)
        findings += more
    if as_json:
        answer = {
            "sound": not findings,
            "deep": deep,
            "looked_at": dict(looked_at),
            "findings": [asdict(f) for f in findings],
        }
        typer.echo(json.dumps(answer, ensure_ascii=False))
    else:
        for finding in findings:
            where = f"{finding.organisation}: " if finding.organisation else ""
            typer.echo(f"{where}{finding.check}: {finding.what}\n    to do: {finding.cure}")
        counts = ", ".join(f"{n} {name}" for name, n in looked_at.items())
        typer.echo(counted(len(findings), "finding") + (f" in {counts}" if counts else ""))
    if findings:
        raise typer.Exit(1)


def _database(url: str, settings: Settings) -> list[Finding]:
    """Look at the database; what cannot be opened for want of good keys is told beside the rest."""
    production = not settings.is_development
    try:
        return health(url, keys=KeysInText(settings["DATA_KEYS"]), production=production)
    except InvalidInput as error:
        if {p.key for p in error.problems} != {"TIMEVALG_DATA_KEYS"}:
            raise
        wrong = [Finding("keys", p.message, "mend TIMEVALG_DATA_KEYS") for p in error.problems]
        return [*wrong, *(f for f in health(url, production=production) if f.check != "keys")]


def _keys(settings: Settings) -> list[Finding]:
    findings = list[Finding]()
    if not settings.is_development and not settings["SEARCH_KEY"]:
        what = "TIMEVALG_SEARCH_KEY is not set: persons are found by it"
        findings.append(Finding("keys", what, "set it to a long random text, once and for all"))
    if settings.issuers:
        try:
            from timevalg.identity import health as issuers
        except ModuleNotFoundError as error:
            raise InvalidInput.single(
                "keys", f"{error.name} is missing; pip install 'timevalg[api]'", "command line"
            ) from error
        findings += issuers.health(settings.issuers)
    return findings


def _deep(url: str) -> tuple[list[Finding], Counter[str]]:
    ports = open_ports(url)
    findings: list[Finding] = []
    looked_at: Counter[str] = Counter()
    try:
        for organisation in ports.store.organisations():
            who = Principal("doctor", RoleName.AUDITOR, organisation, channel="cli")
            examined = examine(ports, who)
            findings += examined.findings
            looked_at.update(examined.looked_at)
    finally:
        ports.store.close()
    return findings, looked_at


def _redis(url: str) -> list[Finding]:
    try:
        from workers.health import health as redis_health
    except ModuleNotFoundError as error:
        raise InvalidInput.single(
            "redis", f"{error.name} is missing; pip install 'timevalg[worker]'", "command line"
        ) from error
    return redis_health(url)
