"""A process that is killed around its commit leaves all or nothing, and no lock."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.integration.truth.killed import COMMITTED, KEY, POINTS, killed
from tests.integration.truth.scenes import own_ports, patient
from tests.world import ORGANISATION, oslo
from timevalg.booking import choose
from timevalg.booking.examine import examine
from timevalg.model.errors import TimeTaken
from timevalg.model.principal import Principal, RoleName

AT = oslo(2027, 1, 20, 9)
HALF_AN_HOUR = timedelta(minutes=30)
AUDITOR = Principal("doctor", RoleName.AUDITOR, ORGANISATION)


def sound(world):
    assert examine(world.ports, AUDITOR).findings == ()
    assert world.overlaps() == []
    return True


@pytest.mark.parametrize("point", POINTS)
def test_killed_at(scratch, point):
    world = scratch.world(patience=1)  # who waits for the dead longer than that is refused
    mine, theirs = world.invited("p-1"), world.invited("p-2")
    before = world.dump()
    killed(scratch.url, point, ("p-1", mine.id, AT))

    visits = world.read(lambda unit: unit.appointments.find())
    assert len(visits) == (point in COMMITTED)
    if not visits:
        assert world.dump() == before
    assert sound(world)

    with_key = replace(own_ports(world), key=KEY)
    visit = choose.choose(with_key, patient(), mine.id, AT)  # again, as its caller does
    assert visits in ([], [visit])
    assert choose.choose(with_key, patient(), mine.id, AT) == visit
    with pytest.raises(TimeTaken):
        world.patient("p-2").choose(theirs, AT)
    assert [s.patient for s in world.sessions(kind="booking")] == ["p-1"]
    assert sound(world)


@pytest.mark.parametrize("point", POINTS)
def test_killed_while_some_choose_together(on_postgres, point):
    """All of them have chosen or none; each caller asks again, and has one visit."""
    world = on_postgres.world(patience=1)
    wanted = [(f"p-{n}", world.invited(f"p-{n}").id, AT + n * HALF_AN_HOUR) for n in range(3)]
    before = world.dump()
    killed(on_postgres.url, point, *wanted)

    visits = {visit.task: visit for visit in world.read(lambda unit: unit.appointments.find())}
    assert len(visits) == (len(wanted) if point in COMMITTED else 0)
    if not visits:
        assert world.dump() == before
    assert sound(world)

    with_key = replace(own_ports(world), key=KEY)
    for who, task, at in wanted:
        visit = choose.choose(with_key, patient(who), task, at)
        assert visit == visits.get(task, visit)
        assert visit.start == at
        assert choose.choose(with_key, patient(who), task, at) == visit
    assert sorted(s.patient for s in world.sessions(kind="booking")) == ["p-0", "p-1", "p-2"]
    assert sorted(e.task for e in world.events("task.chosen")) == sorted(t for _, t, _ in wanted)
    looked = world.read(lambda unit: unit.audit.find(verb="choose"))
    assert sorted(entry.principal for entry in looked) == ["p-0", "p-1", "p-2"]
    assert sound(world)


@pytest.mark.parametrize("point", [p for p in POINTS if p not in COMMITTED])
def test_the_locks_of_the_dead_are_free_at_once(on_postgres, point):
    """Another patient has the very same time; only then does the first one's caller ask again."""
    world = on_postgres.world(patience=1)
    mine, theirs = world.invited("p-1"), world.invited("p-2")
    killed(on_postgres.url, point, ("p-1", mine.id, AT))
    assert world.patient("p-2").choose(theirs, AT).start == AT
    with pytest.raises(TimeTaken):
        choose.choose(replace(own_ports(world), key=KEY), patient(), mine.id, AT)
    assert sound(world)


def test_without_a_transaction_the_dead_leave_half_a_booking(on_postgres):
    """So these tests can fail: the task's place is gone, and nothing stands for it."""
    world = on_postgres.world()
    task = world.invited()
    killed(on_postgres.url, "after the deletes", ("p-1", task.id, AT), atomic=False)
    (finding,) = examine(world.ports, AUDITOR).findings
    assert finding.what == f"open task {task.id} has no places"


def test_without_a_transaction_the_dead_leave_half_of_what_some_chose_together(on_postgres):
    world = on_postgres.world()
    wanted = [(f"p-{n}", world.invited(f"p-{n}").id, AT + n * HALF_AN_HOUR) for n in range(3)]
    killed(on_postgres.url, "after the deletes", *wanted, atomic=False)
    found = {finding.what for finding in examine(world.ports, AUDITOR).findings}
    assert found == {f"open task {task} has no places" for _, task, _ in wanted}
