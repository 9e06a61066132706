"""Many at once: the plan first, then sent as a whole or up to the line, in a few statements."""

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, event

from tests.proving import Here
from tests.world import World, oslo
from timevalg.booking.invite import WAIT
from timevalg.model.errors import NotServable, TimeTaken
from timevalg.model.states import LIVE
from timevalg.prover.limits import Limits
from timevalg.settings import Settings
from timevalg.store import Memory

DAY = date(2027, 1, 20)


def invitations(count, first=DAY, last=DAY, **more):
    return [
        {"patient": f"q-{n}", "pools": ["auto"], "opens": date(2027, 1, 4), "due": date(2027, 1, 8)}
        | {"not_before": first, "not_after": last, **more}
        for n in range(count)
    ]


def test_the_plan_says_who_can_be_served_and_writes_down_only_who_asked(quick):
    before = quick.dump()
    plan = quick.desk.plan_invitations(invitations(10))
    after = quick.dump()
    looks = [a for a in after["audit"] if a not in before["audit"]]
    assert [(a.verb, a.patient) for a in looks] == [
        ("plan invitations", p.task.patient) for p in plan.invitations
    ]
    assert after | {"audit": before["audit"]} == before
    assert (len(plan.servable), len(plan.unservable), plan.proven) == (8, 2, True)
    assert {p.place.start.date() for p in plan.servable} == {DAY}
    assert all("needed by others" in str(p.shortage) for p in plan.unservable)
    assert quick.sessions() == []


def test_of_those_alike_the_first_lines_can_be_sent(quick):
    """So that there is a line up to which all can be sent, whatever ids they get."""
    for rows in (invitations(10), [row | {"priority": 1} for row in invitations(10)]):
        plan = quick.desk.plan_invitations(rows)
        assert [p.shortage is None for p in plan.invitations] == 8 * [True] + 2 * [False]
    sent = quick.desk.invite_many(rows[:8], all_or_nothing=True)
    assert all(one.task for one in sent)


def test_whoever_plans_waits_for_proofs_for_so_long_in_all():
    """Else a request for more than there is room for would be answered by nothing but 504."""
    waits = []

    class Waiting(Here):
        def sitting(self, seconds):
            waits.append(seconds)
            return self

    world = World(Memory, prover=Waiting())
    assert world.desk.plan_invitations(invitations(10)).proven
    assert waits == [WAIT]
    assert WAIT + Limits().grace < Settings.of({}).patience


def test_a_plan_is_sent_up_to_the_line(database):
    world = database
    plan = world.desk.plan_invitations(invitations(10))
    sent = world.desk.invite_many(plan)
    assert [a.task is not None for a in sent] == [p.shortage is None for p in plan.invitations]
    assert len(world.cases("not-servable")) == 2
    assert world.promises_broken() == {}
    again = world.desk.invite_many(plan)
    assert [a.task.id for a in again if a.task] == [a.task.id for a in sent if a.task]
    assert len(world.sessions()) == 8
    assert len(world.cases("not-servable")) == 2


def test_or_as_a_whole_or_not_at_all(quick):
    before = quick.dump()
    with pytest.raises(NotServable, match="needed by others"):
        quick.desk.invite_many(invitations(9), all_or_nothing=True)
    assert quick.dump() == before
    sent = quick.desk.invite_many(invitations(8), all_or_nothing=True)
    assert {a.task.state for a in sent} == {"open"}
    assert quick.promises_broken() == {}


def test_states_events_and_work_are_those_of_one_by_one(quick):
    later = invitations(1, opens=date(2027, 1, 6))[0] | {"patient": "later"}
    allotted = invitations(1, mode="allot")[0] | {"patient": "allotted"}
    asking = invitations(1, mode="request")[0] | {"patient": "asking"}
    answers = quick.desk.invite_many([*invitations(2), later, allotted, asking])
    assert [a.task.state for a in answers] == ["open", "open", "scheduled", "with-staff", "draft"]
    assert [quick.task(a.task) for a in answers] == [a.task for a in answers]
    one = quick.invited("alone", not_before=DAY, not_after=DAY)

    def story(task):
        events = [(e.type, e.version) for e in quick.events() if e.task == task.id]
        work = quick.read(lambda unit: unit.work.find(entity=task.id))
        return events, sorted((w.kind, w.due_at, w.effect.split(":", 2)[2]) for w in work)

    assert story(answers[0].task) == story(one)
    assert [c.task for c in quick.cases("to-allot")] == [answers[3].task.id]
    assert quick.promises_broken() == {}


def test_a_plan_that_was_overtaken_is_made_anew_under_the_lock(world, monkeypatch):
    pictures = world.ports.pictures
    current, old = pictures.current, pictures.current("999999999")
    world.patient("p-1").choose(world.invited("p-1"), oslo(2027, 1, 20, 11, 30))
    looks = iter([old, old])  # for reading the invitations, and for the plan
    monkeypatch.setattr(pictures, "current", lambda o: next(looks, None) or current(o))
    answers = world.desk.invite_many(invitations(7))
    assert next(looks, None) is None
    assert all(a.task for a in answers)
    assert world.promises_broken() == {}
    assert world.overlaps() == []


def test_guard_off_the_overtaken_plan_is_refused(quick, monkeypatch):
    """Without planning anew the database alone stands in the way, and nothing is sent."""
    monkeypatch.setattr("timevalg.booking.invite.Admission.replanned", lambda found, _: found)
    pictures = quick.ports.pictures
    old = pictures.current("999999999")
    quick.patient("p-1").choose(quick.invited("p-1"), oslo(2027, 1, 20, 11, 30))
    monkeypatch.setattr(pictures, "current", lambda _: old)
    with pytest.raises(TimeTaken):
        quick.desk.invite_many(invitations(8))


def test_drafts_are_sent_in_bulk_once_there_is_room(quick):
    plan = quick.desk.plan_invitations(invitations(10))
    quick.desk.invite_many(plan)
    wider = [p.task.id for p in plan.unservable]
    for key in wider:
        quick.desk.amend(key, not_after=DAY + timedelta(days=1))
    answers = quick.desk.invite_many(plan)
    assert all(a.task.state in LIVE for a in answers)
    assert quick.promises_broken() == {}
    assert quick.cases("not-servable") == []


def test_the_statements_do_not_grow_with_the_invitations(database):
    counted = []

    def count(many):
        del counted[:]
        assert all(a.task for a in database.desk.invite_many(many))
        return len(counted)

    listen = (Engine, "before_cursor_execute", lambda *_: counted.append(1))
    event.listen(*listen)
    try:
        few = count(invitations(5, last=date(2027, 1, 29)))
        more = [i | {"patient": f"x-{n}"} for n, i in enumerate(invitations(40, last=DAY))]
        many = count([i | {"not_after": date(2027, 2, 26)} for i in more])
    finally:
        event.remove(*listen)
    assert many <= few + 2  # sessions are read by the hundred
