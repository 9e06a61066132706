"""What races are about: a few times of one clinic, and who wants them."""

from datetime import date

import pytest

from tests.integration.truth.scenes import (
    patient,
)
from tests.world import ORGANISATION, oslo
from timevalg.booking import choose
from timevalg.model.principal import Principal, RoleName

AT, LATER, THIRD = oslo(2027, 1, 20, 9), oslo(2027, 1, 20, 10), oslo(2027, 1, 20, 11)
ONE_DOCTOR = [
    {"id": "dr-a", "kind": "clinician", "skills": ["talk"]},
    {"id": "room", "kind": "room"},
]
DESK = Principal("anna", RoleName.PLANNER, ORGANISATION)
guarded = pytest.mark.parametrize("guarded", [False, True], ids=["guard off", "guard on"])


def choosing(task, start=AT):
    return lambda ports: choose.choose(ports, patient(task.patient), task.id, start)


def invited(world, number):
    given = {"opens": date(2027, 1, 4), "due": date(2027, 1, 8), "not_after": date(2027, 1, 29)}
    people = [{"patient": f"p-{n}", "pools": ("auto",), **given} for n in range(number)]
    return [answer.task for answer in world.desk.invite_many(people)]


def booked(world, start=AT):
    return [s for s in world.sessions(kind="booking") if s.start == start]


def visiting(world, name, start):
    task = world.invited(name)
    return world.patient(name).choose(task, start)


def in_order(world):
    """Nothing overlaps, all who wait have a place, and each visit has its time."""
    assert world.overlaps() == []
    assert world.promises_broken() == {}
    visits = world.read(lambda unit: unit.appointments.find(state="booked"))
    bookings = world.sessions(kind="booking")
    assert sorted(v.session for v in visits) == sorted(s.id for s in bookings)
    assert {v.session: v.start for v in visits} == {s.id: s.start for s in bookings}
    assert len({v.task for v in visits}) == len(visits)
