"""Staff take resources for a span: whoever has a place there gets another, or staff are told."""

from datetime import date, timedelta

import pytest

from tests.world import ORGANISATION, document, oslo
from timevalg.booking.examine import examine
from timevalg.model.errors import InvalidInput, NotFound, TimeTaken, WouldStrand
from timevalg.model.principal import Principal, RoleName
from timevalg.solver.places import place_id

AT, LATER = oslo(2027, 1, 20, 9), oslo(2027, 1, 20, 10)
DAY = date(2027, 1, 20)
AUDITOR = Principal("eva", RoleName.AUDITOR, ORGANISATION)


def block(world, start=AT, end=LATER, resources=("dr-a", "dr-b"), **more):
    return world.desk.block("clinic", resources, start, end, **{"reason": "a course", **more})


def test_it_takes_the_time_until_it_is_lifted(world):
    task = world.invited()
    held = block(world)
    assert AT not in {o.start for o in world.patient().offers(task, 100).offers}
    with pytest.raises(TimeTaken):
        world.patient().choose(task, AT)
    assert world.desk.unblock(held, "called off") == held
    assert world.patient().choose(task, AT).start == AT
    with pytest.raises(NotFound, match="no block"):
        world.desk.unblock(held)
    placed, lifted = world.events("block.placed")[0], world.events("block.lifted")[0]
    assert (placed.key, placed.reason) == (held.id, "a course")
    assert lifted.old == placed.new
    assert placed.new["resources"] == ["dr-a", "dr-b"]
    found = world.read(lambda unit: unit.audit.find(subject="block"))
    assert [(a.verb, a.reason) for a in found] == [("block", "a course"), ("unblock", "called off")]


def test_places_in_it_move(world):
    tasks = [world.invited(f"q-{n}") for n in range(6)]
    last = date(2027, 1, 29)
    assert {s.start.date() for s in world.sessions()} == {last}
    block(world, oslo(2027, 1, 29), oslo(2027, 1, 30), ["room"])
    assert examine(world.ports, AUDITOR).findings == ()
    assert last not in {s.start.date() for s in world.sessions(kind="place")}
    assert len(world.sessions(kind="place")) == len(tasks)
    assert world.promises_broken() == {}
    assert world.cases() == []


def test_one_that_would_strand_someone_is_refused_and_names_the_task(world):
    tasks = [world.invited(f"q-{n}", not_before=DAY, not_after=DAY) for n in range(8)]
    before = world.dump()
    with pytest.raises(WouldStrand) as refused:
        block(world)
    assert world.dump() == before
    assert set(refused.value.tasks) < {t.id for t in tasks}
    block(world, override=True, reason="fire drill")
    lost = world.cases("capacity-loss")
    assert {c.task for c in lost} == set(refused.value.tasks)
    assert "fire drill" in lost[0].reason
    assert world.promises_broken() == {}


@pytest.mark.parametrize("override", [False, True])
def test_a_visit_in_the_way_is_named_and_stays(world, override):
    visit = world.patient().choose(world.invited(), AT)
    before = world.dump()
    with pytest.raises(TimeTaken, match=visit.id):
        block(world, override=override)
    assert world.dump() == before
    world.desk.move(visit, start=oslo(2027, 1, 20, 11))
    assert block(world, override=override)


def test_a_hold_and_another_block_are_in_the_way_too(world):
    task = world.invited()
    world.patient().hold(task, AT)
    with pytest.raises(TimeTaken):
        block(world)
    world.later(minutes=11)
    block(world)
    with pytest.raises(TimeTaken):
        block(world, start=oslo(2027, 1, 20, 9, 30), end=oslo(2027, 1, 20, 12))
    assert world.overlaps() == []


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"resources": ("dr-x",)}, "nothing called dr-x"),
        ({"resources": ()}, "nothing to block"),
        ({"end": AT}, "is not after"),
        ({"start": oslo(2026, 1, 1), "end": oslo(2026, 1, 2)}, "after now"),
        ({"reason": ""}, "say why"),
    ],
)
def test_what_makes_no_sense_is_refused(quick, given, why):
    before = quick.dump()
    with pytest.raises(InvalidInput, match=why):
        block(quick, **given)
    assert quick.dump() == before


def test_one_name_means_all_members(make_world):
    source = document()
    source["resources"].append({"id": "chair", "kind": "room", "capacity": 3})
    world = make_world(source)
    assert set(block(world, resources=["chair"]).spans) == {"chair/1", "chair/2", "chair/3"}


def test_a_plan_overtaken_by_a_booking_is_made_anew(database, monkeypatch):
    task = database.invited()
    pictures = database.ports.pictures
    old, current = pictures.current(task.organisation), pictures.current
    looks = iter([old])
    database.patient().choose(task, AT)
    monkeypatch.setattr(pictures, "current", lambda o: next(looks, None) or current(o))
    with pytest.raises(TimeTaken):
        block(database)
    assert database.sessions(kind="block") == []


def test_a_place_that_moved_into_it_meanwhile_moves_on(database, monkeypatch):
    other = database.invited("p-2", not_before=DAY, not_after=DAY + timedelta(days=1))
    pictures = database.ports.pictures
    old, current = pictures.current(other.organisation), pictures.current
    place = old.index.sessions[place_id(other)]
    database.desk.block(
        "clinic", ["room"], place.start, place.start + timedelta(hours=9), reason="x"
    )
    moved = database.sessions(task=other.id)[0]
    looks = iter([old])
    monkeypatch.setattr(pictures, "current", lambda o: next(looks, None) or current(o))
    block(database, moved.start, moved.start + timedelta(minutes=30), ["room"])
    assert database.promises_broken() == {}
    assert database.cases() == []
