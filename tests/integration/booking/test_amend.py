"""Other terms for a live task: it is re-admitted in one transaction, or refused and left alone."""

from datetime import date, timedelta

import pytest

from tests.integration.booking.ways import ended, task_in
from tests.world import document, oslo, pool
from timevalg.model.errors import (
    IllegalMove,
    InvalidInput,
    NotFound,
    NotServable,
    StaleVersion,
)
from timevalg.model.states import LIVE

DAY = date(2027, 1, 20)
DUE, LATER = date(2027, 1, 8), date(2027, 1, 14)


def place_of(world, task):
    (place,) = world.sessions(task=task.id)
    return place


def test_the_place_stays_where_the_new_terms_allow_it(world):
    task = world.invited(not_before=DAY, not_after=DAY)
    before = place_of(world, task)
    amended = world.desk.amend(task, not_after=date(2027, 1, 25), reason="called")
    assert (amended.not_after, amended.version) == (date(2027, 1, 25), task.version + 1)
    assert place_of(world, task) == before
    assert world.promises_broken() == {}
    (event,) = world.events("task.amended")
    assert (event.old, event.new) == ({"not_after": "2027-01-20"}, {"not_after": "2027-01-25"})
    assert (event.reason, event.version) == ("called", amended.version)


def test_it_moves_with_the_window(world):
    task = world.invited(not_before=DAY, not_after=DAY)
    world.dips.amend(task, not_before=DAY + timedelta(days=1), not_after=DAY + timedelta(days=2))
    ended(world, task, "open")
    assert place_of(world, task).start.date() > DAY


def test_a_later_due_date_needs_a_place_that_outlasts_it_and_moves_the_fallback(world):
    task = world.invited(not_after=date(2027, 1, 18))
    with pytest.raises(NotServable) as refused:
        world.desk.amend(task, due=date(2027, 1, 17))  # the form takes three days
    assert refused.value.shortage.last == date(2027, 1, 18)
    assert world.task(task) == task
    world.desk.amend(task, due=LATER)
    world.at(date(2027, 1, 9))
    ended(world, task, "open")
    world.at(LATER + timedelta(days=1))
    ended(world, task, "confirmed")


def test_an_earlier_due_date_falls_due_earlier(quick):
    task = quick.invited()
    quick.desk.amend(task, due=date(2027, 1, 5))
    quick.at(date(2027, 1, 6), 0)
    ended(quick, task, "confirmed")


def test_a_patient_who_may_choose_is_told_of_a_new_due_date(quick):
    task = quick.invited()
    quick.work()
    quick.desk.amend(task, due=LATER)
    quick.desk.amend(task, not_before=DAY)
    quick.work()
    assert len(quick.letters(task=task.id, kind="choice")) == 2


def test_another_service(make_world):
    source = document()
    source["services"].append(source["services"][0] | {"id": "long", "length": 60})
    source["pools"].append(pool("long", "long"))
    world = make_world(source)
    task = world.invited(not_before=DAY)
    amended = world.desk.amend(task, pools=["long"], only={"doctor": ["dr-b"]})
    assert amended.pools == ("long",)
    place = place_of(world, task)
    assert (place.length, place.service, place.resources["doctor"]) == (60, "long", ("dr-b",))
    assert world.promises_broken() == {}
    with pytest.raises(NotFound):
        world.desk.amend(task, pools=["nothing"])


def test_more_minutes_make_the_place_longer(world):
    task = world.invited(not_before=DAY, not_after=DAY)
    before = place_of(world, task)
    world.desk.amend(task, extra=30)
    after = place_of(world, task)
    assert after.length == before.length + 30
    assert {s.end - s.start for s in after.spans.values()} == {timedelta(minutes=60)}
    assert world.promises_broken() == {}


def test_the_places_of_others_move_aside(world):
    others = world.desk.invite_many(
        [
            {"patient": f"q-{n}", "pools": ["auto"], "opens": date(2027, 1, 4), "due": DUE}
            | {"not_before": DAY, "not_after": DAY + timedelta(days=1)}
            for n in range(8)
        ]
    )
    assert {place_of(world, a.task).start.date() for a in others} == {DAY + timedelta(days=1)}
    task = world.invited(not_before=DAY, not_after=DAY)
    world.desk.amend(task, not_after=DAY + timedelta(days=1), not_before=DAY + timedelta(days=1))
    assert place_of(world, task).start.date() == DAY + timedelta(days=1)
    assert world.promises_broken() == {}


def test_what_cannot_be_served_is_refused_and_nothing_changes(world):
    world.desk.invite_many(
        [
            {"patient": f"q-{n}", "pools": ["auto"], "opens": date(2027, 1, 4), "due": DUE}
            | {"not_before": DAY, "not_after": DAY}
            for n in range(8)
        ]
    )
    task = world.invited(not_before=DAY + timedelta(days=1))
    before = world.dump()
    with pytest.raises(NotServable, match="needed by others"):
        world.desk.amend(task, not_before=DAY, not_after=DAY)
    assert world.dump() == before


def test_a_hold_is_kept_where_the_new_terms_allow_it(quick):
    task = quick.invited()
    me = quick.patient()
    me.hold(task, oslo(2027, 1, 20, 9))
    quick.desk.amend(task, not_before=DAY)
    (hold,) = quick.sessions(task=task.id)
    assert (hold.kind, hold.is_place, hold.start) == ("hold", True, oslo(2027, 1, 20, 9))
    quick.desk.amend(task, not_before=DAY + timedelta(days=1))
    assert place_of(quick, task).kind == "place"
    assert quick.promises_broken() == {}


def test_a_draft_is_amended_and_then_sent(world):
    fields = {"ref": "oppgave/1", "not_after": date(2027, 1, 9)}
    draft = world.invite(**fields).draft
    world.desk.amend(draft, not_after=date(2027, 1, 29), opens=date(2027, 1, 5))
    answer = world.invite(**fields)
    assert (answer.task.id, answer.task.state) == (draft.id, "scheduled")
    ended(world, answer.task, "scheduled")


def test_opening_earlier(quick):
    task = quick.invited(opens=date(2027, 1, 7))
    quick.desk.amend(task, opens=date(2027, 1, 5))
    quick.at(date(2027, 1, 5))
    ended(quick, task, "open")
    with pytest.raises(InvalidInput, match="open since"):
        quick.desk.amend(task, opens=date(2027, 1, 6))


def test_other_terms_settle_a_capacity_loss(quick):
    task = quick.invited(pools=("manual",))
    pools = [pool("auto"), pool("manual", check="manual", open=[])]
    quick.publish(document(pools=pools))
    assert [c.task for c in quick.cases("capacity-loss")] == [task.id]
    quick.desk.amend(task, pools=["auto"])
    ended(quick, task, "open")
    assert quick.cases("capacity-loss") == []


@pytest.mark.parametrize("state", ["draft", *sorted(LIVE - {"none-suits"})])
def test_drafts_and_live_tasks_can_be_amended(quick, state):
    task = task_in(quick, state)
    assert quick.desk.amend(task, priority=1).priority == 1
    assert quick.task(task).state == state
    assert quick.promises_broken() == {}


@pytest.mark.parametrize("state", ["chosen", "assigned", "confirmed", "declined", "withdrawn"])
def test_others_cannot(quick, state):
    task = task_in(quick, state)
    before = quick.dump()
    with pytest.raises(IllegalMove, match="move the visit, or undo it"):
        quick.desk.amend(task, priority=1)
    assert quick.dump() == before


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        ({"patient": "p-9"}, "is no term"),
        ({"due": date(2027, 1, 3)}, "is before opens"),
        ({"not_before": date(2027, 2, 1)}, "is empty"),
        ({"pools": []}, "names no pool"),
        ({"extra": "much"}, "extra: is str, not int"),
        ({"priority": 9}, "not 1 … 5"),
    ],
)
def test_what_makes_no_sense_is_refused(quick, terms, says):
    task = quick.invited()
    quick.at(date(2027, 1, 5))
    before = quick.dump()
    with pytest.raises(InvalidInput, match=says):
        quick.desk.amend(task, **terms)
    assert quick.dump() == before


def test_a_due_date_that_has_passed(quick):
    task = quick.invited()
    quick.at(date(2027, 1, 6))
    with pytest.raises(InvalidInput, match="give a later day"):
        quick.desk.amend(task, due=date(2027, 1, 5))
    late = task_in(quick, "overdue")
    with pytest.raises(InvalidInput, match="reopen it"):
        quick.desk.amend(late, due=LATER)


def test_who_has_an_old_version_is_told(quick):
    task = quick.invited()
    quick.desk.amend(task, priority=1, version=task.version)
    with pytest.raises(StaleVersion):
        quick.desk.amend(task, priority=2, version=task.version)
    assert quick.task(task).priority == 1


def test_the_same_terms_again_change_nothing(quick):
    task = quick.invited()
    assert quick.desk.amend(task, due=task.due).version == task.version
    assert quick.events("task.amended") == []
