"""Every legal move of a choice task, by its use case, with a place kept wherever it is live."""

from datetime import date, timedelta

import pytest

from tests.integration.booking.ways import ended, task_in
from tests.world import oslo
from timevalg.model.errors import IllegalMove


def test_scheduled_opens_on_its_day_and_not_before(world):
    task = ended(world, task_in(world, "scheduled"), "scheduled")
    with pytest.raises(IllegalMove, match="opens on 2027-01-06"):
        world.patient().offers(task)
    world.at(date(2027, 1, 5), 23)
    ended(world, task, "scheduled")
    world.at(date(2027, 1, 6), 0)
    ended(world, task, "open")


def test_the_patient_need_not_wait_for_the_worker_to_open(world):
    task = task_in(world, "scheduled")
    world.clock.set(oslo(2027, 1, 6, 0))
    visit = world.patient().choose(task, oslo(2027, 1, 20, 9))
    assert visit.start == oslo(2027, 1, 20, 9)
    ended(world, task, "chosen")
    world.work()
    ended(world, task, "confirmed")


def test_choose_then_the_rules_confirm(world):
    task, visit = world.chosen()
    ended(world, task, "chosen")
    assert (visit.origin, visit.wall, visit.zone) == (
        "chosen",
        visit.start.astimezone(oslo(2027, 1, 1).tzinfo).replace(tzinfo=None).isoformat(),
        "Europe/Oslo",
    )
    world.work()
    ended(world, task, "confirmed")


def test_a_held_time_is_the_one_that_is_booked(world):
    task = world.invited()
    offer = world.patient().offers(task).offers[3]
    held = world.patient().hold(task, offer)
    assert held.until == world.clock.now(None) + timedelta(minutes=10)
    assert world.promises_broken() == {}
    visit = world.patient().choose(task, offer)
    assert (visit.start, visit.resources) == (held.start, dict(held.resources))
    ended(world, task, "chosen")


def test_a_hold_that_expires_leaves_a_place_and_the_time_to_others(world):
    task, other = world.invited(), world.invited("p-2")
    at = oslo(2027, 1, 7, 9)  # too early for a place after the due date
    world.patient().hold(task, at)
    assert {s.kind for s in world.sessions(task=task.id)} == {"hold", "place"}
    world.later(minutes=10)
    ended(world, task, "open")
    assert world.patient("p-2").choose(other, at).start == at
    assert world.patient().choose(task, oslo(2027, 1, 20, 9)).start == oslo(2027, 1, 20, 9)


def test_a_held_time_that_is_a_valid_place_becomes_it(world):
    task, at = world.invited(), oslo(2027, 1, 20, 9)
    world.patient().hold(task, at)
    assert [s.is_place for s in world.sessions(task=task.id)] == [True]
    world.later(minutes=10)
    ended(world, task, "open")
    assert world.sessions(task=task.id)[0].start == at


def test_staff_confirm_by_hand_and_are_asked_to(world):
    task = task_in(world, "chosen")
    world.work()
    assert [c.task for c in world.cases("check-wanted")] == [task.id]
    world.desk.check(task, confirm=True)
    ended(world, task, "confirmed")
    assert world.cases() == []


def test_staff_refuse_a_choice(world):
    task = task_in(world, "chosen")
    world.desk.check(task, confirm=False, reason="wrong doctor")
    ended(world, task, "with-staff")
    assert [c.reason for c in world.cases("check-refused")] == ["wrong doctor"]


def test_the_rules_refuse_a_second_visit_on_the_same_day(quick):
    quick.chosen(not_before=date(2027, 1, 20), not_after=date(2027, 1, 20))
    quick.work()
    task, _ = quick.chosen(not_before=date(2027, 1, 20), not_after=date(2027, 1, 20))
    quick.work()
    ended(quick, task, "with-staff")
    assert [c.reason[:9] for c in quick.cases("check-refused")] == ["same-day:"]


def test_the_record_system_accepts(world):
    task, visit = world.chosen(pools=("record",))
    world.work()
    ended(world, task, "chosen")
    assert world.dips.accept(visit, ref="kontakt/88", version=visit.version).ref == "kontakt/88"
    ended(world, task, "confirmed")


def test_the_record_system_refuses_and_the_patient_is_asked_again(world):
    task, visit = world.chosen(pools=("record",))
    world.work()
    world.dips.refuse(visit, reason="8446:3", version=visit.version)
    ended(world, task, "open")
    world.work()
    kinds = [letter.kind for letter in world.letters(task=task.id)]
    assert sorted(kinds) == ["cancellation", "choice"]
    world.patient().choose(task, oslo(2027, 1, 20, 9))
    ended(world, task, "chosen")


def test_refused_after_the_due_date_the_fallback_follows(world):
    task = ended(world, task_in(world, "overdue"), "overdue")
    world.work()
    ended(world, task, "assigned")


def test_silence_of_the_record_system_goes_to_staff(quick):
    task, _ = quick.chosen(pools=("record",))
    quick.work()
    quick.at(date(2027, 1, 7), 7)  # three working days after Monday, but not yet morning
    ended(quick, task, "chosen")
    quick.at(date(2027, 1, 7), 8)
    ended(quick, task, "with-staff")
    assert [c.task for c in quick.cases("no-answer")] == [task.id]


def test_none_suits_goes_to_staff_with_the_patients_own_words(world):
    task = world.invited()
    world.patient().none_suits(task, "only Fridays")
    assert ended(world, task, "with-staff").note == "only Fridays"
    assert not [e for e in world.events() if "Fridays" in repr(e)]


def test_declined_and_taken_up_again(world):
    task = world.invited()
    world.patient().decline(task, "better now")
    ended(world, task, "declined")
    world.desk.take(task)
    ended(world, task, "with-staff")


@pytest.mark.parametrize("state", ["open", "overdue", "none-suits", "chosen"])
def test_staff_take_a_task_over(world, state):
    task = task_in(world, state)
    world.desk.take(task)
    ended(world, task, "with-staff")
