"""``timevalg clinic`` and ``timevalg pools``: what is in force in a database, and what is not."""

from __future__ import annotations

from typing import Annotated

import typer

from timevalg.cli.options import DatabaseUrl, File, Json, Now, Organisation

clinic = typer.Typer(no_args_is_help=True, help="Clinic files in force, and their versions.")
pools = typer.Typer(no_args_is_help=True, help="Pools: on, off, and what they would come to.")

Clinic = Annotated[str, typer.Argument(help="The clinic's id.")]
Pool = Annotated[str, typer.Argument(help="The pool's id.")]


@clinic.command("publish")
def clinic_publish(file: File, url: DatabaseUrl, as_json: Json = False) -> None:
    """Put a clinic file, or a folder of them, in force; says whom it affects."""
    from timevalg.cli import clinic_files as command

    command.publish(file, url, as_json)


@clinic.command("versions")
def clinic_versions(
    name: Clinic, url: DatabaseUrl, organisation: Organisation = None, as_json: Json = False
) -> None:
    """List the versions of a clinic's file, newest first."""
    from timevalg.cli import clinic_files as command
    from timevalg.cli.standing import Standing

    command.versions(Standing(None, None, url, organisation), name, as_json)


@clinic.command("rollback")
def clinic_rollback(
    name: Clinic,
    version: Annotated[int, typer.Argument(min=1, help="Which is to be in force again.")],
    url: DatabaseUrl,
    organisation: Organisation = None,
    reason: Annotated[str, typer.Option(help="Why, for the log.")] = "",
    as_json: Json = False,
) -> None:
    """Put an earlier version in force again, as a new one; bookings are left alone."""
    from timevalg.cli import clinic_files as command
    from timevalg.cli.standing import Standing

    command.rollback(Standing(None, None, url, organisation), name, version, reason, as_json)


@pools.command("on")
def pools_on(
    name: Clinic,
    pool: Pool,
    url: DatabaseUrl,
    organisation: Organisation = None,
    now: Now = None,
    as_json: Json = False,
) -> None:
    """Open a pool for choice, with the openings that it had last."""
    from timevalg.cli import clinic_files as command
    from timevalg.cli.standing import Standing

    standing = Standing(None, now, url, organisation)
    command.switch(standing, name, pool, True, "", False, as_json)


@pools.command("off")
def pools_off(
    name: Clinic,
    pool: Pool,
    url: DatabaseUrl,
    organisation: Organisation = None,
    reason: Annotated[str, typer.Option(help="Why; needed to override.")] = "",
    override: Annotated[
        bool, typer.Option("--override", help="Although some have no other place.")
    ] = False,
    now: Now = None,
    as_json: Json = False,
) -> None:
    """Close a pool: nothing is offered in it; refused if somebody has no other place."""
    from timevalg.cli import clinic_files as command
    from timevalg.cli.standing import Standing

    standing = Standing(None, now, url, organisation)
    command.switch(standing, name, pool, False, reason, override, as_json)


@pools.command("whatif")
def pools_whatif(file: File, url: DatabaseUrl, now: Now = None, as_json: Json = False) -> None:
    """Say what publishing an edited file would do to places, visits and tasks; writes nothing."""
    from timevalg.cli import whatif as command

    command.run(file, url, now, as_json)
