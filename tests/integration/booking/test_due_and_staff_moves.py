"""The moves at the due date and by staff, each with a place kept wherever the task is live."""

from datetime import date, timedelta

import pytest

from tests.integration.booking.ways import AFTER_DUE, FRIDAY, ended, task_in
from tests.world import ORGANISATION, OSLO, WEEKDAYS, document, oslo, pool
from timevalg.booking import attempts
from timevalg.booking.due import fall_due
from timevalg.model.errors import IllegalMove, InvalidInput, NotServable
from timevalg.model.principal import worker
from timevalg.model.states import TaskState

ROOM = {"doctor": ("dr-a",), "room": ("room",)}
NEXT_DUE = date(2027, 1, 15)


def test_staff_reopen_within_the_due_date(world):
    task = task_in(world, "with-staff")
    world.desk.reopen(task)
    ended(world, task, "open")
    world.at(AFTER_DUE)
    ended(world, task, "confirmed")


def test_staff_reopen_with_a_new_due_date(world):
    task = world.invited(pools=("staff",))
    world.at(AFTER_DUE)
    ended(world, task, "with-staff")
    before = world.dump()
    with pytest.raises(InvalidInput, match="has passed"):
        world.desk.reopen(task)
    with pytest.raises(NotServable):
        world.desk.reopen(task, due=date(2027, 1, 27))  # the form needs three days
    assert world.dump() == before
    world.desk.reopen(task, due=NEXT_DUE)
    assert ended(world, task, "open").due == NEXT_DUE
    world.at(NEXT_DUE)
    ended(world, task, "open")
    world.at(NEXT_DUE + timedelta(days=1))
    ended(world, task, "with-staff")


def test_a_place_that_the_new_due_date_makes_invalid_moves(quick):
    task = quick.invited(pools=("staff",))
    quick.patient().hold(task, oslo(2027, 1, 14, 9))  # its place from now on
    quick.later(minutes=10)
    quick.patient().none_suits(task)
    quick.desk.reopen(task, due=NEXT_DUE)
    ended(quick, task, "open")
    assert quick.sessions(task=task.id)[0].start > oslo(2027, 1, 16)


@pytest.mark.parametrize("state", ["overdue", "with-staff"])
def test_staff_assign(world, state):
    task = task_in(world, state)
    world.desk.assign(task, start=oslo(2027, 1, 20, 9), resources=ROOM, reason="by phone")
    ended(world, task, "assigned")
    assert (world.visit(task).origin, world.visit(task).start) == ("assigned", oslo(2027, 1, 20, 9))


def test_nobody_answers_and_the_best_time_is_assigned(world):
    task = world.invited()
    place = world.sessions(task=task.id)[0]
    world.at(FRIDAY, 23)
    ended(world, task, "open")
    world.at(AFTER_DUE, 0)
    ended(world, task, "confirmed")
    visit = world.visit(task)
    assert visit.origin == "assigned"
    assert visit.start < place.start  # better than the place, which is the last resort


def test_with_fallback_staff_the_place_is_kept_until_its_last_valid_day(quick):
    task = quick.invited(pools=("staff",))
    quick.at(AFTER_DUE, 0)
    ended(quick, task, "with-staff")
    assert quick.sessions(task=task.id)[0].start == oslo(2027, 1, 29, 11, 30)
    for day in range(10, 26):  # the form is due three days before the 29th
        quick.at(date(2027, 1, day))
        ended(quick, task, "with-staff")
    quick.at(date(2027, 1, 26))
    ended(quick, task, "confirmed")


def test_unless_staff_say_wait(quick):
    task = quick.invited(pools=("staff",))
    quick.at(AFTER_DUE, 0)
    quick.desk.keep_waiting(task, "the patient is abroad")
    for day in (25, 26, 27):
        quick.at(date(2027, 1, day))
        assert quick.task(task).state == "with-staff"
    assert [e.type for e in quick.events("task.kept-waiting")] == ["task.kept-waiting"]


@pytest.mark.parametrize("state", ["chosen", "assigned", "confirmed"])
def test_staff_undo_before_the_letter(world, state):
    task = task_in(world, state)
    start = world.visit(task).start
    world.desk.undo(task, reason="wrong patient", version=task.version)
    ended(world, task, "with-staff")
    assert state != "assigned" or world.sessions(task=task.id)[0].start == start


@pytest.mark.parametrize(
    "state", [s for s in TaskState if s not in {TaskState.DECLINED, TaskState.WITHDRAWN}]
)
def test_withdraw_from_every_state(world, state):
    task = task_in(world, state)
    refused = world.read(lambda unit: unit.appointments.find(task=task.id, state="cancelled"))
    world.desk.withdraw(task=task.id, reason="died", letters=False)
    ended(world, task, "withdrawn")
    world.at(date(2027, 1, 30))
    told = world.letters(kind="cancellation")
    assert [letter.appointment for letter in told] == [visit.id for visit in refused]
    assert world.cases() == []


def test_withdraw_a_referral_with_all_that_came_of_it(world):
    told = world.chosen("p-1", referral="henv/9")[0]
    world.work()
    gone = world.patient("p-2").decline(world.invited("p-2", referral="henv/9"))
    live, other = world.invited("p-3", referral="henv/9"), world.invited("p-4", referral="henv/8")
    world.dips.withdraw(referral="henv/9")
    assert world.task(told).state == "confirmed"  # its visit was cancelled; the letter says so
    assert world.visit(told).state == "cancelled"
    assert world.task(gone).state == "declined"
    ended(world, live, "withdrawn")
    ended(world, other, "open")
    world.work()
    assert [x.patient for x in world.letters(kind="cancellation")] == ["p-1"]


def test_the_hospital_allots(world):
    task = world.invited(mode="allot", opens=date(2027, 1, 5))
    with pytest.raises(IllegalMove, match="the hospital sets this time"):
        world.patient().offers(task)
    world.at(date(2027, 1, 5))
    ended(world, task, "with-staff")
    assert [c.task for c in world.cases("to-allot")] == [task.id]
    for verb in (world.patient().choose, world.patient().hold):
        with pytest.raises(IllegalMove, match="the hospital sets this time"):
            verb(task, oslo(2027, 1, 20, 9))
    world.desk.assign(task, start=oslo(2027, 1, 20, 9), resources=ROOM)
    ended(world, task, "assigned")


def test_the_patient_asks_first(world):
    answer = world.invite(mode="request")
    task = ended(world, answer.task, "draft")
    with pytest.raises(IllegalMove):
        world.patient().choose(task, oslo(2027, 1, 20, 9))
    asked = world.patient().ask(task)
    assert asked.task.state == "open"
    ended(world, task, "open")
    world.patient().choose(task, oslo(2027, 1, 20, 9))
    ended(world, task, "chosen")


def test_asking_in_vain_is_put_before_staff(quick):
    task = quick.invite(mode="request", not_after=date(2027, 1, 9)).task
    answer = quick.patient().ask(task)
    assert answer.task is None
    assert answer.shortage is not None
    assert [c.task for c in quick.cases("not-servable")] == [task.id]
    ended(quick, task, "draft")


def test_a_draft_that_was_not_sent_cannot_be_asked_for(quick):
    task = task_in(quick, "draft")
    with pytest.raises(IllegalMove, match="has not sent"):
        quick.patient().ask(task)


def test_an_overdue_choice_stands_until_something_is_assigned(world):
    task = world.invited(pools=("staff",))
    world.at(AFTER_DUE)
    world.patient().choose(task, oslo(2027, 1, 20, 9))
    ended(world, task, "chosen")
    world.work()
    ended(world, task, "confirmed")


def test_a_task_that_was_never_opened_still_falls_due(world):
    task = world.invited(opens=FRIDAY)
    world.clock.set(oslo(2027, 1, 9, 0))
    fall_due(world.ports, worker(ORGANISATION), task.id)
    ended(world, task, "assigned")


def test_a_worker_that_comes_too_late_for_any_time_tells_staff(quick):
    task = quick.invited()
    quick.at(date(2027, 2, 1))
    assert quick.task(task).state == "with-staff"
    assert [c.task for c in quick.cases("capacity-loss")] == [task.id]
    assert not quick.read(lambda unit: unit.work.find(state="parked"))


def late(name, **more):
    """A pool with two days' notice, a week's for times nobody chose."""
    return pool(name, notice=2, fallback_notice=7, **more)


def test_who_falls_due_late_is_given_another_place_where_the_own_has_run_out(make_world):
    world, day = make_world(document(pools=[late("auto")])), date(2027, 1, 22)
    task = world.invited("p-1", not_after=day, done=["form"])
    one, *_ = world.desk.invite_many(
        [
            {"patient": f"q-{n}", "pools": ["auto"], "opens": date(2027, 1, 4), "done": ["form"]}
            | {"due": date(2027, 1, 8), "not_before": day, "not_after": day}
            for n in range(8)
        ]
    )
    assert world.sessions(task=task.id)[0].start.date() == date(2027, 1, 21)
    world.desk.withdraw(task=one.task.id)
    world.at(date(2027, 1, 20), 0)  # by the fallback notice nothing is left, by the notice the 22nd
    ended(world, task, "confirmed")
    (visit,) = world.sessions(task=task.id)
    assert (visit.kind, visit.start.date()) == ("booking", day)
    assert world.read(lambda unit: unit.cases.find()) == []  # staff were not troubled


def test_the_last_valid_day_goes_by_the_pools_own_notice(make_world):
    world = make_world(document(pools=[late("auto", fallback="staff")]))
    task = world.invited(not_after=date(2027, 1, 22), done=["form"])
    assert world.sessions(task=task.id)[0].start.date() == date(2027, 1, 22)
    for day in (9, 15, 16, 19):
        world.at(date(2027, 1, day), 0)
        ended(world, task, "with-staff")
    world.at(date(2027, 1, 20), 0)  # on the 21st it would be no feasible start any more
    ended(world, task, "confirmed")


def test_a_place_that_runs_out_while_staff_wait_is_followed_by_another(quick):
    task = quick.invited(pools=("staff",), not_after=date(2027, 1, 22))
    others = quick.desk.invite_many(
        [
            {"patient": f"q-{n}", "pools": ["auto"], "opens": date(2027, 1, 4)}
            | {"due": date(2027, 1, 15), "not_before": day, "not_after": day}
            for n, day in enumerate([date(2027, 1, 22)] * 8)
        ]
    )
    place = quick.sessions(task=task.id)[0]
    assert place.start.date() == date(2027, 1, 21)  # the 22nd is needed by others
    quick.at(AFTER_DUE, 0)
    quick.desk.keep_waiting(task, "the patient is abroad")
    quick.desk.withdraw(task=others[0].task.id)
    quick.at(date(2027, 1, 19), 0)  # the form takes three days
    ended(quick, task, "with-staff")
    assert quick.sessions(task=task.id)[0].start.date() == date(2027, 1, 22)
    quick.at(date(2027, 1, 20), 0)
    (loss,) = quick.cases("capacity-loss")
    assert (loss.task, loss.reason.split(",")[0]) == (task.id, "staff said to wait")
    assert quick.sessions(task=task.id) == []
    quick.at(date(2027, 1, 21), 0)
    assert [c.id for c in quick.cases("capacity-loss")] == [loss.id]  # named once


@pytest.fixture
def mixed(make_world):
    """A world in which staff give the mornings and afternoons are assigned, and one who may both.

    They are invited for one day; the mornings are what they are offered first.
    """
    after = [{"days": WEEKDAYS, "from": "14:00", "to": "16:00"}]
    pools = [pool("rings", fallback="staff"), pool("auto", open=after)]
    world = make_world(document(pools=pools))
    day = date(2027, 1, 20)
    task = world.invited(pools=("rings", "auto"), not_before=day, not_after=day)
    assert world.patient().offers(task).offers[0].pool == "rings"
    return world, task


def test_of_pools_of_both_kinds_one_that_assigns_is_booked(mixed):
    world, task = mixed
    world.at(AFTER_DUE, 0)
    ended(world, task, "confirmed")
    assert world.visit(task).pool == "auto"


def test_where_that_has_no_time_staff_have_the_task_until_its_places_last_day(mixed):
    world, task = mixed
    world.desk.block(
        "clinic", ["room"], oslo(2027, 1, 20, 13), oslo(2027, 1, 20, 17), reason="cleaning"
    )
    for day in (9, 16):
        world.at(date(2027, 1, day), 0)
        ended(world, task, "with-staff")
    world.at(date(2027, 1, 17), 0)  # the form is due three days before
    ended(world, task, "confirmed")
    assert world.visit(task).pool == "rings"


@pytest.fixture
def at_midnight(world, monkeypatch):
    """A world in which midnight passes once between a plan and its locks, if it is so late."""
    run = attempts.run

    def late(*given, **named):
        if world.clock.now().astimezone(OSLO).hour == 23:
            world.clock.advance(timedelta(hours=1))
        return run(*given, **named)

    monkeypatch.setattr(attempts, "run", late)
    return world


def test_the_last_day_begins_between_the_plan_and_its_locks(at_midnight):
    world = at_midnight
    task = world.invited(pools=("staff",))
    world.at(AFTER_DUE, 0)
    world.clock.set(oslo(2027, 1, 25, 23, 30))
    assert fall_due(world.ports, worker(ORGANISATION), task.id).state == "assigned"


def test_a_place_is_one_by_the_day_on_which_it_is_taken(at_midnight):
    """Where the visit was it is no place any more: its form is due three days before."""
    world = at_midnight
    task, visit = world.chosen(pools=("manual",), not_before=date(2027, 1, 20))
    world.clock.set(oslo(2027, 1, 17, 23, 30))
    assert visit.start.date() == date(2027, 1, 20)
    world.desk.undo(task, reason="wrong patient")
    assert world.sessions(task=task.id)[0].start != visit.start
    assert world.promises_broken() == {}


def test_a_place_that_a_hold_left_behind_runs_out_before_anybody_tidies_up(world):
    """Who is due first, the hold or the task, does not matter: the loss is named all the same."""
    task = world.invited(pools=("staff",), not_after=date(2027, 1, 22), done=["form"])
    world.at(AFTER_DUE, 0)
    world.desk.keep_waiting(task, "the patient is abroad")
    world.clock.set(oslo(2027, 1, 22, 11, 25))
    assert world.patient().hold(task, oslo(2027, 1, 22, 11, 30)).is_place
    world.clock.set(oslo(2027, 1, 22, 11, 40))
    assert fall_due(world.ports, worker(ORGANISATION), task.id).state == "with-staff"
    assert [c.task for c in world.cases("capacity-loss")] == [task.id]
    assert world.sessions(task=task.id) == []
    world.work()  # the hold's turn has come too


def test_the_best_safe_start_in_ranking_order_is_assigned(quick):
    """Not the best of a varied list: the eight best, all unsafe, are passed over one by one."""
    days = [date(2027, 1, d) for d in (13, 14)]
    tight = [
        {"patient": f"q-{n}", "pools": ["auto"], "opens": date(2027, 1, 4)}
        | {"due": date(2027, 1, 8), "not_before": days[0], "not_after": days[0]}
        for n in range(8)
    ]
    for answer in quick.desk.invite_many(tight):
        quick.patient(answer.task.patient).none_suits(answer.task)  # staff have them
    task = quick.invited(not_before=days[0], not_after=date(2027, 1, 29))
    quick.at(AFTER_DUE, 0)
    assert quick.visit(task).start == oslo(2027, 1, 14, 8)


def test_a_lost_place_stays_named_when_the_task_opens(quick):
    task = quick.invited(opens=date(2027, 1, 6))
    quick.publish(document(pools=[pool("auto", open=[])]))
    assert [c.task for c in quick.cases("capacity-loss")] == [task.id]
    quick.at(date(2027, 1, 6))
    assert quick.task(task).state == "open"
    assert [c.task for c in quick.cases("capacity-loss")] == [task.id]
    assert quick.promises_broken() == {}


def test_a_place_found_again_settles_the_loss(quick):
    task = quick.invited(pools=("staff",))
    quick.publish(document(pools=[pool("staff", fallback="staff", open=[])]))
    assert [c.task for c in quick.cases("capacity-loss")] == [task.id]
    quick.publish(document())
    quick.at(AFTER_DUE, 0)
    ended(quick, task, "with-staff")
    assert quick.cases("capacity-loss") == []
