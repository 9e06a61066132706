"""``timevalg import``: take in a whole calendar; what is not taken in is listed with the reason."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import Progress, TaskID

from timevalg.booking.calendar_import import Rejected
from timevalg.cli.at_database import ports_of
from timevalg.cli.counting import counted
from timevalg.cli.files import open_text
from timevalg.library import Timevalg
from timevalg.model.errors import InvalidInput


def run(
    file: Path, url: str, organisation: str, system: str, rejected: Path | None, as_json: bool
) -> None:
    """Import the file; rows that are not taken in do not stop it."""
    form = "csv" if file.suffix.lower() == ".csv" else "jsonl"
    with (
        open_text("FILE", file, errors="surrogateescape", newline="") as lines,
        ports_of(url, organisation) as ports,
        _list(file, rejected) as reject,
        Progress(
            console=Console(stderr=True),
            transient=True,
            disable=as_json or not sys.stderr.isatty(),
        ) as progress,
    ):
        shown = _shown(lines, progress, progress.add_task(file.name, total=file.stat().st_size))
        valg = Timevalg(ports, organisation)
        done = valg.system(system).import_calendar(shown, form=form, reject=reject)
    if as_json:
        typer.echo(json.dumps(asdict(done)))
        return
    broken = counted(done.broken, "of them breaks a rule", "of them break a rule")
    typer.echo(
        f"{counted(done.rows, 'row')}: {done.applied} taken in ({broken}),"
        f" {done.known} known already, {done.rejected} rejected"
    )


def _shown(lines: Iterable[str], progress: Progress, bar: TaskID) -> Iterator[str]:
    for line in lines:
        yield line
        progress.advance(bar, len(line))


@contextmanager
def _list(file: Path, rejected: Path | None) -> Iterator[Callable[[Rejected], None]]:
    """List what is rejected as it comes: as JSON Lines in a file, or on standard error.

    Raises
    ------
    InvalidInput
        If the list would be written over the calendar, or cannot be written at all.
    """
    if rejected is None:
        yield lambda r: print(f"{file}:{r.line}: {r.ref or '-'}: {r.reason}", file=sys.stderr)
        return
    if rejected.exists() and rejected.samefile(file):
        said = f"{rejected} is the calendar itself; name another file"
        raise InvalidInput.single("--rejected", said, "command line")
    with open_text("--rejected", rejected, "w") as out:
        yield lambda r: print(json.dumps(asdict(r), ensure_ascii=False), file=out)
