"""A way into every state, by the use cases themselves where one leads there."""

from dataclasses import replace
from datetime import date

from tests.world import oslo
from timevalg.booking.answer import refuse
from timevalg.model.states import LIVE, TaskState

FRIDAY = date(2027, 1, 8)
AFTER_DUE = date(2027, 1, 9)


def draft(world):
    answer = world.invite(not_after=date(2027, 1, 9))
    assert answer.task is None
    return answer.draft


def scheduled(world):
    return world.invited(opens=date(2027, 1, 6))


def opened(world):
    return world.invited()


def overdue(world):
    visit = world.chosen(pools=("record",), not_before=date(2027, 1, 20))[1]
    world.clock.set(oslo(2027, 1, 9, 8))
    return refuse(world.ports, world.dips.principal, visit.id, "no")


def none_suits(world):
    return world.put(replace(opened(world), state=TaskState.NONE_SUITS))


def with_staff(world):
    task = opened(world)
    return world.patient().none_suits(task, "only Fridays")


def chosen(world):
    return world.task(world.chosen(pools=("manual",))[0])


def assigned(world):
    task = world.invited(pools=("manual",))
    world.at(AFTER_DUE)
    return world.task(task)


def confirmed(world):
    task = chosen(world)
    return world.desk.check(task, confirm=True)


def declined(world):
    return world.patient().decline(opened(world))


def withdrawn(world):
    return world.desk.withdraw(task=opened(world).id)[0]


WAYS = {
    TaskState.DRAFT: draft,
    TaskState.SCHEDULED: scheduled,
    TaskState.OPEN: opened,
    TaskState.OVERDUE: overdue,
    TaskState.NONE_SUITS: none_suits,
    TaskState.WITH_STAFF: with_staff,
    TaskState.CHOSEN: chosen,
    TaskState.ASSIGNED: assigned,
    TaskState.CONFIRMED: confirmed,
    TaskState.DECLINED: declined,
    TaskState.WITHDRAWN: withdrawn,
}


def task_in(world, state):
    """A task of patient p-1 in the state, as it is stored."""
    task = world.task(WAYS[state](world))
    assert task.state == state
    return task


def visit_in(world, state):
    """A visit of patient p-1 in the state."""
    task = task_in(world, TaskState.CONFIRMED)
    visit = world.visit(task)
    if state in {"arrived", "fulfilled"}:
        world.desk.arrive(visit)
    if state == "fulfilled":
        world.desk.fulfil(visit)
    if state == "cancelled":
        world.desk.cancel(visit)
    if state == "no-show":
        world.desk.no_show(visit)
    visit = world.visit(task)
    assert visit.state == state
    return visit


def ended(world, task, state):
    """The task's state, with what must hold in every state."""
    task = world.task(task)
    assert task.state == state
    assert world.promises_broken() == {}
    sessions = {s.kind for s in world.sessions(task=task.id)}
    if task.state in LIVE:
        assert sessions == {"place"}
        assert world.visit(task) is None or world.visit(task).state == "cancelled"
    elif task.state in {"chosen", "assigned", "confirmed"}:
        assert sessions == {"booking"}
        assert world.visit(task).state == "booked"
    else:
        assert sessions == set()
    return task
