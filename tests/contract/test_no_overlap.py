"""Each way past the constraint that the author could think of, in raw SQL on both databases."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import pytest

from tests.contract.samples import NINE, ORG, OTHER, session
from timevalg.model.errors import TimeTaken
from timevalg.model.session import SessionKind
from timevalg.store import Database, SetClock
from timevalg.store.columns import LAST_INSTANT, microseconds

Raw = Callable[..., Sequence[Sequence[object]]]
T0 = microseconds(NINE)
MINUTE = 60_000_000
END = T0 + 30 * MINUTE


@pytest.fixture
def booked(database: Database) -> Database:
    """dr-berg from 0 to 30 and from 30 to 60, dr-lie from 0 to 30; sessions s-1, s-2, s-3."""
    lie = session("s-3", resources=("dr-lie",), patient="p-3")
    sessions = [session("s-1", patient="p-1"), session("s-2", 30), lie]
    database.run(ORG, lambda unit: unit.sessions.claim(sessions))
    database.run(OTHER, lambda unit: unit.sessions.claim([session("s-1")]))
    return database


def rows(raw: Raw) -> list[Sequence[object]]:
    return sorted(raw("SELECT organisation, subject, starts_at, ends_at, session_id FROM claims"))


def overlapping(raw: Raw) -> int:
    """Claims that overlap an earlier one of their subject, by looking at all pairs."""
    return sum(
        a[:2] == b[:2] and a[2] < b[3] and b[2] < a[3]  # type: ignore[operator]  # columns are untyped
        for a, b in itertools.combinations(rows(raw), 2)
    )


def insert(
    subject: object = "'r:dr-berg'",
    start: object = T0 + 10 * MINUTE,
    end: object = T0 + 20 * MINUTE,
    organisation: object = f"'{ORG}'",
    session: object = "'s-3'",
    verb: str = "INSERT",
) -> str:
    return (
        f"{verb} INTO claims (organisation, session_id, subject, starts_at, ends_at)"
        f" VALUES ({organisation}, {session}, {subject}, {start}, {end})"
    )


MINE = f"organisation = '{ORG}'"
S1, S2, S3 = (f"{MINE} AND session_id = '{key}'" for key in ("s-1", "s-2", "s-3"))
INSERTS = {
    "the same": insert(start=T0, end=END),
    "inside": insert(),
    "around": insert(start=T0 - 1, end=END + 1),
    "the last microsecond": insert(start=END - 1, end=END),
    "the first microsecond": insert(start=T0 - MINUTE, end=T0 + 1),
    "from the beginning of time": insert(start=0, end=T0 + 1),
    "to the end of time": insert(start=T0 + 10, end=LAST_INSTANT),
    "the patient": insert("'p:p-1'"),
    "no organisation": insert(organisation="NULL"),
    "no session": insert(session="NULL"),
    "no subject": insert("NULL"),
    "no start": insert(start="NULL"),
    "no end": insert(end="NULL"),
    "nothing at all": "INSERT INTO claims DEFAULT VALUES",
    "empty": insert(start=T0 + 10, end=T0 + 10),
    "empty at the edge": insert(start=T0, end=T0),
    "reversed": insert(start=END, end=T0),
    "before 1970": insert("'r:x'", start=-1, end=1),
    "after 2200": insert("'r:x'", start=T0, end=LAST_INSTANT + 1),
    "huge": insert(start=-(2**63), end=2**63 - 1),
    "huge empty": insert("'r:x'", start=2**63 - 2, end=2**63 - 1),
    "too huge": insert(start=0, end=2**63),
    "infinite": insert(start="-9e999", end="9e999"),
    "text": insert(start="'now'", end="'then'"),
    "no kind of subject": insert("'dr-berg'"),
    "another kind of subject": insert("'x:dr-berg'"),
    "an empty subject": insert("''"),
    "nobody": insert("'r:'"),
    "a session that is not there": insert("'r:x'", session="'s-9'"),
    "a session of another organisation": insert(
        "'r:x'", session="'s-2'", organisation=f"'{OTHER}'"
    ),
    "two in one statement": insert("'r:x'", T0, END) + f", ('{ORG}', 's-1', 'r:x', {T0}, {END})",
    "two, the longer around the shorter": insert("'r:x'", T0 + 5, T0 + 6)
    + f", ('{ORG}', 's-1', 'r:x', {T0}, {END})",
    "copied": "INSERT INTO claims (organisation, session_id, subject, starts_at, ends_at)"
    f" SELECT organisation, 's-3', subject, starts_at, ends_at FROM claims WHERE {MINE}"
    " AND session_id = 's-1'",
}
UPDATES = {
    "the resource": f"SET subject = 'r:dr-berg' WHERE {S3}",
    "the start": f"SET starts_at = starts_at - 1 WHERE {S2}",
    "the end": f"SET ends_at = ends_at + 1 WHERE {S1} AND subject = 'r:dr-berg'",
    "both": f"SET starts_at = {T0 + 5}, ends_at = {T0 + 6} WHERE {S2}",
    "to the same": f"SET starts_at = {T0}, ends_at = {END} WHERE {S2}",
    "all of them": "SET starts_at = 0",
    "to around all": f"SET starts_at = 0, ends_at = {LAST_INSTANT} WHERE {S2}",
    "the organisation": f"SET organisation = '{ORG}' WHERE organisation = '{OTHER}'",
    "the session": f"SET session_id = 's-9' WHERE {S2}",
    "the session, to nothing": f"SET session_id = NULL WHERE {S2}",
    "the resource, to nothing": f"SET subject = NULL WHERE {S2}",
    "the start, to nothing": f"SET starts_at = NULL WHERE {S2}",
    "the end, to nothing": f"SET ends_at = NULL WHERE {S2}",
    "to empty": f"SET ends_at = starts_at WHERE {S2}",
    "to reversed": f"SET ends_at = starts_at - 1 WHERE {S2}",
    "the resource of everybody": f"SET subject = 'r:x' WHERE {MINE}",
    "everything at once": f"SET session_id = 's-1', subject = 'r:dr-berg', starts_at = {T0 + 1},"
    f" ends_at = {T0 + 2} WHERE {S3}",
}
SESSIONS = {
    "a hold that never expires": f"SET kind = 'hold' WHERE {MINE} AND id = 's-1'",
    "a booking that expires": f"SET until = {T0} WHERE {MINE} AND id = 's-1'",
    "a kind that there is not": f"SET kind = 'joke' WHERE {MINE} AND id = 's-1'",
    "a kind that is not": f"SET kind = NULL WHERE {MINE} AND id = 's-1'",
    "another id": f"SET id = 's-9' WHERE {MINE} AND id = 's-1'",
    "another organisation": f"SET organisation = 'x' WHERE {MINE} AND id = 's-1'",
    "no length": f"SET length = 0 WHERE {MINE} AND id = 's-1'",
}
ATTEMPTS = {
    **{f"insert: {name}": sql for name, sql in INSERTS.items()},
    **{f"update: {name}": f"UPDATE claims {sql}" for name, sql in UPDATES.items()},
    **{f"session: {name}": f"UPDATE sessions {sql}" for name, sql in SESSIONS.items()},
}

REFUSED = "ex_claims|constraint|out of range|invalid input|cannot store"


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
def test_refused(booked: Database, raw: Raw, attempt: str):
    before = rows(raw)
    with pytest.raises(Exception, match=REFUSED):
        raw(attempt)
    assert rows(raw) == before
    assert overlapping(raw) == 0


# SQLite's own ways of resolving conflicts, its second and third name of rowid, its loose types.
ONLY_SQLITE = {
    "or replace": insert(verb="INSERT OR REPLACE"),
    "or replace of its own row": insert(
        start=T0 + 10, end=END + MINUTE, session="'s-1'", verb="INSERT OR REPLACE"
    ),
    "or ignore": insert(verb="INSERT OR IGNORE"),
    "or fail": insert(verb="INSERT OR FAIL"),
    "replace": insert(verb="REPLACE"),
    "update or replace": f"UPDATE OR REPLACE claims SET subject = 'r:dr-berg' WHERE {S3}",
    "update or ignore": f"UPDATE OR IGNORE claims SET ends_at = ends_at + 1 WHERE {S1}",
    "upsert": insert(session="'s-1'", start=T0 + 10, end=END + MINUTE)
    + " ON CONFLICT DO UPDATE SET ends_at = excluded.ends_at",
    "a blob for a subject": insert("CAST('r:dr-berg' AS BLOB)"),
    "a blob for a start": insert(start="X'00'"),
    "half a microsecond": insert(start=f"{T0 + 10}.5"),
    "oid": f"UPDATE claims SET oid = 99, starts_at = {T0 + 1} WHERE {S2}",
}


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("attempt", ONLY_SQLITE.values(), ids=ONLY_SQLITE)
def test_refused_by_sqlite(booked: Database, raw: Raw, attempt: str):
    before = rows(raw)
    with pytest.raises(Exception, match=REFUSED):
        raw(attempt)
    assert rows(raw) == before


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("clause", ["DO NOTHING", "ON CONSTRAINT ex_claims_no_overlap DO NOTHING"])
def test_postgresql_may_be_told_to_do_nothing_instead(booked: Database, raw: Raw, clause: str):
    before = rows(raw)
    raw(f"{insert()} ON CONFLICT {clause}")
    assert rows(raw) == before


def test_what_does_not_overlap_can_be_changed_in_place(booked: Database, raw: Raw):
    raw(f"UPDATE claims SET starts_at = starts_at + 1 WHERE {S2}")
    raw(f"UPDATE claims SET ends_at = ends_at + 1 WHERE {MINE} AND subject = 'r:dr-berg'")
    raw(f"UPDATE claims SET subject = 'r:dr-ny' WHERE {S2}")
    raw("DELETE FROM sessions WHERE id = 's-2'")
    assert overlapping(raw) == 0
    assert not [row for row in rows(raw) if row[4] == "s-2"]


def test_random_claims_against_all_pairs(database: Database, raw: Raw):
    """Whatever is tried, in whatever order: exactly what overlaps nothing is let in."""
    taken: list[tuple[int, int]] = []
    for number in range(150):
        start, length = number * 7919 % 600, 1 + number * 104729 % 23
        free = all(start + length <= a or b <= start for a, b in taken)
        new = session(f"s-{number}", start, length)
        try:
            database.run(ORG, lambda unit, new=new: unit.sessions.claim([new]))
        except TimeTaken:
            assert not free
        else:
            assert free
            taken.append((start, start + length))
    assert 20 < len(taken) < 100
    assert overlapping(raw) == 0


GUARDS = {
    "sqlite": (
        "DROP TRIGGER ex_claims_no_overlap_insert",
        "DROP TRIGGER ex_claims_no_overlap_update",
    ),
    "own postgresql": ("ALTER TABLE claims DROP CONSTRAINT ex_claims_no_overlap",),
}


@pytest.mark.parametrize(("url", "guards"), GUARDS.items(), indirect=["url"])
def test_without_the_guard_double_booking_happens(
    booked: Database, raw: Raw, guards: tuple[str, ...]
):
    raw(*guards)
    booked.run(ORG, lambda unit: unit.sessions.claim([session("s-4", 10, 10)]))
    assert overlapping(raw) == 1


def test_a_constraint_that_breaks_in_python_code_is_an_error_of_the_domain(
    database: Database, clock: SetClock
):
    hold = session(kind=SessionKind.HOLD, until=clock.now())
    database.run(ORG, lambda unit: unit.sessions.claim([hold]))
    with pytest.raises(TimeTaken) as refused:
        database.run(ORG, lambda unit: unit.sessions.claim([session("s-2", patient="p-1")]))
    assert "p-1" not in str(refused.value)
