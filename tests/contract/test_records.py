"""What is stored comes back equal, is found by its fields, and changed only by who is current."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import product
from types import MappingProxyType

import pytest

from tests.contract.samples import (
    AWKWARD,
    EXAMPLES,
    NINE,
    ORG,
    OTHER,
    appointment,
    at,
    task,
)
from timevalg.booking.unit_of_work import Between, Store, UnitOfWork
from timevalg.model.errors import Conflict, InvalidInput, NotFound, StaleVersion
from timevalg.model.records import Patient, Publication, StaffCase, Verification
from timevalg.model.right import Unit
from timevalg.model.states import AppointmentState, TaskState
from timevalg.store import Memory
from timevalg.store.records import SqlRecords


@pytest.mark.parametrize("kind", EXAMPLES)
def test_comes_back_equal(store: Store, kind: str):
    values = EXAMPLES[kind]
    store.run(ORG, lambda unit: getattr(unit, kind).add_all(values))
    found = store.run(ORG, lambda unit: getattr(unit, kind).find(), write=False)
    assert found == sorted(values, key=lambda value: value.id)
    for value in values:
        assert store.run(ORG, lambda unit, v=value: getattr(unit, kind).get(v.id)) == value


def test_structured_fields_come_back_as_the_model_has_them(store: Store):
    store.run(ORG, lambda unit: unit.tasks.add(EXAMPLES["tasks"][0]))
    found = store.run(ORG, lambda unit: unit.tasks.get("t-1"))
    assert isinstance(found.pools, tuple)
    assert isinstance(found.done, frozenset)
    assert isinstance(found.only["doctor"], tuple)
    assert isinstance(found.state, TaskState)
    assert type(found.opens) is date


def test_a_document_keeps_the_order_of_its_keys(store: Store):
    document = {"zebra": 1, "apple": {"y": 1, "x": 2}}
    publication = Publication("v-1", ORG, "gastro", 1, NINE, "planner", document)
    store.run(ORG, lambda unit: unit.publications.add(publication))
    found = store.run(ORG, lambda unit: unit.publications.get("v-1")).document
    assert list(found) == ["zebra", "apple"]
    assert list(found["apple"]) == ["y", "x"]


def test_instants_come_back_in_utc(store: Store):
    eastern = timezone(timedelta(hours=5, minutes=30))
    start = datetime(2027, 1, 4, 14, 30, tzinfo=eastern)
    store.run(ORG, lambda unit: unit.appointments.add(appointment(start=start)))
    found = store.run(ORG, lambda unit: unit.appointments.get("a-1")).start
    assert (found, found.tzinfo) == (NINE, UTC)


def test_a_naive_instant_is_refused(store: Store):
    naive = appointment(created_at=datetime(2027, 1, 4, 9))  # noqa: DTZ001 - naive on purpose
    with pytest.raises(Exception, match="has no time zone"):
        store.run(ORG, lambda unit: unit.appointments.add(naive))


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_text_that_some_database_cannot_keep_is_refused(store: Store, text: str):
    for value in (Patient("p-1", ORG, name=text), Patient(text, ORG)):
        with pytest.raises(InvalidInput):
            store.run(ORG, lambda unit, v=value: unit.patients.add(v))
    assert store.run(ORG, lambda unit: unit.patients.count()) == 0


def test_what_the_caller_changes_later_is_not_stored(store: Store):
    detail = {"tasks": ["t-1"]}
    case = StaffCase("c-1", ORG, "gastro", "conflict", NINE, "", detail=detail)
    store.run(ORG, lambda unit: unit.cases.add(case))
    detail["tasks"].append("t-2")
    assert store.run(ORG, lambda unit: unit.cases.get("c-1")).detail == {"tasks": ["t-1"]}


def test_any_json_like_detail_becomes_plain_json(store: Store):
    detail = MappingProxyType({"tasks": ("t-1",), "on": date(2027, 1, 4), "at": NINE})
    case = StaffCase("c-1", ORG, "gastro", "conflict", NINE, "", detail=detail)
    store.run(ORG, lambda unit: unit.cases.add(case))
    assert store.run(ORG, lambda unit: unit.cases.get("c-1")).detail == {
        "tasks": ["t-1"],
        "on": "2027-01-04",
        "at": "2027-01-04T09:00:00+00:00",
    }


CRITERIA = [
    ({}, ["t-1", "t-2", "t-3", "t-4"]),
    ({"id": "t-2"}, ["t-2"]),
    ({"state": TaskState.OPEN}, ["t-2", "t-3"]),
    ({"state": "open"}, ["t-2", "t-3"]),
    ({"state": {TaskState.OPEN, TaskState.DRAFT}}, ["t-1", "t-2", "t-3"]),
    ({"state": (TaskState.OPEN,), "patient": "p-2"}, ["t-3"]),
    ({"state": []}, []),
    ({"ref": None}, ["t-1", "t-3", "t-4"]),
    ({"ref": "r-2"}, ["t-2"]),
    ({"ref": ["r-2", "r-3"]}, ["t-2"]),
    ({"ref": {"r-2"}}, ["t-2"]),
    ({"ref": ["r-2", None]}, ["t-2"]),
    ({"ref": [None]}, []),
    ({"ref": Between()}, ["t-2"]),
    ({"due": Between(date(2027, 1, 12))}, ["t-3", "t-4"]),
    ({"due": Between(high=date(2027, 1, 12))}, ["t-1", "t-2"]),
    ({"due": Between(date(2027, 1, 11), date(2027, 1, 12))}, ["t-1", "t-2"]),
    ({"not_before": Between(high=date(2100, 1, 1))}, []),
    ({"letters": False}, ["t-4"]),
    ({"priority": Between(3)}, ["t-1", "t-2", "t-3"]),
    ({"patient": AWKWARD}, ["t-4"]),
    ({"patient": "P-1"}, []),
    ({"patient": "p-%"}, []),
]


@pytest.fixture
def four(store: Store) -> Store:
    tasks = [
        task("t-1"),
        task("t-2", state=TaskState.OPEN, ref="r-2"),
        task("t-3", state=TaskState.OPEN, patient="p-2", due=date(2027, 1, 12)),
        task(
            "t-4",
            state=TaskState.OVERDUE,
            patient=AWKWARD,
            due=date(2027, 1, 13),
            letters=False,
            priority=1,
        ),
    ]
    store.run(ORG, lambda unit: unit.tasks.add_all(tasks))
    return store


@pytest.mark.parametrize(("criteria", "keys"), CRITERIA)
def test_criteria(four: Store, criteria: dict[str, object], keys: list[str]):
    found = four.run(ORG, lambda unit: unit.tasks.find(**criteria), write=False)
    assert [t.id for t in found] == keys
    assert four.run(ORG, lambda unit: unit.tasks.count(**criteria), write=False) == len(keys)


@pytest.mark.parametrize("name", ["colour", "pools", "done", "organisation_id"])
def test_unknown_and_structured_fields_are_no_criteria(four: Store, name: str):
    with pytest.raises(TypeError, match=name):
        four.run(ORG, lambda unit: unit.tasks.find(**{name: "x"}))
    with pytest.raises(TypeError, match=name):
        four.run(ORG, lambda unit: unit.tasks.find(order=name))


def test_order_is_by_code_point_and_ties_by_id(store: Store):
    names = {"3": "b", "1": "B", "4": "å", "2": "b", "5": "a b", "6": "a-b", "7": "Z", "8": ""}
    store.run(ORG, lambda unit: unit.units.add_all(Unit(k, ORG, n, ()) for k, n in names.items()))
    by_name = store.run(ORG, lambda unit: unit.units.find(order="name"))
    assert [p.id for p in by_name] == sorted(names, key=lambda k: (names[k], k))
    backwards = store.run(ORG, lambda unit: unit.units.find(order="-name"))
    assert [p.name for p in backwards] == sorted(names.values(), reverse=True)
    assert [p.id for p in backwards if p.name == "b"] == ["2", "3"]


def test_what_is_not_set_comes_last_and_descending_first(store: Store):
    visits = [
        appointment("a-1", created_at=at(2)),
        appointment("a-2"),
        appointment("a-3", created_at=at(1)),
    ]
    store.run(ORG, lambda unit: unit.appointments.add_all(visits))

    def keys(order: str, limit: int | None = None) -> list[str]:
        found = store.run(ORG, lambda unit: unit.appointments.find(order=order, limit=limit))
        return [visit.id for visit in found]

    assert keys("created_at") == ["a-3", "a-1", "a-2"]
    assert keys("-created_at") == ["a-2", "a-1", "a-3"]
    assert keys("-created_at", 2) == ["a-2", "a-1"]
    assert keys("start") == ["a-1", "a-2", "a-3"]


def test_a_save_raises_the_version_and_a_stale_one_is_told_what_there_is(store: Store):
    store.run(ORG, lambda unit: unit.tasks.add(task()))
    first = store.run(ORG, lambda unit: unit.tasks.get("t-1"))
    saved = store.run(ORG, lambda unit: unit.tasks.save(replace(first, state=TaskState.OPEN)))
    assert (saved.version, saved.state) == (2, TaskState.OPEN)
    assert store.run(ORG, lambda unit: unit.tasks.get("t-1")) == saved
    with pytest.raises(StaleVersion) as refused:
        store.run(ORG, lambda unit: unit.tasks.save(replace(first, note="mine")))
    error = refused.value
    assert (error.kind, error.key, error.expected, error.actual, error.state) == (
        "task",
        "t-1",
        1,
        2,
        "open",
    )
    assert store.run(ORG, lambda unit: unit.tasks.get("t-1")) == saved


def test_many_are_saved_at_once_or_none_is(store: Store):
    tasks = [task(f"t-{n}", ref=f"r-{n}") for n in range(3)]
    store.run(ORG, lambda unit: unit.tasks.add_all(tasks))
    opened = [replace(value, state=TaskState.OPEN) for value in tasks]
    store.run(ORG, lambda unit: unit.tasks.save_all(opened))
    found = store.run(ORG, lambda unit: unit.tasks.find())
    assert [(t.version, t.state) for t in found] == [(2, TaskState.OPEN)] * 3
    stale = [found[0], replace(tasks[1], state=TaskState.WITHDRAWN), found[2]]
    with pytest.raises(StaleVersion) as refused:
        store.run(ORG, lambda unit: unit.tasks.save_all(stale))
    assert (refused.value.key, refused.value.expected, refused.value.actual) == ("t-1", 1, 2)
    assert store.run(ORG, lambda unit: unit.tasks.find()) == found
    store.run(ORG, lambda unit: unit.tasks.save_all([]))


def test_of_what_is_saved_the_same_as_before_need_not_be_written(store: Store):
    tasks = [task(f"t-{n}", ref=f"r-{n}") for n in range(3)]
    store.run(ORG, lambda unit: unit.tasks.add_all(tasks))
    opened = [replace(value, state=TaskState.OPEN, due=NINE.date()) for value in tasks]
    opened[0] = replace(opened[0], referral="another")
    known = {value.id: value for value in tasks}
    store.run(ORG, lambda unit: unit.tasks.save_all(opened, known))
    kept = store.run(ORG, lambda unit: unit.tasks.find())
    assert kept == [replace(value, version=2) for value in opened]
    wrong = {value.id: replace(value, state=TaskState.CHOSEN, version=1) for value in kept}
    chosen = [replace(value, state=TaskState.CHOSEN) for value in kept]
    store.run(ORG, lambda unit: unit.tasks.save_all(chosen, wrong))  # known as of another version
    assert store.run(ORG, lambda unit: unit.tasks.find()) == [
        replace(value, version=3) for value in chosen
    ]


def test_kinds_without_versions_are_simply_replaced(store: Store):
    mark = Verification("m", ORG, NINE, "root")
    store.run(ORG, lambda unit: unit.verifications.add(mark))
    new = replace(mark, by="anna")
    assert store.run(ORG, lambda unit: unit.verifications.save(new)) == new
    assert store.run(ORG, lambda unit: unit.verifications.get("m")) == new


def test_what_is_not_there_is_not_found(store: Store):
    for body in (
        lambda unit: unit.tasks.get("t-1"),
        lambda unit: unit.tasks.save(task()),
        lambda unit: unit.patients.save(Patient("p-1", ORG)),
        lambda unit: unit.sessions.get("s-1"),
        lambda unit: unit.work.get("w-1"),
    ):
        with pytest.raises(NotFound):
            store.run(ORG, body)


def test_ids_are_unique(store: Store):
    store.run(ORG, lambda unit: unit.tasks.add(task()))
    with pytest.raises(Conflict, match="already a task with this id"):
        store.run(ORG, lambda unit: unit.tasks.add(task(patient="p-2")))
    assert store.run(ORG, lambda unit: unit.tasks.get("t-1")).patient == "p-1"


def test_it_says_of_what_there_is_one_already(store: Store):
    store.run(ORG, lambda unit: unit.appointments.add(appointment("a-1")))
    with pytest.raises(Conflict, match="already an appointment with this id"):
        store.run(ORG, lambda unit: unit.appointments.add(appointment("a-1")))


def test_refs_are_unique_where_there_is_one(store: Store):
    store.run(ORG, lambda unit: unit.tasks.add_all([task("t-1", ref="r"), task("t-2")]))
    store.run(ORG, lambda unit: unit.tasks.add(task("t-3")))
    with pytest.raises(Conflict, match="already a task with this ref"):
        store.run(ORG, lambda unit: unit.tasks.add(task("t-4", ref="r")))
    with pytest.raises(Conflict, match="already a task with this ref"):
        store.run(ORG, lambda unit: unit.tasks.save(task("t-2", ref="r")))
    store.run(ORG, lambda unit: unit.appointments.add(appointment("a-1", ref="r")))
    with pytest.raises(Conflict, match="already an appointment with this ref"):
        store.run(ORG, lambda unit: unit.appointments.add(appointment("a-2", ref="r")))


def test_a_task_has_one_live_appointment(store: Store):
    first = appointment("a-1", task="t-1")
    store.run(ORG, lambda unit: unit.appointments.add_all([first, appointment("a-0")]))
    second = appointment("a-2", task="t-1")
    with pytest.raises(Conflict, match="the task already has an appointment"):
        store.run(ORG, lambda unit: unit.appointments.add(second))
    for over in (AppointmentState.CANCELLED, AppointmentState.NO_SHOW):
        for state in (over, AppointmentState.BOOKED):
            value = replace(first, state=state)
            first = store.run(ORG, lambda unit, value=value: unit.appointments.save(value))
    first = replace(first, state=AppointmentState.CANCELLED)
    store.run(ORG, lambda unit: (unit.appointments.save(first), unit.appointments.add(second)))
    with pytest.raises(Conflict, match="the task already has an appointment"):
        again = replace(first, state=AppointmentState.ARRIVED, version=first.version + 1)
        store.run(ORG, lambda unit: unit.appointments.save(again))


def test_the_newest_publications_are_found_and_none_before_them(store: Store, monkeypatch):
    """However often a clinic has published: a version is a whole file."""

    def publish(unit: UnitOfWork) -> None:
        assert unit.publications.newest() == {}
        for number, (clinic, version) in enumerate(product(("gastro", "ent"), (2, 10, 9))):
            key = f"v-{number}"
            unit.publications.add(Publication(key, ORG, clinic, version, NINE, "planner", {}))
        assert versions(unit) == {"ent": 10, "gastro": 10}

    def versions(unit: UnitOfWork) -> dict[str, int]:
        return {clinic: p.version for clinic, p in unit.publications.newest().items()}

    read = []
    real = SqlRecords.values

    def counting(self, rows):
        found = list(real(self, rows))
        read.extend(found)
        return found

    store.run(ORG, publish)
    monkeypatch.setattr(SqlRecords, "values", counting)
    assert store.run(ORG, versions) == {"ent": 10, "gastro": 10}
    assert store.run("elsewhere", versions) == {}
    assert len(read) == (0 if isinstance(store, Memory) else 2)


def test_a_clinic_has_one_publication_of_a_version(store: Store):
    first = Publication("v-1", ORG, "gastro", 1, NINE, "planner", {})
    store.run(ORG, lambda unit: unit.publications.add(first))
    store.run(ORG, lambda unit: unit.publications.add(replace(first, id="v-2", clinic="ent")))
    store.run(ORG, lambda unit: unit.publications.add(replace(first, id="v-3", version=2)))
    with pytest.raises(Conflict, match="publication of this version"):
        store.run(ORG, lambda unit: unit.publications.add(replace(first, id="v-4")))


def test_a_state_that_there_is_not_is_refused(store: Store):
    with pytest.raises(ValueError, match="asleep"):
        store.run(ORG, lambda unit: unit.tasks.add(task(state="asleep")))


def test_organisations_neither_see_nor_hinder_each_other(store: Store):
    theirs = task(ref="r", organisation=OTHER, note="theirs")
    store.run(ORG, lambda unit: unit.tasks.add(task(ref="r")))
    store.run(OTHER, lambda unit: unit.tasks.add(theirs))
    assert store.run(ORG, lambda unit: unit.tasks.find(ref="r")) == [task(ref="r")]
    assert store.run(OTHER, lambda unit: unit.tasks.find()) == [theirs]
    store.run(OTHER, lambda unit: unit.tasks.save(theirs))
    assert store.run(ORG, lambda unit: unit.tasks.get("t-1")) == task(ref="r")
    for body in (lambda unit: unit.tasks.add(theirs), lambda unit: unit.tasks.save(theirs)):
        with pytest.raises(ValueError, match=OTHER):
            store.run(ORG, body)


def test_one_of_many_is_found_whatever_its_characters(store: Store):
    names = [AWKWARD, "NULL", "null", "{}", "a,b", ' "a" ', "a\\", '\\"', "", "{a,b}", "'"]
    tasks = [task(f"t-{n:02}", ref=None, patient=name) for n, name in enumerate(names)]
    store.run(ORG, lambda unit: unit.tasks.add_all([*tasks, task("other", patient="p-1")]))
    found = store.run(ORG, lambda unit: unit.tasks.find(patient=frozenset(names)))
    assert found == tasks
    for each in tasks:
        asked = {each.patient, "nobody"}
        assert store.run(ORG, lambda unit, asked=asked: unit.tasks.find(patient=asked)) == [each]
