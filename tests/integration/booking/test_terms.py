"""The terms of an invitation are held against the clinic and the calendar, whoever sends it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from tests.world import document
from timevalg.booking import invite, terms
from timevalg.library.invitation_file import read_invitations
from timevalg.model.errors import InvalidInput
from timevalg.model.task import Task

FAR = date(9999, 12, 31)
WRONG = [
    ({"not_after": FAR}, "not_after: 9999-12-31 is not in the years 1900 to 2200"),
    ({"not_after": date(2027, 1, 29), "deadline": FAR}, "deadline: 9999-12-31 is not in"),
    ({"due": FAR}, "due: 9999-12-31 is not in the years"),
    ({"opens": date(2026, 12, 1), "due": date(2027, 1, 3)}, "due: 2027-01-03 has passed"),
    ({"extra": 7}, "extra: 7 is no multiple of the clinic's 5 minutes"),
    ({"extra": 10**20}, "extra: 100000000000000000000 minutes are more than a day"),
    ({"only": {"nurse": ["dr-a"]}}, "only.nurse: the task's services have no such role, but doc"),
    ({"only": {"doctor": ["dr-z"]}}, "only.doctor: clinic has no resource 'dr-z'"),
    ({"done": ["nope"]}, "done: there is no preparation 'nope' for the task, but diet, form"),
]
NOT_SAID = [
    ({"state": "open"}, "state: is not for the asker"),
    ({"version": 77}, "version: is not for"),
    ({"staff_may_wait": True}, "staff_may_wait: is not for"),
    ({"id": "t-1"}, "id: is not for"),
    ({"pools": []}, "pools: is missing"),
    ({"pools": "auto"}, "pools: is one text, not several"),
    ({"patient": ""}, "patient: is missing"),
    ({"mode": "zzz"}, "mode: 'zzz' is not a valid Mode"),
    ({"extra": 7.5}, "extra: is float, not int"),
    ({"priority": True}, "priority: is bool, not int"),
    ({"letters": "false"}, "letters: is str, not bool"),
    ({"due": datetime(2027, 1, 8, tzinfo=UTC)}, "due: is datetime, not date"),
    ({"times": [{"start": 1}]}, "times: is dict, not Hours"),
    ({"preparations": [{"id": "x"}]}, "preparations: is dict, not PreparationRule"),
    ({"only": ["dr-a"]}, "only: "),
]


@pytest.mark.parametrize(("said", "why"), WRONG + NOT_SAID, ids=lambda case: str(case)[:40])
def test_an_invitation_that_cannot_be_meant_is_refused_by_field(quick, said, why):
    before = quick.dump()
    with pytest.raises(InvalidInput) as refused:
        quick.invite(**said)
    assert why in str(refused.value)
    with pytest.raises(InvalidInput):
        quick.desk.plan_invitations([{"patient": "p-1", "pools": ["auto"], **DATES, **said}])
    assert quick.dump() == before


DATES = {"opens": date(2027, 1, 4), "due": date(2027, 1, 8), "not_after": date(2027, 1, 29)}


def test_what_is_no_invitation_at_all_is_named_by_its_number(quick):
    rows = [{"patient": "p-1", "pools": ["auto"], **DATES}, ["p-2", "auto"]]
    with pytest.raises(InvalidInput, match=r"invitations\[1\]\S* is list, not fields by name"):
        quick.desk.plan_invitations(rows)


def test_a_clinic_that_is_no_source_is_named(quick):
    with pytest.raises(InvalidInput, match="clinic: is dict, not Source"):
        quick.desk.what_if({"clinic": document()})


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda w: w.desk.represent("p-1", "02013299997", "friend"), "'friend' is not a valid"),
        (lambda w: w.desk.represent("p-1", "02013299997", "parent", home=True), "'home'"),
        (lambda w: w.valg.operator().give("person:9", "king"), "'king' is not a valid"),
        (lambda w: w.valg.operator().give("person:9", "planner", colour=1), "'colour'"),
    ],
)
def test_what_has_no_such_field_or_value_is_refused_as_input(quick, call, why):
    with pytest.raises(InvalidInput, match=why):
        call(quick)


def test_what_may_be_said_is_fields_of_a_task():
    assert set(terms.SAID) <= set(Task.__dataclass_fields__)


@pytest.mark.parametrize("guard", ["require_terms", "require_to_come"])
def test_with_the_guard_off_they_would_be_sent(quick, monkeypatch, guard):
    monkeypatch.setattr(invite, guard, lambda *_: None)
    said = {"only": {"nurse": ["dr-a"]}}
    if guard == "require_to_come":
        said = {"opens": date(2026, 12, 1), "due": date(2027, 1, 3)}
    assert quick.invite(**said).task is not None


@pytest.mark.parametrize(("said", "why"), WRONG, ids=lambda case: str(case)[:40])
def test_so_are_amended_terms(quick, said, why):
    task = quick.invited()
    said = {name: value for name, value in said.items() if name != "opens"}
    with pytest.raises(InvalidInput):
        quick.desk.amend(task, **said)
    assert quick.task(task) == task


def test_a_known_invitation_sent_again_is_given_back_whatever_day_it_is(quick):
    first = quick.invited(ref="r-1")
    quick.at(date(2027, 1, 11))
    assert quick.invite(ref="r-1").task.id == first.id


HEAD = "patient,pools,opens,due,not_after,priority\n"


@pytest.mark.parametrize(
    ("line", "column", "at"),
    [
        ('"p-3\n4",auto,2027-01-04,2027-01-08,2027-01-29,3', "patient", 3),
        ("p\x07,auto,2027-01-04,2027-01-08,2027-01-29,3", "patient", 2),
        ("p-1,auto,2027-W01-1,2027-01-08,2027-01-29,3", "opens", 2),
        ("p-1,auto,2027-01-04,2027-01-08,2027-01-29,\u0663", "priority", 2),
    ],
)
def test_a_cell_is_not_read_as_something_else(line, column, at):
    with pytest.raises(InvalidInput) as refused:
        read_invitations(HEAD + line)
    (problem,) = refused.value.problems
    assert (problem.key, problem.line) == (column, at)


def test_a_cell_may_have_any_sign_that_is_seen(quick):
    lines = read_invitations(HEAD + '"p,\u00e5",auto,2027-01-04,2027-01-08,2027-01-29,3\r\n')
    assert lines[2]["patient"] == "p,\u00e5"
