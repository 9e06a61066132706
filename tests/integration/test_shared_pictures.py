"""Calls for the present picture that wait for each other share a read, and miss nothing by it."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest

from benchmarks.race.same_sql import recorded
from tests.world import ORGANISATION, World, oslo
from timevalg.model.session import Session
from timevalg.store import Database
from timevalg.store.memory import Memory
from timevalg.wiring import IndexKeeper


class Slow:
    """A store whose reads can be held up, and fail."""

    def __init__(self, store):
        self._store = store
        self.begun, self.go = threading.Semaphore(0), threading.Event()
        self.count, self.fails = 0, False

    def run(self, organisation, body, *, write=True):
        self.count += 1
        found = self._store.run(organisation, body, write=write)
        self.begun.release()
        self.go.wait()
        if self.fails:
            self.fails = False
            raise OSError
        return found


class Noting(Counter):
    """Tells when somebody has looked how often was read."""

    def __init__(self):
        super().__init__()
        self.looked = threading.Semaphore(0)

    def __getitem__(self, key):
        found = super().__getitem__(key)
        self.looked.release()
        return found


@pytest.fixture
def world():
    return World(Memory)


@pytest.fixture
def slow(world):
    return Slow(world.store)


def noted(slow):
    keeper = IndexKeeper(slow)
    keeper._begun = Noting()
    return keeper


def waiting(keeper, pool, number):
    """Let so many more calls come, and wait until they have."""
    while keeper._begun.looked.acquire(blocking=False):
        pass
    found = [pool.submit(keeper.current, ORGANISATION) for _ in range(number)]
    for _ in found:
        keeper._begun.looked.acquire()
    return found


def test_those_who_come_during_a_read_share_the_next(world, slow):
    keeper = noted(slow)
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(keeper.current, ORGANISATION)
        slow.begun.acquire()  # it has read already
        task = world.invited("p-1")
        late = waiting(keeper, pool, 8)
        slow.go.set()
        assert task.id not in first.result().tasks
        assert all(task.id in call.result().tasks for call in late)
    assert slow.count == 2


def test_a_read_that_failed_is_shared_by_nobody(world, slow):
    keeper = noted(slow)
    slow.go.set()
    keeper.current(ORGANISATION)
    slow.begun.acquire()
    slow.go.clear()
    with ThreadPoolExecutor(5) as pool:
        slow.fails = True
        first = pool.submit(keeper.current, ORGANISATION)
        slow.begun.acquire()
        task = world.invited("p-1")
        late = waiting(keeper, pool, 4)
        slow.go.set()
        with pytest.raises(OSError):
            first.result()
        assert all(task.id in call.result().tasks for call in late)
    assert slow.count == 3


def test_what_was_looked_at_is_not_looked_at_again_while_the_feed_is_held_back(postgres_url):
    """Events beyond the oldest transaction come again and again; what they say is known."""
    world = World(lambda clock: Database(postgres_url, clock))
    tasks = [world.invited(f"p-{n}") for n in range(3)]
    keeper = IndexKeeper(world.store)
    keeper.current(ORGANISATION)

    def there():
        return {s.id for s in world.read(lambda unit: unit.sessions.find())}

    with psycopg.connect(postgres_url) as oldest, recorded() as heard:
        oldest.execute("SELECT pg_current_xact_id()")
        for number, task in enumerate(tasks):
            world.patient(task.patient).choose(task, oslo(2027, 1, 20, 9 + number))
            assert set(keeper.current(ORGANISATION).index.sessions) == there()
            heard.clear()
            assert keeper.current(ORGANISATION).tasks[task.id].state == "chosen"
            assert not any("FROM sessions" in s.sql or "FROM tasks" in s.sql for s in heard)
    assert set(keeper.current(ORGANISATION).index.sessions) == there()
    world.store.close()


def test_holds_are_gone_through_only_when_one_more_may_have_expired(world, monkeypatch):
    tasks = [world.invited(f"p-{n}") for n in range(4)]
    for number, task in enumerate(tasks[:3]):
        world.patient(task.patient).hold(task, oslo(2027, 1, 20, 8 + number))
    keeper, looked, is_live = IndexKeeper(world.store), [], Session.is_live
    assert len(held(keeper.current(ORGANISATION))) == 3

    def counted(session, now):
        looked.append(session.id)
        return is_live(session, now)

    monkeypatch.setattr(Session, "is_live", counted)
    keeper.current(ORGANISATION)
    assert looked == []
    world.clock.advance(timedelta(minutes=6))
    world.patient("p-3").hold(tasks[3], oslo(2027, 1, 20, 11))
    looked.clear()
    world.clock.advance(timedelta(minutes=6))  # the first three have expired, nobody removed them
    assert held(keeper.current(ORGANISATION)) == {tasks[3].id}
    looked.clear()
    assert held(keeper.current(ORGANISATION)) == {tasks[3].id}
    assert len(looked) == 3  # the one that has not is left alone
    world.clock.set(world.clock.now() - timedelta(minutes=12))
    assert held(keeper.current(ORGANISATION)) == {task.id for task in tasks}
    world.clock.advance(timedelta(minutes=12))
    world.work()
    assert held(keeper.current(ORGANISATION)) == {tasks[3].id}
    assert held(IndexKeeper(world.store).current(ORGANISATION)) == {tasks[3].id}


def held(picture):
    return {s.task for s in picture.index.sessions.values() if s.kind == "hold"}
