"""A server process with a port and a folder of its own that ends when its starter ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

_DEADLINE = 60.0
"""Seconds a server gets to answer before it counts as failed."""

# Run as `python -c`, then becomes the server: a process may ask for its death signal only for
# itself and after it changed user, and a preexec_fn warns in processes with threads.
_LAUNCH = """
import ctypes, os, sys
user, death, parent, *argv = sys.argv[1:]
prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
if user:
    import pwd
    os.setgroups([])
    os.setuid(pwd.getpwnam(user).pw_uid)
if prctl:
    prctl(1, int(death))
    if os.getppid() != int(parent):
        sys.exit("the process that wanted this server is gone")
os.execv(argv[0], argv)
"""


class Server:
    """A server: ours (a process and a folder) or somebody else's (an address only)."""

    _fast = signal.SIGTERM  # an orderly end that waits for no client
    _now = signal.SIGKILL  # an end after which the folder is thrown away
    _refusals: tuple[type[Exception], ...] = (OSError,)

    def __init__(self, url: str, argv: list[str], folder: Path | None, user: str = "") -> None:
        self.url = url
        self._argv = argv
        self._folder = folder
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def ours(self) -> bool:
        """Whether it was started here, so that it may be stopped here."""
        return self._folder is not None

    def restart(self) -> None:
        """Stop it in an orderly way if it runs, and start it on the same port and folder."""
        self._end(self._fast)
        self.start()

    def kill(self) -> None:
        """Let it crash (SIGKILL); `restart` brings it back."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Stop it for good and remove its folder. Somebody else's server is left alone."""
        if self._folder is not None:
            self._end(self._now)
            shutil.rmtree(self._folder, ignore_errors=True)

    def _ping(self) -> None:
        """Return if it answers, raise one of `_refusals` if it does not yet."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it and return when it answers.

        Raises
        ------
        RuntimeError
            If it does not answer in time; carries the end of its log.
        """
        folder = self._ours()
        deadline = time.monotonic() + _DEADLINE
        tries = 0
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                # After a crash the old backends may still hold the shared memory: once more.
                if tries == 20:
                    break
                tries += 1
                self._spawn(folder)
            try:
                return self._ping()
            except self._refusals:
                time.sleep(0.01 * tries)
        log = (folder / "log").read_text(errors="replace")[-1000:]
        self._end(self._now)
        raise RuntimeError(f"{Path(self._argv[0]).name} did not answer; its log ends:\n{log}")

    def _spawn(self, folder: Path) -> None:
        launch = [sys.executable, "-ISc", _LAUNCH, self._user, str(int(self._now))]
        with (folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*launch, str(os.getpid()), *self._argv],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the tests, which then stop the server
            )

    def _end(self, how: signal.Signals) -> None:
        self._ours()
        if (process := self._process) is None:
            return
        self._process = None
        process.send_signal(how)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _ours(self) -> Path:
        if self._folder is None:
            raise RuntimeError(f"the server at {self.url} is not ours to stop: pass private=True")
        return self._folder
