"""Whoever knows of a time is told when it is called off, by the time that they know."""

from datetime import date

import pytest

from tests.integration.booking.told import AT, LATER, flat, sent, told
from tests.integration.booking.ways import AFTER_DUE
from tests.world import document, pool


def test_the_patient_who_cancels_knows_already(quick):
    quick.patient().cancel(told(quick))
    quick.work()
    assert sent(quick) == ["appointment"]


@pytest.mark.parametrize("chosen", [True, False])
def test_a_cancellation_goes_to_those_who_know_of_the_visit(make_world, chosen):
    world = make_world(document(pools=[pool("auto", letter="manual")]))
    task = world.invited()
    if chosen:
        world.patient().choose(task, AT)
    world.at(AFTER_DUE)
    assert world.task(task).state == "confirmed"
    world.desk.cancel(world.visit(task))
    world.work()
    assert sent(world)[-1:] == (["cancellation"] if chosen else [])


@pytest.mark.parametrize("first", ["letter", "send letter"])
def test_a_visit_whose_letter_has_not_left_is_called_off_without_one(make_world, first):
    world = make_world(document(pools=[pool("auto", letter="manual")]))
    task = world.invited()
    world.at(AFTER_DUE)
    world.desk.write_letter(world.visit(task))
    world.desk.cancel(world.visit(task))
    world.work_kinds(first)
    assert [letter.state for letter in world.letters()] == ["stopped"]
    world.work()
    assert sent(world) == []
    assert world.post.sent == []


@pytest.mark.parametrize(
    ("cancel", "letters"),
    [
        (lambda world, visit: world.desk.cancel(visit, reason="ill"), ["cancellation"]),
        (lambda world, visit: world.dips.cancel(visit, reason="8445:1"), ["cancellation"]),
        (lambda world, visit: world.patient().cancel(visit), []),
        (lambda world, visit: world.dips.cancel(visit, by="patient"), []),
    ],
    ids=["staff", "record system", "patient", "at the patient's wish"],
)
def test_a_choice_called_off_before_it_was_confirmed_is_told(quick, cancel, letters):
    task, visit = quick.chosen()
    cancel(quick, visit)
    quick.work()
    assert quick.task(task).state == "with-staff"
    assert sent(quick) == letters


def _rebook(world, task):
    visit, source = world.visit(task), document()
    day = visit.start.date().isoformat()
    source["resources"][2]["away"] = [{"from": day, "to": day}]
    world.publish(source)
    world.desk.rebook(visit)


ENDS = {
    "undo": lambda world, task: world.desk.undo(task, reason="x"),
    "check": lambda world, task: world.desk.check(task, confirm=False, reason="x"),
    "refuse": lambda world, task: world.desk.refuse(world.visit(task), reason="x"),
    "rebook": _rebook,
    "hand to staff": lambda world, task: world.desk.take(task),
    "silence": lambda world, task: world.at(date(2027, 1, 14)),
}
"""What ends a time that is not confirmed, but for cancelling it; the last two only a chosen one."""


@pytest.mark.parametrize("ends", ENDS)
@pytest.mark.parametrize("letters", [True, False])
def test_a_choice_that_ends_is_told_whatever_ends_it(quick, ends, letters):
    task = quick.invited(pools=["record"], letters=letters)
    quick.work()
    quick.patient().choose(task, AT)
    quick.work()
    ENDS[ends](quick, quick.task(task))
    quick.work()
    assert quick.task(task).state == ("open" if ends == "refuse" else "with-staff")
    again = ["choice"] if ends == "refuse" else []
    assert sent(quick) == (["choice", "cancellation", *again] if letters else [])


@pytest.mark.parametrize("ends", list(ENDS)[:4])
def test_a_time_that_nobody_knows_of_ends_without_a_letter(quick, ends):
    task = quick.invited(pools=["record"])
    quick.at(AFTER_DUE)
    assert (quick.task(task).state, sent(quick)) == ("assigned", [])
    ENDS[ends](quick, quick.task(task))
    assert quick.task(task).state == "with-staff"
    quick.work()
    assert sent(quick) == []


def test_a_time_that_the_patient_has_changed_is_known_to_them(quick):
    """Though they were given it, and no letter has told it."""
    task = quick.invited(pools=["record"], not_before=date(2027, 1, 18))
    quick.at(AFTER_DUE)
    quick.patient().change(quick.visit(task), LATER)
    quick.desk.undo(quick.task(task), reason="x")
    quick.work()
    assert sent(quick) == ["cancellation"]


def test_a_choice_called_off_is_not_told_where_the_task_says_no_letters(quick):
    _, visit = quick.chosen(letters=False)
    quick.desk.cancel(visit)
    quick.work()
    assert quick.post.sent == []


def test_a_told_time_that_is_called_off_is_told_whoever_chose_it(quick):
    task = quick.invited()
    quick.at(AFTER_DUE)
    assert sent(quick) == ["appointment"]
    quick.dips.cancel(quick.visit(task), reason="8445:1")
    quick.work()
    assert sent(quick) == ["appointment", "cancellation"]


@pytest.mark.parametrize("chosen", [True, False])
def test_a_visit_is_called_off_by_the_time_that_the_patient_knows(quick, chosen):
    """Staff moved it, and called it off before the letter of that had left."""
    visit = quick.chosen()[1] if chosen else told(quick)
    quick.desk.move(visit, start=LATER)
    quick.desk.cancel(quick.desk.appointment(visit.id))
    quick.work()
    (letter,) = [letter for letter in quick.post.sent if letter.kind == "cancellation"]
    assert f" {visit.start.day}. januar" in letter.subject
    assert f" {LATER.day}. januar" not in flat(letter)
