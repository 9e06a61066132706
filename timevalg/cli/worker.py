"""``timevalg worker``: relay and workers in one process, for small sites."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import typer

from timevalg.model.errors import InvalidInput


def run(url: str, redis: str | None, letters: Path | None, once: bool) -> None:
    """Work until SIGTERM or SIGINT; with `once`, until nothing more is due."""
    try:
        from workers import context, serve
    except ModuleNotFoundError as error:
        raise InvalidInput.single(
            "worker", f"{error.name} is missing; pip install 'timevalg[worker]'", "command line"
        ) from error
    ports = context.open_context(url, letters)
    if once:
        done = serve.drain(ports)
        typer.echo(f"{len(done)} pieces of work done")
        return
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    typer.echo("working; stop with Ctrl-C")
    serve.serve(ports, redis, stop)
