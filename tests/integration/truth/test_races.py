"""Each race happens with its guard off, and does not with it on."""

import threading
from dataclasses import replace
from datetime import date, timedelta

import psycopg
import pytest
from sqlalchemy import text

from tests.integration.truth.scenes import (
    Kept,
    Meeting,
    Once,
    lost,
    own_ports,
    patient,
    race,
    side_by_side,
    won,
)
from tests.world import ORGANISATION, document, oslo, pool
from timevalg.booking import acting, cancel, change, choose, claiming, expire, hold
from timevalg.booking.acting import Act
from timevalg.booking.work import worker
from timevalg.model.errors import Busy, Conflict, IllegalMove, StaleVersion, TimeTaken
from timevalg.model.principal import Principal, RoleName
from timevalg.store import sqlite
from timevalg.store.postgres import Postgres, lock_number
from timevalg.store.records import SqlRecords
from timevalg.store.sessions import SqlSessions
from timevalg.store.tables import TABLES

AT, LATER, THIRD = oslo(2027, 1, 20, 9), oslo(2027, 1, 20, 10), oslo(2027, 1, 20, 11)
ONE_DOCTOR = [
    {"id": "dr-a", "kind": "clinician", "skills": ["talk"]},
    {"id": "room", "kind": "room"},
]
DESK = Principal("anna", RoleName.PLANNER, ORGANISATION)
guarded = pytest.mark.parametrize("guarded", [False, True], ids=["guard off", "guard on"])


def choosing(task, start=AT):
    return lambda ports: choose.choose(ports, patient(task.patient), task.id, start)


def invited(world, number):
    given = {"opens": date(2027, 1, 4), "due": date(2027, 1, 8), "not_after": date(2027, 1, 29)}
    people = [{"patient": f"p-{n}", "pools": ("auto",), **given} for n in range(number)]
    return [answer.task for answer in world.desk.invite_many(people)]


def booked(world, start=AT):
    return [s for s in world.sessions(kind="booking") if s.start == start]


def visiting(world, name, start):
    task = world.invited(name)
    return world.patient(name).choose(task, start)


def in_order(world):
    """Nothing overlaps, all who wait have a place, and each visit has its time."""
    assert world.overlaps() == []
    assert world.promises_broken() == {}
    visits = world.read(lambda unit: unit.appointments.find(state="booked"))
    bookings = world.sessions(kind="booking")
    assert sorted(v.session for v in visits) == sorted(s.id for s in bookings)
    assert {v.session: v.start for v in visits} == {s.id: s.start for s in bookings}
    assert len({v.task for v in visits}) == len(visits)


# --- 16 writers on one time


def sixteen(world):
    tasks = invited(world, 16)
    return race(world, *map(choosing, tasks))


def test_sixteen_writers_without_any_guard_all_get_the_time(scratch):
    world = scratch.world()
    scratch.no_constraint()
    scratch.no_check()
    assert len(won(sixteen(world))) == 16
    assert len(booked(world)) == 16
    assert world.overlaps()


def test_sixteen_writers_who_look_again_without_a_lock_all_get_the_time(on_postgres):
    world = on_postgres.world()
    on_postgres.no_constraint()
    on_postgres.no_lock(16)
    assert len(won(sixteen(world))) == len(booked(world)) == 16


@pytest.mark.parametrize("guards", ["constraint alone", "locks and check alone", "all"])
def test_one_of_sixteen_writers_gets_the_time(scratch, guards):
    world = scratch.world()
    if guards == "constraint alone":
        scratch.no_check()
    if guards == "locks and check alone":
        scratch.no_constraint()
    outcomes = sixteen(world)
    assert len(won(outcomes)) == len(booked(world)) == 1
    assert len(lost(outcomes)) == 15
    in_order(world)
    if guards != "constraint alone":  # which may deadlock, and so be busy
        assert all(isinstance(e, TimeTaken) and e.alternatives for e in lost(outcomes))
        assert not scratch.is_postgres or scratch.deadlocks() == 0


@guarded
def test_fifty_writers_on_one_time(scratch, guarded):
    world = scratch.world()
    tasks = invited(world, 50)
    if not guarded:
        scratch.no_constraint()
        scratch.no_check()
    outcomes = race(world, *map(choosing, tasks))
    assert len(won(outcomes)) == len(booked(world)) == (1 if guarded else 50)
    assert bool(world.overlaps()) is not guarded
    if guarded:
        assert all(isinstance(e, TimeTaken | Busy) for e in lost(outcomes))
        in_order(world)


# --- two resources in opposite orders


def test_locks_in_opposite_orders_deadlock(on_postgres):
    world = on_postgres.world(document(resources=ONE_DOCTOR))
    tasks = [world.invited(name) for name in ("p-1", "p-2")]
    both, turns = Once(2), {}

    def lock(self, connection, organisation, keys, whole):
        turn = turns.setdefault(threading.get_ident(), len(turns))
        for key in sorted((k for k in keys if k.startswith("r:")), reverse=bool(turn)):
            wanted = {"key": lock_number(organisation, key)}
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), wanted)
            both.wait()  # each has one and wants the other's

    on_postgres.patch.setattr(Postgres, "lock", lock)
    race(world, choosing(tasks[0], AT), choosing(tasks[1], LATER))
    in_order(world)
    assert on_postgres.deadlocks() >= 1


def test_resources_in_opposite_orders_do_not_deadlock(on_postgres):
    world = on_postgres.world(document(resources=ONE_DOCTOR))
    tasks = invited(world, 16)
    real, turns = Postgres.lock, {}

    def lock(self, connection, organisation, keys, whole):
        turn = turns.setdefault(threading.get_ident(), len(turns))
        real(self, connection, organisation, sorted(keys, reverse=bool(turn % 2)), whole)

    on_postgres.patch.setattr(Postgres, "lock", lock)
    day = oslo(2027, 1, 18, 8)
    starts = [day + timedelta(days=n // 8, minutes=30 * (n % 8)) for n in range(16)]
    outcomes = race(world, *map(choosing, tasks, starts))
    assert all(isinstance(o, TimeTaken) for o in lost(outcomes))
    assert len(won(outcomes)) > 1
    in_order(world)
    assert on_postgres.deadlocks() == 0


@guarded
def test_two_who_read_before_they_write_on_sqlite(on_sqlite, guarded):
    """SQLite's own deadlock: two readers who both want to write. BEGIN IMMEDIATE prevents it."""
    if not guarded:
        on_sqlite.patch.setattr(sqlite, "_begin", lambda c: c.exec_driver_sql("BEGIN"))
    world = on_sqlite.world()
    tasks = [world.invited(name) for name in ("p-1", "p-2")]
    both, real = Once(2), Act.audit

    def audit(*args):
        if not guarded:  # with it on, the second is not let in at all
            both.wait()
        real(*args)

    on_sqlite.patch.setattr(Act, "audit", audit)
    outcomes = race(world, choosing(tasks[0], AT), choosing(tasks[1], LATER))
    assert [type(e) for e in lost(outcomes)] == ([] if guarded else [Busy])
    in_order(world)


# --- change against change


@guarded
def test_two_visits_changed_to_one_time(scratch, guarded):
    world = scratch.world()
    visits = [visiting(world, "p-1", AT), visiting(world, "p-2", LATER)]
    if not guarded:
        scratch.no_constraint()
        scratch.no_check()

    def changing(visit):
        return lambda ports: change.change(ports, patient(visit.patient), visit.id, THIRD)

    outcomes = race(world, *map(changing, visits))
    assert len(won(outcomes)) == len(booked(world, THIRD)) == (1 if guarded else 2)
    if not guarded:
        assert world.overlaps()
        return
    in_order(world)
    (loser,) = (v for v in visits if v.id != won(outcomes)[0].id)
    assert booked(world, loser.start)  # keeps its time
    assert isinstance(lost(outcomes)[0], TimeTaken)


def swap(world):
    """Each is told that the other's time is free."""
    visits = [visiting(world, "p-1", AT), visiting(world, "p-2", LATER)]

    def changing(visit, to):
        return lambda ports: change.change(ports, patient(visit.patient), visit.id, to)

    calls = [changing(visits[0], LATER), changing(visits[1], AT)]
    in_the_way = [visits[1].session], [visits[0].session]
    return lambda: race(world, *calls, see=lambda n, seen: seen.apply(removed=in_the_way[n]))


@guarded
def test_a_swap_of_which_one_half_fails(scratch, guarded):
    world = scratch.world()
    go = swap(world)
    (second,) = booked(world, LATER)
    if not guarded:
        scratch.no_constraint()
        scratch.no_check()
    real = SqlRecords.save

    def save(self, value):
        if getattr(value, "patient", None) == "p-2":
            raise StaleVersion("appointment", value.id, 1, 2, "booked")
        return real(self, value)

    scratch.patch.setattr(SqlRecords, "save", save)
    first, other = go()
    assert isinstance(other, StaleVersion | TimeTaken)
    assert second in booked(world, LATER)
    if guarded:
        assert isinstance(first, TimeTaken)
        in_order(world)
    else:
        assert len(booked(world, LATER)) == 2
        assert world.overlaps()


@guarded
def test_a_swap_deadlocks_without_locks(on_postgres, guarded):
    """Both give up their time, then each waits for what the other may still take back."""
    world = on_postgres.world()
    go = swap(world)
    if not guarded:
        on_postgres.no_check(between=Once(2).wait)
    outcomes = go()
    assert all(isinstance(e, TimeTaken) for e in lost(outcomes))
    in_order(world)
    if guarded:
        assert won(outcomes) == []
        assert [s.patient for s in (*booked(world, AT), *booked(world, LATER))] == ["p-1", "p-2"]
        assert on_postgres.deadlocks() == 0
    else:
        assert on_postgres.deadlocks() >= 1


# --- cancel against choose


class Crash(Exception):
    """The end of a process, as far as its transaction can tell."""


class Holding:
    """A store whose writers tell when they have written all, and may crash before the commit."""

    def __init__(self, store, written, crash):
        self._store, self._written, self._crash = store, written, crash

    def run(self, organisation, body, *, write=True):
        def held(unit):
            result = body(unit)
            if write:
                self._written.set()
                if self._crash:
                    raise Crash
            return result

        return self._store.run(organisation, held, write=write)


@pytest.mark.parametrize(
    ("guarded", "crash"),
    [(False, True), (True, True), (True, False)],
    ids=["guard off", "rolled back", "committed"],
)
def test_cancel_against_choose(scratch, guarded, crash):
    """The time is planned for another while its cancellation is not committed yet."""
    world = scratch.world()
    visit = visiting(world, "p-1", AT)
    task = world.invited("p-2")
    if not guarded:
        scratch.no_constraint()
        scratch.no_check()
    written = threading.Event()

    def cancelling():
        ports = own_ports(world)
        ports = replace(ports, store=Holding(ports.store, written, crash))
        return cancel.cancel(ports, patient("p-1"), visit.id)

    class Early:
        """A picture in which the visit has gone already; at the first look."""

        def __init__(self, pictures):
            self._pictures, self._first = pictures, True

        def current(self, organisation):
            picture = self._pictures.current(organisation)
            if not self._first:
                return picture
            self._first = False
            assert written.wait(10)
            return picture.apply(removed=[visit.session])

    def choosing_it():
        ports = own_ports(world)
        return choosing(task)(replace(ports, pictures=Early(ports.pictures)))

    cancelled, chosen = side_by_side(cancelling, choosing_it)
    assert isinstance(cancelled, Crash) is crash
    if not crash:
        assert not booked(world) or booked(world)[0].patient == "p-2"
        in_order(world)
    elif guarded:
        assert isinstance(chosen, TimeTaken)
        assert [s.patient for s in booked(world)] == ["p-1"]
        in_order(world)
    else:
        assert sorted(s.patient for s in booked(world)) == ["p-1", "p-2"]
        assert world.overlaps()


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
            while not raw.execute(_WAITING).fetchone()[0]:
                pass
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
