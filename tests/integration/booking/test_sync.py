"""The record system's calendar: late, repeated and out of order does no harm; nothing overlaps."""

from dataclasses import replace
from datetime import date

import pytest

from tests.world import document, oslo
from timevalg.booking.sync import CalendarRow
from timevalg.model.errors import TimeTaken

AT, LATER = oslo(2027, 1, 20, 9), oslo(2027, 1, 21, 9)
DAY = date(2027, 1, 20)
ROOM = {"doctor": ("dr-a",), "room": ("room",)}


def row(ref="kontakt/1", version=1, start=AT, **more):
    fields = {"clinic": "clinic", "service": "talk", "resources": ROOM, "patient": "p-9", **more}
    return CalendarRow(ref, version, start=start, **fields)


def gone(ref="kontakt/1", version=2):
    return CalendarRow(ref, version, deleted=True)


def starts(world):
    return [s.start for s in world.sessions(kind="booking")]


def test_applied_moved_and_deleted(world):
    assert world.dips.sync([row()]).applied == ("kontakt/1",)
    visit = world.desk.appointment("kontakt/1")
    assert (visit.origin, visit.start, visit.ref_version) == ("imported", AT, 1)
    assert world.dips.sync([row(version=2, start=LATER)]).applied == ("kontakt/1",)
    assert starts(world) == [LATER]
    assert len(world.events("appointment.changed")) == 1
    assert world.dips.sync([gone(version=3)]).applied == ("kontakt/1",)
    assert starts(world) == []
    assert world.desk.appointment("kontakt/1").state == "cancelled"


@pytest.mark.parametrize(
    ("order", "end"),
    [
        ([1, 2, 3], []),
        ([3, 2, 1], []),
        ([1, 3, 2], []),
        ([2, 1], [LATER]),
        ([1, 2, 1, 2], [LATER]),
        ([3, 3, 1], []),
    ],
)
def test_any_order_ends_the_same(world, order, end):
    rows = {1: row(version=1), 2: row(version=2, start=LATER), 3: gone(version=3)}
    for number in order:
        outcome = world.dips.sync([rows[number]])
        assert not outcome.conflicts
        assert len(outcome.applied) + len(outcome.stale) == 1
    assert starts(world) == end
    assert world.cases() == []


def test_its_own_echo_changes_nothing_but_the_version_it_knows(world):
    visit = world.chosen(pools=("record",))[1]
    world.dips.accept(visit, ref="kontakt/1")
    same = row(start=visit.start, resources=dict(visit.resources), patient="p-1")
    assert world.dips.sync([same]).applied == ("kontakt/1",)
    assert world.events("appointment.changed") == []
    synced = world.desk.appointment("kontakt/1")
    assert (synced.start, synced.moves, synced.ref_version) == (visit.start, 0, 1)
    assert world.events()[-1].version == synced.version
    assert world.dips.sync([same]).stale == ("kontakt/1",)


def test_what_the_rows_do_not_name_within_the_window_is_missing(world):
    world.dips.sync(
        [row(), row("kontakt/2", start=LATER), row("kontakt/3", start=oslo(2027, 2, 1))]
    )
    window = (oslo(2027, 1, 18), oslo(2027, 1, 25))
    assert world.dips.sync([row()], window).missing == ("kontakt/2",)
    assert world.dips.sync([], (AT, LATER)).missing == ("kontakt/1",)  # its end is not in it
    assert world.dips.sync([]).missing == ()
    assert len(starts(world)) == 3


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"resources": {"doctor": ("dr-x",)}}, "dr-x"),
        ({"resources": {"surgeon": ("dr-a",)}}, "surgeon"),
        ({"clinic": "nowhere"}, "no clinic 'nowhere'"),
        ({"service": "dance"}, "no service 'dance'"),
        ({"pool": "none"}, "no pool 'none'"),
        ({"start": None}, "no start"),
    ],
)
def test_what_cannot_be_understood_is_a_conflict_for_staff(quick, fields, why):
    rows = [row(**fields), row("kontakt/2", start=LATER)]
    outcome = quick.dips.sync(rows)
    assert (outcome.conflicts, outcome.applied) == (("kontakt/1",), ("kontakt/2",))
    (case,) = quick.cases("conflict")
    assert case.ref == "kontakt/1"
    assert why in case.reason
    quick.dips.sync(rows)  # tried again each night
    assert len(quick.cases("conflict")) == 1
    assert quick.dips.sync([row(version=2)]).applied == ("kontakt/1",)
    assert quick.cases() == []


def test_it_overlaps_no_booking(world):
    visit = world.patient().choose(world.invited(), AT)
    outcome = world.dips.sync([row(start=oslo(2027, 1, 20, 9, 15))])
    assert outcome.conflicts == ("kontakt/1",)
    assert "overlaps" in world.cases("conflict")[0].reason
    assert [s.id for s in world.sessions(kind="booking")] == [visit.session]
    world.patient().change(visit, LATER)
    assert world.dips.sync([row(start=oslo(2027, 1, 20, 9, 15))]).applied == ("kontakt/1",)
    assert world.cases() == []
    assert world.overlaps() == []


def test_it_moves_a_place_out_of_its_way(world):
    task = world.invited()
    place = world.sessions(task=task.id)[0]
    assert world.dips.sync([row(start=place.start)]).applied == ("kontakt/1",)
    assert world.sessions(task=task.id)[0].start != place.start
    assert world.promises_broken() == {}
    assert world.cases() == []


def test_a_place_that_cannot_move_is_a_named_loss(world):
    tasks = [world.invited(f"q-{n}", not_before=DAY, not_after=DAY) for n in range(8)]
    assert world.dips.sync([row()]).applied == ("kontakt/1",)
    (case,) = world.cases("capacity-loss")
    assert case.task in {t.id for t in tasks}
    assert world.promises_broken() == {}
    assert [e.task for e in world.events("task.capacity-lost")] == [case.task]


def test_it_takes_a_held_time_and_the_task_keeps_a_place(world):
    task = world.invited()
    world.patient().hold(task, AT)
    assert world.dips.sync([row()]).applied == ("kontakt/1",)
    assert world.sessions(kind="hold") == []
    assert world.promises_broken() == {}
    with pytest.raises(TimeTaken) as refused:
        world.patient().choose(task, AT)
    assert refused.value.alternatives
    world.patient().choose(task, refused.value.alternatives[0])


def test_it_counts_in_quotas_and_places_give_way(make_world):
    world = make_world(document(quotas=[{"pools": ["auto"], "per": "day", "max": 1}]))
    task = world.invited(not_before=DAY)
    place = world.sessions(task=task.id)[0]
    other = place.start.replace(hour=8, minute=0)
    assert other != place.start
    assert world.dips.sync([row(start=other, pool="auto")]).applied == ("kontakt/1",)
    assert world.sessions(task=task.id)[0].start.date() != other.date()
    assert world.promises_broken() == {}


def test_a_confirmed_choice_deleted_in_the_record_system(world):
    task, visit = world.chosen()
    world.work()
    world.dips.accept(visit, ref="kontakt/1")
    assert world.dips.sync([gone()]).applied == ("kontakt/1",)
    assert world.task(task).state == "confirmed"
    assert world.visit(task).state == "cancelled"
    assert world.sessions() == []


def test_a_deleted_visit_that_was_not_confirmed_gives_its_task_to_staff(world):
    task, visit = world.chosen(pools=("record",), not_before=DAY)
    world.store.run(
        visit.organisation,
        lambda unit: unit.appointments.save(replace(visit, ref="kontakt/1")),
    )
    assert world.dips.sync([gone()]).applied == ("kontakt/1",)
    assert world.task(task).state == "with-staff"
    assert world.promises_broken() == {}


def test_a_visit_that_is_over_here_is_a_conflict_not_a_crash(world):
    visit = world.patient().choose(world.invited(), AT)
    world.work()
    world.dips.accept(visit, ref="kontakt/1")
    world.patient().cancel(visit)
    outcome = world.dips.sync([row(patient="p-1"), row("kontakt/2", start=LATER)])
    assert outcome == replace(outcome, applied=("kontakt/2",), conflicts=("kontakt/1",))
    assert "cancelled here" in world.cases("conflict")[0].reason
    assert world.dips.sync([gone(version=5)]).applied == ("kontakt/1",)
    assert world.dips.sync([row(version=4)]).stale == ("kontakt/1",)


def test_another_patient_under_the_same_ref_is_a_conflict(quick):
    quick.dips.sync([row()])
    assert quick.dips.sync([row(version=2, patient="p-8")]).conflicts == ("kontakt/1",)
    assert quick.desk.appointment("kontakt/1").patient == "p-9"


def test_a_longer_visit_keeps_its_length_and_all_it_takes(quick):
    task = quick.invited(extra=30, pools=("record",))
    visit = quick.patient().choose(task, AT)
    quick.dips.accept(visit, ref="kontakt/1")
    quick.dips.sync([row(start=LATER, patient="p-1", resources=dict(visit.resources))])
    (session,) = quick.sessions(kind="booking")
    assert session.length == 60
    assert {int((s.end - s.start).total_seconds()) // 60 for s in session.spans.values()} == {60}
