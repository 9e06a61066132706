"""SIGTERM ends the real commands, whatever is busy, away or silent."""

import signal
import subprocess
import sys
from contextlib import ExitStack

from benchmarks import servers
from benchmarks.chaos.proxy import Proxy
from tests.integration.workers.conftest import ROOT, free_port, is_ready
from tests.integration.workers.test_running import choose_today
from tests.waiting import until
from timevalg.channels import http, smtp
from timevalg.store.postgres import Postgres
from workers import health, operating, serve
from workers.broker import make_broker

DRAMATIQ = ("-m", "dramatiq", "workers", "--processes", "1", "--threads", "2")
TIMEVALG = ("-m", "timevalg.cli", "worker")
PROMISED = 10
"""Seconds from SIGTERM to the end; what is waited for on the way is bounded by settings."""
BOUND = 25
"""Seconds after which a process counts as one that does not end; it has 10, on a quiet machine."""


def test_what_a_process_waits_for_at_its_end_adds_up_to_less_than_was_promised():
    assert operating.GRACE + operating.DRAMATIQS < PROMISED
    in_hand = (http.SECONDS, smtp.SECONDS, Postgres().patience, health.PATIENCE)
    assert max(in_hand) < operating.GRACE
    assert 2 * serve.PATIENCE / 1000 < operating.GRACE
    client = make_broker("redis://127.0.0.1:1").client
    settings = client.connection_pool.connection_kwargs
    assert max(settings["socket_timeout"], settings["socket_connect_timeout"]) < operating.GRACE


def start(stack, environment, command):
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    stack.callback(process.wait)
    stack.callback(process.kill)
    return process


def test_workers_end_though_redis_or_postgres_is_away_or_says_nothing(
    world, environment, postgres_url
):
    """Guard off: without the last moment of `end_soon` they wait for ever for a silent database.

    All are told at once; each says when it is ready, at the port that either command opens.
    """
    with ExitStack() as stack:
        redis = stack.enter_context(servers.redis(private=True))
        silent, gone = (stack.enter_context(Proxy(postgres_url)) for _ in range(2))
        cases = [
            (DRAMATIQ, {"TIMEVALG_REDIS_URL": redis.url}),
            (DRAMATIQ, {"TIMEVALG_DATABASE_URL": silent.url}),
            (TIMEVALG, {"TIMEVALG_REDIS_URL": redis.url, "TIMEVALG_DATABASE_URL": gone.url}),
            (TIMEVALG, {"TIMEVALG_DATABASE_URL": gone.url}),
        ]
        processes, ports = [], [free_port() for _ in cases]
        for (command, settings), port in zip(cases, ports, strict=True):
            own = settings | {"TIMEVALG_WATCH": str(port)}
            processes.append(start(stack, environment | own, command))
        for port in ports:
            until(lambda port=port: is_ready(port))
        redis.kill()
        silent.silent.set()
        gone.close()
        choose_today(world)
        for process in processes:
            process.send_signal(signal.SIGTERM)
        assert [process.wait(timeout=BOUND) for process in processes] == [0] * len(cases)


def test_a_busy_worker_ends_and_what_it_had_in_hand_is_done_or_given_back(
    world, environment, receiver
):
    """The mail server is slow to answer: what it was asked is finished, the rest is for others."""
    receiver.delay = 0.5
    for n in range(6):
        choose_today(world, f"p-{n}")
    with ExitStack() as stack:
        process = start(stack, environment, DRAMATIQ)
        until(lambda: world.read(lambda unit: unit.letters.find(state="sending")))
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=BOUND) == 0
    assert world.read(lambda unit: unit.letters.find(state="sending")) == []
    assert world.read(lambda unit: unit.work.find(state="leased")) == []
    sent = world.read(lambda unit: unit.letters.find(state="sent"))
    assert receiver.mails == {letter.id: 1 for letter in sent}
