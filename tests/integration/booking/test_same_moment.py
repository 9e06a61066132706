"""At the same moment: exactly one wins, the other is told what else there is, all places stay.

Both sides plan on the same picture (they meet at a barrier once they have it), then race.
"""

import threading
from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.integration.booking.ways import AFTER_DUE
from tests.world import ORGANISATION, Post, document, oslo
from timevalg.booking import (
    cancel,
    change,
    choose,
    clinic_edits,
    clinic_files,
    due,
    hold,
    invite,
    take_up,
)
from timevalg.model.errors import Conflict, IllegalMove, StaleVersion, TimeTaken
from timevalg.model.principal import Principal, RoleName, worker
from timevalg.model.states import TaskState
from timevalg.wiring import ports_on

DAY = date(2027, 1, 20)
AT, LATER = oslo(2027, 1, 20, 9), oslo(2027, 1, 21, 9)
DESK = Principal("anna", RoleName.PLANNER, ORGANISATION)
LOST = (TimeTaken, IllegalMove, StaleVersion)


def patient(name="p-1"):
    return Principal(name, RoleName.PATIENT, ORGANISATION, patient=name)


class Meeting:
    """Pictures that two sides wait to have both before either goes on; once."""

    def __init__(self, pictures, barrier):
        self._pictures, self._barrier = pictures, barrier

    def current(self, organisation, unit=None):
        picture = self._pictures.current(organisation, unit)
        barrier, self._barrier = self._barrier, None
        if barrier is not None:
            barrier.wait(10)
        return picture

    def within(self, unit):
        return self._pictures.within(unit)


def met(call):
    """Let one who looks at no picture beforehand wait for the other side too."""

    def waiting(ports):
        ports.pictures.current(ORGANISATION)
        return call(ports)

    return waiting


def race(world, *calls):
    """Do the calls in threads, each in a process of its own as far as they can tell."""
    barrier = threading.Barrier(len(calls))
    outcomes = [None] * len(calls)

    def go(number, call):
        ports = ports_on(world.store, Post())
        ports = replace(ports, pictures=Meeting(ports.pictures, barrier))
        try:
            outcomes[number] = call(ports)
        except Exception as error:
            outcomes[number] = error

    threads = [threading.Thread(target=go, args=(n, call)) for n, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    assert world.overlaps() == []
    assert world.promises_broken() == {}
    won = [o for o in outcomes if not isinstance(o, Exception)]
    return won, [o for o in outcomes if isinstance(o, Exception)]


@pytest.mark.parametrize("full", [False, True])
def test_two_patients_want_the_same_last_start(database, full):
    one, two = (
        database.invited(p, not_before=DAY, not_after=DAY + timedelta(days=1))
        for p in ("p-1", "p-2")
    )
    if full:
        for n in range(7):
            database.chosen(f"q-{n}", not_before=DAY, not_after=DAY)
    taken = {s.start for s in database.sessions(kind="booking")}
    start = max(oslo(2027, 1, 20, 8 + n // 2, n % 2 * 30) for n in range(8)
                if oslo(2027, 1, 20, 8 + n // 2, n % 2 * 30) not in taken)  # fmt: skip
    won, lost = race(
        database,
        lambda ports: choose.choose(ports, patient("p-1"), one.id, start),
        lambda ports: choose.choose(ports, patient("p-2"), two.id, start),
    )
    assert (len(won), len(lost)) == (1, 1)
    assert isinstance(lost[0], TimeTaken)
    assert lost[0].alternatives
    assert start not in {o.start for o in lost[0].alternatives}
    loser = two if won[0].patient == "p-1" else one
    database.patient(loser.patient).choose(loser, lost[0].alternatives[0])


def test_a_patient_on_two_devices(database):
    task = database.invited()
    won, lost = race(
        database,
        lambda ports: choose.choose(ports, patient(), task.id, AT),
        lambda ports: choose.choose(ports, patient(), task.id, LATER),
    )
    assert (len(won), len(lost)) == (1, 1)
    assert isinstance(lost[0], IllegalMove | StaleVersion)
    assert [s.start for s in database.sessions()] == [won[0].start]


@pytest.mark.parametrize("by_version", [True, False])
def test_cancel_against_change(database, by_version):
    task, visit = database.chosen()
    database.work()
    visit = database.visit(task)
    version = visit.version if by_version else None
    won, lost = race(
        database,
        lambda ports: change.change(ports, patient(), visit.id, LATER, version=version),
        lambda ports: cancel.cancel(ports, patient(), visit.id, version=version),
    )
    after = database.visit(task)
    assert won
    if by_version:
        assert (len(won), len(lost)) == (1, 1)
    assert all(isinstance(e, LOST) for e in lost)
    kept = [s.start for s in database.sessions()]
    assert kept == ([] if after.state == "cancelled" else [LATER])
    assert after.state == "cancelled" or by_version or after.start == LATER


def test_choose_against_the_due_date(database):
    task = database.invited()
    database.clock.set(oslo(2027, 1, 9, 0, 0))
    _, lost = race(
        database,
        lambda ports: choose.choose(ports, patient(), task.id, AT),
        lambda ports: due.fall_due(ports, worker(ORGANISATION), task.id),
    )
    assert all(isinstance(e, LOST) for e in lost)
    assert len(database.sessions(kind="booking")) == 1
    state = database.task(task).state
    assert state in {"chosen", "assigned"}
    if state == "assigned":
        assert any(isinstance(e, IllegalMove | StaleVersion) for e in lost)
    else:
        assert database.sessions()[0].start == AT


def test_hold_against_choose(database):
    one, two = database.invited("p-1"), database.invited("p-2")
    won, lost = race(
        database,
        lambda ports: hold.hold(ports, patient("p-1"), one.id, AT),
        lambda ports: choose.choose(ports, patient("p-2"), two.id, AT),
    )
    assert (len(won), len(lost)) == (1, 1)
    assert isinstance(lost[0], TimeTaken)
    assert lost[0].alternatives


def test_staff_take_a_task_over_while_its_patient_chooses(database):
    task = database.invited()
    won, lost = race(
        database,
        lambda ports: choose.choose(ports, patient(), task.id, AT),
        lambda ports: take_up.hand_to_staff(ports, DESK, task.id),
    )
    assert all(isinstance(e, LOST) for e in lost)
    assert won
    assert database.cases("capacity-loss") == []
    assert database.task(task).state in {"chosen", "with-staff"}


def test_reopened_with_a_later_due_date_while_its_place_is_moved(database):
    task = database.invited("p-1", ("staff",), not_before=DAY, not_after=date(2027, 1, 22))
    other = database.invited("p-2", not_before=DAY)
    database.desk.take(task)
    place = database.sessions(task=task.id)[0]
    won, lost = race(
        database,
        lambda ports: take_up.reopen(ports, DESK, task.id, due=date(2027, 1, 18)),
        lambda ports: choose.choose(ports, patient("p-2"), other.id, place.start),
    )
    assert all(isinstance(e, LOST) for e in lost)
    assert len(won) >= 1


def test_the_same_ref_invited_twice(database):
    tasks = [
        replace(
            database.invited(f"spare-{n}"),
            id=f"t-new-{n}",
            patient="p-9",
            ref="oppgave/9",
            state=TaskState.DRAFT,
            version=1,
        )
        for n in range(2)
    ]
    won, lost = race(
        database, *((lambda ports, t=t: invite.invite(ports, DESK, [t])) for t in tasks)
    )
    assert lost == []
    assert won[0][0].task.id == won[1][0].task.id
    assert len(database.read(lambda unit: unit.tasks.find(ref="oppgave/9"))) == 1


def test_more_patients_than_starts_all_at_once(database):
    tasks = [database.invited(f"p-{n}", not_before=DAY, not_after=DAY) for n in range(6)]
    won, lost = race(
        database,
        *(
            (lambda ports, t=t: choose.choose(ports, patient(t.patient), t.id, AT))
            for t in tasks[:4]
        ),
    )
    assert (len(won), len(lost)) == (1, 3)
    assert all(isinstance(e, Conflict) for e in lost)
    database.at(AFTER_DUE)
    assert {database.task(t).state for t in tasks} == {"confirmed"}
    assert len({s.start for s in database.sessions()}) == 6


def test_two_planners_change_the_same_version_of_a_clinic(database):
    """One of them has not read what the other has just said."""
    source = document()
    source["clinic"]["place"] = {"name": "Elsewhere"}
    given = clinic_files.GivenFile(source, {})
    won, lost = race(
        database,
        met(lambda p: clinic_files.publish_file(p, DESK, "clinic", given, 1)),
        met(lambda p: clinic_edits.switch_pool(p, DESK, "clinic", "staff", False, version=1)),
    )
    assert (len(won), len(lost)) == (1, 1)
    assert isinstance(lost[0], StaleVersion)
    assert (lost[0].expected, lost[0].actual) == (1, 2)
    assert [p.version for p in database.desk.versions("clinic")] == [2, 1]


def test_a_choice_in_a_pool_that_is_being_closed(database):
    task = database.invited(pools=("auto", "manual"), not_before=DAY)
    won, _ = race(
        database,
        lambda ports: choose.choose(ports, patient(), task.id, AT, "auto"),
        met(lambda ports: clinic_edits.switch_pool(ports, DESK, "clinic", "auto", False)),
    )
    assert any(getattr(one, "clinics", None) == ("clinic",) for one in won)
    booked = database.visit(task)
    assert booked is None or booked.start == AT
    assert database.task(task).state in {"open", "chosen"}
