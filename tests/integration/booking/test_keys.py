"""The same call with the same idempotency key has the same answer, and is done once."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.integration.booking.ways import task_in, visit_in
from tests.world import ORGANISATION, document, oslo
from timevalg.booking import choose, forget, inbox, once
from timevalg.booking.access import ACCESS
from timevalg.booking.invite import Invitation
from timevalg.booking.replan import Rebooked
from timevalg.booking.use_cases import USE_CASES
from timevalg.model.appointment import Preparation
from timevalg.model.errors import (
    IllegalMove,
    InFlight,
    InvalidInput,
    KeyReused,
    NotAllowed,
    NotFound,
    TimeTaken,
)
from timevalg.model.principal import Principal, RoleName, worker
from timevalg.model.records import Patient, StaffCase

AT, LATER = oslo(2027, 1, 20, 9), oslo(2027, 1, 20, 10)
WHO = worker(ORGANISATION)


def invitation(world, patient="p-1", **more):
    fields = {"opens": date(2027, 1, 4), "due": date(2027, 1, 8), "not_after": date(2027, 1, 29)}
    return world.dips.invite(patient=patient, pools=["auto"], **fields, **more)


def test_the_same_call_has_the_same_answer_and_is_done_once(world):
    first = invitation(world, idempotency_key="k-1")
    before = world.dump()
    assert invitation(world, idempotency_key="k-1") == first
    assert [e.verb for e in looks_since(world, before)] == ["read"]
    assert invitation(world, idempotency_key="k-2").task.id != first.task.id
    assert invitation(world).task.id != first.task.id  # without keys each is a call of its own


def test_a_reply_that_was_lost_is_given_again(world):
    """The time is chosen: without the key the second call is refused."""
    task = world.invited()
    visit = world.patient().choose(task, AT, idempotency_key="k-1")
    world.work()  # what follows changes nothing about what was answered
    assert world.patient().choose(task, AT, idempotency_key="k-1") == visit
    with pytest.raises(IllegalMove):
        world.patient().choose(task, AT)


def test_a_key_belongs_to_one_call(world):
    task = world.invited()
    me = world.patient()
    visit = me.choose(task, AT, idempotency_key="k-1")
    before = world.dump()
    for other in (
        lambda: me.choose(task, LATER, idempotency_key="k-1"),
        lambda: me.choose(task, AT, version=7, idempotency_key="k-1"),
        lambda: me.hold(task, AT, idempotency_key="k-1"),
        lambda: me.cancel(visit, idempotency_key="k-1"),
    ):
        with pytest.raises(KeyReused, match="used for another 'choose'"):
            other()
    assert world.dump() == before


def test_the_same_instant_in_another_zone_is_the_same_call(world):
    task = world.invited()
    visit = world.patient().choose(task, AT, idempotency_key="k-1")
    assert world.patient().choose(task, visit.start, idempotency_key="k-1") == visit


def test_a_key_belongs_to_whoever_uses_it(world):
    """Also where a planner is called as a patient is, and where one acts for two patients."""
    one, two = world.invited("anna"), world.invited("p-2")
    chosen = world.patient("anna").choose(one, AT, idempotency_key="k-1")
    other = world.desk.choose(two, LATER, idempotency_key="k-1")
    assert {chosen.task, other.task} == {one.id, two.id}

    def proxy(patient):
        return Principal("mum", RoleName.REPRESENTATIVE, ORGANISATION, patient=patient)

    ports = replace(world.ports, key="k-2")
    three, four = world.invited("p-3"), world.invited("p-4")
    choose.choose(ports, proxy("p-3"), three.id, oslo(2027, 1, 21, 9))
    with pytest.raises(KeyReused):
        choose.choose(ports, proxy("p-4"), three.id, oslo(2027, 1, 21, 9))
    assert world.task(four).state == "open"


def test_a_call_that_failed_may_be_tried_again(world):
    one, two = world.invited("p-1"), world.invited("p-2")
    visit = world.patient("p-1").choose(one, AT)
    with pytest.raises(TimeTaken):
        world.patient("p-2").choose(two, AT, idempotency_key="k-1")
    world.patient("p-1").cancel(visit)
    assert world.patient("p-2").choose(two, AT, idempotency_key="k-1").start == AT


def test_rights_come_before_keys(world):
    task = world.invited()
    world.patient().choose(task, AT, idempotency_key="k-1")
    auditor = Principal("p-1", RoleName.AUDITOR, ORGANISATION)
    with pytest.raises(NotAllowed):
        choose.choose(replace(world.ports, key="k-1"), auditor, task.id, AT)


@pytest.mark.parametrize("verb", ["choose", "hold"])
def test_a_key_answers_nobody_whose_right_has_ended(world, verb):
    """Though the answer was theirs: what they may not ask any more is not told them again."""
    mum = "02013299997"
    world.dips.register("p-1", birth=date(2011, 1, 5))
    world.dips.represent("p-1", mum, "parent", shares_address=True)
    task = world.invited()
    world.desk.withhold(task, withheld=False)
    view = world.valg.representative(mum, "p-1")
    call = getattr(view, verb)
    answer = call(task, AT, idempotency_key="k-1")
    assert call(task, AT, idempotency_key="k-1") == answer
    world.clock.set(oslo(2027, 1, 5, 0))  # sixteen
    with pytest.raises(NotFound):
        call(task, AT, idempotency_key="k-1")


@pytest.mark.parametrize("verb", ["choose", "hold", "none_suits", "complete"])
def test_a_key_answers_nothing_that_has_been_withheld_since(quick, verb):
    """Though the answer was theirs; and each time that it is shown is in the patient's log."""
    world, mum = quick, "02013299997"
    world.dips.register("p-1", birth=date(2020, 5, 5))
    world.dips.represent("p-1", mum, "parent", shares_address=True)
    task = world.invited()
    view = world.valg.representative(mum, "p-1")
    given = {"choose": (task, AT), "hold": (task, AT), "none_suits": (task, "Fridays")}
    if verb == "complete":
        given[verb] = (world.preparations(world.patient().choose(task, AT))[0], "yes")
    call = getattr(view, verb)
    answer = call(*given[verb], idempotency_key="k-1")
    before = world.dump()
    assert call(*given[verb], idempotency_key="k-1") == answer
    (entry,) = looks_since(world, before)
    assert (entry.verb, entry.principal) == ("read", world.ports.pseudonym(mum))
    assert entry in world.patient().access_log()
    world.desk.withhold(task)
    before = world.dump()
    with pytest.raises(NotFound):
        call(*given[verb], idempotency_key="k-1")
    assert world.dump() == before
    world.desk.withhold(task, withheld=False)
    assert call(*given[verb], idempotency_key="k-1") == answer


def test_a_key_gives_no_case_again_to_whoever_acts_for_other_clinics_now(quick):
    """What staff wrote, or a patient said, stands in it; whoever is shown it again is noted."""
    quick.patient().decline(quick.invited(), "I am well")
    key, ports = _declined(quick), replace(quick.ports, key="k-1")
    anna = Principal("anna", RoleName.PLANNER, ORGANISATION, clinics=frozenset({"clinic"}))
    closed = inbox.close_case(ports, anna, key)
    before = quick.dump()
    assert inbox.close_case(ports, anna, key) == closed
    assert [(e.verb, e.patient) for e in looks_since(quick, before)] == [("read", "p-1")]
    with pytest.raises(NotFound):
        inbox.close_case(ports, replace(anna, clinics=frozenset({"elsewhere"})), key)


@pytest.mark.parametrize("key", ["", "x" * 256, "a\nb", "a\0b"])
def test_what_is_no_key_is_refused(quick, key):
    with pytest.raises(InvalidInput, match="idempotency_key"):
        invitation(quick, idempotency_key=key)


def test_what_is_harmless_twice_takes_no_keys(quick):
    ports = replace(quick.ports, key="k-1")
    with pytest.raises(InvalidInput, match="takes none"):
        USE_CASES["sync"](ports, quick.dips.principal, [])


def test_a_call_within_the_call_is_in_flight(world):
    """Asked again while it is planned, and while its transaction runs."""
    task = world.invited()
    refused = []

    def again():
        with pytest.raises(InFlight, match="being done at this moment") as error:
            choose.choose(ports, world.patient().principal, task.id, AT)
        refused.append(error.value.verb)

    class Keys:
        def new(self, kind):
            again()
            return world.ports.keys.new(kind)

    ports = replace(world.ports, keys=Keys(), key="k-1")
    visit = choose.choose(ports, world.patient().principal, task.id, AT)
    assert len(refused) > 1
    assert world.patient().choose(task, AT, idempotency_key="k-1") == visit
    assert ports.in_flight == {}


def test_answers_are_kept_for_a_day_and_then_forgotten(world):
    task = world.invited()
    world.clock.set(oslo(2027, 1, 5, 0, 59))  # the last minute of a day in UTC
    visit = world.patient().choose(task, AT, idempotency_key="k-1")
    invitation(world, idempotency_key="k-2")
    (forgetting,) = world.read(lambda unit: unit.work.find(kind="forget answers"))
    world.later(hours=24)
    assert world.patient().choose(task, AT, idempotency_key="k-1") == visit
    world.clock.set(forgetting.due_at)
    assert forgetting.due_at - oslo(2027, 1, 5, 0, 59) < timedelta(hours=48)
    world.work()
    assert world.read(lambda unit: unit.answers.find()) == []
    with pytest.raises(IllegalMove):
        world.patient().choose(task, AT, idempotency_key="k-1")


def test_an_answer_is_forgotten_only_when_it_is_a_day_old(world):
    invitation(world, idempotency_key="k-1")
    world.clock.advance(once.KEPT)
    assert forget.forget_answers(world.ports, WHO) == 0
    world.clock.advance(timedelta(microseconds=1))
    assert forget.forget_answers(world.ports, WHO) == 1


def looks_since(world, before):
    """What has been looked at since, where nothing else has happened."""
    now = world.dump()
    looks = [entry for entry in now["audit"] if entry not in before["audit"]]
    assert {**now, "audit": before["audit"]} == before
    return looks


def patients_in(answer):
    """Whose tasks, visits, times and letters an answer shows."""
    if isinstance(answer, list | tuple):
        return {who for one in answer for who in patients_in(one)}
    if isinstance(answer, Patient):
        return {answer.id}
    if isinstance(answer, Preparation | StaffCase):
        return {"p-1"}
    if isinstance(answer, Invitation | Rebooked):
        return {who for name in vars(answer) for who in patients_in(getattr(answer, name))}
    who = getattr(answer, "patient", None)
    return {who} if who else set()


def _without_room(world, visit):
    source = document()
    day = visit.start.date().isoformat()  # as it is kept: the same file again changes nothing
    source["resources"][2]["away"] = [{"from": day, "to": day}]
    world.publish(source)
    return visit.id


CALLS = {
    "publish": lambda w, k: w.desk.publish("examples/gastro/surgery.yaml", idempotency_key=k),
    "merge": lambda w, k: w.dips.merge("p-8", "p-9", idempotency_key=k),
    "register representation": lambda w, k: w.desk.represent(
        "p-1", "02013299997", "attorney", idempotency_key=k
    ),
    "give right": lambda w, k: w.valg.operator().give("hpr:1", "planner", idempotency_key=k),
    "deceased": lambda w, k: w.dips.deceased("p-9", idempotency_key=k),
    "block": lambda w, k: w.desk.block(
        "clinic", ["dr-b"], AT, LATER, reason="a course", idempotency_key=k
    ),
    "unblock": lambda w, k: w.desk.unblock(
        w.desk.block("clinic", ["dr-b"], AT, LATER, reason="x", idempotency_key="k-0"),
        idempotency_key=k,
    ),
    "set owner": lambda w, k: w.desk.set_owner("timevalg", idempotency_key=k),
    "register patient": lambda w, k: w.desk.register("p-1", name="Kari", idempotency_key=k),
    "invite": lambda w, k: invitation(w, idempotency_key=k),
    "ask": lambda w, k, t: w.patient().ask(t, idempotency_key=k),
    "hold": lambda w, k, t: w.patient().hold(t, AT, idempotency_key=k),
    "renew hold": lambda w, k, t: w.patient().renew(
        w.patient().hold(t, AT, idempotency_key="k-0"), idempotency_key=k
    ),
    "choose": lambda w, k, t: w.patient().choose(t, AT, idempotency_key=k),
    "none suits": lambda w, k, t: w.patient().none_suits(t, "Fridays", idempotency_key=k),
    "decline": lambda w, k, t: w.patient().decline(t, idempotency_key=k),
    "withdraw": lambda w, k, t: w.desk.withdraw(task=t.id, idempotency_key=k),
    "hand to staff": lambda w, k, t: w.desk.take(t, idempotency_key=k),
    "reopen": lambda w, k, t: w.desk.reopen(t, idempotency_key=k),
    "keep waiting": lambda w, k, t: w.desk.keep_waiting(t, "x", idempotency_key=k),
    "assign": lambda w, k, t: w.desk.assign(
        t, start=AT, resources={"doctor": ("dr-a",), "room": ("room",)}, idempotency_key=k
    ),
    "check": lambda w, k, t: w.desk.check(t, confirm=True, idempotency_key=k),
    "refuse": lambda w, k, t: w.desk.refuse(w.visit(t), reason="no", idempotency_key=k),
    "amend": lambda w, k, t: w.desk.amend(t, priority=1, only={}, idempotency_key=k),
    "accept": lambda w, k, t: w.dips.accept(w.visit(t), ref="kontakt/1", idempotency_key=k),
    "undo": lambda w, k, t: w.desk.undo(t, reason="x", idempotency_key=k),
    "move": lambda w, k, v: w.desk.move(v, start=AT, idempotency_key=k),
    "rebook": lambda w, k, v: w.desk.rebook(_without_room(w, v), idempotency_key=k),
    "change": lambda w, k, v: w.patient().change(v, AT, idempotency_key=k),
    "cancel": lambda w, k, v: w.patient().cancel(v, idempotency_key=k),
    "acknowledge": lambda w, k, v: w.patient().acknowledge(v, idempotency_key=k),
    "arrive": lambda w, k, v: w.desk.arrive(v, idempotency_key=k),
    "no show": lambda w, k, v: w.desk.no_show(v, idempotency_key=k),
    "fulfil": lambda w, k, v: w.desk.fulfil(v, idempotency_key=k),
    "complete preparation": lambda w, k, v: w.patient().complete(
        w.preparations(v)[0], "yes", idempotency_key=k
    ),
    "write letter": lambda w, k, v: w.desk.write_letter(v, idempotency_key=k),
    "publish clinic file": lambda w, k: w.desk.publish_file(
        "clinic", _with_absence(), idempotency_key=k
    ),
    "roll back": lambda w, k: w.desk.roll_back(_edited(w), 1, idempotency_key=k),
    "switch pool": lambda w, k: w.desk.switch_pool("clinic", "manual", False, idempotency_key=k),
    "add absence": lambda w, k: w.desk.add_absence(
        "clinic", "dr-b", AT.date(), AT.date(), idempotency_key=k
    ),
    "remove absence": lambda w, k: w.desk.remove_absence(_edited(w), "dr-a", 0, idempotency_key=k),
    "close case": lambda w, k, t: w.desk.close_case(_declined(w), idempotency_key=k),
}
"""A call of every verb that changes something, on a task or a visit if it takes one."""

FROM = {
    "give right": None,
    "register representation": None,
    "publish": None,
    "merge": None,
    "deceased": None,
    "block": None,
    "unblock": None,
    "set owner": None,
    "register patient": None,
    "invite": None,
    "ask": "request",
    "reopen": "with-staff",
    "keep waiting": "with-staff",
    "assign": "with-staff",
    "check": "chosen",
    "refuse": "chosen",
    "accept": "chosen",
    "undo": "confirmed",
    "move": "booked",
    "rebook": "booked",
    "change": "booked",
    "cancel": "booked",
    "acknowledge": "booked",
    "arrive": "booked",
    "no show": "booked",
    "fulfil": "arrived",
    "complete preparation": "booked",
    "write letter": "booked",
    "publish clinic file": None,
    "roll back": None,
    "switch pool": None,
    "add absence": None,
    "remove absence": None,
    "close case": "declined",
}
"""What it is called on; an open task where nothing stands here."""


def _with_absence():
    source = document()
    source["resources"][0]["away"] = [{"from": "2027-05-03", "to": "2027-05-04"}]
    return source


def _edited(world):
    """The clinic, with a version in which somebody is away."""
    if world.read(lambda unit: unit.publications.count()) == 1:
        world.publish(_with_absence())
    return "clinic"


def _declined(world):
    """The id of a case, open or not."""
    return world.read(lambda unit: unit.cases.find(kind="declined"))[0].id


@pytest.mark.parametrize("verb", CALLS)
def test_every_verb_takes_keys(quick, verb):
    thing = _thing(quick, FROM.get(verb, "open"))

    def call():
        return CALLS[verb](quick, "k-1", *thing)

    first = call()
    before = quick.dump()
    again = call()
    assert (again, type(again)) == (first, type(first))
    looks = looks_since(quick, before)
    assert {(e.verb, e.role) for e in looks} <= {("read", e.role) for e in before["audit"]}
    assert {e.patient for e in looks} == patients_in(first)


NO_KEYS = {
    "seal audit",
    "verify audit",
    "replan",
    "what if",
    "plan invitations",
    "list tasks",
    "list appointments",
    "read access log",
    "list offers",
    "list offers to change",
    "list reserves",
    "settle offers",
    "tidy places",
    "regain places",
    "read",
    "read events",
    "list letters",
    "check clinic file",
    "compare clinic files",
    "read clinic file",
    "attendance list",
    "figures",
    "search",
    "explain",
    "staff list",
    "sync",
    "import",
    "send letter",
    "subscribe",
    "list subscriptions",
    "end subscription",
    "pass on events",
    "deliver",
    "remind",
    "look at work",
    "settle work",
    "do work",
    "examine",
    "open",
    "fall due",
    "follow preparation",
    "expire holds",
    "forget answers",
    "purge",
    "find patient",
    "export own",
    "export patient",
    "revoke right",
    "end representation",
    "list representations",
    "withhold",
    "list rights",
    "set unit",
    "mark for verification",
}
"""Verbs that change nothing, that are harmless twice, or that only workers have."""


def test_no_verb_is_left_out():
    assert set(CALLS) | NO_KEYS == set(ACCESS)


def _thing(world, state):
    if state is None:
        return ()
    if state == "request":
        return (world.invited(mode="request"),)
    if state in {"booked", "arrived"}:
        return (visit_in(world, state),)
    return (task_in(world, state),)


def test_an_answer_of_many_is_looked_at_in_one_go_before_it_is_given_again(quick, monkeypatch):
    rows = [
        {"patient": f"p-{n}", "pools": ["auto"], "opens": date(2027, 1, 4)}
        | {"due": date(2027, 1, 8), "not_after": date(2027, 2, 26)}
        for n in range(6)
    ]
    first = quick.desk.invite_many(rows, idempotency_key="k-1")
    records = type(quick.read(lambda unit: unit.tasks))
    monkeypatch.setattr(records, "get", lambda self, key: pytest.fail(f"{key} by itself"))
    assert quick.desk.invite_many(rows, idempotency_key="k-1") == first
    monkeypatch.undo()
    looks = [e for e in quick.read(lambda unit: unit.audit.find()) if e.verb == "read"]
    assert {e.key for e in looks} == {one.task.id for one in first}
