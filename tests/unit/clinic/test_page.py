"""A clinic that uses every key loads, and means what docs/clinic-file.md says."""
# ruff: noqa: E501 - tables, and lines of the file

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import ruamel.yaml

from tests.unit.clinic import page
from tests.unit.clinic.plain import plain
from timevalg.clinic import read, read_sources
from timevalg.model.appointment import Origin
from timevalg.model.contents import Source
from timevalg.model.errors import InvalidInput
from timevalg.model.pool import CHECK_RULES, WEIGHTS, ChangePolicy
from timevalg.model.resource import Kind
from timevalg.model.session import SessionKind
from timevalg.model.states import TaskState
from timevalg.model.time import Span

MINIMAL = """\
format: 1
clinic: {id: small, organisation: "1", timezone: Europe/Oslo}
resources: [{id: r, kind: room}]
services: [{id: s, length: 30, roles: [{id: room, kind: room}], preparations: [{id: fast, due: 1}]}]
pools: [{id: p, service: s, open: [{from: "08:00", to: "16:00"}], raster: 30, horizon: 60}]
tasks: [{id: t, patient: p-1, pools: [p], opens: 2027-01-04, due: 2027-01-11, deadline: 2027-03-01}]
"""


def at(year, month, day, hour, minute=0):
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def minutes(start, count):
    return Span(start, start + timedelta(minutes=count))


def test_the_clinic(tmp_path: Path):
    contents = page.contents(tmp_path)
    clinic = contents.organisation.clinics["gastro"]
    assert contents.organisation.id == clinic.organisation == "999999999"
    assert contents.warnings == ()
    assert (clinic.name.to("nb"), clinic.name.to("en")) == (
        "Gastroenterologisk poliklinikk",
        "Gastroenterology clinic",
    )
    assert str(clinic.timezone) == "Europe/Oslo"
    assert clinic.is_closed(date(2027, 5, 17)), "a holiday"
    assert clinic.is_closed(date(2027, 7, 5)) and clinic.is_closed(date(2027, 7, 30))
    assert not clinic.is_closed(date(2027, 7, 31))
    assert clinic.planned_until == date(2027, 6, 30)
    assert clinic.place is not None and clinic.place.room == "5. etg., Medisinsk poliklinikk"


def test_resources(tmp_path: Path):
    clinic = page.contents(tmp_path).organisation.clinics["gastro"]
    berg = clinic.resources["dr-berg"]
    assert (berg.kind, berg.sex, berg.languages) == (Kind.CLINICIAN, "female", ("nb", "en"))
    assert berg.skills == {"endoscopy", "consultation"}
    assert berg.hours is not None
    assert [(h.start, h.end) for h in berg.hours] == [
        (480, 930),
        (510, 900),
        (480, 720),
        (960, 1200),
    ]
    assert berg.hours[1].weeks == {1, 3} and berg.hours[1].of == 4
    assert berg.hours[2].pools == {"colonoscopy-first"}
    assert berg.hours[3].valid_from == date(2027, 2, 1)
    course, meeting, teaching = berg.away
    assert course.span == Span(at(2027, 2, 14, 23), at(2027, 2, 19, 23)), "whole local days"
    assert meeting.span == Span(at(2027, 3, 1, 11), at(2027, 3, 1, 15))
    assert teaching.hours is not None and (teaching.hours.start, teaching.hours.end) == (720, 780)
    assert [s.start for s in berg.busy] == [at(2027, 1, day, 7) for day in (5, 12, 19, 26)]
    assert clinic.members("chair") == tuple(f"chair/{n}" for n in range(1, 7))
    assert clinic.resources["room-2"].busy == (minutes(at(2027, 1, 12, 7), 120),)


def test_a_borrowed_resource_has_the_skills_of_its_owner(tmp_path: Path):
    clinics = page.contents(tmp_path).organisation.clinics
    borrowed = clinics["gastro"].resources["room-7"]
    assert (borrowed.owner, borrowed.hours) == ("surgery", None)
    assert borrowed.skills == {"minor-surgery"}
    assert clinics["surgery"].resources["room-7"].owner is None
    own = page.swapped("owner: surgery}", "owner: surgery, skills: [x]}")
    again = page.contents(tmp_path, gastro=own).organisation.clinics["gastro"]
    assert again.resources["room-7"].skills == {"x"}


def test_the_service(tmp_path: Path):
    service = page.contents(tmp_path).organisation.clinics["gastro"].services["colonoscopy"]
    endoscopist, nurse, room = service.roles
    assert (endoscopist.start, endoscopist.length, endoscopist.count) == (10, 45, 1)
    assert (nurse.start, nurse.length, nurse.count) == (0, 60, 2)
    assert (room.start, room.length) == (-5, 80)
    assert service.together[0].allowed == (
        ("dr-berg", "room-1"),
        ("dr-berg", "room-2"),
        ("dr-lie", "room-2"),
    )
    assert [(p.id, p.due, p.start, p.limits, p.by) for p in service.preparations] == [
        ("mrsa", 14, None, True, "patient"),
        ("medicines", 5, None, False, "patient"),
        ("bowel", None, 7, True, "patient"),
        ("interpreter", 10, None, False, "staff"),
    ]


def test_the_pool_and_its_quotas(tmp_path: Path):
    clinic = page.contents(tmp_path).organisation.clinics["gastro"]
    pool = clinic.pools["colonoscopy-first"]
    assert (pool.raster, pool.notice, pool.fallback_notice, pool.horizon) == (30, 3, 14, 90)
    assert [o.release for o in pool.open] == [None, 7]
    assert pool.change == ChangePolicy(2, 2) and pool.cancel == ChangePolicy(1, None)
    assert pool.weights["gaps"] == 0.5
    together, each = clinic.quotas
    assert (together.per, together.max, together.each) == ("day", 4, None)
    assert (each.per, each.max, each.each) == ("week", 6, Kind.CLINICIAN)


def test_visits(tmp_path: Path):
    contents = page.contents(tmp_path)
    (booking,) = contents.bookings
    start = at(2027, 1, 12, 8)
    assert (booking.origin, booking.ref) == (Origin.ALLOTTED, "dips:kontakt/88")
    assert (booking.session.start, booking.session.length) == (start, 60)
    assert booking.session.spans == {
        "dr-berg": minutes(start + timedelta(minutes=10), 45),
        "nurse-1": minutes(start, 60),
        "nurse-2": minutes(start, 60),
        "room-1": minutes(start - timedelta(minutes=5), 80),
    }
    (hold,) = contents.holds
    assert (hold.id, hold.kind, hold.task) == ("hold-t-2", SessionKind.HOLD, "t-2")
    assert hold.until == at(2027, 1, 4, 8, 10)
    (task,) = contents.tasks
    assert (task.not_before, task.not_after) == (date(2027, 1, 18), date(2027, 2, 12))
    assert (task.priority, task.extra, task.state) == (2, 15, TaskState.OPEN)
    assert task.only == {"endoscopist": ("dr-berg",)}
    assert task.done == {"mrsa"} and task.preparations[0].name.to("nb") == "Blodprøve"


def test_loading_twice_gives_the_same(tmp_path: Path):
    assert plain(page.contents(tmp_path)) == plain(page.contents(tmp_path))


def test_stored_sources_give_the_same_after_json(tmp_path: Path):
    first = page.contents(tmp_path)
    stored = json.dumps({k: [s.document, s.calendars] for k, s in first.sources.items()})
    sources = {k: Source(*parts) for k, parts in json.loads(stored).items()}
    assert plain(read_sources(sources)) == plain(first)


def test_the_same_as_json(tmp_path: Path):
    first = page.contents(tmp_path)
    (tmp_path / "gastro.yaml").unlink()
    document = dict(first.sources["gastro"].document)
    (tmp_path / "gastro.json").write_text(json.dumps(document, indent=1), "utf-8")
    assert plain(read(tmp_path)) == plain(first)


def test_dates_may_be_dates_in_a_document_made_by_a_program():
    document = ruamel.yaml.YAML(typ="safe", pure=True).load(MINIMAL)
    assert document["tasks"][0]["opens"] == date(2027, 1, 4)
    contents = read_sources({"small": Source(document)})
    assert contents.tasks[0].opens == date(2027, 1, 4)


def test_defaults(tmp_path: Path):
    path = tmp_path / "small.yaml"
    path.write_text(MINIMAL)
    contents = read(path)
    clinic = contents.organisation.clinics["small"]
    pool, service, task = clinic.pools["p"], clinic.services["s"], contents.tasks[0]
    assert (clinic.name.to("nb"), clinic.cell, clinic.holidays) == ("small", 5, frozenset())
    assert (pool.notice, pool.fallback_notice, pool.check) == (0, 0, "auto")
    assert (pool.fallback, pool.hold, pool.letter) == ("assign", 10, "auto")
    assert (pool.check_rules, dict(pool.weights)) == (CHECK_RULES, dict(WEIGHTS))
    assert (pool.resources, pool.change, pool.cancel) == (None, None, None)
    assert (service.mode, service.name.to("nb")) == ("physical", "s")
    role = service.roles[0]
    assert (role.start, role.length, role.count, role.skills) == (0, 30, 1, frozenset())
    assert service.preparations[0].kind == "instruction"
    assert clinic.resources["r"].hours is None and clinic.hours == ()
    assert task.not_after == task.deadline == date(2027, 3, 1)
    assert (task.priority, task.mode, task.extra) == (3, "choose", 0)
    assert clinic.quotas == () and contents.bookings == ()


@pytest.mark.parametrize(
    ("now", "state"),
    [
        (None, TaskState.SCHEDULED),
        (datetime(2027, 1, 3, 23, 59), TaskState.SCHEDULED),  # noqa: DTZ001 - local
        (datetime(2027, 1, 4), TaskState.OPEN),  # noqa: DTZ001 - naive on purpose
        (at(2027, 1, 3, 23), TaskState.OPEN),
        (datetime(2027, 1, 11, 23, 59), TaskState.OPEN),  # noqa: DTZ001 - naive on purpose
        (at(2027, 1, 11, 23), TaskState.OVERDUE),
    ],
)
def test_the_state_of_a_task_by_its_dates(tmp_path: Path, now, state):
    text = page.swapped("    state: open\n", "")
    assert page.contents(tmp_path, now, gastro=text).tasks[0].state is state


def test_a_task_with_a_booking_is_confirmed_and_makes_it_longer(tmp_path: Path):
    text = page.swapped("    state: open\n", "").replace("task: t-9, ", "task: t-1, ")
    contents = page.contents(tmp_path, gastro=text.replace("patient: p-9", "patient: p-1"))
    assert contents.tasks[0].state is TaskState.CONFIRMED
    session = contents.bookings[0].session
    assert session.length == 75
    assert session.spans["dr-berg"] == minutes(at(2027, 1, 12, 8, 10), 60)


def test_a_hold_of_a_task_in_the_file_claims_its_patient(tmp_path: Path):
    text = page.swapped("task: t-2, ", "task: t-1, ")
    (hold,) = page.contents(tmp_path, gastro=text).holds
    assert (hold.patient, hold.length) == ("p-1", 75)


def test_capacity_is_exactly_so_many_resources(tmp_path: Path):
    written_out = "\n".join(f"  - {{id: chair/{n}, kind: room}}" for n in range(1, 7))
    text = page.swapped("  - {id: chair, kind: room, capacity: 6}", written_out)
    one = page.contents(tmp_path).organisation.clinics["gastro"].resources
    six = page.contents(tmp_path, gastro=text).organisation.clinics["gastro"].resources
    assert list(one) == list(six)
    assert one["chair/3"].group == "chair" and six["chair/3"].group is None
    without_group = {k: v for k, v in plain(one["chair/3"]).items() if k != "group"}
    assert without_group == {k: v for k, v in plain(six["chair/3"]).items() if k != "group"}


def test_a_capacity_means_all_its_members(tmp_path: Path):
    text = MINIMAL.replace("{id: r, kind: room}", "{id: r, kind: room, capacity: 3}")
    text = text.replace("service: s, open", "service: s, resources: [r], open")
    text = text.replace(
        "horizon: 60}]",
        "horizon: 60}]\nbusy: [{resource: r, from: 2027-01-05T08:00, to: 2027-01-05T09:00}]",
    )
    text = text.replace("deadline: 2027-03-01}", "deadline: 2027-03-01, only: {room: [r]}}")
    (tmp_path / "small.yaml").write_text(text)
    contents = read(tmp_path / "small.yaml")
    clinic = contents.organisation.clinics["small"]
    members = ("r/1", "r/2", "r/3")
    assert clinic.pools["p"].resources == set(members)
    assert contents.tasks[0].only == {"room": members}
    assert all(clinic.resources[m].busy == (minutes(at(2027, 1, 5, 7), 60),) for m in members)
    assert clinic.resources["r/2"].name.to("nb") == "r/2"


def test_a_capacity_in_together_means_every_choice_of_different_members(tmp_path: Path):
    text = MINIMAL.replace(
        "{id: r, kind: room}", "{id: r, kind: room, capacity: 2}, {id: x, kind: room}"
    )
    text = text.replace(
        "[{id: room, kind: room}]",
        "[{id: one, kind: room}, {id: two, kind: room}], together: [{roles: [one, two], allowed: [[r, r], [x, r]]}]",
    )
    (tmp_path / "small.yaml").write_text(text)
    service = read(tmp_path / "small.yaml").organisation.clinics["small"].services["s"]
    assert set(service.together[0].allowed) == {
        ("r/1", "r/2"),
        ("r/2", "r/1"),
        ("x", "r/1"),
        ("x", "r/2"),
    }


def test_what_is_off_the_grid_is_rounded_outward(tmp_path: Path):
    text = page.swapped(
        'from: "2027-03-01T12:00", to: "2027-03-01T16:00"',
        'from: "2027-03-01T12:02", to: "2027-03-01T15:58"',
    )
    text = text.replace('from: "12:00", to: "13:00"', 'from: "12:03", to: "12:58"')
    text = text.replace(
        '"2027-01-12T08:00", to: "2027-01-12T10:00"', '"2027-01-12T08:01", to: "2027-01-12T09:59"'
    )
    text = text.replace('start: "2027-01-12T09:00"', 'start: "2027-01-12T09:02"')
    calendar = page.CALENDAR.replace("T080000", "T080112").replace("T083000", "T082959")
    contents = page.contents(tmp_path, gastro=text, calendar=calendar)
    clinic = contents.organisation.clinics["gastro"]
    _, meeting, teaching = clinic.resources["dr-berg"].away
    assert meeting.span == Span(at(2027, 3, 1, 11), at(2027, 3, 1, 15))
    assert teaching.hours is not None and (teaching.hours.start, teaching.hours.end) == (720, 780)
    assert clinic.resources["room-2"].busy == (minutes(at(2027, 1, 12, 7), 120),)
    assert clinic.resources["dr-berg"].busy[0] == minutes(at(2027, 1, 5, 7), 30)
    session = contents.bookings[0].session
    assert session.start == at(2027, 1, 12, 8, 2), "what the patient was told"
    assert session.spans["dr-berg"] == Span(at(2027, 1, 12, 8, 10), at(2027, 1, 12, 9))
    assert session.spans["room-1"] == Span(at(2027, 1, 12, 7, 55), at(2027, 1, 12, 9, 20))


def test_away_may_be_whole_days_of_the_week(tmp_path: Path):
    text = page.swapped(
        '{days: [tue], from: "12:00", to: "13:00", reason: Undervisning}', "{days: [tue]}"
    )
    away = (
        page.contents(tmp_path, gastro=text)
        .organisation.clinics["gastro"]
        .resources["dr-berg"]
        .away
    )
    assert away[2].hours is not None and (away[2].hours.start, away[2].hours.end) == (0, 1440)


def test_no_and_nine_o_clock_stay_strings(tmp_path: Path):
    text = page.swapped('holidays: "NO"', "holidays: NO").replace('from: "09:00"', "from: 9:00")
    clinic = page.contents(tmp_path, gastro=text).organisation.clinics["gastro"]
    assert clinic.is_closed(date(2027, 5, 17))
    assert clinic.pools["colonoscopy-first"].open[0].start == 540


def test_the_end_of_the_day(tmp_path: Path):
    text = page.swapped('from: "16:00", to: "20:00"', 'from: "16:00", to: "24:00"')
    hours = (
        page.contents(tmp_path, gastro=text)
        .organisation.clinics["gastro"]
        .resources["dr-berg"]
        .hours
    )
    assert hours is not None and hours[3].end == 1440


def test_holidays_may_be_a_list(tmp_path: Path):
    text = page.swapped('holidays: "NO"', "holidays: [2027-03-25, 2027-03-26]")
    clinic = page.contents(tmp_path, gastro=text).organisation.clinics["gastro"]
    assert clinic.holidays == {date(2027, 3, 25), date(2027, 3, 26)}


def test_one_file_of_a_folder_is_not_enough_if_it_borrows(tmp_path: Path):
    page.write(tmp_path)
    with pytest.raises(InvalidInput) as caught:
        read(tmp_path / "gastro.yaml")
    (problem,) = caught.value.problems
    assert problem.key == "resources[2].owner" and "load its folder" in problem.message
