"""What several values must be to each other: one case and more for each rule."""
# ruff: noqa: E501 - tables, and lines of the file

from pathlib import Path

import pytest

from tests.unit.clinic import page

BROKEN = [
    # references
    ("    service: colonoscopy\n", "    service: colonoscpy\n", "pools[0].service", "there is no service 'colonoscpy'; did you mean 'colonoscopy'?"),
    ("for: [colonoscopy-first]", "for: [colonoscopy-frist]", "resources[0].hours[2].for[0]", "did you mean 'colonoscopy-first'?"),
    ("resources: [dr-berg, dr-lie", "resources: [dr-berg, dr-li", "pools[0].resources[1]", "did you mean 'dr-lie'?"),
    ("{pools: [colonoscopy-first], per: day", "{pools: [x], per: day", "quotas[0].pools[0]", "there is no pool 'x'"),
    ("task: t-9, service: colonoscopy,", "task: t-9, service: colo,", "bookings[0].service", "there is no service 'colo'"),
    ("room: [room-1]}}", "room: [room-9]}}", "bookings[0].resources.room[0]", "there is no resource 'room-9'; did you mean 'room-"),
    ("room: [room-1]}}", "rom: [room-1]}}", "bookings[0].resources.rom", "'colonoscopy' has no role 'rom'; did you mean 'room'?"),
    ("room: [room-1]}}", "room: [chair]}}", "bookings[0].resources.room[0]", "'chair' means 6; name one of chair/1 … chair/6"),
    ("busy: [{resource: room-2", "busy: [{resource: room-22", "busy[0].resource", "did you mean 'room-2'?"),
    ("task: t-2, pool: colonoscopy-first", "task: t-2, pool: colonoscopy", "holds[0].pool", "did you mean 'colonoscopy-first'?"),
    ("nurse: [nurse-2, nurse-3], room: [room-2]}}]", "nurses: [nurse-2, nurse-3], room: [room-2]}}]", "holds[0].resources.nurses", "did you mean 'nurse'?"),
    ("    pools: [colonoscopy-first]\n", "    pools: [colonoscopyfirst]\n", "tasks[0].pools[0]", "did you mean 'colonoscopy-first'?"),
    ("only: {endoscopist: [dr-berg]}", "only: {endoscopis: [dr-berg]}", "tasks[0].only.endoscopis", "did you mean 'endoscopist'?"),
    ("only: {endoscopist: [dr-berg]}", "only: {endoscopist: [dr-bergh]}", "tasks[0].only.endoscopist[0]", "did you mean 'dr-berg'?"),
    ("done: [mrsa]", "done: [msra]", "tasks[0].done[0]", "there is no preparation 'msra' for the task; did you mean 'mrsa'?"),
    ("busy: dr-berg.ics", "busy: dr-bergh.ics", "resources[0].busy", "there is no file 'dr-bergh.ics' beside the clinic file"),
    ("busy: dr-berg.ics", "busy: ../dr-berg.ics", "resources[0].busy", "does not lie beside the clinic file"),
    ("busy: dr-berg.ics", "busy: /etc/passwd", "resources[0].busy", "does not lie beside the clinic file"),
    ("owner: surgery", "owner: surgary", "resources[2].owner", "there is no clinic 'surgary' among the files; load its folder; did you mean 'surgery'?"),
    ("owner: surgery", "owner: gastro", "resources[2].owner", "'gastro' is this clinic itself"),
    # ids
    ("{id: dr-lie,", "{id: dr-berg,", "resources[3].id", "'dr-berg' is already resources[0]"),
    ("{id: dr-lie,", "{id: chair/2,", "resources[3].id", "'chair/2' is already resources[1]"),
    ("- {id: room, kind: room, skills: [endoscopy-room], start", "- {id: nurse, kind: room, skills: [endoscopy-room], start", "services[0].roles[2].id", "'nurse' is already roles[1]"),
    ("- {id: bowel, name: T", "- {id: mrsa, name: T", "services[0].preparations[2].id", "'mrsa' is already preparations[0]"),
    # the grid
    ("length: 60\n", "length: 61\n", "services[0].length", "61 is off the grid of 5 minutes"),
    ("start: 10, length: 45", "start: 12, length: 45", "services[0].roles[0].start", "12 is off the grid"),
    ("start: 10, length: 45", "start: 10, length: 44", "services[0].roles[0].length", "44 is off the grid"),
    ("start: -5,", "start: -6,", "services[0].roles[2].start", "-6 is off the grid"),
    ("raster: 30", "raster: 33", "pools[0].raster", "33 is off the grid"),
    ("extra: 15", "extra: 14", "tasks[0].extra", "14 is off the grid"),
    ('{days: [tue, thu], from: "09:00"', '{days: [tue, thu], from: "09:01"', "pools[0].open[0].from", "'09:01' is off the grid"),
    ('to: "14:30"}', 'to: "14:31"}', "tasks[0].times[0].to", "'14:31' is off the grid"),
    ('to: "15:30"}', 'to: "15:32"}', "resources[0].hours[0].to", "'15:32' is off the grid"),
    ('start: "2027-01-14T09:00"', 'start: "2027-01-14T09:01"', "holds[0].start", "2027-01-14T09:01 is off the grid of 5 minutes"),
    # times
    ('{days: [tue, thu], from: "09:00"', '{days: [tue, thu], from: "12:00"', "pools[0].open[0].from", "12:00 is not before `to` (12:00)"),
    ('from: "16:00", to: "20:00"', 'from: "20:00", to: "16:00"', "resources[0].hours[3].from", "20:00 is not before `to` (16:00)"),
    ("closed: [{from: 2027-07-05", "closed: [{from: 2027-07-31", "clinic.closed[0].from", "2027-07-31 is after `to` (2027-07-30)"),
    ("{from: 2027-02-15, to", "{from: 2027-02-20, to", "resources[0].away[0].from", "2027-02-20 is after `to`"),
    ("{from: 2027-02-15, to: 2027-02-19", "{from: 2027-02-15", "resources[0].away[0].to", "is required"),
    ('to: "2027-03-01T16:00"}', "to: 2027-03-01}", "resources[0].away[1].to", "`from` is a date-time and `to` a date; give two of a kind"),
    ('to: "2027-03-01T16:00"}', 'to: "2027-03-01T12:00"}', "resources[0].away[1].from", "2027-03-01T12:00 is not before"),
    ('{days: [tue], from: "12:00", to: "13:00"', '{days: [tue], from: "13:00", to: "13:00"', "resources[0].away[2].from", "13:00 is not before"),
    ('{days: [tue], from: "12:00", to: "13:00"', '{days: [tue], from: 2027-01-01, to: "13:00"', "resources[0].away[2].from", "date does not go with recurring days"),
    ("- {from: 2027-02-15, to: 2027-02-19, reason: Kurs}", "- {reason: Kurs}", "resources[0].away[0]", "says no time"),
    ('T08:00", to: "2027-01-12T10:00"', 'T08:00", to: "2027-01-12T08:00"', "busy[0].from", "is not before `to`"),
    ("valid: {from: 2027-02-01, to: 2027-03-31}", "valid: {from: 2027-04-01, to: 2027-03-31}", "resources[0].hours[3].valid.from", "2027-04-01 is after `to`"),
    ("valid: {from: 2027-02-01, to: 2027-03-31}", "valid: {}", "resources[0].hours[3].valid", "is empty"),
    ("weeks: [1, 3], of: 4, since: 2027-01-04", "weeks: [1, 3], of: 4", "resources[0].hours[1].weeks", "`weeks` needs `since`"),
    ("weeks: [1, 3], of: 4, since", "weeks: [1, 3], since", "resources[0].hours[1].weeks", "`weeks` needs `of`"),
    ("weeks: [1, 3], of: 4", "weeks: [1, 5], of: 4", "resources[0].hours[1].weeks[1]", "week 5 is not in a roster of 4 weeks"),
    ("weeks: [1, 3], of: 4, since: 2027-01-04", "of: 4", "resources[0].hours[1].of", "means nothing without `weeks`"),
    # services and pools
    ("[dr-lie, room-2]]}]", "[room-1, room-2]]}]", "services[0].together[0].allowed[2][0]", "'room-1' is a room; role 'endoscopist' needs a clinician"),
    ("[dr-lie, room-2]]}]", "[dr-lie, chair]]}]", "services[0].together[0].allowed[2][1]", "'chair' lacks endoscopy-room, which role 'room' needs"),
    ("[dr-lie, room-2]]}]", "[room-2, room-2]]}]", "services[0].together[0].allowed[2]", "names 'room-2' twice"),
    ("[dr-lie, room-2]]}]", "[dr-lie]]}]", "services[0].together[0].allowed[2]", "names 1 resources for 2 roles (endoscopist, room)"),
    ("[dr-lie, room-2]]}]", "[dr-lie, room-3]]}]", "services[0].together[0].allowed[2][1]", "there is no resource 'room-3'; did you mean 'room-"),
    ("[{roles: [endoscopist, room],", "[{roles: [endoscopist, rom],", "services[0].together[0].roles[1]", "did you mean 'room'?"),
    ("[{roles: [endoscopist, room],", "[{roles: [endoscopist, nurse],", "services[0].together[0].roles[1]", "role 'nurse' has count 2; roles in `together` have 1"),
    ("[{roles: [endoscopist, room],", "[{roles: [room, room],", "services[0].together[0].roles[1]", "role 'room' is named twice"),
    ("kind: form, due: 14}", "kind: form}", "services[0].preparations[0]", "has neither `due` nor `start`"),
    ("fallback_notice: 14", "fallback_notice: 2", "pools[0].fallback_notice", "2 is less than `notice` (3)"),
    # visits
    ("nurse: [nurse-1, nurse-2], room", "nurse: [nurse-1, nurse-1], room", "bookings[0].resources.nurse[1]", "'nurse-1' is taken twice"),
    ("    due: 2027-01-11", "    due: 2027-01-03", "tasks[0].due", "2027-01-03 is before `opens` (2027-01-04)"),
    ("not_before: 2027-01-18", "not_before: 2027-02-13", "tasks[0].not_before", "2027-02-13 is after `not_after` (2027-02-12): the window is empty"),
    ("not_after: 2027-02-12", "not_after: 2027-03-02", "tasks[0].not_after", "2027-03-02 is after `deadline` (2027-03-01)"),
    ("    not_after: 2027-02-12\n    deadline: 2027-03-01\n", "", "tasks[0]", "has neither `not_after` nor `deadline`"),
    ("only: {endoscopist: [dr-berg]}", "only: {endoscopist: []}", "tasks[0].only.endoscopist", "[] is empty"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "key", "message"), BROKEN, ids=[f"{w[2]}: {w[3][:30]}" for w in BROKEN]
)
def test_a_broken_rule_is_named_where_it_is_broken(tmp_path: Path, old, new, key, message):
    text = page.swapped(old, new)
    found = {p.key: p for p in page.problems(tmp_path, gastro=text)}
    assert key in found, sorted(found)
    assert message in found[key].message
    if new:
        first = page.line_of(text, new)
        assert found[key].line in range(first, first + new.strip("\n").count("\n") + 1)


def test_the_grid_is_the_clinics_own(tmp_path: Path):
    text = page.swapped("cell: 5 ", "cell: 15")
    keys = {p.key: p.message for p in page.problems(tmp_path, gastro=text)}
    assert keys == {
        "services[0].roles[0].start": "10 is off the grid of 15 minutes",
        "services[0].roles[2].start": "-5 is off the grid of 15 minutes",
        "services[0].roles[2].length": "80 is off the grid of 15 minutes",
    }


def test_ids_of_visits_and_references_to_records_are_given_once(tmp_path: Path):
    booking = next(line for line in page.GASTRO.split("\n") if "- {id: b-1" in line)
    text = page.swapped(booking, f"{booking}\n{booking}")
    found = {p.key: p.message for p in page.problems(tmp_path, gastro=text)}
    assert found == {
        "bookings[1].id": "'b-1' is already id of bookings[0]",
        "bookings[1].ref": "'dips:kontakt/88' is already ref of bookings[0]",
    }


def test_a_reference_to_a_wrong_row_is_no_second_error(tmp_path: Path):
    text = page.swapped("    raster: 30\n", "")
    assert [p.key for p in page.problems(tmp_path, gastro=text)] == ["pools[0].raster"]


def test_a_member_of_a_capacity_can_be_booked(tmp_path: Path):
    text = page.swapped("room: [room-1]}}", "room: [chair/3]}}")
    (booking,) = page.contents(tmp_path, gastro=text).bookings
    assert booking.session.resources["room"] == ("chair/3",)


def test_a_booking_needs_no_patient_ref_task_or_pool(tmp_path: Path):
    text = page.swapped('ref: "dips:kontakt/88", patient: p-9, task: t-9, ', "")
    text = text.replace(
        "service: colonoscopy, pool: colonoscopy-first, origin", "service: colonoscopy, origin"
    )
    (booking,) = page.contents(tmp_path, gastro=text).bookings
    session = booking.session
    assert (booking.ref, session.patient, session.task, session.pool) == (None, None, None, None)
