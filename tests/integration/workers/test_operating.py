"""What operators meet: metrics, readiness, deploys side by side, clocks that are wrong."""

import json
import threading
import urllib.request
from dataclasses import replace
from datetime import timedelta
from urllib.error import HTTPError

import pytest
from typer.testing import CliRunner

from tests.integration.workers.conftest import free_port, is_ready, running
from tests.integration.workers.test_running import choose_today
from tests.waiting import until
from tests.world import ORGANISATION
from timevalg.booking.work import KINDS
from timevalg.cli.app import app
from timevalg.model.states import TaskState
from timevalg.store import Database, SetClock
from timevalg.wiring import open_ports
from workers import context, serve
from workers.watch import watch


@pytest.fixture
def watched(world):
    context.bind(world.ports)
    server = watch(world.ports, "0")
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def get(url):
    try:
        with urllib.request.urlopen(url) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_metrics_tell_depth_age_attempts_and_lateness_and_no_patient(world, watched):
    choose_today(world)
    _, before = get(watched + "/metrics")
    depth = f'timevalg_work_depth{{kind="check",organisation="{ORGANISATION}",state="waiting"}} 1.0'
    assert depth in before
    assert "timevalg_work_oldest_seconds{" in before
    serve.drain(world.ports)
    _, after = get(watched + "/metrics")
    assert depth not in after
    for name in ("total", "attempts_bucket", "lateness_seconds_bucket", "seconds_bucket"):
        assert f'timevalg_work_{name}{{kind="check"' in after
    assert "p-1" not in before + after


def test_health_and_readiness(watched):
    assert get(watched + "/healthz") == (200, "alive\n")
    context.swept()
    assert get(watched + "/readyz")[0] == 200
    context.stopping.set()
    try:
        assert get(watched + "/readyz")[0] == 503
    finally:
        context.stopping.clear()
    assert get(watched + "/elsewhere")[0] == 404


def test_an_old_worker_leaves_unknown_kinds_to_newer_ones(world, monkeypatch):
    """Rolling deploy: the old one does what it knows; nothing of the rest is lost or spoilt."""
    task, visit = choose_today(world)
    context.bind(world.ports)
    with monkeypatch.context() as old:
        for kind in ("letter", "send letter"):
            old.delitem(KINDS, kind)
        done = serve.drain(world.ports)
        assert "check" in {work.kind for work in done}
        assert world.task(task).state is TaskState.CONFIRMED
        waiting = world.read(lambda unit: unit.work.find(kind="letter", entity=visit.id))
        assert [(w.state, w.attempts, w.fence) for w in waiting] == [("waiting", 0, 0)]
    serve.drain(world.ports)
    assert [x.state for x in world.letters(appointment=visit.id)] == ["sent"]


def test_old_and_new_workers_run_side_by_side(world, environment, receiver):
    """Rolling deploy, two processes on one Redis: what the old one does not know is the new's."""
    older = ("-m", "tests.integration.workers.older")
    task, _ = choose_today(world)
    with running(environment, *older) as old:
        until(lambda: world.task(task).state is TaskState.CONFIRMED)
        waiting = world.read(lambda unit: unit.work.find(kind="letter"))
        assert {(w.state, w.fence) for w in waiting} == {("waiting", 0)}
        with running(environment):
            other, _ = choose_today(world, "p-2")
            until(lambda: len(world.read(lambda u: u.letters.find(state="sent"))) == 2)
        assert world.task(other).state is TaskState.CONFIRMED
        written = world.read(lambda unit: unit.work.find(kind=["letter", "send letter"]))
    assert {w.owner.rpartition(":")[2] for w in written} & {str(old.pid), ""} == set()
    assert {w.attempts for w in written if w.state == "done"} == {1}
    assert set(receiver.mails.values()) == {1}


WRONG = """
import sys, time
import datetime as module
real, real_ns = time.time, time.time_ns
time.time = lambda: real() + {seconds}
time.time_ns = lambda: real_ns() + {seconds} * 10**9
class Wrong(module.datetime):
    @classmethod
    def now(cls, tz=None):
        return super().now(tz) + module.timedelta(seconds={seconds})
    @classmethod
    def utcnow(cls):
        return super().utcnow() + module.timedelta(seconds={seconds})
module.datetime = Wrong
from timevalg.cli import main
sys.argv = ["timevalg", "worker"]
main()
"""
"""Before anything is imported the process is given another time of day."""
HOUR = timedelta(hours=1)


def test_workers_whose_clocks_are_an_hour_wrong_do_no_harm(world, environment, receiver):
    """One behind, then one ahead beside it, two hours apart on the same Redis.

    What is due in ten minutes waits, a hold stays, what is due is done, once, by the right time.
    """
    behind, ahead = (("-c", WRONG.format(seconds=s)) for s in (-3600, 3600))
    held = choose_today(world, "p-9", hold=True)
    (expiry,) = world.read(lambda unit: unit.work.find(kind="expire hold"))
    choose_today(world, "p-1")

    def told(*patients):
        sent = world.read(lambda unit: unit.letters.find(state="sent"))
        return {x.patient for x in sent if x.kind == "appointment"}.issuperset(patients)

    with running(environment, *behind):
        until(lambda: told("p-1"))
        port = free_port()
        with running(environment | {"TIMEVALG_WATCH": str(port)}, *ahead):
            until(lambda: is_ready(port))
            for patient in ("p-2", "p-3"):
                choose_today(world, patient)
            until(lambda: told("p-2", "p-3"))
    assert set(receiver.mails.values()) == {1}
    assert world.read(lambda unit: unit.work.get(expiry.id)) == expiry
    assert [s.id for s in world.sessions(kind="hold")] == [held.id]
    now = world.read(lambda unit: unit.now())
    done, sent = world.read(lambda unit: unit.work.find(state="done")), world.letters(state="sent")
    assert done and sent
    for work in done:
        assert abs(work.done_at - now) < HOUR / 2
        assert work.attempts == 1
    for letter in sent:
        assert abs(letter.sent_at - now) < HOUR / 2
    early = Database(environment["TIMEVALG_DATABASE_URL"], SetClock(now + HOUR))
    context.bind(replace(world.ports, store=early))  # guard off: by its own clock one would do harm
    assert expiry.id in {work.id for work in serve.drain(replace(world.ports, store=early))}
    early.close()
    assert world.sessions(kind="hold") == []


def test_the_work_at_a_glance_and_what_was_given_up(world, postgres_url):
    choose_today(world)
    work = world.read(lambda unit: unit.work.find(kind="check"))[0]

    def command(*arguments):
        argv = ["work", "--database", postgres_url, "--json", *arguments]
        done = CliRunner().invoke(app, argv, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    assert {d["kind"] for d in json.loads(command())} >= {"check"}
    command("drop", work.id, "--reason", "a test")
    assert json.loads(command("show", work.id))["state"] == "dropped"
    assert [w["id"] for w in json.loads(command("list", "--state", "dropped"))] == [work.id]


def test_events_reach_a_subscriber_through_the_workers(world, postgres_url, receiver, monkeypatch):
    monkeypatch.setenv("DIPS_KEY", receiver.key)
    world.dips.subscribe(receiver.url, "DIPS_KEY", ["task."])
    ports = open_ports(postgres_url)
    context.bind(ports)
    stop = threading.Event()
    thread = threading.Thread(target=serve.serve, args=(None, stop))
    thread.start()
    try:
        choose_today(world)
        until(lambda: len(receiver.events) >= 5)
    finally:
        stop.set()
        thread.join(20)
    ports.store.close()
    states = [json.loads(body)["new"]["state"] for body in receiver.bodies]
    assert states == ["draft", "scheduled", "open", "chosen", "confirmed"]
    assert set(receiver.events.values()) == {1}
