"""A unit of work happens or does not; the clock is read after the locks."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.contract.samples import NINE, ORG, OTHER, entry, event, session, task, work
from timevalg.booking.unit_of_work import Store, UnitOfWork
from timevalg.model.errors import Conflict, StaleVersion, TimeTaken
from timevalg.model.records import Publication
from timevalg.store import Database, Memory, SetClock
from timevalg.store.refusals import ReadOnly


class Stop(Exception):
    pass


def fill(unit: UnitOfWork) -> None:
    unit.tasks.add(task())
    unit.sessions.claim([session(patient="p-1")])
    unit.events.add(event())
    unit.work.add(work())
    unit.audit.add(entry())


def everything(unit: UnitOfWork) -> list[object]:
    return [
        *unit.tasks.find(),
        *unit.sessions.find(),
        *(replace(e, cursor="") for e in unit.events.read(internal=True)),
        *unit.work.find(),
        *unit.audit.find(),
    ]


def test_after_an_error_nothing_has_happened(store: Store):
    def body(unit: UnitOfWork) -> None:
        fill(unit)
        raise Stop

    with pytest.raises(Stop):
        store.run(ORG, body)
    assert store.run(ORG, everything, write=False) == []
    store.run(ORG, fill)  # nor does anything stand in the way
    assert len(store.run(ORG, everything, write=False)) == 6


def test_after_an_error_everything_is_as_before(store: Store):
    store.run(ORG, fill)
    before = store.run(ORG, everything, write=False)

    def body(unit: UnitOfWork) -> None:
        unit.tasks.save(unit.tasks.get("t-1"))
        unit.sessions.release(["s-1"])
        unit.sessions.claim([session("s-2", 10)])
        unit.events.add(event("e-2"))
        taken = unit.work.lease(["w-1"], NINE, NINE + timedelta(minutes=1), "me")
        assert taken
        raise Stop

    with pytest.raises(Stop):
        store.run(ORG, body)
    assert store.run(ORG, everything, write=False) == before
    with pytest.raises(TimeTaken):
        store.run(ORG, lambda unit: unit.sessions.claim([session("s-3", 10)]))


def test_a_refusal_that_the_body_swallows_is_raised_all_the_same(store: Store):
    store.run(ORG, lambda unit: unit.tasks.add(task()))

    def body(unit: UnitOfWork) -> None:
        unit.events.add(event())
        with contextlib.suppress(Conflict):
            unit.tasks.add(task())

    with pytest.raises(Conflict):
        store.run(ORG, body)
    assert store.run(ORG, lambda unit: unit.events.read(internal=True), write=False) == []


def test_a_stale_version_may_be_swallowed(store: Store):
    store.run(ORG, lambda unit: unit.tasks.add(task()))

    def body(unit: UnitOfWork) -> None:
        unit.events.add(event())
        with pytest.raises(StaleVersion):
            unit.tasks.save(task(version=7))

    store.run(ORG, body)
    assert len(store.run(ORG, lambda unit: unit.events.read(internal=True), write=False)) == 1


@pytest.mark.parametrize(
    "write",
    [
        lambda unit: unit.tasks.add(task("t-2")),
        lambda unit: unit.tasks.save(task()),
        lambda unit: unit.sessions.claim([session("s-2", 60)]),
        lambda unit: unit.sessions.release(["s-1"]),
        lambda unit: unit.events.add(event("e-2")),
        lambda unit: unit.work.lease(["w-1"], NINE, NINE + timedelta(minutes=1), "me"),
    ],
)
def test_a_reader_cannot_write(store: Store, write: object):
    store.run(ORG, fill)
    before = store.run(ORG, everything, write=False)
    with pytest.raises(ReadOnly):
        store.run(ORG, write, write=False)  # type: ignore[arg-type]  # wrong on purpose
    assert store.run(ORG, everything, write=False) == before
    store.run(ORG, lambda unit: unit.tasks.add(task("t-2")))  # the next writer can


def test_organisations_are_those_that_have_published_a_clinic(store: Store):
    def publish(unit: UnitOfWork) -> None:
        key = unit.organisation
        unit.publications.add(Publication(f"v-{key}", key, "gastro", 1, NINE, "planner", {}))

    def fail(unit: UnitOfWork) -> None:
        publish(unit)
        raise Stop

    assert store.organisations() == []
    store.run("ø", everything)
    with pytest.raises(Stop):
        store.run("777777777", fail)
    for organisation in (ORG, OTHER, "æ"):
        store.run(organisation, publish)
    assert store.organisations() == [OTHER, ORG, "æ"]


def test_one_unit_of_work_at_a_time_in_a_thread(store: Store):
    with pytest.raises(RuntimeError, match="already open"):
        store.run(ORG, lambda _: store.run(ORG, everything, write=False))
    assert store.run(ORG, everything) == []


def test_run_gives_what_the_body_gives(store: Store):
    assert store.run(ORG, lambda unit: unit.organisation) == ORG


def test_the_clock_is_the_one_that_is_set(store: Store, clock: SetClock):
    assert store.run(ORG, lambda unit: unit.now()) == NINE
    later = clock.advance(timedelta(days=3))
    assert store.run(ORG, lambda unit: unit.now()) == later == NINE + timedelta(days=3)


def test_the_clock_is_read_again_after_the_locks(store: Store, clock: SetClock):
    def body(unit: UnitOfWork) -> list[datetime]:
        times = [unit.now()]
        clock.advance(timedelta(seconds=1))
        times.append(unit.now())  # the same: one unit of work, one time
        unit.lock(["r:dr-berg"])
        return [*times, unit.now()]

    assert store.run(ORG, body) == [NINE, NINE, NINE + timedelta(seconds=1)]


def test_without_a_clock_it_is_the_real_time(url: str):
    memory, database = Memory(), Database(url)
    for store in (memory, database):
        before = datetime.now(UTC) - timedelta(seconds=5)
        now = store.run(ORG, lambda unit: (unit.lock(["r:x"]), unit.now())[1])
        assert now.tzinfo is UTC
        assert before < now < datetime.now(UTC) + timedelta(seconds=5)
    database.close()


def test_writers_in_many_threads_lose_nothing(store: Store):
    store.run(ORG, lambda unit: unit.tasks.add(task()))

    def write() -> None:
        for _ in range(10):
            store.run(ORG, once)

    def once(unit: UnitOfWork) -> None:
        unit.lock(["t:t-1"])
        unit.tasks.save(unit.tasks.get("t-1"))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.run(ORG, lambda unit: unit.tasks.get("t-1")).version == 41
