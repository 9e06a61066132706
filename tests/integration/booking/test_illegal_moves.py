"""What the tables of moves do not have is refused by name, and changes nothing at all."""

import pytest

from tests.integration.booking.ways import task_in, visit_in
from tests.world import oslo
from timevalg.booking.hold import hold
from timevalg.model.errors import IllegalMove
from timevalg.model.states import AppointmentState, TaskState, verbs

AT = oslo(2027, 1, 20, 9)
BY_STAFF = {"start": AT, "resources": {"doctor": ("dr-a",), "room": ("room",)}}

TASK_VERBS = {
    "choose": lambda w, t: w.patient().choose(t, AT),
    "hold": lambda w, t: hold(w.ports, w.patient().principal, t.id, AT),
    "choose by staff": lambda w, t: w.desk.choose(t, AT),
    "none suits": lambda w, t: w.patient().none_suits(t),
    "decline": lambda w, t: w.patient().decline(t),
    "confirm": lambda w, t: w.desk.check(t, confirm=True),
    "refuse": lambda w, t: w.desk.check(t, confirm=False),
    "hand to staff": lambda w, t: w.desk.take(t),
    "reopen": lambda w, t: w.desk.reopen(t),
    "assign": lambda w, t: w.desk.assign(t, **BY_STAFF),
    "keep waiting": lambda w, t: w.desk.keep_waiting(t, "later"),
    "undo": lambda w, t: w.desk.undo(t, reason="wrong"),
    "withdraw": lambda w, t: w.desk.withdraw(task=t.id),
}
IN_THE_TABLE = {
    "hold": {"choose"},
    "choose by staff": {"choose"},
    "refuse": {"confirm"},
    "keep waiting": {"assign"},
    "withdraw": {"withdraw", "undo"},
}
"""Verbs of the table that a use case rests on; default its own name."""
SAID_AGAIN = {("withdraw", "withdrawn")}


def is_legal(name, state):
    possible = set(verbs("task", state))
    return bool(possible & IN_THE_TABLE.get(name, {name})) or (name, state) in SAID_AGAIN


@pytest.mark.parametrize("state", TaskState)
def test_a_task(world, state):
    task = task_in(world, state)
    refused = [name for name in TASK_VERBS if not is_legal(name, state)]
    assert refused
    before = world.dump()
    for name in refused:
        with pytest.raises(IllegalMove, match=f"{task.id} is {state}: "):
            TASK_VERBS[name](world, task)
        assert world.dump() == before, name


VISIT_VERBS = {
    "change": lambda w, v: w.patient().change(v, AT),
    "move": lambda w, v: w.dips.move(v, start=AT, reason="x", override=True),
    "cancel": lambda w, v: w.desk.cancel(v),
    "cancel by patient": lambda w, v: w.patient().cancel(v),
    "acknowledge": lambda w, v: w.patient().acknowledge(v),
    "arrive": lambda w, v: w.desk.arrive(v),
    "fulfil": lambda w, v: w.desk.fulfil(v),
    "no show": lambda w, v: w.desk.no_show(v),
}


@pytest.mark.parametrize("state", AppointmentState)
def test_an_appointment(world, state):
    visit = visit_in(world, state)
    legal = set(verbs("appointment", state))
    same = {"move": "change", "cancel by patient": "cancel"}
    refused = [name for name in VISIT_VERBS if same.get(name, name) not in legal]
    assert refused
    before = world.dump()
    for name in refused:
        with pytest.raises(IllegalMove, match=f"{visit.id} is {state}: "):
            VISIT_VERBS[name](world, visit)
        assert world.dump() == before, name


@pytest.mark.parametrize("state", ["done", "void"])
def test_a_preparation(quick, state):
    visit = visit_in(quick, "cancelled" if state == "void" else "booked")
    preparation = quick.preparations(visit)[0]
    if state == "done":
        quick.patient().complete(preparation, "no")
    before = quick.dump()
    with pytest.raises(IllegalMove, match=f"{preparation.id} is {state}: 'complete'"):
        quick.patient().complete(preparation)
    assert quick.dump() == before


@pytest.mark.parametrize("state", ["arrived", "fulfilled", "cancelled", "no-show"])
def test_the_record_system_answers_only_visits_that_stand(quick, state):
    visit = visit_in(quick, state)
    before = quick.dump()
    with pytest.raises(IllegalMove, match=f"{visit.id} is {state}: 'accept'"):
        quick.dips.accept(visit, ref="kontakt/1")
    with pytest.raises(IllegalMove, match=f"{visit.id} is {state}: 'refuse'"):
        quick.dips.refuse(visit, reason="no")
    assert quick.dump() == before


def test_a_confirmed_visit_cannot_be_refused(quick):
    visit = visit_in(quick, "booked")
    with pytest.raises(IllegalMove, match=f"{visit.task} is confirmed: 'refuse'"):
        quick.dips.refuse(visit, reason="no")


def test_a_told_time_cannot_be_undone(world):
    visit = visit_in(world, "booked")
    world.work()
    before = world.dump()
    with pytest.raises(IllegalMove, match="the letter has gone"):
        world.desk.undo(visit.task, reason="wrong")
    assert world.dump() == before
