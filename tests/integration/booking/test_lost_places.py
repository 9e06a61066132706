"""Who has lost their place: whom it harms most first, and what would cure it."""

from datetime import date

import pytest

from tests.world import document, oslo
from timevalg.model.errors import NotServable

DAY, NEXT = date(2027, 1, 20), date(2027, 1, 21)


def lose(world, *terms):
    """Invite some for one day, on which the only room then is away."""
    tasks = [
        world.invited(f"q-{n}", not_before=DAY, not_after=DAY, **more)
        for n, more in enumerate(terms)
    ]
    world.desk.add_absence("clinic", "room", DAY, DAY)
    return [t.id for t in tasks]


TERMS = (
    {"priority": 3, "deadline": date(2027, 1, 22)},
    {"priority": 3, "deadline": DAY},
    {"priority": 1, "deadline": date(2027, 2, 28)},
)
BY_HARM = [2, 1, 0]


def test_whom_it_harms_most_comes_first(world):
    tasks = lose(world, *TERMS)
    by_harm = [tasks[n] for n in BY_HARM]
    assert [one.task.id for one in world.desk.replan().lost] == by_harm
    assert [c.task for c in world.desk.staff_list({"capacity-loss"})] == by_harm
    pages, after = [], ""
    while page := world.desk.staff_list({"capacity-loss"}, after, 1):
        pages += [c.task for c in page]
        after = page[-1].id
    assert pages == by_harm


def test_each_with_cures_that_were_tried_and_times_that_take_nothing_from_anybody(quick):
    (task,) = lose(quick, {"deadline": NEXT})
    (lost,) = quick.desk.replan().lost
    assert (lost.task.id, lost.place) == (task, None)
    assert str(lost.shortage).startswith("the clinic's rules leave no start between 2027-01-20")
    assert lost.shortage.cures[0].change == "not_after +1 day"
    times = [(t.start.date(), harm) for t, harm in lost.times]
    assert times == [(date(2027, 1, 19), ("before the first day",))] * 5
    assert quick.desk.replan(clinic="clinic").lost == (lost,)


def test_a_time_within_the_deadline_comes_before_one_past_it(quick):
    source = document()
    source["resources"][2]["hours"] = [{"days": ["wed", "fri"], "from": "09:00", "to": "09:30"}]
    quick.publish(source)
    (task,) = lose(quick, {"deadline": date(2027, 1, 22)})
    (lost,) = quick.desk.replan().lost
    assert [(t.start.date().day, harm) for t, harm in lost.times] == [
        (15, ("before the first day",)),
        (13, ("before the first day",)),
        (8, ("before the first day",)),
        (22, ("past the planned date",)),
        (27, ("past the deadline", "past the planned date")),
    ]
    time, _ = lost.times[0]
    quick.desk.take(task)
    quick.desk.assign(
        task, start=time.start, resources=time.resources, reason="by phone", override=True
    )
    assert quick.desk.replan().lost == ()
    assert quick.cases("capacity-loss") == []
    assert quick.promises_broken() == {}


def test_a_place_that_there_is_by_now_is_taken_without_new_terms(world):
    """An override took the only time; the visit is cancelled again."""
    source = document()
    source["resources"][2]["hours"] = [{"days": ["wed"], "from": "09:00", "to": "09:30"}]
    world.publish(source)
    task = world.invited(not_before=DAY, not_after=DAY)
    other = world.desk.take(world.invited("p-2"))
    there = {"doctor": ["dr-a"], "room": ["room"]}
    at = oslo(2027, 1, 20, 9)
    world.desk.assign(other, start=at, resources=there, reason="urgent", override=True)
    with pytest.raises(NotServable):
        world.desk.amend(task)
    world.desk.cancel(world.visit(other))
    (lost,) = world.desk.replan().lost
    assert (lost.task.id, lost.place.start, lost.shortage) == (task.id, at, None)
    before = world.task(task)
    assert world.desk.amend(task) == before
    assert [s.start for s in world.sessions(task=task.id)] == [at]
    assert world.desk.replan().lost == ()
    assert world.cases("capacity-loss") == []
    assert world.promises_broken() == {}
    assert world.desk.amend(task) == before  # once more changes nothing
