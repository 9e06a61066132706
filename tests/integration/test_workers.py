"""The same actors in this process and as ``dramatiq workers`` with Redis."""

import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dramatiq
import pytest
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker

import workers
from tests.world import ORGANISATION, World
from timevalg.booking.work import KINDS
from timevalg.model.records import WorkState
from timevalg.model.states import TaskState
from timevalg.store import Database
from timevalg.wiring import open_ports
from workers import context, serve
from workers.actors import BY_KIND
from workers.broker import make_broker
from workers.relay import Relay

ROOT = Path(__file__).parents[2]


@pytest.fixture
def world(postgres_url):
    """A clinic in PostgreSQL, today: other processes go by the database's own clock."""
    world = World(lambda clock: Database(postgres_url, clock))
    world.clock.set(datetime.now(UTC))
    yield world
    world.store.close()


def choose_today(world):
    today = world.clock.now().date()
    return world.chosen(
        opens=today - timedelta(days=1),
        due=today + timedelta(days=4),
        not_after=today + timedelta(days=40),
    )


def test_every_kind_of_work_has_its_actor():
    assert set(BY_KIND) == set(KINDS)
    assert {a.actor_name for a in BY_KIND.values()} == set(workers.broker.actors)


def test_the_broker_is_never_an_accident(redis_url):
    assert dramatiq.get_broker() is workers.broker
    assert isinstance(make_broker(None), StubBroker)
    assert isinstance(make_broker(redis_url), RedisBroker)


def test_in_this_process_the_actors_do_everything_that_is_due(world):
    task, _ = choose_today(world)
    context.bind(world.ports)
    done = serve.drain(world.ports)
    assert {work.kind for work in done} >= {"check", "letter", "send letter"}
    assert world.task(task).state is TaskState.CONFIRMED
    assert [letter.kind for letter in world.post.sent] == ["appointment"]
    assert serve.drain(world.ports) == []


def test_a_sweep_announces_each_piece_once_until_it_is_forgotten(world):
    choose_today(world)
    announced = []
    relay = Relay(world.ports, announced.append)
    assert len(relay.sweep()) == len(announced) > 0
    assert relay.sweep() == []
    assert Relay(world.ports, announced.append).sweep()  # another relay, or Redis has lost them


def test_work_announced_twice_is_done_once(world):
    choose_today(world)
    context.bind(world.ports)
    work = world.read(lambda unit: unit.work.find(kind="check"))[0]
    actor = BY_KIND["check"]
    actor(ORGANISATION, work.id)
    actor(ORGANISATION, work.id)
    assert len(world.events("task.confirmed")) == 1


def test_dramatiq_workers_do_it_with_redis(world, postgres_url, redis_url, tmp_path):
    task, visit = choose_today(world)
    environment = os.environ | {
        "TIMEVALG_DATABASE_URL": postgres_url,
        "TIMEVALG_REDIS_URL": redis_url,
        "TIMEVALG_LETTERS": str(tmp_path),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "dramatiq", "workers", "--processes", "1", "--threads", "2"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        until(lambda: world.task(task).state is TaskState.CONFIRMED)
        until(lambda: world.read(lambda u: u.letters.find(appointment=visit.id, state="sent")))
        assert list(tmp_path.glob("*.html"))
        assert world.read(lambda unit: unit.work.find(kind="fall due", state=WorkState.WAITING))
    finally:
        process.terminate()
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 0, output
    assert "Traceback" not in output, output
    assert "p-1" not in output


def test_serving_with_redis_stops_when_told(world, postgres_url, redis_url):
    task, _ = choose_today(world)
    stop = threading.Event()
    ports = open_ports(postgres_url)
    context.bind(ports)
    thread = threading.Thread(target=serve.serve, args=(ports, redis_url, stop))
    thread.start()
    try:
        until(lambda: world.task(task).state is TaskState.CONFIRMED)
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()
    ports.store.close()


def until(condition, seconds=30.0):
    """Wait until the condition holds, without sleeping for a fixed time."""
    tick = threading.Event()
    for _ in range(int(seconds / 0.05)):
        if condition():
            return
        tick.wait(0.05)
    raise AssertionError("it did not happen in time")
