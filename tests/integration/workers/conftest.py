"""A clinic in PostgreSQL, and workers in processes of their own."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.receiver import Receiver
from tests.world import World
from timevalg.store import Database
from workers import context

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def at_work():
    """Workers in this process have been stopped by tests before."""
    context.stopping.clear()


@pytest.fixture
def world(postgres_url):
    """A clinic in PostgreSQL, today: other processes go by the database's own clock."""
    world = World(lambda clock: Database(postgres_url, clock))
    world.clock.set(datetime.now(UTC))
    yield world
    world.store.close()


@pytest.fixture
def receiver():
    """A mail server and a web server that count what arrives, by effect."""
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def environment(postgres_url, redis_url, receiver):
    """The settings of workers whose letters go to the receiver."""
    return os.environ | {
        "TIMEVALG_DATABASE_URL": postgres_url,
        "TIMEVALG_REDIS_URL": redis_url,
        "TIMEVALG_SMTP": receiver.smtp,
        "DIPS_KEY": receiver.key,
    }


@contextmanager
def running(environment, *command):
    """Run a command; ended by SIGTERM, its output must be that of a good end."""
    argv = command or ("-m", "dramatiq", "workers", "--processes", "1", "--threads", "2")
    process = subprocess.Popen(
        [sys.executable, *argv],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 0, output
    assert "Traceback" not in output, output
    assert "p-1" not in output


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def is_ready(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
            return answer.status == 200
    except OSError:
        return False
