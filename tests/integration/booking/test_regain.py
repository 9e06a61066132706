"""Whoever has lost their place gets one once time has come back, before others are invited."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.integration.booking.test_at_once import choosing
from tests.meanwhile import meanwhile
from tests.world import MONDAY, World, document, oslo, pool
from timevalg.booking import invite, regain, running
from timevalg.model.errors import WouldStrand
from timevalg.store import Memory

DAY = date(2027, 1, 12)
THAT_DAY = {"not_before": DAY, "not_after": DAY}


def two_hours():
    """One doctor and one room, for two hours a day."""
    fields = document()
    fields["resources"] = [r for r in fields["resources"] if r["id"] != "dr-b"]
    days = fields["pools"][0]["open"][0]["days"]
    fields["pools"] = [pool("auto", open=[{"days": days, "from": "08:00", "to": "10:00"}])]
    return fields


@pytest.fixture
def clinic():
    return World(Memory, two_hours())


def lost(world):
    """Give the live tasks whose loss is named."""
    return {case.task for case in world.cases("capacity-loss")}


def blocked(world, hours=1):
    """Four are invited for four starts, and staff take some of them."""
    tasks = [world.invited(f"p-{n}", **THAT_DAY) for n in range(4)]
    span = oslo(2027, 1, 12, 8), oslo(2027, 1, 12, 8 + hours)
    with pytest.raises(WouldStrand):
        world.desk.block("clinic", ["room"], *span, reason="leak")
    block = world.desk.block("clinic", ["room"], *span, reason="leak", override=True)
    assert len(lost(world)) == 2 * hours
    return tasks, block


def is_well(world, tasks):
    places = {s.task for s in world.sessions(kind="place")}
    return not lost(world) and not world.promises_broken() and places >= {t.id for t in tasks}


def lifted(world):
    tasks, block = blocked(world)
    world.desk.unblock(block)
    return tasks


def withdrawn(world):
    tasks, _ = blocked(world)
    named = lost(world)
    for task in tasks:
        if task.id not in named:
            world.dips.withdraw(task=task.id)
    return [task for task in tasks if task.id in named]


def declined(world):
    tasks, _ = blocked(world)
    named = lost(world)
    for task in tasks:
        if task.id not in named:
            world.patient(task.patient).decline(task)
    return [task for task in tasks if task.id in named]


def cancelled(world):
    """Two visits in the morning are called off."""
    visits = [world.chosen(f"v-{n}", **THAT_DAY)[1] for n in range(2)]
    world.work()  # which confirms them
    tasks = [world.invited(f"p-{n}", **THAT_DAY) for n in range(2)]
    free = [s.start for s in world.sessions(kind="place")]
    for start in free:
        span = start, start + timedelta(minutes=30)
        world.desk.block("clinic", ["room"], *span, reason="leak", override=True)
    assert len(lost(world)) == 2
    for visit in visits:
        world.desk.cancel(visit.id, reason="ill")
    return tasks


def changed(world):
    """A visit in the morning is moved to another day."""
    _, visit = world.chosen("v", not_before=DAY, not_after=date(2027, 1, 13))
    if visit.start.astimezone(oslo(2027, 1, 1).tzinfo).date() != DAY:
        visit = world.desk.move(visit.id, start=oslo(2027, 1, 12, 8), reason="so")
    tasks = [world.invited(f"p-{n}", **THAT_DAY) for n in range(3)]
    start = next(s.start for s in world.sessions(kind="place"))
    world.desk.block(
        "clinic", ["room"], start, start + timedelta(minutes=30), reason="leak", override=True
    )
    assert len(lost(world)) == 1
    world.desk.move(visit.id, start=oslo(2027, 1, 13, 8), reason="so")
    return tasks


@pytest.mark.parametrize("comes_back", [lifted, withdrawn, declined, cancelled, changed])
def test_within_a_minute_after_time_has_come_back(clinic, comes_back):
    tasks = comes_back(clinic)
    assert lost(clinic)
    clinic.later(minutes=1)
    assert is_well(clinic, tasks)


def test_if_nothing_were_left_to_do_they_would_stay_without(clinic, monkeypatch):
    """The guard off: time comes back, and nobody looks."""
    monkeypatch.setattr(running, "regain_later", lambda *_: None)
    tasks = lifted(clinic)
    clinic.later(minutes=1)
    assert not is_well(clinic, tasks)


@pytest.mark.parametrize("they_go_first", [True, False])
def test_before_others_are_invited(make_world, monkeypatch, they_go_first):
    clinic = make_world(two_hours())
    if not they_go_first:
        monkeypatch.setattr(invite, "regain_first", lambda *_: None)
    tasks = lifted(clinic)
    planned = clinic.desk.plan_invitations(
        [{"patient": "new", "pools": ["auto"], "opens": DAY, "due": DAY, "not_after": DAY}]
    )
    assert not planned.servable
    answer = clinic.invite("new", **THAT_DAY)
    assert (answer.task is None) is they_go_first
    clinic.later(minutes=1)
    assert is_well(clinic, tasks) is they_go_first


def test_the_most_urgent_first(clinic):
    world = clinic
    tasks = [world.invited(f"p-{n}", priority=1 + n % 2, **THAT_DAY) for n in range(4)]
    starts = [oslo(2027, 1, 12, 8, 30 * n) for n in range(2)] + [oslo(2027, 1, 12, 9)]
    halves = [(s, s + timedelta(minutes=30)) for s in (*starts, oslo(2027, 1, 12, 9, 30))]
    blocks = [
        world.desk.block("clinic", ["room"], *half, reason="leak", override=True) for half in halves
    ]
    assert len(lost(world)) == 4
    for block in blocks[1:3]:
        world.desk.unblock(block)
    world.later(minutes=1)
    assert lost(world) == {t.id for t in tasks if t.priority == 2}


def test_every_day_for_as_long_as_somebody_is_without(clinic):
    """Time that comes back in other ways than by somebody's doing is seen then."""
    tasks, block = blocked(clinic)
    clinic.later(days=1)
    assert len(lost(clinic)) == 2
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "regain_later", lambda *_: None)  # nobody notices
        clinic.desk.unblock(block)
    clinic.later(days=1)
    assert is_well(clinic, tasks)


@pytest.mark.parametrize("together", [True, False])
def test_a_hold_that_those_who_choose_find_expired_gives_time_back(world, together):
    """Whoever tidies it up, alone or with others: it is time that has come back."""
    away = world.invited("away", not_before=DAY, not_after=DAY)
    holder, *others = (world.invited(f"p-{n}", not_before=date(2027, 1, 13)) for n in range(3))
    held, *wanted = (oslo(2027, 1, 13, 8, m) for m in (0, 0, 30))
    world.patient(holder.patient).hold(holder, held)
    day = oslo(2027, 1, 12, 0), oslo(2027, 1, 13, 0)
    world.desk.block("clinic", ["room"], *day, reason="leak", override=True)
    assert lost(world) == {away.id}
    world.clock.advance(timedelta(hours=1))

    def soon():
        found = world.read(lambda unit: unit.work.find(kind="regain places"))
        return [w for w in found if world.clock.now(None) < w.due_at < MONDAY + timedelta(hours=2)]

    assert soon() == []
    calls = [choosing(world.ports, *one) for one in zip(others, wanted, strict=True)]
    visits = meanwhile(world.ports, *calls) if together else [call() for call in calls]
    assert [visit.start for visit in visits] == wanted
    assert len(soon()) == 1


def test_reserves_tell_who_has_none_yet(clinic):
    tasks = lifted(clinic)
    found = clinic.desk.reserves()
    assert found.places.keys() == {t.id for t in tasks}
    assert found.planned == lost(clinic) != set()
    clinic.later(minutes=1)
    assert clinic.desk.reserves().planned == set()


def test_where_nobody_is_without_nothing_is_left_to_do(clinic):
    task = clinic.invited("p-1", **THAT_DAY)
    clinic.dips.withdraw(task=task.id)
    assert clinic.read(lambda unit: unit.work.find(kind="regain places")) == []


def test_whoever_has_gone_meanwhile_gets_no_place(clinic, monkeypatch):
    """A task is withdrawn between the plan and its transaction."""
    tasks, block = blocked(clinic)
    gone = next(t for t in tasks if t.id in lost(clinic))
    clinic.desk.unblock(block)
    plan, first = regain.plan, iter([True])

    def slow(*given, **named):
        made = plan(*given, **named)
        if next(first, False):
            clinic.dips.withdraw(task=gone.id)
        return made

    monkeypatch.setattr(regain, "plan", slow)
    clinic.later(minutes=1)
    assert not [s for s in clinic.sessions() if s.task == gone.id]
    assert is_well(clinic, [t for t in tasks if t.id != gone.id])


def test_where_others_are_quicker_each_time_whoever_is_invited_goes_on(clinic, monkeypatch):
    """Somebody withdraws between each plan and its transaction; workers serve who is left."""
    tasks, block = blocked(clinic, hours=2)
    clinic.desk.unblock(block)
    *gone, left = tasks
    plan, next_ = regain.plan, iter(gone)

    def slow(*given, **named):
        made = plan(*given, **named)
        if (task := next(next_, None)) is not None:
            clinic.dips.withdraw(task=task.id)
        return made

    monkeypatch.setattr(regain, "plan", slow)
    assert clinic.invited("new", **THAT_DAY)
    assert next(next_, None) is None
    assert lost(clinic) >= {left.id}
    clinic.later(minutes=1)
    assert is_well(clinic, [left])
