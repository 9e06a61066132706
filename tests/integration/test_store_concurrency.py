"""Writers beside each other on real databases: who waits, who is refused, what readers see."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import psycopg
import pytest
from sqlalchemy import create_engine, text

from tests.contract.samples import ORG, OTHER, event, session, task, work
from timevalg.booking.unit_of_work import Store, UnitOfWork
from timevalg.model.errors import Busy, TimeTaken, Unsure
from timevalg.model.records import Event
from timevalg.store import Database, Memory
from timevalg.store.migrate import upgrade
from timevalg.store.postgres import lock_number
from timevalg.store.refusals import Repeat
from timevalg.store.unit import SqlUnit

R = TypeVar("R")
WAIT = 30


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(32) as pool:
        yield pool


@pytest.fixture
def postgres_store(postgres_url: str) -> Iterator[Database]:
    database = Database(postgres_url, patience=0.2)
    yield database
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    else:
        url = f"sqlite:///{tmp_path}/timevalg.db"
        upgrade(url)
    database = Database(url, patience=WAIT)
    yield database
    database.close()


@contextmanager
def held_open(
    pool: ThreadPoolExecutor, store: Store, body: Callable[[UnitOfWork], R]
) -> Iterator[Callable[[], R]]:
    """Run a body in another thread and keep its transaction open until told, or to the end."""
    reached, go = threading.Event(), threading.Event()

    def held(unit: UnitOfWork) -> R:
        result = body(unit)
        assert isinstance(unit, SqlUnit) and unit.connection  # which has what it inserts
        reached.set()
        assert go.wait(WAIT)
        return result

    running: Future[R] = pool.submit(store.run, ORG, held)

    def commit() -> R:
        go.set()
        return running.result(WAIT)

    try:
        assert reached.wait(WAIT)
        yield commit
    finally:
        commit()


# --- the feed


def read(store: Store, after: str, limit: int = 500, internal: bool = False) -> list[Event]:
    return store.run(ORG, lambda unit: unit.events.read(after, limit, internal), write=False)


def settled(store: Store, count: int) -> list[Event]:
    end = time.monotonic() + WAIT  # other tests' transactions hold the feed back, not for long
    while len(events := read(store, "")) < count and time.monotonic() < end:
        pass
    return events


def test_a_reader_misses_nobody_who_commits_late(
    postgres_store: Database, pool: ThreadPoolExecutor
):
    with held_open(pool, postgres_store, lambda unit: unit.events.add(event("e-late"))) as commit:
        seen, cursor = [], ""
        for number in range(5):
            postgres_store.run(ORG, lambda unit, n=number: unit.events.add(event(f"e-{n}")))
            assert read(postgres_store, cursor) == []
            assert postgres_store.run(ORG, lambda unit: unit.events.last(), write=False) == ""
            inside = read(postgres_store, cursor, internal=True)
            assert [e.id for e in inside] == [f"e-{n}" for n in range(number + 1)]
            assert {e.cursor for e in inside} == {cursor}  # they come again
        commit()
        assert len(settled(postgres_store, 6)) == 6
        while events := read(postgres_store, cursor, limit=4):
            seen += [e.id for e in events]
            cursor = events[-1].cursor
        assert seen == ["e-late", *(f"e-{n}" for n in range(5))]


def test_a_reader_of_plain_numbers_would_have_missed_it(
    postgres_store: Database, postgres_url: str, pool: ThreadPoolExecutor
):
    """The guard off: whoever keeps the highest number it saw goes past the late one."""
    engine = create_engine(postgres_url)

    def plain(after: int) -> list[tuple[int, str]]:
        query = text("SELECT seq, id FROM events WHERE seq > :after ORDER BY seq")
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(query, {"after": after})]

    with held_open(pool, postgres_store, lambda unit: unit.events.add(event("e-late"))) as commit:
        postgres_store.run(ORG, lambda unit: unit.events.add(event("e-1")))
        ((highest, key),) = plain(0)
        assert key == "e-1"
        commit()
        assert plain(highest) == []
        assert [key for _, key in plain(0)] == ["e-late", "e-1"]
    engine.dispose()


def test_more_above_the_oldest_transaction_than_a_page(
    postgres_store: Database, pool: ThreadPoolExecutor
):
    with held_open(pool, postgres_store, lambda unit: unit.events.add(event("e-late"))):
        many = [event(f"e-{n:03}") for n in range(30)]
        postgres_store.run(ORG, lambda unit: [unit.events.add(e) for e in many])
        assert [e.id for e in read(postgres_store, "", 10, internal=True)] == [e.id for e in many]


def test_a_cursor_reader_beside_sixteen_writers(store: Database, pool: ThreadPoolExecutor):
    def write(writer: int) -> None:
        for number in range(15):
            key = f"e-{writer}-{number}"
            store.run(ORG, lambda unit, key=key: unit.events.add(event(key)))

    writers = [pool.submit(write, writer) for writer in range(16)]
    seen: list[str] = []
    cursor, end = "", time.monotonic() + WAIT
    while time.monotonic() < end and len(seen) < 16 * 15:
        for found in read(store, cursor, limit=7):
            seen.append(found.id)
            cursor = found.cursor
    for writer in writers:
        writer.result(WAIT)
    assert len(seen) == len(set(seen)) == 16 * 15
    for writer in range(16):  # and each writer's own in the order in which it wrote them
        own = [key for key in seen if key.startswith(f"e-{writer}-")]
        assert own == [f"e-{writer}-{number}" for number in range(15)]


# --- one time, many writers


@pytest.mark.parametrize("locks", [True, False])
def test_one_of_many_gets_the_time(store: Database, pool: ThreadPoolExecutor, locks: bool):
    def book(number: int) -> bool:
        resources = ("dr-berg", "room-1") if number % 2 else ("room-1", "dr-berg")
        new = session(f"s-{number}", number % 3 * 5, resources=resources)

        def body(unit: UnitOfWork) -> None:
            if locks:
                unit.lock([f"r:{r}" for r in resources])
            unit.sessions.claim([new])

        try:
            store.run(ORG, body)
        except TimeTaken:
            return False
        return True

    assert sum(pool.map(book, range(16))) == 1
    assert len(store.run(ORG, lambda unit: unit.sessions.find(), write=False)) == 1


def test_one_of_many_gets_the_work(store: Database, pool: ThreadPoolExecutor):
    store.run(ORG, lambda unit: [unit.work.add(work(f"w-{n}")) for n in range(10)])

    def take(_: int) -> list[str]:
        def body(unit: UnitOfWork) -> list[str]:
            now = unit.now().replace(year=2100)
            found = unit.work.due(now, 3)
            held = unit.work.lease([w.id for w in found], now, now.replace(year=2101), "a worker")
            return [w.id for w in held]

        return store.run(ORG, body)

    taken = [key for keys in pool.map(take, range(16)) for key in keys]
    assert len(taken) == len(set(taken))
    while rest := take(0):
        taken += rest
    assert sorted(taken) == [f"w-{n}" for n in range(10)]


def test_work_that_someone_is_taking_is_passed_over(
    postgres_store: Database, pool: ThreadPoolExecutor
):
    postgres_store.run(ORG, lambda unit: [unit.work.add(work(f"w-{n}")) for n in range(2)])

    def take(unit: UnitOfWork) -> list[str]:
        now = unit.now().replace(year=2100)
        return [w.id for w in unit.work.lease(["w-0"], now, now.replace(year=2101), "a worker")]

    with held_open(pool, postgres_store, take):
        later = postgres_store.run(
            ORG, lambda unit: unit.work.due(unit.now().replace(year=2100), 9)
        )
        assert [w.id for w in later] == ["w-1"]
        assert postgres_store.run(ORG, take) == []


# --- locks


def locking(*keys: str, whole: bool = False) -> Callable[[UnitOfWork], bool]:
    def body(unit: UnitOfWork) -> bool:
        unit.lock(keys, whole=whole)
        return True

    return body


def test_a_lock_keeps_others_out_until_the_end(postgres_store: Database, pool: ThreadPoolExecutor):
    with held_open(pool, postgres_store, locking("r:a", "r:b")) as commit:
        with pytest.raises(Busy):
            postgres_store.run(ORG, locking("r:c", "r:b"))
        assert postgres_store.run(ORG, locking("r:c"))
        assert postgres_store.run(OTHER, locking("r:a"))
        commit()
        assert postgres_store.run(ORG, locking("r:b"))


def test_the_whole_keeps_everybody_out_and_waits_for_everybody(
    postgres_store: Database, pool: ThreadPoolExecutor
):
    with held_open(pool, postgres_store, locking("r:a")):
        with pytest.raises(Busy):
            postgres_store.run(ORG, locking(whole=True))
        assert postgres_store.run(OTHER, locking(whole=True))
    with held_open(pool, postgres_store, locking(whole=True)):
        with pytest.raises(Busy):
            postgres_store.run(ORG, locking("r:z"))
        with pytest.raises(Busy):
            postgres_store.run(ORG, locking())
        assert postgres_store.run(OTHER, locking("r:z"))


def test_very_many_locks_take_the_whole(postgres_store: Database, pool: ThreadPoolExecutor):
    many = locking(*(f"r:{n}" for n in range(40_000)))
    with held_open(pool, postgres_store, many), pytest.raises(Busy):
        postgres_store.run(ORG, locking("r:z"))


def test_a_writer_waits_three_seconds_for_a_lock(postgres_url: str):
    database = Database(postgres_url)
    asked = text("SHOW lock_timeout")
    waits = database.run(ORG, lambda unit: unit.connection.execute(asked).scalar_one())  # type: ignore[attr-defined]  # it is SQL's
    database.close()
    assert waits == "3s"


def test_lock_numbers_differ():
    names = [(ORG,), (ORG, ""), (ORG, "r:a"), (OTHER, "r:a"), (ORG + "r:a",), (ORG, "p:a")]
    numbers = {lock_number(*name) for name in names}
    assert len(numbers) == len(names)
    assert all(-(2**63) <= number < 2**63 for number in numbers)


def test_a_waiting_writer_on_sqlite_gives_up(tmp_path: Path, pool: ThreadPoolExecutor):
    url = f"sqlite:///{tmp_path}/timevalg.db"
    upgrade(url)
    database = Database(url, patience=0.1)
    with held_open(pool, database, lambda unit: unit.events.add(event())):
        with pytest.raises(Busy):
            database.run(ORG, lambda unit: unit.events.add(event("e-2")))
        assert database.run(ORG, lambda unit: unit.events.read(), write=False) == []
    assert len(database.run(ORG, lambda unit: unit.events.read(), write=False)) == 1
    database.close()


def test_a_version_is_saved_by_one_of_two(store: Database, pool: ThreadPoolExecutor):
    store.run(ORG, lambda unit: unit.tasks.add(task()))

    def save(number: int) -> str:
        def body(unit: UnitOfWork) -> str:
            return type(unit.tasks.save(task(note=f"{number}"))).__name__

        try:
            return store.run(ORG, body)
        except Exception as error:
            return type(error).__name__

    outcomes = list(pool.map(save, range(8)))
    assert sorted(outcomes) == ["StaleVersion"] * 7 + ["Task"]


# --- again


def test_a_deadlock_is_run_again(postgres_url: str, pool: ThreadPoolExecutor):
    database = Database(postgres_url, patience=WAIT)
    both, runs = threading.Barrier(2, timeout=WAIT), []

    def body(unit: UnitOfWork) -> None:
        name = threading.current_thread().name
        first = name not in runs
        runs.append(name)
        order = sorted(["r:a", "r:b"], reverse=name == runs[0])
        unit.lock(order[:1])
        if first:
            both.wait()  # each has one and wants the other's
        unit.lock(order[1:])
        unit.events.add(event(f"e-{len(runs)}-{name}"))

    running = [pool.submit(database.run, ORG, body) for _ in range(2)]
    for each in running:
        each.result(WAIT)
    assert len(runs) == 3
    assert len(database.run(ORG, lambda unit: unit.events.read(internal=True))) == 2
    database.close()


def test_it_is_run_again_five_times_and_no_more(postgres_store: Database):
    runs = []

    def body(unit: UnitOfWork) -> None:
        unit.events.add(event())
        runs.append(1)
        raise Repeat

    with pytest.raises(Busy):
        postgres_store.run(ORG, body)
    assert len(runs) == 6
    assert postgres_store.run(ORG, lambda unit: unit.events.read(internal=True)) == []


def test_those_run_again_wait_for_times_of_their_own(
    postgres_store: Database, monkeypatch: pytest.MonkeyPatch
):
    """Who collided once must not again by waiting alike: each pause is drawn, and longer."""
    waits: list[float] = []
    monkeypatch.setattr("timevalg.store.database.time.sleep", waits.append)

    def body(unit: UnitOfWork) -> None:
        raise Repeat

    for _ in range(20):
        with pytest.raises(Busy):
            postgres_store.run(ORG, body)
    assert len(waits) == len(set(waits)) == 20 * 5
    longest = [max(waits[number::5]) for number in range(5)]
    assert all(wait <= 0.01 * 2**number for number, wait in enumerate(longest))
    assert longest == sorted(longest) and longest[-1] > 0.01 * 2**3


def test_a_lost_connection_is_replaced(postgres_store: Database, postgres_url: str):
    """As after a restart of the server: the pool's connections are all dead."""
    runs = []

    def body(unit: UnitOfWork) -> None:
        unit.events.add(event())
        runs.append(1)
        if len(runs) == 1:
            end_others(postgres_url)
        unit.work.add(work())

    postgres_store.run(ORG, body)
    assert len(runs) == 2
    end_others(postgres_url)
    assert len(postgres_store.run(ORG, lambda unit: unit.work.find(), write=False)) == 1


def test_a_connection_lost_while_committing_is_not_run_again(
    postgres_store: Database, postgres_url: str
):
    """Nobody knows whether it was committed: the caller must look."""
    runs = []

    def body(unit: UnitOfWork) -> None:
        unit.events.add(event())
        runs.append(1)
        assert unit.events.read(internal=True)  # so all is sent but the commit
        end_others(postgres_url)

    with pytest.raises(Unsure):
        postgres_store.run(ORG, body)
    assert len(runs) == 1


def test_who_only_reads_reads_again_though_it_was_lost_at_the_end(
    postgres_store: Database, postgres_url: str
):
    runs = []

    def body(unit: UnitOfWork) -> int:
        runs.append(unit.work.find())
        if len(runs) == 1:
            end_others(postgres_url)
        return len(runs)

    assert postgres_store.run(ORG, body, write=False) == 2


def end_others(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_memory_too_lets_one_of_many_have_the_time(pool: ThreadPoolExecutor):
    memory = Memory()

    def book(number: int) -> bool:
        try:
            memory.run(ORG, lambda unit: unit.sessions.claim([session(f"s-{number}", number)]))
        except TimeTaken:
            return False
        return True

    assert sum(pool.map(book, range(16))) == 1
