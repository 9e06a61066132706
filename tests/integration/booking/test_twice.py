"""Said or done twice is as once; a worker that lost its lease changes nothing."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.integration.booking.ways import task_in
from tests.world import ORGANISATION, oslo
from timevalg.booking.sync import CalendarRow
from timevalg.booking.work import ATTEMPTS, KINDS, do_work, due_work
from timevalg.booking.write import send_letter, write_letter
from timevalg.model.errors import Conflict, IllegalMove, InvalidInput, LeaseLost, StaleVersion
from timevalg.model.principal import worker

AT = oslo(2027, 1, 20, 9)
WHO = worker(ORGANISATION)


def test_the_same_ref_is_the_same_task(world):
    first = world.invited(ref="oppgave/1")
    before = world.dump()
    assert world.invited(ref="oppgave/1") == first
    assert world.invited(ref="oppgave/1", not_after=date(2027, 1, 28)) == first
    after = world.dump()
    assert {k for k in after if after[k] != before[k]} == {"audit"}


def test_the_same_ref_twice_in_one_call(world):
    fields = {
        "ref": "oppgave/1",
        "patient": "p-1",
        "pools": ["auto"],
        "opens": date(2027, 1, 4),
        "due": date(2027, 1, 8),
        "not_after": date(2027, 1, 29),
    }
    one, two = world.dips.invite_many([fields, fields])
    assert one.task == two.task
    assert len(world.sessions()) == 1
    with pytest.raises(InvalidInput, match="two different tasks have the ref"):
        world.dips.invite_many([fields | {"ref": "x"}, fields | {"ref": "x", "priority": 1}])


def test_a_choice_repeated_is_refused_and_changes_nothing(world):
    task, visit = world.chosen()
    before = world.dump()
    with pytest.raises(IllegalMove, match="is chosen"):
        world.patient().choose(task, visit.start)
    assert world.dump() == before


def test_accepted_twice_with_the_same_ref(world):
    visit = world.chosen(pools=("record",))[1]
    first = world.dips.accept(visit, ref="kontakt/88", version=visit.version)
    before = world.dump()
    assert world.dips.accept(visit, ref="kontakt/88", version=visit.version) == first
    after = world.dump()
    assert {k for k in after if after[k] != before[k]} == {"audit"}
    with pytest.raises(IllegalMove):
        world.dips.accept(visit, ref="kontakt/89")


def test_one_ref_for_two_visits_is_a_conflict(world):
    one, two = (world.chosen(p, ("record",))[1] for p in ("p-1", "p-2"))
    world.dips.accept(one, ref="kontakt/88")
    before = world.dump()
    with pytest.raises(Conflict, match="already an appointment with this ref"):
        world.dips.accept(two, ref="kontakt/88")
    assert world.dump() == before


def test_what_the_rules_confirmed_first_still_gets_its_ref(world):
    task, visit = world.chosen()
    world.work()
    assert world.dips.accept(visit, ref="kontakt/88").ref == "kontakt/88"
    assert world.task(task).state == "confirmed"
    world.work()
    assert len(world.letters(appointment=visit.id)) == 1


@pytest.mark.parametrize(
    "verb",
    ["none suits", "decline", "hand to staff", "reopen", "undo", "cancel", "acknowledge", "wait"],
)
def test_the_second_time_changes_nothing(quick, verb):
    calls = {
        "none suits": ("open", lambda t: quick.patient().none_suits(t)),
        "decline": ("open", lambda t: quick.patient().decline(t)),
        "hand to staff": ("open", lambda t: quick.desk.take(t)),
        "reopen": ("with-staff", lambda t: quick.desk.reopen(t)),
        "undo": ("confirmed", lambda t: quick.desk.undo(t, reason="x")),
        "cancel": ("confirmed", lambda t: quick.desk.cancel(quick.visit(t))),
        "acknowledge": ("confirmed", lambda t: quick.patient().acknowledge(quick.visit(t))),
        "wait": ("with-staff", lambda t: quick.desk.keep_waiting(t, "x")),
    }
    state, call = calls[verb]
    task = task_in(quick, state)
    call(task)
    before = quick.dump()
    if verb in {"acknowledge", "wait"}:
        call(task)
    else:
        with pytest.raises(IllegalMove):
            call(task)
    after = quick.dump()
    assert {k for k in after if after[k] != before[k]} <= {"audit"}


def test_an_old_version_is_stale(world):
    task, visit = world.chosen(pools=("record",))
    world.dips.accept(visit, ref="kontakt/88", version=visit.version)
    for call in (
        lambda: world.dips.refuse(visit, reason="no", version=visit.version),
        lambda: world.dips.cancel(visit, version=visit.version),
        lambda: world.dips.move(visit, start=AT, version=visit.version),
        lambda: world.patient().change(visit, AT, version=visit.version),
        lambda: world.desk.undo(task, reason="x", version=task.version),
    ):
        with pytest.raises(StaleVersion) as refused:
            call()
        changes = refused.value.changes
        assert {c.version for c in changes} == set(
            range(refused.value.expected + 1, refused.value.actual + 1)
        )
        assert changes[0].type in str(refused.value)
        states = [change.new["state"] for change in changes if "state" in change.new]
        assert states[-1:] in ([], [refused.value.state])
        assert all(change.new for change in changes)


def test_all_work_done_twice_is_as_once(world):
    world.chosen("p-1")
    world.chosen("p-2", ("record",))
    world.invited("p-3")
    for now in (world.clock.now(None), oslo(2027, 1, 7, 9), oslo(2027, 1, 9)):
        world.clock.set(now)
        while due := due_work(world.ports, ORGANISATION):
            for work in due:
                assert do_work(world.ports, WHO, work.id).outcome == "done"
                before = world.dump()
                assert do_work(world.ports, WHO, work.id).outcome == "taken"
                assert world.dump() == before
                KINDS[work.kind].do(world.ports, WHO, work)  # an old message of a queue
                after = world.dump()
                changed = {k for k in after if after[k] != before[k]}
                told_again = work.kind == "letter" and ":choice:" in work.effect
                assert changed <= {"audit"} or told_again, work
    assert world.promises_broken() == {}


def test_a_letter_is_sent_once(world):
    world.chosen()
    world.work()
    (letter,) = world.letters()
    assert len(world.post.sent) == 1
    assert send_letter(world.ports, WHO, letter.id).state == "sent"
    assert write_letter(world.ports, WHO, "appointment", letter.appointment) is None
    assert len(world.post.sent) == len(world.letters()) == 1


def leased(world, kind):
    """A piece of work taken by a worker that then falls silent, and by another after it."""
    (work,) = world.read(lambda unit: unit.work.find(kind=kind, state="waiting"))

    def lease(unit):
        now = unit.now()
        return unit.work.lease([work.id], now, now + timedelta(minutes=2), "me")[0]

    slow = world.store.run(ORGANISATION, lease)
    world.clock.advance(timedelta(minutes=2))
    assert world.store.run(ORGANISATION, lease).fence > slow.fence
    return slow


@pytest.mark.parametrize("kind", ["check", "letter", "send letter"])
def test_a_worker_whose_lease_was_lost_changes_nothing(world, kind):
    world.chosen()
    kinds = {"check": ["letter"], "letter": ["letter", "check"]}
    for before in kinds.get(kind, ["letter", "check", "letter"]):
        world.work_kinds(before)
    slow = leased(world, kind)
    before = world.dump()
    with pytest.raises(LeaseLost):
        KINDS[kind].do(replace(world.ports, in_hand=slow), WHO, slow)
    assert world.dump() == before
    assert world.post.sent == []


def test_work_that_fails_too_often_is_parked_with_its_error(world):
    class Broken:
        def render(self, kind, facts):
            raise RuntimeError("no paper")

    world.invited()
    ports = replace(world.ports, typesetter=Broken())
    (work,) = world.read(lambda unit: unit.work.find(kind="letter"))
    outcomes = []
    for _ in range(ATTEMPTS):
        outcomes.append(do_work(ports, WHO, work.id).outcome)
        assert do_work(ports, WHO, work.id).outcome == "taken"  # not before its pause is over
        world.clock.advance(timedelta(minutes=10))
    assert outcomes == ["failed"] * (ATTEMPTS - 1) + ["parked"]
    (work,) = world.read(lambda unit: unit.work.find(kind="letter"))
    assert (work.state, work.attempts) == ("parked", ATTEMPTS)
    assert work.error.startswith("RuntimeError: in test_twice.py:")
    assert do_work(world.ports, WHO, work.id).outcome == "taken"


def test_a_row_of_the_calendar_twice(world):
    row = CalendarRow("kontakt/1", 1, False, "clinic", "talk", AT, {"room": ("room",)}, "p-1")
    assert world.dips.sync([row, row]).stale == ("kontakt/1",)
    before = world.dump()
    assert world.dips.sync([row]).stale == ("kontakt/1",)
    assert world.dump() == before


def test_a_second_hold_of_the_patient_replaces_the_first_and_both_tasks_keep_a_place(world):
    """The first hold had become its task's place: given up, it leaves the place behind."""
    one = world.invited("p-1", ref="one")
    other = world.invited("p-1", ref="other")
    me = world.valg.patient("p-1")
    late = me.offers(one, limit=100).offers[-1]
    first = me.hold(one, late)
    assert first.is_place
    second = me.hold(other, late)
    assert [s.id for s in world.sessions(kind="hold")] == [second.id]
    for task in (one, other):
        assert [s for s in world.sessions(task=task.id) if s.kind == "place" or s.is_place], task
