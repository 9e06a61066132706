"""Publishing the same file changes nothing; a narrower one names whom it affects, moves places."""

from dataclasses import replace
from datetime import date

import pytest

from tests.world import ORGANISATION, document, oslo, pool
from timevalg.booking.sync import CalendarRow
from timevalg.model.errors import InvalidInput, TimeTaken
from timevalg.model.records import Publication
from timevalg.store.records import SqlRecords
from timevalg.wiring import IndexKeeper

AT = oslo(2027, 1, 20, 9)
DAY = date(2027, 1, 20)
LISTED = {
    "id": "b-1",
    "ref": "kontakt/1",
    "patient": "p-9",
    "service": "talk",
    "pool": "auto",
    "origin": "allotted",
    "start": "2027-01-20T09:00",
    "resources": {"doctor": ["dr-a"], "room": ["room"]},
}


def narrowed(**open_):
    opening = {"days": ["mon", "tue", "thu"], "from": "08:00", "to": "10:00"} | open_
    names = ("auto", "manual", "record", "staff")
    return document(pools=[pool(n, open=[opening]) for n in names])


def test_the_same_file_twice_changes_nothing(world):
    world.invited()
    world.publish(document(bookings=[LISTED]))
    before = world.dump()
    again = world.publish(document(bookings=[LISTED]))
    assert (again.clinics, again.outside, again.lost, again.conflicts) == ((), {}, (), ())
    assert world.dump() == before


def test_dates_that_are_no_text_are_the_same_the_second_time(world):
    source = document()
    source["clinic"]["planned_until"] = date(2027, 6, 1)
    assert world.publish(source).clinics == ("clinic",)
    assert world.publish(source).clinics == ()


def test_listed_bookings_are_taken_in_once_and_left_alone_after(world):
    world.publish(document(bookings=[LISTED]))
    visit = world.desk.appointment("kontakt/1")
    assert (visit.id, visit.start, visit.origin) == ("b-1", AT, "allotted")
    moved = world.dips.move(visit, start=oslo(2027, 1, 21, 9))
    world.publish(document(bookings=[LISTED], quotas=[]))
    assert world.desk.appointment("b-1") == moved
    world.publish(document())
    assert world.desk.appointment("b-1") == moved


def test_a_listed_booking_in_the_way_of_one_that_stands_is_a_conflict_told_once(world):
    visit = world.patient().choose(world.invited(), AT)
    result = world.publish(document(bookings=[LISTED]))
    (case,) = world.cases("conflict")
    assert result.conflicts == (case.id,)
    assert world.publish(document(bookings=[LISTED])).conflicts == ()
    assert [s.id for s in world.sessions()] == [visit.session]


def test_a_narrower_file_lists_the_bookings_outside_and_leaves_them(world):
    outside = world.patient("p-1").choose(world.invited("p-1"), AT)  # a Wednesday
    inside = world.patient("p-2").choose(world.invited("p-2"), oslo(2027, 1, 21, 9))
    result = world.publish(narrowed())
    assert result.clinics == ("clinic",)
    assert list(result.outside) == [outside.id]
    assert [v.split(":")[0] for v in result.outside[outside.id]] == ["opening"]
    assert {s.id for s in world.sessions()} == {outside.session, inside.session}
    assert world.publish(narrowed(to="09:00")).outside.keys() == {inside.id}  # only what is new


def test_leave_is_told_of_each_visit_it_touches(world):
    visit = world.patient().choose(world.invited(only={"doctor": ["dr-a"]}), AT)
    away = document()
    away["resources"][0]["away"] = [{"from": DAY, "to": DAY, "reason": "Kurs"}]
    result = world.publish(away)
    assert result.outside == {visit.id: ("resources: dr-a is away",)}


def test_places_move_to_where_they_are_valid(world):
    tasks = [world.invited(f"q-{n}") for n in range(6)]
    assert {s.start.date() for s in world.sessions()} == {date(2027, 1, 29)}  # a Friday
    result = world.publish(narrowed())
    assert result.lost == ()
    assert world.promises_broken() == {}
    assert len(world.sessions(kind="place")) == len(tasks)
    assert date(2027, 1, 29) not in {s.start.date() for s in world.sessions()}


@pytest.mark.parametrize("length", [20, 60])
def test_a_place_takes_the_time_that_its_service_takes_by_now(world, length):
    """A longer visit's place is not taken in part by somebody else."""
    task = world.invited(not_before=DAY, not_after=DAY)
    world.patient().hold(task, AT)  # its place from now on
    other = world.invited("p-2", not_before=DAY, not_after=DAY)
    world.later(minutes=10)
    changed = document()
    changed["services"][0]["length"] = length
    assert world.publish(changed).lost == ()
    assert {s.length for s in world.sessions()} == {length}
    assert [s.start for s in world.sessions(task=task.id)] == [AT]
    world.patient("p-2").choose(other, oslo(2027, 1, 20, 9, 30))
    assert world.promises_broken() == {}


def test_those_for_whom_none_is_left_are_named(world):
    tasks = [world.invited(f"q-{n}", not_before=DAY, not_after=date(2027, 1, 21)) for n in range(7)]
    result = world.publish(narrowed())  # four starts on the Thursday, none on the Wednesday
    assert len(result.lost) == 3
    assert set(result.lost) < {t.id for t in tasks}
    assert {c.task for c in world.cases("capacity-loss")} == set(result.lost)
    assert world.promises_broken() == {}
    assert len(world.sessions(kind="place")) == 4


def test_a_held_time_that_is_closed_is_gone(world):
    task = world.invited()
    world.patient().hold(task, AT)
    world.publish(narrowed())
    assert world.promises_broken() == {}
    with pytest.raises(TimeTaken):
        world.patient().choose(task, AT)


def test_a_held_time_that_is_no_place_any_more_may_still_be_chosen(world):
    """Whoever has not chosen is given longer notice; who is choosing keeps the time for now."""
    task = world.invited()
    world.invited("p-2")
    hold = world.patient().hold(task, AT)
    longer = [pool(n, fallback_notice=14) for n in ("auto", "manual", "record", "staff")]
    assert world.publish(document(pools=longer)).lost == ()
    assert world.sessions(kind="hold") == [replace(hold, is_place=False)]
    assert world.promises_broken() == {}
    assert world.patient().choose(task, AT).start == AT


def test_an_offer_looked_up_before_is_not_booked_against_the_new_file(world):
    task = world.invited()
    offer = world.patient().offers(task).offers[0]
    shut = document(pools=[pool(n, open=[]) for n in ("auto", "manual", "record", "staff")])
    assert world.publish(shut).lost == (task.id,)
    with pytest.raises(TimeTaken):
        world.patient().choose(task, offer)


@pytest.mark.parametrize("kind", ["open", "chosen"])
def test_a_pool_that_patients_still_need_cannot_vanish(world, kind):
    if kind == "open":
        world.invited(pools=("manual",))
    else:
        world.chosen(pools=("manual",))
    before = world.dump()
    with pytest.raises(InvalidInput, match="manual is still needed"):
        world.publish(document(pools=[pool("auto")]))
    assert world.dump() == before


def other_clinic(**room):
    source = document(pools=[pool("other")])
    source["clinic"] |= {"id": "other"}
    source["resources"] = [
        {"id": "dr-o", "kind": "clinician", "skills": ["talk"]},
        {"id": "room", "kind": "room", "owner": "clinic", **room},
    ]
    return source


def test_two_clinics_share_a_room(world):
    world.publish(document(), other_clinic())
    mine = world.invited("p-1", not_before=DAY, not_after=DAY)
    theirs = world.invited("p-2", ("other",), clinic="other", not_before=DAY, not_after=DAY)
    visit = world.patient("p-1").choose(mine, AT)
    assert AT not in {o.start for o in world.patient("p-2").offers(theirs, 100).offers}
    with pytest.raises(TimeTaken):
        world.patient("p-2").choose(theirs, visit.start)
    place = world.sessions(task=theirs.id)[0]
    world.dips.sync(
        [
            CalendarRow(
                "kontakt/7", 1, False, "clinic", "talk", place.start, {"room": ("room",)}, "p-3"
            )
        ]
    )
    assert world.sessions(task=theirs.id)[0].start != place.start
    assert world.promises_broken() == {}


def test_the_owner_closes_the_room_and_the_others_places_move(world):
    world.publish(document(), other_clinic())
    task = world.invited("p-2", ("other",), clinic="other")
    closed = document()
    closed["resources"][2]["away"] = [{"from": date(2027, 1, 25), "to": date(2027, 1, 29)}]
    assert world.publish(closed).clinics == ("clinic",)
    assert world.promises_broken() == {}
    assert world.sessions(task=task.id)[0].start < oslo(2027, 1, 25)


def test_a_plan_made_before_the_owner_closed_the_room_is_not_followed(world, monkeypatch):
    world.publish(document(), other_clinic())
    task = world.invited("p-2", ("other",), clinic="other")
    pictures = world.ports.pictures
    current, old = pictures.current, pictures.current(task.organisation)
    closed = document()
    closed["resources"][2]["away"] = [{"from": DAY, "to": DAY}]
    world.publish(closed)
    looks = iter([old])
    monkeypatch.setattr(pictures, "current", lambda o: next(looks, None) or current(o))
    with pytest.raises(TimeTaken):
        world.patient("p-2").choose(task, AT)
    assert world.sessions(kind="booking") == []


def test_publishing_and_planning_read_only_files_in_force(database, monkeypatch):
    for hour in ("08:00", "08:05", "08:10"):
        database.publish(narrowed(**{"from": hour}))
    read, real = [], SqlRecords.values

    def values(records, rows):
        found = real(records, rows)
        read.extend(value for value in found if isinstance(value, Publication))
        return found

    monkeypatch.setattr(SqlRecords, "values", values)
    assert database.publish(narrowed(**{"from": "08:15"})).clinics == ("clinic",)
    IndexKeeper(database.store).current(ORGANISATION)
    assert {p.version for p in read} == {4, 5}
