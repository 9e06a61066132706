"""Versions of what is not a task or a visit: compared, raised, and no reason to fail at random."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from sqlalchemy import text

from tests.waiting import until
from tests.world import ORGANISATION
from timevalg.model.errors import StaleVersion
from timevalg.store.unit import SqlUnit


def test_a_patient_has_a_version_from_the_first_word_on(world):
    dips = world.dips
    first = dips.register("p-1", name="Kari", version=0)
    with pytest.raises(StaleVersion, match="patient p-1 is at version 1, you have 0"):
        dips.register("p-1", name="Per", version=0)
    second = dips.register("p-1", name="Kari N.", version=first.version)
    assert (first.version, second.version) == (1, 2)
    assert dips.patient_with(patient="p-1") == second


def test_merging_and_dying_go_by_the_version_once(world):
    dips = world.dips
    world.invited("p-8")
    left = dips.register("p-1")
    dips.register("p-1", name="Kari")
    with pytest.raises(StaleVersion):
        dips.merge("p-8", "p-1", version=left.version)
    left = dips.merge("p-8", "p-1", version=2)
    assert left.version == 3
    assert dips.merge("p-8", "p-1", version=2) == left  # it is so already
    with pytest.raises(StaleVersion) as stale:
        dips.deceased("p-8", version=2)
    assert [c.type for c in stale.value.changes] == ["patient.merged"]
    died = dips.deceased("p-8", version=3)
    assert (died.id, died.version) == ("p-1", 4)
    assert dips.deceased("p-1", version=3) == died


def test_a_referral_goes_by_its_tasks_together(world):
    tasks = [world.invited(f"p-{n}", referral="henv/9") for n in range(2)]
    read = sum(t.version for t in world.dips.tasks_of("henv/9"))
    world.patient("p-0").decline(tasks[0])
    with pytest.raises(StaleVersion):
        world.dips.withdraw(referral="henv/9", version=read)
    read = sum(t.version for t in world.dips.tasks_of("henv/9"))
    gone = world.dips.withdraw(referral="henv/9", version=read)
    assert [t.state for t in gone] == ["declined", "withdrawn"]


def test_a_case_goes_by_what_was_read(world):
    world.patient().decline(world.invited())
    (case,) = world.cases("declined")
    with pytest.raises(StaleVersion):
        world.desk.close_case(case, version=case.version + 1)
    assert world.desk.close_case(case, version=case.version).version == case.version + 1


def test_rights_units_and_representations(world):
    operator = world.valg.operator()
    unit = operator.set_unit("u-1", "Medisin", ["clinic"], version=0)
    with pytest.raises(StaleVersion):
        operator.set_unit("u-1", "Kirurgi", ["clinic"], version=0)
    assert operator.set_unit("u-1", "Kirurgi", ["clinic"], version=unit.version).version == 2
    right = operator.give("hpr:1", "planner")
    with pytest.raises(StaleVersion):
        operator.revoke(right, version=9)
    assert operator.revoke(right, version=right.version).revoked_at is not None
    world.invited("p-1")
    bond = world.desk.represent("p-1", "02013299997", "attorney")
    with pytest.raises(StaleVersion):
        world.desk.end_representation(bond, version=9)
    assert world.desk.end_representation(bond, version=bond.version).version == 2


def unguarded(lock):
    """Wait for everybody but those who close a case."""

    def some(unit, keys, *, whole=False):
        lock(unit, [key for key in keys if not key.startswith("c:")], whole=whole)

    return some


@pytest.mark.parametrize("guarded", [False, True], ids=["guard off", "guard on"])
def test_staff_closing_a_case_are_in_nobodys_way(open_store, guarded, monkeypatch):
    """Without the lock whoever settles the same case at that moment would be refused."""
    from tests.world import World

    world = World(lambda clock: open_store("postgresql", clock))
    task = world.invited()
    world.patient().none_suits(task)
    (case,) = world.cases("none-suits")
    came = []

    def withdraw():
        try:
            came.extend(gone.state for gone in world.desk.withdraw(task=task.id))
        except Exception as error:
            came.append(type(error))

    other = threading.Thread(target=withdraw)

    def closing(unit):
        unit.lock([f"c:{case.id}"])
        unit.cases.save(replace(case, closed_at=unit.now()))
        if not guarded:
            monkeypatch.setattr(SqlUnit, "lock", unguarded(SqlUnit.lock))
        other.start()
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        anew = text("SELECT pg_stat_clear_snapshot()")
        execute = unit.connection.execute
        until(lambda: came or (execute(anew) and execute(waiting).scalar_one()))

    world.store.run(ORGANISATION, closing)
    other.join()
    assert came == (["withdrawn"] if guarded else [StaleVersion])
