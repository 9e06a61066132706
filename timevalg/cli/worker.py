"""``timevalg worker``: relay and workers in one process, for small sites."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import typer

from timevalg import logs
from timevalg.cli.at_database import NOTHING
from timevalg.cli.counting import counted
from timevalg.model.errors import InvalidInput
from timevalg.store.migrate import require_current


def run(url: str, redis: str | None, letters: Path | None, once: bool, watched: str | None) -> None:
    """Work until SIGTERM or SIGINT; with `once`, until nothing more is due."""
    settings = dict(os.environ) | {"TIMEVALG_DATABASE_URL": url}
    settings |= {"TIMEVALG_LETTERS": str(letters)} if letters else {}
    try:
        from workers import context, serve
        from workers.operating import end_soon
        from workers.watch import watch
    except ModuleNotFoundError as error:
        raise InvalidInput.single(
            "worker", f"{error.name} is missing; pip install 'timevalg[worker]'", "command line"
        ) from error
    require_current(url)
    ports = context.open_context(settings)
    if once:
        done = serve.drain(ports)
        why = "" if ports.store.organisations() else f": {NOTHING}"
        typer.echo(f"{counted(len(done), 'piece', 'pieces')} of work done{why}")
        return
    logs.configure()
    stop = threading.Event()

    def end(*_: object) -> None:
        end_soon()
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    if watched:
        watch(ports, watched)
    typer.echo("working; stop with Ctrl-C")
    serve.serve(redis, stop)
    ports.store.close()
