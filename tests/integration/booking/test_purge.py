"""What has been kept long enough goes, the rest stays with its reason; an export holds it all."""

import json
from datetime import date, timedelta

import pytest
from typer.testing import CliRunner

from tests.world import ORGANISATION, World, oslo
from timevalg.booking.examine import examine
from timevalg.booking.export import export_patient
from timevalg.booking.purge import purge
from timevalg.cli.app import app
from timevalg.model.errors import InvalidInput, NotFound
from timevalg.model.principal import Principal, RoleName
from timevalg.model.retention import CLASSES, SHORTEST_RECORD, classes, read_days
from timevalg.store import Database

OPERATOR = Principal("root", RoleName.OPERATOR, ORGANISATION)
AUDITOR = Principal("auditor", RoleName.AUDITOR, ORGANISATION)
TEN_YEARS = classes({"record": SHORTEST_RECORD})
NUMBER = "30108299920"


@pytest.fixture
def world(quick):
    """In memory; what the stores do differently is asked of `stored`, on each."""
    return quick


def went(world, apply=False, of=CLASSES):
    found = purge(world.ports, OPERATOR, apply, of)
    return {one.retention.name: dict(one.removed) for one in found if one.removed}


def lived(world):
    """A task withdrawn, a visit that took place, somebody who only ever was registered."""
    never = world.invited("p-1")
    world.desk.withdraw(task=never.id)
    world.work()
    task, visit = world.chosen("p-2", number=3)
    world.work()
    world.clock.set(visit.start)
    world.desk.arrive(visit)
    world.desk.fulfil(visit)
    world.dips.register("p-3", name="Kari", identity=NUMBER)
    world.dips.represent("p-2", "02013299997", "attorney", ends=date(2027, 2, 1))
    return never, task, visit


def later(world, days):
    world.clock.advance(timedelta(days=days))


def test_who_only_ever_was_registered_leaves_no_event(world):
    lived(world)
    later(world, 4000)
    assert [e.key for e in world.events("patient.registered")] == ["p-3"]
    assert went(world, apply=True)["contact"]["events"] == 1
    assert world.events("patient.registered") == []


def rows(world):
    """Every row but those of the audit log."""
    return {table: found for table, found in world.dump().items() if table != "audit"}


def test_nothing_goes_before_its_time_and_saying_so_changes_nothing(world):
    lived(world)
    before = world.dump()
    assert went(world) == {}
    assert world.dump() == before
    assert went(world, apply=True) == {}
    assert rows(world) == {k: v for k, v in before.items() if k != "audit"}


def test_what_never_came_to_a_visit_goes_after_a_year(stored):
    world = stored
    never, task, visit = lived(world)
    later(world, 700)
    said = went(world)
    assert said.keys() == {"unused", "contact"}
    assert said["unused"]["tasks"] == 1
    assert went(world, apply=True) == said
    assert went(world) == {}
    with pytest.raises(NotFound):
        world.task(never)
    assert world.task(task).state == "confirmed"
    assert world.visit(task).id == visit.id
    assert not [e for e in world.events() if never.id in {e.key, e.task}]
    assert examine(world.ports, AUDITOR).findings == ()
    again, _ = world.chosen(
        "p-9", opens=date(2028, 12, 4), due=date(2028, 12, 8), not_after=date(2029, 1, 5)
    )
    assert world.task(again).state in {"chosen", "confirmed"}


def test_the_record_is_kept_and_says_why(world):
    lived(world)
    later(world, 20_000)
    (record,) = [p for p in purge(world.ports, OPERATOR) if p.retention.name == "record"]
    assert (record.before, record.kept, dict(record.removed)) == (None, 1, {})
    assert "record duty" in record.retention.why


def test_where_ten_years_are_set_the_record_goes_with_all_that_belongs_to_it(stored):
    world = stored
    _, task, visit = lived(world)
    later(world, SHORTEST_RECORD - 1)
    assert "record" not in went(world, of=TEN_YEARS)
    later(world, 2)
    assert went(world, apply=True, of=TEN_YEARS)["record"]["appointments"] == 1
    assert world.sessions(task=task.id) == []
    assert world.letters(appointment=visit.id) == []
    assert world.preparations(visit) == []
    assert examine(world.ports, AUDITOR).findings == ()


def test_a_visit_that_nobody_said_anything_of_is_not_over(world):
    world.chosen()
    later(world, 20_000)
    assert "record" not in went(world, of=TEN_YEARS)


def test_patients_go_when_nothing_of_them_is_left(world):
    lived(world)
    later(world, SHORTEST_RECORD + 2)
    assert went(world, apply=True, of=TEN_YEARS).keys() >= {"record", "contact", "authority"}
    assert world.read(lambda unit: unit.patients.find()) == []
    assert world.read(lambda unit: unit.representations.find()) == []


def test_what_goes_is_written_down(world):
    never, *_ = lived(world)
    later(world, 700)
    went(world, apply=True)
    found = world.read(lambda unit: unit.audit.find(verb="purge", subject="task"))
    assert [(a.key, a.patient, a.reason) for a in found] == [(never.id, "p-1", "unused data")]


@pytest.mark.parametrize(
    "text",
    ["x=1", "log=5", "record=3651", "unused", "unused=-1", "unused=a", "unused=365251"],
)
def test_lengths_that_cannot_be_are_refused(text):
    with pytest.raises(InvalidInput, match="TIMEVALG_RETENTION"):
        classes(read_days(text))


def test_lengths_are_read():
    found = {c.name: c.days for c in classes(read_days("unused=180, record=4000"))}
    assert (found["unused"], found["record"], found["log"]) == (180, 4000, None)


def test_an_export_holds_all_of_one_patient_and_nothing_of_others(stored):
    world = stored
    world.dips.register("p-0", name="Kari", identity=NUMBER, email="kari@example.test")
    task, visit = world.chosen("p-0", number=2)
    world.work()
    other = world.chosen("p-5")[0]
    world.dips.merge("p-0", "p-1")
    found = world.patient("p-1").export()
    text = json.dumps(found)
    for there in ("Kari", NUMBER, "kari@example.test", task.id, visit.id):
        assert there in text
    assert {p["id"] for p in found["patients"]} == {"p-0", "p-1"}
    assert found["letters"]
    assert {a["verb"] for a in found["access"]} >= {"invite", "choose", "merge"}
    assert other.id not in text
    assert "p-5" not in text
    assert world.patient("p-0").export()["patient"] == "p-1"
    with pytest.raises(NotFound):
        world.patient("p-77").export()
    with pytest.raises(NotFound):
        export_patient(world.ports, AUDITOR, "p-77")


def test_on_the_command_line(sqlite_url):
    store = Database(sqlite_url)
    world = World(lambda clock: store)
    world.dips.register("p-1", name="Kari")
    store.close()
    run = CliRunner().invoke
    at = ("--database", sqlite_url, "--organisation", ORGANISATION)
    done = run(app, ["purge", *at])
    assert "record duty" in done.output
    assert "nothing was removed" in done.output
    said = json.loads(run(app, ["purge", *at, "--apply", "--json"]).output)
    assert [c["name"] for c in said["classes"]] == [c.name for c in CLASSES]
    assert json.loads(run(app, ["export", "p-1", *at]).output)["patients"][0]["name"] == "Kari"
    assert run(app, ["export", "p-2", *at]).exit_code != 0


def test_one_day_is_the_same_for_both(quick):
    """The day itself is not over."""
    task = quick.invited(not_after=date(2027, 1, 29))
    quick.desk.withdraw(task=task.id)
    quick.clock.set(oslo(2028, 1, 29, 12))
    assert went(quick) == {}
    quick.clock.set(oslo(2028, 1, 30, 12))
    assert went(quick)["unused"]["tasks"] == 1
