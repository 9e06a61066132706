"""``timevalg demo``: some weeks of the example clinic, played through the library."""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from datetime import datetime
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import Progress

from timevalg.cli.demo.figures import figures
from timevalg.cli.demo.report import report
from timevalg.cli.demo.weeks import Weeks
from timevalg.model.errors import InvalidInput
from timevalg.store import SetClock

ORGANISATION = "999999999"
FIRST_MORNING = datetime(2027, 1, 4, 8, tzinfo=ZoneInfo("Europe/Oslo"))


class CountedKeys:
    """Ids in order, so that the same seed plays the same weeks."""

    def __init__(self) -> None:
        self._next = count(1)

    def new(self, kind: str) -> str:
        """Give the next id."""
        return f"{kind[0]}-{next(self._next):06d}"


def example() -> Path:
    """Give the folder of the example clinic, in a checkout or in an installed wheel."""
    package = Path(__file__).parents[2]
    for root in (package / "_examples", package.parent / "examples"):
        if (root / "gastro").is_dir():
            return root / "gastro"
    raise InvalidInput.single("demo", f"the example clinic is missing beside {package}")


def run(as_json: bool, tasks: int, weeks: int, seed: int, folder: Path | None) -> None:
    """Play the weeks and say what came of them."""
    try:
        from workers import context, serve
    except ModuleNotFoundError as error:
        raise InvalidInput.single(
            "demo", f"{error.name} is missing; pip install 'timevalg[worker]'", "command line"
        ) from error
    from timevalg.library import Timevalg

    home = folder or Path(tempfile.mkdtemp(prefix="timevalg-demo-"))
    home.mkdir(parents=True, exist_ok=True)
    file = home / "demo.sqlite"
    if file.exists():
        raise InvalidInput.single("--folder", f"{file} is there already; name another folder")
    began = time.perf_counter()
    clock = SetClock(FIRST_MORNING)
    with Timevalg.open(
        f"sqlite:///{file}",
        organisation=ORGANISATION,
        clock=clock,
        keys=CountedKeys(),
        letters=home / "letters",
    ) as valg:
        context.bind(valg.ports)
        played = Weeks(
            valg, clock, random.Random(seed), lambda: serve.drain(valg.ports), weeks=weeks
        )
        console = Console(file=sys.stderr)
        with Progress(console=console, disable=as_json) as progress:
            bar = progress.add_task("publishing, inviting", total=weeks * 7 + 1)
            played.begin(example(), tasks)
            progress.advance(bar)
            for day in range(weeks * 7):
                progress.update(bar, description=f"{clock.now():%a %d %b %Y}")
                played.day(day)
                progress.advance(bar)
        answer = figures(valg, clock.now())
    answer |= {"seconds": round(time.perf_counter() - began, 1), "database": f"sqlite:///{file}"}
    if as_json:
        typer.echo(json.dumps(answer))
    else:
        report(answer, home / "letters", weeks)
