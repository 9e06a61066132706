"""What workers leave behind of a patient in logs, in Redis and in errors: nothing."""

import json
import signal
import subprocess
import sys

import pytest
from redis import Redis

from benchmarks import servers
from tests.integration.workers.canary import CANARY
from tests.integration.workers.conftest import ROOT
from tests.integration.workers.test_running import choose_today
from tests.waiting import until

TIMEVALG = (
    "import sys, tests.integration.workers.failing; from timevalg.cli import main;"
    "sys.argv = ['timevalg', 'worker']; main()"
)
COMMANDS = {
    "timevalg": ("-c", TIMEVALG),
    "dramatiq": (
        *("-m", "dramatiq", "tests.integration.workers.failing", "--skip-logging"),
        *("--processes", "1", "--threads", "2"),
    ),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_failing_letter_names_nobody_in_logs_redis_or_errors(world, environment, command):
    with (
        servers.redis(private=True) as server,
        Redis.from_url(server.url) as client,
        client.monitor() as monitor,
    ):
        process = subprocess.Popen(
            [sys.executable, *COMMANDS[command]],
            cwd=ROOT,
            env=environment | {"TIMEVALG_REDIS_URL": server.url},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            choose_today(world, CANARY)
            (work,) = until(
                lambda: [
                    w
                    for w in world.read(lambda unit: unit.work.find(kind="letter"))
                    if w.attempts and w.error
                ]
            )
        finally:
            process.send_signal(signal.SIGTERM)
            _, logged = process.communicate(timeout=30)
        client.echo("the end")
        heard = list(iter(lambda: monitor.next_command()["command"], "ECHO the end"))
    assert process.returncode == 0
    lines = [json.loads(line) for line in logged.splitlines()]
    failures = [x for x in lines if x["event"] == "work failed" and x["kind"] == "letter"]
    assert {x["error"] for x in failures} == {"RuntimeError"}
    assert any(work.id in command for command in heard)
    assert work.error.startswith("RuntimeError: in failing.py:")
    assert CANARY not in logged + "".join(heard) + work.error
