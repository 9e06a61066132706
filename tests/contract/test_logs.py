"""Events are in commit order and none is skipped; work is done by one holder; audit only grows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.contract.samples import AWKWARD, ORG, OTHER, at, entry, event, session, work
from timevalg.booking.unit_of_work import Store
from timevalg.model.errors import Conflict, InvalidInput
from timevalg.model.records import Event, Work
from timevalg.model.states import WorkState
from timevalg.store import Database


def read(store: Store, after: str = "", limit: int = 500, internal: bool = True) -> list[Event]:
    return store.run(ORG, lambda unit: unit.events.read(after, limit, internal), write=False)


def settled(store: Store, count: int, after: str = "") -> list[Event]:
    """What an outside reader gets in the end: other databases' transactions can delay it."""
    for _ in range(100_000):
        if len(found := read(store, after, internal=False)) >= count:
            return found
    raise AssertionError(f"{len(found)} events, not {count}")


FULL = event(
    "e-full",
    reason=AWKWARD,
    origin="dips",
    task="t-1",
    appointment="a-1",
    refs={"task": "dips:oppgave/4711", "appointment": AWKWARD},
    old={"state": "open", "start": None},
    new={"state": "chosen", "resources": {"doctor": ["dr-berg"]}, "n": 1.5},
)


def test_an_event_comes_back_equal_with_a_cursor(store: Store):
    store.run(ORG, lambda unit: (unit.events.add(FULL), unit.events.add(event())))
    found = read(store)
    assert [replace(e, cursor="") for e in found] == [FULL, event()]


def test_events_are_unique(store: Store):
    store.run(ORG, lambda unit: unit.events.add(event()))
    with pytest.raises(Conflict, match="event with this id"):
        store.run(ORG, lambda unit: unit.events.add(event()))
    store.run(OTHER, lambda unit: unit.events.add(event(organisation=OTHER)))
    assert len(read(store)) == 1


def test_reading_on_from_a_cursor(store: Store):
    for number in range(7):
        store.run(ORG, lambda unit, n=number: unit.events.add(event(f"e-{n}")))
        store.run(ORG, lambda unit, n=number: unit.sessions.claim([session(f"s-{n}", n * 30)]))
    assert len(settled(store, 7)) == 7
    cursor, seen = "", []
    while events := read(store, cursor, limit=3, internal=False):
        assert len(events) <= 3
        seen += [e.id for e in events]
        cursor = events[-1].cursor
    assert seen == [f"e-{n}" for n in range(7)]
    last = store.run(ORG, lambda unit: unit.events.last(), write=False)
    assert settled(store, 0, after=last) == []
    assert [e.subject for e in read(store)] == ["task", "session"] * 7


def test_the_last_cursor_is_where_a_reader_goes_on(store: Store):
    assert store.run(ORG, lambda unit: unit.events.last(), write=False) == ""
    store.run(ORG, lambda unit: unit.events.add(event("e-1")))
    settled(store, 1)
    last = store.run(ORG, lambda unit: unit.events.last(), write=False)
    assert read(store, last) == []
    store.run(ORG, lambda unit: unit.events.add(event("e-2")))
    assert [e.id for e in read(store, last)] == ["e-2"]
    store.run(OTHER, lambda unit: unit.events.add(event("e-3", organisation=OTHER)))
    assert [e.id for e in read(store, last)] == ["e-2"]


@pytest.mark.parametrize(
    "cursor", ["x", "1", "1.", ".1", "-1.0", "1.x", "1.1.1", "٣.٣", "1." + "9" * 30]
)
def test_a_cursor_that_nobody_was_given(store: Store, cursor: str):
    with pytest.raises(InvalidInput, match="cursor"):
        read(store, cursor)


def test_more_at_once_than_a_page(store: Store):
    store.run(ORG, lambda unit: [unit.events.add(event(f"e-{n:03}")) for n in range(120)])
    assert [e.id for e in settled(store, 120)] == [f"e-{n:03}" for n in range(120)]
    assert [e.id for e in read(store, limit=50)][:50] == [f"e-{n:03}" for n in range(50)]


# --- work


def due(store: Store, minutes: float, limit: int = 10, kinds: list[str] | None = None) -> list[str]:
    found = store.run(ORG, lambda unit: unit.work.due(at(minutes), limit, kinds), write=False)
    again = store.run(ORG, lambda unit: unit.work.due(at(minutes), limit, kinds))
    assert found == again
    return [w.id for w in found]


def lease(store: Store, key: str, now: float, until: float) -> Work | None:
    taken = store.run(ORG, lambda unit: unit.work.lease([key], at(now), at(until), "me"))
    return taken[0] if taken else None


def finish(store: Store, done: Work) -> bool:
    return store.run(ORG, lambda unit: unit.work.finish(done))


def test_work_comes_back_equal(store: Store):
    value = work(error=AWKWARD, leased_until=at(3), state=WorkState.LEASED, done_at=at(1), fence=4)
    assert store.run(ORG, lambda unit: unit.work.add(value)) is True
    assert store.run(ORG, lambda unit: unit.work.get("w-1")) == value


def test_the_same_effect_is_written_once(store: Store):
    assert store.run(ORG, lambda unit: unit.work.add(work("w-1", effect="letter:a-1:0")))
    second = work("w-2", effect="letter:a-1:0")
    assert not store.run(ORG, lambda unit: unit.work.add(second))
    assert store.run(ORG, lambda unit: unit.work.find()) == [work("w-1", effect="letter:a-1:0")]
    theirs = replace(second, organisation=OTHER)
    assert store.run(OTHER, lambda unit: unit.work.add(theirs))
    with pytest.raises(Conflict, match="already a work"):
        store.run(ORG, lambda unit: unit.work.add(work("w-1", effect="another")))


def test_many_are_written_at_once_and_those_known_already_are_passed_over(store: Store):
    known, new = work("w-1", effect="open:t-1:1"), work("w-3", effect="open:t-3:1")
    twice = replace(new, id="w-4")
    store.run(ORG, lambda unit: unit.work.add(known))
    store.run(ORG, lambda unit: unit.work.add_all([replace(known, id="w-2"), new, twice]))
    assert store.run(ORG, lambda unit: unit.work.find(order="id")) == [known, new]
    entries = [replace(entry(), id=f"u-{n}") for n in range(3)]
    store.run(ORG, lambda unit: unit.audit.add_all(entries))
    assert store.run(ORG, lambda unit: unit.audit.find(order="id")) == entries
    for log in ("work", "audit", "events"):
        store.run(ORG, lambda unit, log=log: getattr(unit, log).add_all([]))


def test_due_is_what_is_due_and_free_oldest_first(store: Store):
    for value in (
        work("w-1", 5),
        work("w-2", 1),
        work("w-3", 1, kind="check"),
        work("w-4", 1, state=WorkState.LEASED, leased_until=at(10)),
        work("w-5", 1, state=WorkState.DONE),
        work("w-6", 1, state=WorkState.PARKED),
        work("w-7", 99),
        work("w-8", 99, state=WorkState.LEASED, leased_until=at(1)),
    ):
        store.run(ORG, lambda unit, v=value: unit.work.add(v))
    assert due(store, 0) == []
    assert due(store, 1) == ["w-2", "w-3"]
    assert due(store, 9) == ["w-2", "w-3", "w-1"]
    assert due(store, 10) == ["w-2", "w-3", "w-4", "w-1"]
    assert due(store, 10, 2) == ["w-2", "w-3"]
    assert due(store, 10, kinds=["check", "other"]) == ["w-3"]
    assert due(store, 10, kinds=[]) == []
    assert store.run(OTHER, lambda unit: unit.work.due(at(99), 9)) == []


def test_one_holder_at_a_time(store: Store):
    store.run(ORG, lambda unit: unit.work.add(work(due=5)))
    assert lease(store, "w-1", 4, 14) is None  # too early
    assert lease(store, "w-9", 5, 15) is None  # no such thing
    held = lease(store, "w-1", 5, 15)
    assert held == work(
        due=5, state=WorkState.LEASED, leased_until=at(15), fence=1, attempts=1, owner="me"
    )
    assert store.run(ORG, lambda unit: unit.work.get("w-1")) == held
    assert lease(store, "w-1", 14.9, 30) is None


def test_an_old_holder_is_refused(store: Store):
    store.run(ORG, lambda unit: unit.work.add(work()))
    old = lease(store, "w-1", 0, 10)
    new = lease(store, "w-1", 10, 20)
    assert old is not None and new is not None
    assert (new.fence, new.attempts) == (2, 2)
    assert not finish(store, replace(old, state=WorkState.DONE, done_at=at(11)))
    assert store.run(ORG, lambda unit: unit.work.get("w-1")) == new
    done = replace(new, state=WorkState.DONE, done_at=at(12), leased_until=None)
    assert finish(store, done)
    assert store.run(ORG, lambda unit: unit.work.get("w-1")) == done
    assert not finish(store, done)  # once
    assert lease(store, "w-1", 99, 100) is None


def test_many_are_finished_at_once(store: Store):
    store.run(ORG, lambda unit: unit.work.add_all([work("w-1"), work("w-2", effect="another")]))
    held = [lease(store, key, 0, 10) for key in ("w-1", "w-2")]
    done = [replace(w, state=WorkState.DONE, leased_until=None) for w in held if w is not None]
    assert store.run(ORG, lambda unit: unit.work.finish_all(done))
    assert store.run(ORG, lambda unit: unit.work.find(state=WorkState.DONE)) == done
    assert not store.run(ORG, lambda unit: unit.work.finish_all(done))  # once


def test_a_late_holder_finishes_if_nobody_took_over(store: Store):
    store.run(ORG, lambda unit: unit.work.add(work()))
    held = lease(store, "w-1", 0, 10)
    assert held is not None
    assert finish(store, replace(held, state=WorkState.DONE, done_at=at(60)))


def test_work_that_failed_waits_again(store: Store):
    store.run(ORG, lambda unit: unit.work.add(work()))
    held = lease(store, "w-1", 0, 10)
    assert held is not None
    again = replace(held, state=WorkState.WAITING, due_at=at(30), error=AWKWARD, leased_until=None)
    assert finish(store, again)
    assert (due(store, 29), due(store, 30)) == ([], ["w-1"])
    assert lease(store, "w-1", 30, 40) == replace(
        again, state=WorkState.LEASED, leased_until=at(40), fence=2, attempts=2, owner="me"
    )


def test_finding_work(store: Store):
    for value in (work("w-1", 5), work("w-2", 1, entity="a-2"), work("w-3", 3)):
        store.run(ORG, lambda unit, v=value: unit.work.add(v))

    def find(**criteria: object) -> list[str]:
        return [w.id for w in store.run(ORG, lambda unit: unit.work.find(**criteria))]

    assert find() == ["w-2", "w-3", "w-1"]
    assert find(order="-due_at", limit=2) == ["w-1", "w-3"]
    assert find(kind="letter", entity="a-2") == ["w-2"]


# --- audit


def test_audit_comes_back_in_order_of_time(store: Store):
    entries = [entry("u-3", 3), entry("u-1", 5), entry("u-2", 3)]
    for value in entries:
        store.run(ORG, lambda unit, v=value: unit.audit.add(v))
    found = store.run(ORG, lambda unit: unit.audit.find(), write=False)
    assert found == [entry("u-2", 3), entry("u-3", 3), entry("u-1", 5)]
    by_patient = store.run(ORG, lambda unit: unit.audit.find(patient="p-1", order="-time", limit=1))
    assert by_patient == [entry("u-1", 5)]
    assert store.run(OTHER, lambda unit: unit.audit.find(), write=False) == []


@pytest.mark.parametrize("attempt", ["DELETE FROM audit", "UPDATE audit SET verb = 'choose'"])
def test_audit_only_grows(database: Database, raw: Callable[[str], object], attempt: str):
    database.run(ORG, lambda unit: unit.audit.add(entry()))
    with pytest.raises(Exception, match="tr_audit_append_only"):
        raw(attempt)
    assert database.run(ORG, lambda unit: unit.audit.find()) == [entry()]
