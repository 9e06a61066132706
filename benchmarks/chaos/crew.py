"""Processes that are killed and come back: workers of both commands, and producers."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

from benchmarks.chaos import producing

ROOT = Path(__file__).parents[2]
THREADS = 4
"""Of each worker: so many letters it has in flight at most."""
WORKERS = (
    ("-m", "timevalg.cli", "worker"),
    ("-m", "dramatiq", "workers", "--processes", "1", "--threads", str(THREADS)),
)
PRODUCERS = 2
STARTING = multiprocessing.get_context("forkserver")
STARTING.set_forkserver_preload(["benchmarks.chaos.producing"])


class Workers:
    """One process, or group of processes, of each command."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._processes = [self._start(command) for command in WORKERS]

    def kill(self, choice: random.Random) -> set[int]:
        """Kill one with all its children where they stand; another starts; gives the dead."""
        n = choice.randrange(len(WORKERS))
        group = self._processes[n].pid
        dead = _of_group(group)
        os.killpg(group, signal.SIGKILL)
        self._processes[n].wait()
        self._processes[n] = self._start(WORKERS[n])
        return dead

    def stop(self) -> None:
        """End all of them in an orderly way."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _start(self, command: tuple[str, ...]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


class Producers:
    """Each notes in a file of its own what the database has told it is written."""

    def __init__(self, url: str, organisation: str, folder: Path, pause: float) -> None:
        self._given, self._folder, self._started = (url, organisation, pause), folder, 0
        self._processes = [self._start() for _ in range(PRODUCERS)]

    def kill(self, choice: random.Random) -> None:
        """Kill one where it stands, and start another in its stead."""
        n = choice.randrange(PRODUCERS)
        self._processes[n].kill()
        self._processes[n].join()
        self._processes[n] = self._start()

    def stop(self) -> None:
        """Let each finish what it is writing.

        Raises
        ------
        RuntimeError
            If one has failed.
        """
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join()
        failed = [process.exitcode for process in self._processes if process.exitcode]
        if failed:
            raise RuntimeError(f"producers failed: exit statuses {failed}")

    def written(self) -> list[str]:
        """Give the keys of all letters that were told to be written."""
        files = sorted(self._folder.glob("*.written"))
        return [key for path in files for key in path.read_text().split("\n")[:-1]]

    def _start(self) -> multiprocessing.process.BaseProcess:
        self._started += 1
        notes = self._folder / f"l{self._started}.written"
        process = STARTING.Process(target=producing.produce, args=(notes, *self._given))
        process.start()
        return process


def _of_group(group: int) -> set[int]:
    """Give the processes of a group."""
    listed = subprocess.run(
        ["ps", "-eo", "pid=,pgid="], capture_output=True, text=True, check=True
    ).stdout
    pairs = (line.split() for line in listed.splitlines())
    return {int(pid) for pid, of in pairs if int(of) == group}
