"""SQLite finds what is asked for by an index, however much the organisation has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy import event as listening

from tests.contract.samples import NINE, ORG, appointment, at, event, session, span, task, work
from timevalg.booking.unit_of_work import Between, UnitOfWork
from timevalg.model.session import Claim, SessionKind
from timevalg.store import Database, statements
from timevalg.store.kinds import TASKS
from timevalg.store.migrate import upgrade

Sent = list[tuple[str, tuple[object, ...]]]


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/timevalg.db"
    upgrade(url)
    return url


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    database = Database(url)
    yield database
    database.close()


@pytest.fixture
def sent(database: Database) -> Iterator[Sent]:
    """Every statement with its parameters."""
    found: Sent = []

    def note(_c: object, _cursor: object, sql: str, given: tuple[object, ...], *_: object) -> None:
        found.append((sql, given))

    listening.listen(Engine, "before_cursor_execute", note)
    yield found
    listening.remove(Engine, "before_cursor_execute", note)


BODIES: list[Callable[[UnitOfWork], object]] = [
    lambda unit: unit.tasks.get("t-1"),
    lambda unit: unit.tasks.save(unit.tasks.get("t-1")),
    lambda unit: unit.tasks.find(patient="p-1"),
    lambda unit: unit.tasks.find(id={"t-1", "t-2"}),
    lambda unit: unit.appointments.find(ref="kontakt/1", limit=1),
    lambda unit: unit.appointments.find(task="t-1", order="-created_at", limit=1),
    lambda unit: unit.appointments.find(task="t-1", state=["booked", "arrived"]),
    lambda unit: unit.preparations.find(appointment="a-1", order="due"),
    lambda unit: unit.letters.find(task="t-1"),
    lambda unit: unit.cases.find(task="t-1", closed_at=None),
    lambda unit: unit.sessions.get("s-1"),
    lambda unit: unit.sessions.find(kind=SessionKind.HOLD, task={"t-1", "t-2"}),
    lambda unit: unit.sessions.find(pool=["x"], clinic="gastro", start=Between(at(0), at(9))),
    lambda unit: unit.sessions.touching(
        [Claim("r:dr-berg", span(0, 9)), Claim("p:p-1", span(0, 9))]
    ),
    lambda unit: unit.sessions.touching(
        [Claim("r:dr-berg", span(0, 9))],
        {"task": {"t-1", "t-2"}},
        {"pool": {"x", "y"}, "clinic": "gastro", "start": Between(at(0), at(9))},
    ),
    lambda unit: unit.sessions.expired(at(0)),
    lambda unit: unit.sessions.release(["s-1", "s-2"]),
    lambda unit: unit.events.read("0.7", 500),
    lambda unit: unit.events.read("0.7", 500, internal=True),
    lambda unit: unit.events.last(),
    lambda unit: unit.work.due(at(0), 10, ["letter", "check"]),
    lambda unit: unit.work.lease(["w-1"], at(0), at(5), "a worker"),
    lambda unit: unit.work.finish(work()),
]


def fill(unit: UnitOfWork) -> None:
    unit.tasks.add(task())
    unit.appointments.add(appointment(task="t-1"))
    unit.sessions.claim([session("s-1", patient="p-1"), session("s-2", 60)])
    unit.events.add(event())
    unit.work.add(work(due=30))


@pytest.mark.parametrize("body", BODIES)
def test_no_statement_goes_through_all_there_is(
    database: Database, url: str, sent: Sent, body: Callable[[UnitOfWork], object]
):
    database.run(ORG, fill)
    sent.clear()
    database.run(ORG, body)
    asked = [
        (sql, given)
        for sql, given in sent
        if sql.startswith(("SELECT", "WITH", "UPDATE", "DELETE"))
    ]
    assert asked
    engine = create_engine(url)
    with engine.connect() as connection:
        for sql, given in asked:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", given)
            steps = [str(row.detail) for row in plan]
            steps = [s for s in steps if s != "SCAN looks"]  # what the statement itself has found
            whole = [s for s in steps if s.startswith("SCAN") or s.endswith("(organisation=?)")]
            assert not whole, (sql, steps)
    engine.dispose()


def test_other_values_make_no_other_statement(database: Database):
    def ask(unit: UnitOfWork, number: int) -> None:
        unit.tasks.find(patient=f"p-{number}", due=Between(NINE.date()), state=["open", "draft"])

    database.run(ORG, lambda unit: ask(unit, 0))
    made = statements.found.cache_info().currsize
    database.run(ORG, lambda unit: [ask(unit, number) for number in range(20)])
    assert statements.found.cache_info().currsize == made
    shape = (("state", "any"),)
    assert statements.found(TASKS, shape) is statements.found(TASKS, shape)
