"""One idempotency key, many callers at the same moment: it is done once, whoever answers."""

import threading
from dataclasses import replace
from datetime import date

import pytest

from tests.integration.truth.scenes import (
    WAIT,
    lost,
    own_ports,
    patient,
    race,
    side_by_side,
    won,
)
from tests.world import ORGANISATION, oslo
from timevalg.booking import choose, decline, invite, running
from timevalg.model.errors import InFlight
from timevalg.model.principal import Principal, RoleName
from timevalg.model.task import Task

AT = oslo(2027, 1, 20, 9)
DIPS = Principal("dips", RoleName.SYSTEM, ORGANISATION)
WRITERS = 8


def inviting(key, name="p-1"):
    draft = Task(
        "",
        ORGANISATION,
        "clinic",
        name,
        ("auto",),
        date(2027, 1, 4),
        date(2027, 1, 8),
        date(2027, 1, 29),
    )
    return lambda ports: invite.invite(replace(ports, key=key), DIPS, [draft])


def tasks(world):
    return world.read(lambda unit: unit.tasks.count())


def test_without_a_key_each_caller_is_served(scratch):
    world = scratch.world()
    assert len(won(race(world, *[inviting(None)] * 2))) == tasks(world) == 2


@pytest.mark.parametrize("guard", ["the database's alone", "all"])
def test_with_one_key_one_is_served_and_all_hear_of_it(scratch, guard):
    """Processes that share nothing but the database."""
    world = scratch.world()
    if guard != "all":
        scratch.patch.setattr(running, "begin", lambda *args: None)
    outcomes = race(world, *[inviting("k-1")] * WRITERS)
    answers = won(outcomes)
    assert tasks(world) == 1
    assert answers == [answers[0]] * len(answers)
    assert {type(o) for o in lost(outcomes)} <= {InFlight}
    if guard != "all" or not scratch.is_postgres:
        assert lost(outcomes) == []  # they wait for each other, and then see


def test_with_one_key_and_no_guard_two_are_served(scratch, monkeypatch):
    world = scratch.world()
    monkeypatch.setattr(running, "begin", lambda *args: None)
    monkeypatch.setattr(running, "keep", lambda *args: None)
    assert len(won(race(world, *[inviting("k-1")] * 2))) == tasks(world) == 2


def test_many_keys_at_once_are_all_served(scratch):
    """Though they share the work of forgetting the day's answers."""
    world = scratch.world()
    waiting = [world.invited(f"p-{n}") for n in range(WRITERS)]

    def declining(task):
        return lambda ports: decline.decline(
            replace(ports, key="k-1"), patient(task.patient), task.id
        )

    assert lost(race(world, *map(declining, waiting))) == []
    assert {t.state for t in world.read(lambda unit: unit.tasks.find())} == {"declined"}
    assert len(world.read(lambda unit: unit.work.find(kind="forget answers"))) == 1


def test_while_one_is_in_its_transaction_another_process_is_told_so(on_postgres):
    world = on_postgres.world()
    task = world.invited()
    inside, told = threading.Event(), threading.Event()
    ports = own_ports(world)

    class Keys:
        """The first new id of the transaction is asked for when the lock is held."""

        def new(self, kind):
            if kind == "audit":
                inside.set()
                told.wait(WAIT)
            return ports.keys.new(kind)

    def first():
        with_key = replace(ports, key="k-1", keys=Keys())
        return choose.choose(with_key, patient(), task.id, AT)

    def second():
        inside.wait(WAIT)
        try:
            return choose.choose(replace(own_ports(world), key="k-1"), patient(), task.id, AT)
        finally:
            told.set()

    visit, refused = side_by_side(first, second)
    assert isinstance(refused, InFlight)
    again = replace(own_ports(world), key="k-1")
    assert choose.choose(again, patient(), task.id, AT) == visit
