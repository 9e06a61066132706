"""What happened, who did it and what is to be done are written in one transaction, or not."""

from dataclasses import fields, replace
from datetime import date

import pytest

from tests.integration.booking.ways import WAYS
from tests.world import ORGANISATION, TestKeys, oslo
from timevalg.booking import cancel, change, choose, hold, take_up, undo
from timevalg.booking.invite import invite
from timevalg.booking.sync import CalendarRow, sync
from timevalg.booking.work import do_work
from timevalg.booking.write import write_letter
from timevalg.model.principal import Principal, RoleName, worker
from timevalg.model.records import Event
from timevalg.model.states import TaskState
from timevalg.wiring import ports_on

AT, LATER = oslo(2027, 1, 20, 9), oslo(2027, 1, 21, 9)
PATIENT = Principal("p-1", RoleName.PATIENT, ORGANISATION, patient="p-1", channel="web")
DESK = Principal("anna", RoleName.PLANNER, ORGANISATION)
DIPS = Principal("dips", RoleName.SYSTEM, ORGANISATION)


class Torn(Exception):
    """The plug is pulled."""


class BreakingKeys(TestKeys):
    """Ids until one of a kind is asked for the n-th time."""

    def __init__(self, kind, number):
        super().__init__()
        self._kind, self._left = kind, number

    def new(self, kind):
        self._left -= kind == self._kind
        if self._left < 0:
            raise Torn
        return f"x-{super().new(kind)}"


def draft_of(world):
    spare = world.read(lambda unit: unit.tasks.find())[0]
    return replace(spare, id="t-new", patient="p-7", state=TaskState.DRAFT, version=1)


VERBS = {
    "invite": (
        "open",
        {"event": 2, "audit": 1, "work": 2},
        lambda w, p, t: invite(p, DESK, [draft_of(w)]),
    ),
    "hold": (
        "open",
        {"event": 1, "audit": 1, "work": 1},
        lambda w, p, t: hold.hold(p, PATIENT, t.id, AT),
    ),
    "choose": (
        "open",
        {"event": 2, "audit": 1, "work": 3, "appointment": 1, "preparation": 2},
        lambda w, p, t: choose.choose(p, PATIENT, t.id, AT),
    ),
    "undo": (
        "confirmed",
        {"event": 2, "audit": 1, "work": 1},
        lambda w, p, t: undo.undo(p, DESK, t.id, "wrong"),
    ),
    "change": (
        "confirmed",
        {"event": 1, "audit": 1, "work": 2},
        lambda w, p, t: change.change(p, PATIENT, w.visit(t).id, LATER),
    ),
    "cancel": (
        "chosen",
        {"event": 3, "audit": 1, "work": 1, "case": 1},
        lambda w, p, t: cancel.cancel(p, DESK, w.visit(t).id),
    ),
    "reopen": (
        "with-staff",
        {"event": 1, "audit": 1, "work": 2},
        lambda w, p, t: take_up.reopen(p, DESK, t.id),
    ),
    "sync": (
        "open",
        {"event": 1, "audit": 1, "work": 1, "appointment": 1},
        lambda w, p, t: sync(
            p, DIPS, [CalendarRow("r", 1, False, "clinic", "talk", AT, {"room": ("room",)}, "p-2")]
        ),
    ),
}
"""A state to start in, how many ids of each kind the verb draws at least, and the call."""


@pytest.mark.parametrize("verb", VERBS)
def test_torn_half_way_nothing_remains(world, verb):
    state, written, call = VERBS[verb]
    task = WAYS[state](world)
    before = world.dump()
    for kind, times in written.items():
        for number in range(times):
            with pytest.raises(Torn):
                call(world, replace(world.ports, keys=BreakingKeys(kind, number)), task)
            assert world.dump() == before, (kind, number)
    call(world, replace(world.ports, keys=BreakingKeys("nothing", 0)), task)
    assert world.dump() != before
    assert world.promises_broken() == {}


def test_a_letter_that_cannot_be_set_leaves_nothing(world):
    class Broken:
        def render(self, kind, facts):
            raise Torn

    task = world.task(world.chosen()[0])
    world.work_kinds("check")
    visit = world.visit(task)
    before = world.dump()
    ports = replace(world.ports, typesetter=Broken())
    with pytest.raises(Torn):
        write_letter(ports, worker(ORGANISATION), "appointment", visit.id)
    assert world.dump() == before


def test_a_failing_channel_keeps_the_letter_and_the_error(world):
    class Down:
        name, deduplicates, rate = "post", True, 0

        def address(self, letter, patient):
            return ""

        def send(self, effect, letter):
            raise ConnectionError("no answer")

    task = world.invited()
    world.work_kinds("open", "letter")
    (work,) = world.read(lambda unit: unit.work.find(kind="send letter"))
    done = do_work(replace(world.ports, channels=(Down(),)), worker(ORGANISATION), work.id)
    assert done.outcome == "failed"
    assert done.error.startswith("ConnectionError: in test_three_logs.py:")
    (letter,) = world.letters(task=task.id)
    assert letter.state == "sending"
    assert world.events("letter.sent") == []
    world.later(minutes=1)
    assert [x.state for x in world.letters(task=task.id)] == ["sent"]
    assert len(world.events("letter.sent")) == 1


def test_a_change_of_every_log_at_once(world):
    task = world.invited()
    before = world.dump()
    choose.choose(world.ports, PATIENT, task.id, AT)
    after = world.dump()
    audit = [a for a in after["audit"] if a not in before["audit"]]
    assert [(a.principal, a.verb, a.key, a.patient, a.channel) for a in audit] == [
        ("p-1", "choose", task.id, "p-1", "web")
    ]
    work = [w for w in after["work"] if w not in before["work"]]
    assert {(w.kind, w.state) for w in work} == {
        (kind, "waiting") for kind in ("check", "preparation", "remind")
    }
    types = [e.type for e in world.events() if e.id not in before["events"]]
    assert types == ["task.chosen", "appointment.chosen"]


def test_an_event_says_all_that_a_record_system_needs(world):
    task = world.invited(ref="oppgave/4711", referral="henv/9", pools=("record",))
    visit = choose.choose(world.ports, PATIENT, task.id, AT)
    world.dips.accept(visit, ref="kontakt/88", version=visit.version)
    moved = world.dips.move("kontakt/88", start=LATER, reason="8446:1")
    (event,) = world.events("appointment.changed")
    refs = {"task": "oppgave/4711", "referral": "henv/9", "appointment": "kontakt/88"}
    expected = {
        "type": "appointment.changed",
        "time": world.clock.now(None),
        "organisation": ORGANISATION,
        "clinic": "clinic",
        "refs": refs,
        "subject": "appointment",
        "key": visit.id,
        "version": moved.version,
        "by": "dips",
        "channel": "library",
        "reason": "8446:1",
        "origin": "dips",
        "task": task.id,
        "appointment": visit.id,
    }
    assert {name: getattr(event, name) for name in expected} == expected
    assert event.id
    assert {f.name for f in fields(Event)} >= expected.keys() | {"id", "old", "new"}
    assert (event.old["state"], event.old["start"]) == ("booked", "2027-01-20T08:00:00+00:00")
    assert (event.new["state"], event.new["start"]) == ("booked", "2027-01-21T08:00:00+00:00")
    (chosen,) = world.events("appointment.chosen")
    assert (chosen.by, chosen.channel, chosen.origin) == ("p-1", "web", "patient")
    assert chosen.new["resources"] == {role: list(r) for role, r in visit.resources.items()}
    assert (chosen.new["pool"], chosen.new["service"]) == ("record", "talk")


def test_events_about_cases_and_letters_name_their_task_too(world):
    task = world.invited(ref="oppgave/1")
    world.work()
    world.patient().none_suits(task)
    for type_ in ("letter.sent", "staff.none-suits"):
        (event,) = world.events(type_)
        assert (event.task, event.refs) == (task.id, {"task": "oppgave/1"})


def test_versions_in_events_only_grow_and_end_at_the_stored_one(world):
    visit = choose.choose(world.ports, PATIENT, world.invited().id, AT)
    world.work()
    world.patient().change(visit, LATER)
    world.work()
    world.patient().cancel(visit)
    seen = {}
    for event in world.events():
        assert event.version >= seen.get(event.key, 0)
        seen[event.key] = event.version
    assert seen[visit.id] == world.desk.appointment(visit.id).version
    assert seen[visit.task] == world.desk.task(visit.task).version


def test_the_picture_follows_however_many_events_there_are(world, monkeypatch):
    monkeypatch.setattr("timevalg.wiring.AT_ONCE", 3)
    other = ports_on(world.store, world.post, TestKeys())
    assert other.pictures.current(ORGANISATION).tasks == {}
    tasks = [world.invited(f"q-{n}", not_before=date(2027, 1, 20)) for n in range(4)]
    picture = other.pictures.current(ORGANISATION)
    assert picture.tasks.keys() == {t.id for t in tasks}
    assert len(picture.index.sessions) == 4
    assert {t.id: t for t in tasks} == dict(picture.tasks)
