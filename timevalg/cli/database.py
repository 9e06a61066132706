"""``timevalg db``: the database's tables, keys, rights and copies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from timevalg.cli.counting import counted
from timevalg.cli.options import DatabaseUrl

app = typer.Typer(no_args_is_help=True, help="The database's tables.")


@app.command("upgrade")
def upgrade(url: DatabaseUrl) -> None:
    """Bring the tables up to date (again and again does no harm)."""
    from timevalg.store.migrate import upgrade

    upgrade(url)
    typer.echo("the database is up to date")


@app.command("key")
def key(
    name: Annotated[str, typer.Argument(help="A name that no key has had, such as the year.")],
) -> None:
    """Make a key for personal data, as it stands first in TIMEVALG_DATA_KEYS."""
    from timevalg.store.vault import KeysInText, new_key

    made = new_key(name)
    KeysInText(made)
    typer.echo(made)


@app.command("reseal")
def reseal(url: DatabaseUrl) -> None:
    """Seal personal data with the newest of TIMEVALG_DATA_KEYS; others go on meanwhile."""
    from timevalg.cli import reseal as command

    command.run(url)


@app.command("grant")
def grant(
    role: Annotated[str, typer.Argument(help="The role of PostgreSQL that the program uses.")],
    url: DatabaseUrl,
) -> None:
    """Let a role do what the program does, and no more: the audit log it can only add to."""
    from timevalg.store.grants import grant

    grant(url, role)
    typer.echo(f"{role} may do what the program does; it cannot change the audit log")


@app.command("backup")
def backup(
    url: DatabaseUrl,
    file: Annotated[Path, typer.Argument(help="A file that does not exist yet.")],
) -> None:
    """Copy a SQLite database while it is in use (PostgreSQL: pg_dump; docs/backup.md)."""
    from timevalg.store.backup import backup

    backup(url, file)
    typer.echo(f"{file} is a copy of the database")


@app.command("restored")
def restored(url: DatabaseUrl) -> None:
    """Make a database that was restored from a backup ready, before anything else uses it."""
    from timevalg.store.backup import restored

    events = restored(url)
    typer.echo(
        f"{counted(events, 'event is', 'events are')} in order; next: timevalg doctor --deep"
    )
