"""``timevalg db reseal``: personal data sealed with the newest key."""

from __future__ import annotations

import os

import typer
from rich.console import Console

from timevalg.settings import Settings
from timevalg.store.migrate import require_current
from timevalg.store.reseal import reseal
from timevalg.store.vault import KeysInText


def run(url: str) -> None:
    """Seal anew, saying how far it has come."""
    keys = KeysInText(Settings.of(os.environ)["DATA_KEYS"])
    require_current(url)
    with Console(stderr=True).status("sealing") as status:
        number = reseal(url, keys, lambda column, n: status.update(f"{column}: {n} sealed"))
    typer.echo(f"{number} values are sealed with the key {keys.names[0]}")
