"""What a unit of work inserts goes to PostgreSQL together, and is there for whoever looks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from benchmarks.race.same_sql import recorded
from tests.contract.samples import ORG, appointment, event, session, task, work
from tests.waiting import until
from timevalg.booking.unit_of_work import UnitOfWork
from timevalg.model.errors import Conflict, TimeTaken
from timevalg.model.states import TaskState
from timevalg.store import Database, writing
from timevalg.store.writing import Gathered


@pytest.fixture
def store(postgres_url: str) -> Iterator[Database]:
    database = Database(postgres_url)
    yield database
    database.close()


def fill(unit: UnitOfWork) -> None:
    unit.tasks.add_all([task(), task("t-2", ref="other")])
    unit.appointments.add(appointment(task="t-1"))
    unit.sessions.claim([session("s-1", patient="p-1"), session("s-2", 60)])
    unit.events.add(event())
    unit.work.add_all([work(), work("w-2", effect="effect of w-1"), work("w-3")])


def counts(unit: UnitOfWork) -> list[int]:
    return [
        unit.tasks.count(),
        unit.appointments.count(),
        len(unit.sessions.find()),
        len(unit.events.read(internal=True)),
        len(unit.work.find()),
    ]


def test_it_is_one_statement(store: Database):
    with recorded() as heard:
        store.run(ORG, fill)
    written = [s.sql for s in heard if "INSERT" in s.sql]
    assert len(written) == 1
    assert store.run(ORG, counts, write=False) == [2, 1, 2, 3, 2]  # the same effect once


def test_what_is_as_it_was_is_not_sent_again(store: Database):
    def body(unit: UnitOfWork) -> None:
        unit.tasks.add_all([task(), task("t-2", ref="other")])
        known = {value.id: value for value in unit.tasks.find()}
        opened = [replace(value, state=TaskState.OPEN) for value in known.values()]
        unit.tasks.save_all(opened, known)

    with recorded() as heard:
        store.run(ORG, body)
    (update,) = {s.sql for s in heard if "UPDATE" in s.sql}
    assert "state" in update and "version" in update and "patient" not in update


def test_the_unit_of_work_sees_it_whatever_it_asks_for_first(store: Database):
    first = [
        lambda unit: unit.tasks.get("t-2"),
        lambda unit: unit.sessions.get("s-2"),
        lambda unit: unit.sessions.touching(session("s-1").claims()),
        lambda unit: unit.work.get("w-3"),
        lambda unit: unit.tasks.save(task()),
    ]
    for look in first:

        def body(unit: UnitOfWork, look=look) -> list[int]:
            fill(unit)
            assert look(unit)
            found = counts(unit)
            unit.sessions.release(["s-1", "s-2"])
            unit.tasks.remove(["t-1", "t-2"])
            unit.appointments.remove(["a-1"])
            unit.events.remove([e.id for e in unit.events.read(internal=True)])
            unit.work.remove(["w-1", "w-3"])
            return found

        assert store.run(ORG, body) == [2, 1, 2, 3, 2]


def test_with_the_guard_off_it_would_not(store: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Gathered, "before", lambda *_: None)

    def body(unit: UnitOfWork) -> list[int]:
        fill(unit)
        return counts(unit)

    assert store.run(ORG, body) == [0, 0, 0, 0, 0]
    assert store.run(ORG, counts, write=False) == [2, 1, 2, 3, 2]


@pytest.mark.parametrize(
    ("again", "error"),
    [
        (lambda unit: unit.tasks.add(task()), Conflict),
        (lambda unit: unit.sessions.claim([session("s-9", 15)]), TimeTaken),
    ],
)
def test_what_is_refused_takes_all_of_it_along(store: Database, again: object, error: type):
    store.run(ORG, fill)

    def body(unit: UnitOfWork) -> None:
        unit.events.add(event("e-2"))
        again(unit)  # type: ignore[operator]  # one of the two above
        unit.work.add_all([work("w-9", effect="a third")])

    with pytest.raises(error):
        store.run(ORG, body)
    assert store.run(ORG, counts, write=False) == [2, 1, 2, 3, 2]


_WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    " AND datname = current_database()"
)
_NUMBERS = "SELECT key, type FROM events WHERE key IN ('s-1', 's-9') ORDER BY seq"


@pytest.mark.parametrize("guarded", [True, False])
def test_who_waits_for_time_to_be_given_back_is_numbered_after_it(
    store: Database, postgres_url: str, monkeypatch: pytest.MonkeyPatch, guarded: bool
):
    """Whatever comes first in its unit of work: here, too, something that it gives back."""
    store.run(ORG, fill)
    if not guarded:
        monkeypatch.setattr(writing, "_is_log", lambda table: False)

    def take(unit: UnitOfWork) -> None:
        unit.sessions.release(["s-2"])
        unit.sessions.claim([session("s-9", 15)])

    def give(unit: UnitOfWork) -> None:
        unit.sessions.release(["s-1"])
        taking.start()
        with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as raw:
            until(lambda: raw.execute(_WAITING).fetchone()[0], "the taker's wait")

    taking = threading.Thread(target=lambda: store.run(ORG, take))
    store.run(ORG, give)
    taking.join()
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as raw:
        told = raw.execute(_NUMBERS).fetchall()
    given, taken = told.index(("s-1", "session.released")), told.index(("s-9", "session.claimed"))
    assert (given < taken) is guarded
