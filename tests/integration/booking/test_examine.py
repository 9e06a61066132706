"""The examination calls a sound database sound, and names each way in which one can be unsound."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.integration.booking.ways import WAYS
from tests.world import ORGANISATION, document, oslo
from timevalg.booking.examine import examine
from timevalg.model.principal import Principal, RoleName
from timevalg.model.session import Session, SessionKind
from timevalg.model.states import TaskState

AUDITOR = Principal("doctor", RoleName.AUDITOR, ORGANISATION)
AT = oslo(2027, 1, 20, 9)


def findings(world):
    return {(f.check, f.what) for f in examine(world.ports, AUDITOR).findings}


BY_HAND = {TaskState.NONE_SUITS}  # tests put a task into it behind the use cases' back


@pytest.mark.parametrize("state", [state for state in WAYS if state not in BY_HAND])
def test_every_way_of_life_is_sound(quick, state):
    WAYS[state](quick)
    assert findings(quick) == set()


def test_a_busy_clinic_is_sound_and_stays_so(world):
    for number in range(6):
        world.invited(f"p-{number}")
    visit = world.chosen("p-6")[1]
    world.patient("p-6").change(visit, world.patient("p-6").offers_to_change(visit).offers[0])
    held = world.invited("p-7")
    world.patient("p-7").hold(held, world.patient("p-7").offers(held).offers[0])
    assert findings(world) == set()
    for day in (5, 8, 9, 20, 29):
        world.at(date(2027, 1, day))
        assert findings(world) == set(), day
    looked_at = examine(world.ports, AUDITOR).looked_at
    assert looked_at["tasks"] == 8
    assert looked_at["claims"] == 3 * looked_at["sessions"]


def change(world, kind, value, **fields):
    """Change a row behind the use cases' back."""
    world.store.run(ORGANISATION, lambda unit: getattr(unit, kind).save(replace(value, **fields)))


def release(world, *keys):
    world.store.run(ORGANISATION, lambda unit: unit.sessions.release(keys))


def take(world, *sessions):
    world.store.run(ORGANISATION, lambda unit: unit.sessions.claim(sessions))


def no_place(world):
    task = world.invited()
    release(world, *(s.id for s in world.sessions(task=task.id)))
    return "places", f"open task {task.id} has no places"


def two_places(world):
    task = world.invited()
    (place,) = world.sessions(task=task.id)
    take(world, moved(place, AT, id="s-second"))
    return "places", f"open task {task.id} has 2 places"


def a_place_too_early(world):
    """Valid today, but not on the day after `due`."""
    task = world.invited()
    (place,) = world.sessions(task=task.id)
    release(world, place.id)
    take(world, moved(place, oslo(2027, 1, 8, 9)))
    return "places", f"the place of task {task.id} is not valid: window"


def a_place_beyond_a_quota(world):
    world.publish(document(quotas=[{"pools": ["auto"], "per": "day", "max": 1}]))
    one, two = world.invited("p-1"), world.invited("p-2")
    (first,), (second,) = (world.sessions(task=t.id) for t in (one, two))
    release(world, second.id)
    take(world, moved(second, first.start - timedelta(hours=1)))
    return "places", "is not valid: quota"


def bookings_beyond_a_quota(world):
    world.publish(document(quotas=[{"pools": ["auto"], "per": "day", "max": 1}]))
    world.clock.advance(timedelta(minutes=1))
    world.patient("p-1").choose(world.invited("p-1"), AT)
    task = world.invited("p-2")
    visit = world.patient("p-2").choose(task, AT + timedelta(days=1))
    rebook(world, visit, AT + timedelta(hours=1))
    return "quotas", "2 visits in auto in the day of 2027-01-20, where clinic allows 1"


def a_booking_at_night(world):
    world.clock.advance(timedelta(minutes=1))
    visit = world.chosen()[1]
    rebook(world, visit, oslo(2027, 1, 20, 3))
    return "rules", f"booking {visit.session} was chosen against the rules: opening"


def a_visit_without_its_time(world):
    visit = world.chosen()[1]
    release(world, visit.session)
    return "visits", f"booked appointment {visit.id} takes no time of anybody"


def a_visit_at_another_time_than_its_booking(world):
    visit = world.chosen()[1]
    change(world, "appointments", visit, start=AT + timedelta(hours=2))
    return "visits", f"appointment {visit.id} and its booking differ in start"


def a_cancelled_visit_with_its_time(world):
    visit = world.chosen()[1]
    change(world, "appointments", visit, state="cancelled")
    return "visits", f"cancelled appointment {visit.id} still has session {visit.session}"


def a_booking_without_a_visit(world):
    world.invited()
    lonely = Session("s-lonely", SessionKind.BOOKING, "clinic", AT, 30, "talk", "auto")
    take(world, lonely)
    return "bookings", "booking s-lonely is the time of 0 visits: none"


def a_chosen_task_without_a_visit(world):
    task = world.invited()
    release(world, *(s.id for s in world.sessions(task=task.id)))
    change(world, "tasks", task, state=TaskState.CHOSEN)
    return "tasks", f"chosen task {task.id} has 0 appointments"


def a_live_task_with_a_visit(world):
    task, visit = world.chosen()
    change(world, "tasks", world.task(task), state=TaskState.OPEN)
    return "tasks", f"open task {task.id} has appointment {visit.id}"


def a_withdrawn_task_with_a_place(world):
    task = world.invited()
    (place,) = world.sessions(task=task.id)
    world.desk.withdraw(task=task.id)
    take(world, place)
    return "tasks", f"withdrawn task {task.id} has a place, {place.id}"


def two_holds(world):
    one, two = world.invited("p-1", ref="one"), world.invited("p-1", ref="two")
    held = world.patient().hold(one, AT)
    take(world, moved(held, AT + timedelta(hours=1), id="s-second", task=two.id, is_place=False))
    return "holds", f"one patient has 2 holds: {held.id}, s-second"


def a_state_that_nothing_told(world):
    task = world.invited()
    change(world, "tasks", task, state=TaskState.OVERDUE)
    return "events", f"task {task.id} is overdue at version {task.version + 1}, the feed says open"


def work_that_nobody_has(world):
    task = world.invited()
    finish(world, "fall due")
    return "work", f"nobody will do 'fall due' for open task {task.id}"


def work_that_was_given_up(world):
    world.invited()
    finish(world, "fall due", state="parked", error="KeyError: 'secret'", attempts=5)
    return "work", "was given up after 5 attempts: KeyError"


def a_letter_that_nobody_sends(world):
    world.chosen()
    world.work_kinds("check")
    world.work_kinds("letter")
    finish(world, "send letter")
    return "letters", "is unsent, and nobody will send it"


FAULTS = [
    no_place,
    two_places,
    a_place_too_early,
    a_place_beyond_a_quota,
    bookings_beyond_a_quota,
    a_booking_at_night,
    a_visit_without_its_time,
    a_visit_at_another_time_than_its_booking,
    a_cancelled_visit_with_its_time,
    a_booking_without_a_visit,
    a_chosen_task_without_a_visit,
    a_live_task_with_a_visit,
    a_withdrawn_task_with_a_place,
    two_holds,
    a_state_that_nothing_told,
    work_that_nobody_has,
    work_that_was_given_up,
    a_letter_that_nobody_sends,
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_each_fault_is_named(quick, fault):
    check, what = fault(quick)
    found = findings(quick)
    assert any(name == check and what in said for name, said in found), found


def test_what_staff_override_is_no_fault(quick):
    quick.clock.advance(timedelta(minutes=1))
    visit = quick.chosen("p-1")[1]
    quick.desk.move(visit, start=oslo(2027, 1, 20, 13), reason="x", override=True)
    assert findings(quick) == set()


def test_a_loss_that_the_staff_list_names_is_no_fault(quick):
    task = quick.invited("p-2")
    (place,) = quick.sessions(task=task.id)
    visit = quick.chosen("p-1")[1]
    away = [
        {"id": r, "kind": k, "skills": s, "away": [{"from": "2027-01-05", "to": "2027-02-28"}]}
        for r, k, s in (("dr-a", "clinician", ["talk"]), ("dr-b", "clinician", ["talk"]))
    ]
    room = {"id": "room", "kind": "room"}
    assert quick.publish(document(resources=[*away, room])).lost == (task.id,)
    assert quick.sessions(id=place.id) == []
    assert findings(quick) == set()
    assert quick.visit(visit.task).state == "booked"  # outside the rules since, and left alone


def moved(session, start, **more):
    by = start - session.start
    spans = {r: type(s)(s.start + by, s.end + by) for r, s in session.spans.items()}
    return replace(session, start=start, spans=spans, **more)


def rebook(world, visit, start):
    """Put a visit somewhere without asking anybody."""
    (booking,) = world.sessions(id=visit.session)
    release(world, booking.id)
    take(world, moved(booking, start))
    change(world, "appointments", world.visit(visit.task), start=start)


def finish(world, kind, **outcome):
    def body(unit):
        for work in unit.work.find(kind=kind, state="waiting"):
            assert unit.work.settle(replace(work, **{"state": "done", **outcome}))

    world.store.run(ORGANISATION, body)
