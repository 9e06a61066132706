"""Assignments: all of them, in the order of the file, none twice."""

from __future__ import annotations

from itertools import islice

from tests.unit.solver.small import (
    DOCTOR,
    NOW,
    at,
    clinic,
    organisation,
    resource,
    service,
    taken,
    task,
)
from timevalg.model.resource import Kind
from timevalg.model.service import Role, Together
from timevalg.model.session import SessionKind
from timevalg.model.time import Span
from timevalg.solver.ask import Ask
from timevalg.solver.assign import assign, assignments, session_for
from timevalg.solver.index import Index

ASK = Ask("c", "p", NOW)


def all_of(here, *sessions, ask=ASK):
    return list(assignments(Index.of(organisation(here), sessions), ask, at(9)))


def test_in_the_order_of_the_file():
    here = clinic(*(resource(name) for name in ("kari", "anne", "lie")))
    assert all_of(here) == [{"doctor": (name,)} for name in ("kari", "anne", "lie")]
    assert all_of(here, taken("kari", start=at(8, 30))) == [
        {"doctor": ("anne",)},
        {"doctor": ("lie",)},
    ]
    named = Ask("c", "p", NOW, task(only={"doctor": ("lie", "kari")}))
    assert all_of(here, ask=named) == [{"doctor": ("kari",)}, {"doctor": ("lie",)}]


def test_copies_are_a_set_and_roles_do_not_share():
    two = service(Role("nurse", Kind.CLINICIAN, 60, count=2), DOCTOR)
    here = clinic(*(resource(name) for name in "abcd"), service=two)
    found = all_of(here)
    assert found[0] == {"nurse": ("a", "b"), "doctor": ("c",)}
    assert len(found) == 6 * 2
    assert len({(frozenset(f["nurse"]), f["doctor"]) for f in found}) == 12
    assert all(not set(f["nurse"]) & set(f["doctor"]) for f in found)


def test_a_choice_that_leaves_the_rest_without_is_not_made():
    able = service(
        Role("any", Kind.CLINICIAN, 60), Role("doctor", Kind.CLINICIAN, 60, skills=frozenset("x"))
    )
    here = clinic(resource("kari", skills=frozenset("x")), resource("lie"), service=able)
    assert all_of(here) == [{"any": ("lie",), "doctor": ("kari",)}]


def test_rows_of_together():
    visit = service(
        DOCTOR,
        Role("room", Kind.ROOM, 60),
        together=(Together(("doctor", "room"), (("lie", "r1"), ("kari", "r2"))),),
    )
    rooms = (resource("r1", Kind.ROOM), resource("r2", Kind.ROOM))
    here = clinic(resource("kari"), resource("lie"), *rooms, service=visit)
    assert all_of(here) == [
        {"doctor": ("kari",), "room": ("r2",)},
        {"doctor": ("lie",), "room": ("r1",)},
    ]
    assert all_of(here, taken("r2", start=at(9))) == [{"doctor": ("lie",), "room": ("r1",)}]


def test_many_assignments_come_lazily():
    roles = [Role(f"r{i}", Kind.CLINICIAN, 60, count=3) for i in range(4)]
    here = clinic(*(resource(f"p{i}") for i in range(40)), service=service(*roles))
    index = Index.of(organisation(here))
    assert len(list(islice(assignments(index, ASK, at(9)), 50))) == 50


def test_none_off_the_grid_or_where_nobody_works():
    index = Index.of(organisation())
    assert assign(index, ASK, at(9).replace(second=1)) is None
    assert assign(index, ASK, at(20)) is None
    assert assign(index, ASK, at(9).replace(year=9999)) is None


def test_a_start_outside_the_asks_dates_is_looked_at_all_the_same():
    """Only rule 5 is asked: staff may go where patients may not."""
    index = Index.of(organisation(), [taken("kari", start=at(9).replace(year=2030))])
    assert assign(index, ASK, at(9).replace(year=2030)) == {"doctor": ("lie",)}


def test_the_session_takes_each_for_its_role():
    visit = service(Role("doctor", Kind.CLINICIAN, 30, start=-10))
    whole = organisation(clinic(service=visit))
    ask = Ask("c", "p", NOW, task(extra=15))
    session = session_for(
        whole, ask, at(9), {"doctor": ("kari",)}, id="x", kind=SessionKind.BOOKING
    )
    assert session.spans == {"kari": Span(at(8, 50), at(9, 35))}
    assert session.visit == Span(at(9), at(10, 15))
    assert (session.task, session.patient, session.pool, session.service) == ("t", "ola", "p", "v")
