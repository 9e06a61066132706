"""The same actors in this process, as ``timevalg worker`` and as ``dramatiq workers``."""

import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import dramatiq
import pytest
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker

import workers
from tests.integration.workers.conftest import running
from tests.waiting import until
from tests.world import ORGANISATION, World
from timevalg.booking.work import KINDS, SHARE, due_work
from timevalg.model.states import TaskState, WorkState
from timevalg.store import Memory
from timevalg.wiring import open_ports
from workers import context, serve
from workers.actors import BY_KIND
from workers.broker import make_broker
from workers.relay import Here, Relay


def choose_today(world, patient="p-1", hold=False):
    """Give a task and its visit, or the hold that is still to become one."""
    today = world.clock.now().date()
    world.desk.register(patient, email=f"{patient}@example.test")
    window = {"opens": today - timedelta(days=1), "due": today + timedelta(days=4)}
    window |= {"not_after": today + timedelta(days=40)}
    if not hold:
        return world.chosen(patient, **window)
    task, me = world.invited(patient, **window), world.valg.patient(patient)
    return me.hold(task, me.offers(task).offers[0])


def test_every_kind_of_work_has_its_actor():
    assert set(BY_KIND) == set(KINDS)
    known = {a.actor_name for a in BY_KIND.values()} | {"pass_on_events"}
    assert known == set(workers.broker.actors)
    assert len({a.queue_name for a in BY_KIND.values()}) == len(BY_KIND)


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


def test_what_a_look_left_undecided_is_settled_by_a_worker_for_the_next(world, monkeypatch):
    """From the look through the actor to the choice."""
    monkeypatch.setattr("timevalg.solver.safety.CHAIN", -1)  # repair finds nothing
    monkeypatch.setattr("timevalg.solver.safety.WAYS", 0)  # nor is it tried with joint moves
    monkeypatch.setattr(
        "timevalg.solver.full.Full.proven", lambda full, scope, cell, kinds=None: False
    )
    day = world.clock.now().date() + timedelta(days=14)
    day -= timedelta(days=day.weekday())
    window = {"opens": day - timedelta(days=20), "due": day - timedelta(days=4)}
    window |= {"not_before": day, "not_after": day, "pools": ["auto"]}
    sent = world.desk.invite_many([{"patient": f"p-{n}", **window} for n in range(7)])
    task, me = sent[0].task, world.patient("p-0")
    first = me.offers(task)
    assert first.undecided
    context.bind(world.ports)
    assert "settle offers" in {work.kind for work in serve.drain(world.ports)}
    (done,) = world.read(lambda unit: unit.work.find(kind="settle offers"))
    assert (done.state, done.error) == ("done", "")
    second = me.offers(task)
    assert len(second.offers) > len(first.offers)
    me.choose(task, next(o for o in second.offers if o.certificate.moved))
    assert world.promises_broken() == {}


def test_a_sweep_announces_each_piece_once_until_it_is_forgotten(world):
    choose_today(world)
    announced = []
    relay = Relay(world.ports, lambda *call: announced.append(call), Here())
    assert len(relay.sweep()) > 0
    before = len(announced)
    assert relay.sweep() == []
    assert len(announced) == before
    again = Relay(world.ports, lambda *call: announced.append(call), Here())  # Redis was flushed
    assert again.sweep()


def test_a_clinic_with_thousands_of_invitations_has_its_share_of_each_sweep():
    """Counted in pieces announced: whatever the big clinic has, the small one's are among them.

    Guard off: without shares a sweep is full of the big clinic's, however many sweeps there are.
    """
    world = World(Memory)
    world.invited()
    now = world.clock.now()
    model = world.read(lambda unit: unit.work.find(limit=1)[0])
    big = [
        replace(model, id=f"b-{kind}-{n:04}", effect=f"b-{kind}-{n}", kind=kind, clinic="big")
        for kind in ("check", "open", "letter")
        for n in range(2 * SHARE)
    ]
    small = [
        replace(model, id=f"s-{kind}", effect=f"s-{kind}", kind=kind, clinic="small")
        for kind in ("fall due", "open", "letter")
    ]
    works = [replace(work, due_at=now) for work in (*big, *small)]
    world.store.run(ORGANISATION, lambda unit: unit.work.add_all(works))
    announced = Relay(world.ports, lambda *_: None, Here()).sweep()
    assert {work.id for work in announced} >= {work.id for work in small}
    of_big = Counter(work.kind for work in announced if work.clinic == "big")
    assert of_big == dict.fromkeys(("check", "open", "letter"), SHARE)
    urgencies = [KINDS[work.kind].urgency for work in announced]
    assert urgencies == sorted(urgencies)
    unfair = due_work(world.ports, ORGANISATION, 3 * SHARE)
    assert {work.id for work in small} - {work.id for work in unfair} >= {"s-open", "s-letter"}


def test_work_announced_twice_is_done_once(world):
    choose_today(world)
    context.bind(world.ports)
    work = world.read(lambda unit: unit.work.find(kind="check"))[0]
    actor = BY_KIND["check"]
    actor(ORGANISATION, [work.id])
    actor(ORGANISATION, [work.id, work.id])
    assert len(world.events("task.confirmed")) == 1


def test_what_an_actor_has_not_begun_when_it_must_stop_is_given_back(world):
    for patient in ("p-1", "p-2"):
        choose_today(world, patient)
    context.bind(world.ports)
    works = world.read(lambda unit: unit.work.find(kind="check"))
    context.stopping.set()
    try:
        BY_KIND["check"](ORGANISATION, [work.id for work in works])
    finally:
        context.stopping.clear()
    after = world.read(lambda unit: unit.work.find(kind="check"))
    assert [(w.state, w.attempts, w.fence) for w in after] == [("waiting", 0, 1)] * 2
    assert len(serve.drain(world.ports)) >= 2


@pytest.mark.parametrize("command", ["dramatiq", "timevalg"])
def test_they_do_it_with_redis_and_stop_at_sigterm(world, environment, receiver, command):
    task, visit = choose_today(world)
    own = ("-m", "timevalg.cli", "worker") if command == "timevalg" else ()
    with running(environment, *own):
        until(lambda: world.task(task).state is TaskState.CONFIRMED)
        until(lambda: world.read(lambda u: u.letters.find(appointment=visit.id, state="sent")))
    assert list(receiver.mails.values()) == [1]
    assert world.read(lambda unit: unit.work.find(kind="fall due", state=WorkState.WAITING))


@pytest.mark.parametrize("broker", ["redis", "none"])
def test_work_is_begun_when_it_is_written_not_at_the_next_sweep(
    world, postgres_url, redis_url, monkeypatch, broker
):
    """Guard off: without notices nothing happens for as long as the sweeps keep away."""
    monkeypatch.setattr("workers.relaying.SWEEP", 3600.0)
    stop = threading.Event()
    ports = open_ports(postgres_url)
    context.bind(ports)
    url = redis_url if broker == "redis" else None
    thread = threading.Thread(target=serve.serve, args=(url, stop))
    thread.start()
    try:
        until(lambda: context.swept_ago() is not None)
        task, _ = choose_today(world)
        until(lambda: world.task(task).state is TaskState.CONFIRMED)
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()
    ports.store.close()
