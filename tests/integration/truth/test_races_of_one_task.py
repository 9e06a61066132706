"""Races about a task's place, a hold, a quota, a patient: guard off, and on."""

import threading
from dataclasses import replace

import psycopg
import pytest

from tests.integration.truth.racing import (
    AT,
    DESK,
    LATER,
    ONE_DOCTOR,
    booked,
    choosing,
    guarded,
    in_order,
)
from tests.integration.truth.scenes import (
    Kept,
    Meeting,
    lost,
    own_ports,
    patient,
    race,
    side_by_side,
    won,
)
from tests.waiting import until
from tests.world import ORGANISATION, document, pool
from timevalg.booking import acting, cancel, choose, claiming, expire, hold
from timevalg.model.errors import Conflict, IllegalMove, StaleVersion, TimeTaken
from timevalg.model.principal import worker
from timevalg.store.records import SqlRecords
from timevalg.store.sessions import SqlSessions
from timevalg.store.tables import TABLES

# --- withdraw against a choice that moves the task's place aside


def moving_aside(world):
    """A task whose place lies where another wants to be, and both acts."""
    (place,) = world.sessions(task=world.invited("p-1").id)
    other = world.invited("p-2")
    return (
        place,
        lambda ports: cancel.withdraw(ports, DESK, task=place.task),
        lambda ports: choose.choose(ports, patient("p-2"), other.id, place.start),
    )


@guarded
def test_a_place_is_moved_while_its_task_is_withdrawn(on_postgres, guarded):
    """Who moves it has read it, and then it is gone: it must not come back elsewhere."""
    world = on_postgres.world()
    place, withdraw, chooses = moving_aside(world)
    written, go, real = threading.Event(), threading.Event(), claiming.broken
    if not guarded:
        counts = SqlSessions.release
        on_postgres.patch.setattr(
            SqlSessions, "release", lambda self, keys: max(counts(self, keys), len(keys))
        )

    def broken(*args):
        go.set()  # it has read all there is
        return real(*args)

    def choosing_it():
        ports = own_ports(world)
        ports.pictures.current(ORGANISATION)
        chooses(replace(ports, pictures=Meeting(ports.pictures, meet, lambda seen: seen)))

    def meet():
        planned.set()
        assert written.wait(10)

    def withdrawing():
        assert planned.wait(10)
        ports = own_ports(world)
        withdraw(replace(ports, store=Kept(ports.store, written, go)))

    planned = threading.Event()
    on_postgres.patch.setattr(claiming, "broken", broken)
    assert side_by_side(choosing_it, withdrawing) == [None, None]
    assert [s.start for s in booked(world, place.start)] == [place.start]
    assert bool(world.sessions(task=place.task)) is not guarded


@guarded
def test_a_task_is_withdrawn_while_its_place_is_moved(on_postgres, guarded):
    """Who withdraws it finds it where it was, and it is elsewhere when that is known."""
    world = on_postgres.world()
    place, withdraw, chooses = moving_aside(world)
    written, go = threading.Event(), threading.Event()
    if not guarded:
        on_postgres.patch.setattr(cancel, "release_all", release_once)

    def choosing_it():
        ports = own_ports(world)
        chooses(replace(ports, store=Kept(ports.store, written, go)))

    def withdrawing():
        assert written.wait(10)
        withdraw(own_ports(world))

    def telling():
        assert written.wait(10)
        with psycopg.connect(on_postgres.url, autocommit=True) as raw:
            until(lambda: raw.execute(_WAITING).fetchone()[0])
        go.set()

    assert side_by_side(choosing_it, withdrawing, telling) == [None, None, None]
    assert [s.start for s in booked(world, place.start)] == [place.start]
    assert bool(world.sessions(task=place.task)) is not guarded


def release_once(act, task):
    claiming.release(act, act.unit.sessions.find(task=task.id))


_WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    " AND datname = current_database()"
)


# --- hold expiry against confirm


@guarded
def test_a_hold_is_confirmed_as_it_expires(scratch, guarded):
    """Its owner, another patient and the worker that removes it, at the very instant."""
    world = scratch.world()
    one, two = world.invited("p-1"), world.invited("p-2")
    held = world.patient("p-1").hold(one, AT)
    world.clock.set(held.until)
    if not guarded:
        scratch.no_constraint()
        scratch.no_check()
    outcomes = race(world, choosing(one), choosing(two))
    assert len(won(outcomes)) == len(booked(world)) == (1 if guarded else 2)
    if guarded:
        assert isinstance(lost(outcomes)[0], TimeTaken)
        in_order(world)
    else:
        assert world.overlaps()


def test_a_hold_is_confirmed_while_the_worker_removes_it(scratch):
    world = scratch.world()
    task = world.invited()
    held = world.patient().hold(task, AT)
    world.clock.set(held.until)
    outcomes = side_by_side(
        lambda: choosing(task)(own_ports(world)),
        lambda: expire.expire_holds(own_ports(world), worker(ORGANISATION)),
    )
    assert lost(outcomes) == []
    assert [s.patient for s in booked(world)] == ["p-1"]
    assert len(world.sessions()) == 1
    in_order(world)


# --- a quota's last place


def quota_of_one(scratch, **each):
    quota = {"pools": ["auto"], "per": "day", "max": 1, **each}
    more = {"resources": ONE_DOCTOR} if each else {}
    world = scratch.world(document(quotas=[quota], **more))
    tasks = [world.invited(name) for name in ("p-1", "p-2")]
    return world, lambda: race(world, choosing(tasks[0], AT), choosing(tasks[1], LATER))


@guarded
@pytest.mark.parametrize("each", [{}, {"each": "clinician"}], ids=["together", "each"])
def test_the_last_place_of_a_quota(scratch, guarded, each):
    world, go = quota_of_one(scratch, **each)
    if not guarded:
        scratch.no_check()
    outcomes = go()
    assert len(won(outcomes)) == len(world.sessions(kind="booking")) == (1 if guarded else 2)
    if guarded:
        assert isinstance(lost(outcomes)[0], TimeTaken)
        in_order(world)


def test_the_last_place_of_a_quota_without_its_lock(on_postgres):
    """No constraint knows of quotas: who looks again, but without a lock, exceeds them."""
    world, go = quota_of_one(on_postgres)
    on_postgres.no_lock(2)
    assert len(won(go())) == len(world.sessions(kind="booking")) == 2


# --- one patient from two devices


@pytest.mark.parametrize("guard", ["none", "the database's alone", "all"])
def test_one_invitation_on_two_devices(scratch, guard):
    world = scratch.world()
    task = world.invited()
    if guard != "all":
        scratch.no_check()
        use_cases_look_away(scratch.patch)
    if guard == "none":
        (unique,) = (
            index.name
            for index in TABLES["appointments"].indexes
            if index.unique and "task" in index.columns
        )
        scratch.no_index(unique)
    outcomes = race(world, choosing(task, AT), choosing(task, LATER))
    visits = world.read(lambda unit: unit.appointments.find(task=task.id, state="booked"))
    if guard == "none":
        assert len(won(outcomes)) == len(visits) == len(world.sessions(kind="booking")) == 2
        return
    assert len(won(outcomes)) == len(visits) == 1
    assert isinstance(lost(outcomes)[0], Conflict | IllegalMove | StaleVersion | TimeTaken)
    in_order(world)


def use_cases_look_away(patch):
    """No state machine and no compare and swap."""
    real = SqlRecords.save

    def save(self, value):
        while True:
            actual = self.get(value.id)
            try:
                return real(self, replace(value, version=actual.version))
            except StaleVersion:
                continue

    patch.setattr(choose, "require", lambda *args: None)
    patch.setattr(acting, "target", lambda *args: "chosen")
    patch.setattr(SqlRecords, "save", save)


@guarded
def test_two_holds_of_one_patient(scratch, guarded):
    """The second replaces the first, also where neither knew of the other."""
    world = scratch.world()
    tasks = [world.invited("p-1") for _ in range(2)]
    if not guarded:
        scratch.no_check()

    def holding(task, start):
        return lambda ports: hold.hold(ports, patient("p-1"), task.id, start)

    outcomes = race(world, holding(tasks[0], AT), holding(tasks[1], LATER))
    assert lost(outcomes) == []
    assert len(world.sessions(kind="hold")) == (1 if guarded else 2)
    if guarded:
        in_order(world)


@guarded
def test_two_invitations_of_one_patient_at_one_time(scratch, guarded):
    """Other doctor, other room, same patient."""
    source = document(
        resources=[
            *ONE_DOCTOR,
            {"id": "dr-b", "kind": "clinician", "skills": ["talk"]},
            {"id": "room-b", "kind": "room"},
        ],
        pools=[
            pool("one", resources=["dr-a", "room"]),
            pool("two", resources=["dr-b", "room-b"]),
        ],
    )
    world = scratch.world(source)
    tasks = [world.invited("p-1", (name,)) for name in ("one", "two")]
    if not guarded:
        scratch.no_constraint()
        scratch.no_check()
    outcomes = race(world, *map(choosing, tasks))
    assert len(won(outcomes)) == len(booked(world)) == (1 if guarded else 2)
    if guarded:
        assert isinstance(lost(outcomes)[0], TimeTaken)
        in_order(world)
    else:
        ((one, other),) = world.overlaps()
        assert one != other
