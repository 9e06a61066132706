"""`timevalg serve` for tests, in processes of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager

from tests.waiting import until


def environment(tmp_path, **more):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TIMEVALG_")}
    own = {
        "TIMEVALG_DATABASE_URL": f"sqlite:///{tmp_path / 'served.sqlite'}",
        "TIMEVALG_DEVELOPMENT_KEY": str(tmp_path / "key.json"),
    }
    return kept | own | {f"TIMEVALG_{k}": v for k, v in more.items()}


def timevalg(env, *arguments):
    command = [sys.executable, "-m", "timevalg.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def is_open(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


@contextmanager
def served(env, port, processes=1):
    """Serve until the block ends; what uvicorn writes of readiness is awaited."""
    command = [sys.executable, "-m", "timevalg.cli", "serve", "--port", str(port)]
    waits = iter(range(processes))
    if processes > 1:
        command += ["--processes", str(processes)]
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stderr:
                if "startup complete" in line and next(waits) == processes - 1:
                    break
            until(lambda: is_open(port), f"a server at port {port}")
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.stderr.read()
            assert process.wait(timeout=30) in {0, -signal.SIGTERM}
