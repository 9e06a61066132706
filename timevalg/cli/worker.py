"""``timevalg worker``: relay and workers in one process, for small sites."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import typer

from timevalg.model.errors import InvalidInput


def run(url: str, redis: str | None, letters: Path | None, once: bool, watched: str | None) -> None:
    """Work until SIGTERM or SIGINT; with `once`, until nothing more is due."""
    settings = dict(os.environ) | {"TIMEVALG_DATABASE_URL": url}
    settings |= {"TIMEVALG_LETTERS": str(letters)} if letters else {}
    try:
        from workers import context, serve
        from workers.watch import watch
    except ModuleNotFoundError as error:
        raise InvalidInput.single(
            "worker", f"{error.name} is missing; pip install 'timevalg[worker]'", "command line"
        ) from error
    ports = context.open_context(settings)
    if once:
        done = serve.drain(ports)
        typer.echo(f"{len(done)} pieces of work done")
        return
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if watched:
        host, _, port = watched.rpartition(":")
        watch(ports, host or "127.0.0.1", int(port))
    typer.echo("working; stop with Ctrl-C")
    serve.serve(redis, stop)
    ports.store.close()
