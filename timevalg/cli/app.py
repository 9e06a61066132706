"""The commands, each in a module of its own, loaded when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from timevalg.cli import clinics, database, rights, work
from timevalg.cli.options import DatabaseUrl, File, Json, Now, Organisation

app = typer.Typer(
    name="timevalg",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Patients choose their own appointments; deadlines hold; freed hours are used.",
)
app.add_typer(database.app, name="db")
audit = typer.Typer(no_args_is_help=True, help="The log of who looked at and changed what.")
app.add_typer(audit, name="audit")
app.add_typer(work.app, name="work")
app.add_typer(rights.app, name="rights")
app.add_typer(clinics.pools, name="pools")
app.add_typer(clinics.clinic, name="clinic")

LocalDate = Annotated[str | None, typer.Option(help="Local date.")]
Done = Annotated[list[str] | None, typer.Option(help="A preparation already done.")]

OptionalFile = Annotated[
    Path | None, typer.Argument(help="A clinic file, or a folder of them; or --database.")
]
InsteadOfFile = Annotated[
    str | None,
    typer.Option(
        "--database",
        help="Published clinics and stored tasks in FILE's stead; default TIMEVALG_DATABASE_URL.",
    ),
]


@app.command()
def check(file: File, as_json: Json = False) -> None:
    """Say everything that is wrong with a clinic file, or sum it up."""
    from timevalg.cli import check as command

    command.run(file, as_json)


@app.command()
def search(
    file: File,
    pool: Annotated[str | None, typer.Option(help="Anybody's starts in this pool.")] = None,
    task: Annotated[str | None, typer.Option(help="The starts for this task.")] = None,
    now: Now = None,
    not_before: LocalDate = None,
    not_after: LocalDate = None,
    done: Done = None,
    limit: Annotated[
        int | None, typer.Option(min=0, help="The first so many; default all.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Give every feasible start, in order of time."""
    from timevalg.cli import search as command
    from timevalg.cli.asking import Asking

    asking = Asking(file, pool, task, now, not_before, not_after, done or [])
    command.run(asking, limit, as_json)


@app.command()
def explain(
    file: File,
    pool: Annotated[str | None, typer.Option(help="Why not in this pool.")] = None,
    task: Annotated[str | None, typer.Option(help="Why not for this task.")] = None,
    start: Annotated[
        str | None, typer.Option(help="Why not just then; local if it has no offset.")
    ] = None,
    now: Now = None,
    not_before: LocalDate = None,
    not_after: LocalDate = None,
    done: Done = None,
    as_json: Json = False,
) -> None:
    """Say what each rule leaves, what is in the way of a start, and what would cure it."""
    from timevalg.cli import explain as command
    from timevalg.cli.asking import Asking

    asking = Asking(file, pool, task, now, not_before, not_after, done or [])
    command.run(asking, start, as_json)


@app.command()
def reserve(
    file: OptionalFile = None,
    now: Now = None,
    database: InsteadOfFile = None,
    organisation: Organisation = None,
    as_json: Json = False,
) -> None:
    """Give every live task a place, or say what is missing and what would cure it."""
    from timevalg.cli import reserve as command
    from timevalg.cli.standing import Standing

    command.run(Standing.of(file, now, database, organisation), as_json)


@app.command()
def offers(
    task: Annotated[str, typer.Option(help="Whose offers.")],
    file: OptionalFile = None,
    now: Now = None,
    limit: Annotated[int | None, typer.Option(min=0, help="The best so many; default all.")] = None,
    days: Annotated[list[str] | None, typer.Option(help="A weekday that suits: mon … sun.")] = None,
    after: Annotated[str | None, typer.Option(help="Begins then or later: 09:00.")] = None,
    before: Annotated[str | None, typer.Option(help="Ends then or earlier: 12:00.")] = None,
    not_on: Annotated[list[str] | None, typer.Option(help="A date that does not suit.")] = None,
    earliest: LocalDate = None,
    latest: LocalDate = None,
    clinicians: Annotated[
        list[str] | None, typer.Option(help="Somebody the patient knows, by id.")
    ] = None,
    sex: Annotated[str | None, typer.Option(help="Of the clinician: female, male …")] = None,
    language: Annotated[
        str | None, typer.Option(help="That the clinician speaks: nb, en …")
    ] = None,
    places: Annotated[
        list[str] | None, typer.Option(help="A clinic, or the name of its place.")
    ] = None,
    modes: Annotated[list[str] | None, typer.Option(help="physical, video, phone or home.")] = None,
    must: Annotated[
        list[str] | None, typer.Option(help="A wish of these that filters; the others rank.")
    ] = None,
    database: InsteadOfFile = None,
    organisation: Organisation = None,
    as_json: Json = False,
) -> None:
    """Give the safe offers of a task, best first: taking one leaves everybody else a place."""
    from timevalg.cli import offers as command
    from timevalg.cli.moments import parse_date
    from timevalg.cli.standing import Standing
    from timevalg.library.wishes import wishes_of

    off = [day for text in not_on or () if (day := parse_date("--not-on", text)) is not None]
    wishes = wishes_of(
        days=days or (),
        after=after,
        before=before,
        not_on=off,
        earliest=parse_date("--earliest", earliest),
        latest=parse_date("--latest", latest),
        clinicians=clinicians or (),
        sex=sex,
        language=language,
        places=places or (),
        modes=modes or (),
        must=must or (),
    )
    command.run(Standing.of(file, now, database, organisation), task, limit, wishes, as_json)


@app.command()
def invite(
    file: Annotated[Path, typer.Argument(help="CSV, one patient a line (docs/planning.md).")],
    url: DatabaseUrl,
    organisation: Organisation = None,
    send: Annotated[bool, typer.Option("--send", help="Send them; else only plan.")] = False,
    up_to: Annotated[
        int | None, typer.Option(min=1, help="The first so many invitations only.")
    ] = None,
    partly: Annotated[
        bool, typer.Option("--partly", help="Send whom it can; the others stay drafts.")
    ] = False,
    now: Now = None,
    as_json: Json = False,
) -> None:
    """Say who of many can be invited, and what is short for the others; or invite them."""
    from timevalg.cli import invite as command
    from timevalg.cli.standing import Standing

    standing = Standing(None, now, url, organisation)
    command.run(standing, file, send, up_to, partly, as_json)


@app.command()
def replan(
    url: DatabaseUrl,
    organisation: Organisation = None,
    clinic: Annotated[str | None, typer.Option(help="Only this one's visits.")] = None,
    accept: Annotated[
        list[str] | None, typer.Option(help="Do what is proposed for this visit.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, for the log.")] = "",
    now: Now = None,
    as_json: Json = False,
) -> None:
    """Say which visits cannot stand after an absence, and what would harm least; or do it."""
    from timevalg.cli import replan as command
    from timevalg.cli.standing import Standing

    command.run(Standing(None, now, url, organisation), clinic, accept or [], reason, as_json)


@app.command()
def figures(
    url: DatabaseUrl,
    organisation: Organisation = None,
    first: Annotated[
        str | None, typer.Option(help="Local date; default 1 January of the last one's year.")
    ] = None,
    last: Annotated[str | None, typer.Option(help="Local date, included; default today.")] = None,
    clinic: Annotated[str | None, typer.Option(help="Only this one.")] = None,
    by_clinic: Annotated[bool, typer.Option(help="A column for each clinic too.")] = False,
    by_month: Annotated[bool, typer.Option(help="A table of each month too.")] = False,
    history: Annotated[
        Path | None, typer.Option(help="Counts of the time before, as CSV (docs/figures.md).")
    ] = None,
    now: Now = None,
    as_json: Json = False,
) -> None:
    """Say how often times are re-planned, chosen, missed; what is lost, and who waits."""
    from timevalg.cli import figures as command
    from timevalg.cli.standing import Standing

    standing = Standing(None, now, url, organisation)
    command.run(standing, first, last, clinic, by_clinic, by_month, history, as_json)


@app.command()
def schema() -> None:
    """Print the JSON Schema of the clinic file, for editors."""
    from timevalg.cli import check as command

    command.schema()


@app.command()
def demo(
    as_json: Json = False,
    tasks: Annotated[int, typer.Option(min=1, max=5000, help="Invitations to send.")] = 300,
    weeks: Annotated[int, typer.Option(min=1, max=26, help="Simulated weeks.")] = 4,
    seed: Annotated[int, typer.Option(help="The same seed plays the same weeks.")] = 1,
    folder: Annotated[
        Path | None, typer.Option(help="Where database and letters go; default a new folder.")
    ] = None,
) -> None:
    """Play some weeks of an outpatient clinic whose patients choose their times."""
    from timevalg.cli.demo import run

    run(as_json, tasks, weeks, seed, folder)


@audit.command("verify")
def audit_verify(
    url: DatabaseUrl,
    organisation: Annotated[
        str | None, typer.Option(help="Its number; default every organisation.")
    ] = None,
    expect: Annotated[
        str, typer.Option(help="The last digest of an earlier time, kept elsewhere.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Say whether any entry was changed, removed, slipped in or left unsealed; status 1 if so."""
    from timevalg.cli import audit as command

    command.verify(url, organisation, expect, as_json)


@app.command("import")
def calendar_import(
    file: Annotated[Path, typer.Argument(help="A calendar: JSON Lines, or CSV by its ending.")],
    url: DatabaseUrl,
    organisation: Annotated[str, typer.Option(help="The organisation's number.")],
    system: Annotated[str, typer.Option(help="The record system that it comes from.")] = "import",
    rejected: Annotated[
        Path | None, typer.Option(help="Where rejected rows go, as JSON Lines; default: stderr.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Take in a whole calendar; stopped half-way, it can simply be started again."""
    from timevalg.cli import calendar_import as command

    command.run(file, url, organisation, system, rejected, as_json)


@app.command()
def purge(
    url: DatabaseUrl,
    organisation: Annotated[str, typer.Option(help="The organisation's number.")],
    apply: Annotated[bool, typer.Option("--apply", help="Remove it; default: only say.")] = False,
    as_json: Json = False,
) -> None:
    """Say what has been kept long enough, and what is kept and why; or remove it."""
    from timevalg.cli import privacy as command

    command.purge(url, organisation, apply, as_json)


@app.command()
def export(
    patient: Annotated[str, typer.Argument(help="The patient's id.")],
    url: DatabaseUrl,
    organisation: Annotated[str, typer.Option(help="The organisation's number.")],
) -> None:
    """Print everything that is kept about one patient, as JSON."""
    from timevalg.cli import privacy as command

    command.export(url, organisation, patient)


@app.command()
def doctor(
    url: DatabaseUrl,
    deep: Annotated[
        bool, typer.Option(help="Verify every claim, promise and visit against the rules.")
    ] = False,
    redis: Annotated[
        str | None, typer.Option(envvar="TIMEVALG_REDIS_URL", help="redis://…, if there is one.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what is wrong with an installation, and what to do; exit status 1 if anything is."""
    from timevalg.cli import doctor as command

    command.run(url, redis, deep, as_json)


@app.command()
def worker(
    url: DatabaseUrl,
    redis: Annotated[
        str | None,
        typer.Option(
            envvar="TIMEVALG_REDIS_URL", help="redis://…; default: no broker, one process."
        ),
    ] = None,
    letters: Annotated[
        Path | None, typer.Option(envvar="TIMEVALG_LETTERS", help="Folder for letters.")
    ] = None,
    once: Annotated[bool, typer.Option(help="Do what is due and stop.")] = False,
    watch: Annotated[
        str | None,
        typer.Option(
            envvar="TIMEVALG_WATCH", help="[HOST:]PORT for /metrics, /healthz and /readyz."
        ),
    ] = None,
) -> None:
    """Do the work that falls due, until stopped."""
    from timevalg.cli import worker as command

    command.run(url, redis, letters, once, watch)


@app.command()
def serve(
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    host: Annotated[str, typer.Option(help="Development serves this machine only.")] = "127.0.0.1",
    processes: Annotated[int, typer.Option(min=1, max=64, help="How many answer.")] = 1,
) -> None:
    """Serve the API; what is set in the environment is listed in docs/settings.md."""
    from timevalg.cli import serve as command

    command.serve(host, port, processes)


@app.command()
def token(
    role: Annotated[str, typer.Option(help="patient, representative, planner, system …")],
    organisation: Annotated[str, typer.Option(help="The organisation's number.")],
    clinic: Annotated[str | None, typer.Option(help="That clinic only; default all.")] = None,
    patient: Annotated[str | None, typer.Option(help="Who it is, or acts for.")] = None,
    name: Annotated[str, typer.Option(help="Who acts; default the patient, or the role.")] = "",
) -> None:
    """Print a bearer token for development."""
    from timevalg.cli import serve as command

    command.token(role, organisation, clinic, patient, name)
