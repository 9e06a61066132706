"""The writers, all at once, some of them killed; and the history they leave."""

from __future__ import annotations

import multiprocessing
import random
import tempfile
import time
from contextlib import suppress
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from benchmarks.history import clinic
from benchmarks.history.clinic import Running
from benchmarks.history.record import History, merged
from benchmarks.history.writer import DESK, sessions, write
from timevalg.booking.invite import invite
from timevalg.booking.ports import Ports
from timevalg.booking.publish import publish
from timevalg.channels.sink import Sink
from timevalg.clinic import from_sources
from timevalg.model.contents import Source
from timevalg.store import Database
from timevalg.wiring import ports_on

_PATIENCE = 60


def history(
    url: str, writers: int, seconds: float, *, least: int = 0, kills: int = 0, seed: int = 0
) -> History:
    """Let writers do things at random on an empty, migrated database; gives what they did.

    Parameters
    ----------
    least : int
        Things that each does, however slow the machine.
    kills : int
        Writers that are killed, at random moments of the second half.

    Raises
    ------
    RuntimeError
        If a writer failed on its own; its error is on stderr.
    """
    origin = time.monotonic()
    store = Database(url, Running(origin))
    try:
        open_clinic(ports_on(store, Sink()))
        initial = clinic.taken(sessions(store))
        with tempfile.TemporaryDirectory(prefix="timevalg-history-") as folder:
            paths = [Path(folder) / f"{number}.jsonl" for number in range(writers)]
            _run(url, paths, origin, seconds, least, kills, seed)
            operations = merged(path.read_bytes() for path in paths if path.exists())
        return History(clinic.rules(), initial, operations, clinic.taken(sessions(store)))
    finally:
        store.close()


def open_clinic(ports: Ports) -> None:
    """Publish the clinic and invite its first patients."""
    publish(ports, DESK, from_sources({"hot": Source(clinic.document(), {})}))
    pools = [*clinic.RESOURCES]
    drafts = [clinic.invitation(n, pools[n // clinic.PATIENTS % 2]) for n in range(20)]
    invite(ports, DESK, drafts)


def _run(
    url: str,
    paths: list[Path],
    origin: float,
    seconds: float,
    least: int,
    kills: int,
    seed: int,
) -> None:
    context = multiprocessing.get_context("forkserver")  # imports once for all writers
    context.set_forkserver_preload(["benchmarks.history.writer"])
    ready = context.Barrier(len(paths) + 1)
    processes = [
        context.Process(
            target=write,
            args=(url, path, origin, ready, seconds, least, seed * 1000 + number),
            name=f"writer {number}",
            daemon=True,
        )
        for number, path in enumerate(paths)
    ]
    try:
        for process in processes:
            process.start()
        ready.wait(_PATIENCE)
        _kill(processes[:kills], seconds, random.Random(seed))
        for process in processes:
            process.join(seconds + _PATIENCE)
        failed = [p.name for p in processes[kills:] if p.exitcode != 0]
        if failed:
            raise RuntimeError(f"{', '.join(failed)} failed")
    finally:
        for process in processes:
            with suppress(ValueError):
                process.kill()


def _kill(victims: list[ForkServerProcess], seconds: float, dice: random.Random) -> None:
    began = time.monotonic()
    moments = sorted(dice.uniform(0.5, 0.9) * seconds for _ in victims)
    for victim, moment in zip(victims, moments, strict=True):
        time.sleep(max(0.0, began + moment - time.monotonic()))
        victim.kill()
