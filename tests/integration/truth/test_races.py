"""Races for a time: each happens with its guard off, and does not with it on."""

import threading
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from tests.integration.truth.racing import (
    AT,
    LATER,
    ONE_DOCTOR,
    THIRD,
    booked,
    choosing,
    guarded,
    in_order,
    invited,
    visiting,
)
from tests.integration.truth.scenes import (
    WAIT,
    Kept,
    Once,
    lost,
    own_ports,
    patient,
    race,
    side_by_side,
    won,
)
from tests.world import document, oslo
from timevalg.booking import cancel, change, claiming
from timevalg.booking.acting import Act
from timevalg.model.errors import Busy, StaleVersion, TimeTaken
from timevalg.store import sqlite
from timevalg.store.postgres import Postgres, lock_number
from timevalg.store.records import SqlRecords

WAITING = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event = 'advisory'"
)

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


# --- another day of the same resources


@pytest.mark.parametrize("day_by_day", [False, True], ids=["whole resources", "day by day"])
def test_who_takes_another_day_waits_for_nobody(on_postgres, day_by_day):
    world = on_postgres.world(document(resources=ONE_DOCTOR))
    first, second = (
        world.invited(f"p-{day}", not_after=date(2027, 1, day)) for day in (28, 29)
    )  # whose places are on other days too
    if not day_by_day:
        real = claiming.lock_keys
        whole = lambda *given: {":".join(key.split(":")[:2]) for key in real(*given)}  # noqa: E731
        on_postgres.patch.setattr(claiming, "lock_keys", whole)
    written, go = threading.Event(), threading.Event()

    def keep():
        ports = own_ports(world)
        return choosing(first)(replace(ports, store=Kept(ports.store, written, go)))

    def another_day():
        assert written.wait(WAIT)
        try:
            return choosing(second, AT + timedelta(days=1))(own_ports(world))
        finally:
            go.set()

    def watch():
        assert written.wait(WAIT)
        while not go.is_set():
            if on_postgres.raw(WAITING) != [(0,)]:
                waited.append(True)
                go.set()

    waited = []
    assert lost(side_by_side(keep, another_day, watch)) == []
    assert bool(waited) is not day_by_day
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
                assert unit.connection  # which has by now what is inserted
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

        def current(self, organisation, unit=None):
            picture = self._pictures.current(organisation, unit)
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
