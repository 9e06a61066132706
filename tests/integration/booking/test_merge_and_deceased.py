"""Two patients turn out to be one; a patient has died."""

from dataclasses import replace
from datetime import date

import pytest

from tests.world import ORGANISATION, oslo
from timevalg.booking.examine import examine
from timevalg.booking.sync import CalendarRow
from timevalg.model.errors import Conflict, IllegalMove, InvalidInput, NotAllowed, NotFound
from timevalg.model.principal import Principal, RoleName

AT, LATER = oslo(2027, 1, 20, 9), oslo(2027, 1, 21, 9)
DAY = date(2027, 1, 20)
AUDITOR = Principal("eva", RoleName.AUDITOR, ORGANISATION)
A, B = ({"doctor": (d,), "room": ("room",)} for d in ("dr-a", "dr-b"))


def row(ref="kontakt/1", version=1, start=AT, **more):
    fields = {"clinic": "clinic", "service": "talk", "resources": A, "patient": "p-1", **more}
    return CalendarRow(ref, version, start=start, **fields)


def mine(world, patient):
    return world.read(
        lambda unit: [
            *unit.tasks.find(patient=patient),
            *unit.appointments.find(patient=patient),
            *unit.letters.find(patient=patient),
            *unit.sessions.find(patient=patient),
        ]
    )


def test_everything_of_the_one_is_the_others(world):
    task, visit = world.chosen("p-1")
    waiting = world.invited("p-1", pools=("manual",))
    world.work()
    before = len(mine(world, "p-1"))
    assert world.dips.merge("p-1", "p-2", reason="registered twice").id == "p-2"
    assert mine(world, "p-1") == []
    assert len(mine(world, "p-2")) == before
    (event,) = world.events("patient.merged")
    assert (event.key, event.new, event.reason) == ("p-2", {"merged": "p-1"}, "registered twice")
    assert world.promises_broken() == {}
    for name in ("p-2", "p-1"):  # whichever id the message has
        assert world.patient(name).appointment(visit.id).patient == "p-2"
    world.patient("p-1").cancel(visit)
    assert world.patient("p-2").choose(waiting, visit.start).patient == "p-2"
    assert world.task(task).patient == "p-2"


def test_lists_under_the_old_id_have_what_is_the_others(world):
    task, visit = world.chosen("p-1")
    world.work()
    world.dips.merge("p-1", "p-2")
    old = world.patient("p-1")
    assert [t.id for t in old.tasks()] == [task.id]
    assert [a.id for a in old.appointments()] == [visit.id]


def test_what_is_not_known_of_the_one_left_is_taken_from_the_other(world):
    mail, phone = "kari@example.org", "+4799999999"
    world.desk.register("p-1", name="Kari", language="nn", email=mail, phone=phone)
    left = world.dips.merge("p-1", "p-2")  # of whom nothing is known but the id
    assert (left.name, left.language, left.email, left.phone) == ("Kari", "nn", mail, phone)
    world.desk.register("p-3", name="Kari Li", language="se", email="li@example.org")
    left = world.dips.merge("p-2", "p-3")
    told = (left.name, left.language, left.email, left.phone)
    assert told == ("Kari Li", "se", "li@example.org", phone)


def test_again_changes_nothing_also_the_other_way_round(world):
    world.chosen("p-1")
    world.dips.merge("p-1", "p-2")
    before = world.dump()
    for old, into in (("p-1", "p-2"), ("p-2", "p-1"), ("p-1", "p-1")):
        assert world.dips.merge(old, into).id == "p-2"
    assert world.dump() == before
    assert world.dips.merge("p-1", "p-3").id == "p-3"  # whoever p-1 is by now
    assert {t.patient for t in mine(world, "p-3")} == {"p-3"}
    assert mine(world, "p-2") == []


def test_late_messages_with_the_old_id_mean_the_one_that_is_left(world):
    world.dips.merge("p-1", "p-2")
    world.dips.sync([row()])
    assert world.desk.appointment("kontakt/1").patient == "p-2"
    world.dips.sync([row(version=2, start=LATER)])
    assert world.desk.appointment("kontakt/1").start == LATER
    assert world.invited("p-1").patient == "p-2"
    assert world.desk.register("p-1", name="Kari").id == "p-2"
    assert world.read(lambda unit: unit.patients.get("p-1")).merged_into == "p-2"
    with pytest.raises(NotFound):
        world.patient("p-3").appointment("kontakt/1")


def test_who_is_registered_is_told_by_id_alone(world):
    fields = {"name": "Kari Fugl", "email": "kari@example.test", "identity": "30108299920"}
    for version in (1, 2):
        world.dips.register("p-1", confidential=version == 2, **fields)
        event = world.events("patient.registered")[-1]
        assert (event.subject, event.key, event.version) == ("patient", "p-1", version)
        assert (event.by, event.clinic, event.old, event.new) == ("dips", "", None, None)
        assert not [said for said in fields.values() if said in repr(event)]
    assert len(world.events("patient.registered")) == 2
    with pytest.raises(Conflict):
        world.dips.register("p-2", identity=fields["identity"])
    assert len(world.events("patient.registered")) == 2


@pytest.mark.parametrize(
    "email", ["kåre@example.no", "Kari Fugl", "a@x.no, b@x.no", "", "a@x.no\n"]
)
def test_an_address_to_which_no_letter_could_go_is_refused(quick, email):
    with pytest.raises(InvalidInput, match="email"):
        quick.dips.register("p-1", email=email)


def test_visits_that_overlap_are_a_conflict_and_neither_is_lost(world):
    world.dips.sync([row(), row("kontakt/2", patient="p-2", resources={"doctor": ("dr-b",)})])
    one, other = (world.desk.appointment(f"kontakt/{n}") for n in (1, 2))
    world.dips.merge("p-1", "p-2")
    (case,) = world.cases("conflict")
    assert (case.appointment, case.ref) == (one.id, "kontakt/1")
    assert [b["appointment"] for b in case.detail["in_the_way"]] == [other.id]
    assert case.detail["proposals"]
    assert {s.id for s in world.sessions()} == {one.session, other.session}
    assert {a.patient for a in map(world.desk.appointment, (one.id, other.id))} == {"p-2"}
    assert world.overlaps() == []
    assert examine(world.ports, AUDITOR).findings == ()
    world.desk.move(one.id, start=LATER)
    assert world.cases() == []
    assert {s.patient for s in world.sessions()} == {"p-2"}
    assert examine(world.ports, AUDITOR).findings == ()


def test_places_and_holds_make_room_for_the_others_visits(world):
    narrow = {"not_before": DAY, "not_after": DAY}
    place = world.sessions(task=world.invited("p-1", **narrow).id)[0]
    world.dips.sync([row(start=place.start, patient="p-2", resources={"doctor": ("dr-b",)})])
    world.patient("p-2").hold(world.invited("p-2"), LATER)
    kept = world.sessions(task=world.invited("p-1", pools=("staff",)).id)[0]
    world.dips.merge("p-1", "p-2")
    assert world.promises_broken() == {}
    assert world.cases() == []
    assert world.overlaps() == []
    assert [s.start for s in world.sessions(kind="hold")] == [LATER]
    assert world.sessions(task=kept.task) == [replace(kept, patient="p-2")]  # fits as it is


def test_a_hold_of_the_old_id_is_given_up_its_task_keeps_a_place(world):
    task = world.invited("p-1")
    world.patient("p-1").hold(task, AT)
    world.dips.merge("p-1", "p-2")
    assert world.sessions(kind="hold") == []
    assert world.promises_broken() == {}
    assert world.patient("p-2").choose(task, AT)


def test_who_is_invited_while_being_merged_is_invited_as_the_one_left(world, monkeypatch):
    pictures = world.ports.pictures
    current, done = pictures.current, []

    def look(organisation):
        picture = current(organisation)
        if not done and done.append(1) is None:
            world.dips.merge("p-1", "p-2")
        return picture

    monkeypatch.setattr(pictures, "current", look)
    assert world.invited("p-1").patient == "p-2"


def test_some_clinics_do_not_speak_for_all(quick):
    some = replace(quick.dips.principal, clinics=frozenset({"clinic"}))
    dips = replace(quick.dips, principal=some)
    for call in (lambda: dips.merge("p-1", "p-2"), lambda: dips.deceased("p-1")):
        with pytest.raises(NotAllowed, match="every clinic"):
            call()


def test_all_that_is_to_come_ends(world):
    chosen, visit = world.chosen("p-1")
    world.work()
    lettered, unlettered = world.visit(chosen), world.chosen("p-1", pools=("manual",), number=3)
    waiting = world.invited("p-1", pools=("staff",))
    world.dips.sync([row(start=LATER)])
    assert world.dips.deceased("p-1", reason="told by the registry").deceased_at is not None
    assert mine(world, "p-1") != []
    assert world.sessions() == []
    assert examine(world.ports, AUDITOR).findings == ()
    assert world.visit(chosen).state == "cancelled"
    assert world.desk.appointment("kontakt/1").state == "cancelled"
    assert [world.task(t).state for t in (chosen, unlettered[0], waiting)] == [
        "confirmed",
        "withdrawn",
        "withdrawn",
    ]
    assert lettered.lettered_at is not None
    (event,) = world.events("patient.deceased")
    assert (event.key, event.reason) == ("p-1", "told by the registry")
    before = world.dump()
    again = world.dips.deceased("p-1")
    assert world.read(lambda unit: unit.patients.get("p-1")) == again
    assert {k: v for k, v in world.dump().items() if k != "audit"} == {
        k: v for k, v in before.items() if k != "audit"
    }
    assert visit.patient == "p-1"


def test_no_letter_is_written_or_sent_after(world):
    chosen, _ = world.chosen("p-1")
    world.work()
    world.desk.cancel(world.visit(chosen))
    world.work_kinds("letter")  # a cancellation is written, and waits
    waiting = world.letters(state="pending")
    sent = len(world.post.sent)
    assert waiting
    world.dips.deceased("p-1")
    assert {world.letters(id=letter.id)[0].state for letter in waiting} == {"stopped"}
    world.work()
    world.later(days=20)
    assert len(world.post.sent) == sent
    assert world.letters(state="pending") == []


def test_nobody_invites_or_books_for_the_dead(world):
    world.dips.deceased("p-1")
    with pytest.raises(IllegalMove, match="deceased"):
        world.invite("p-1")
    assert world.dips.sync([row()]).conflicts == ("kontakt/1",)
    assert "deceased" in world.cases("conflict")[0].reason
    assert world.invited("p-2")


def test_merged_with_one_who_has_died(world):
    world.chosen("p-1")
    world.dips.deceased("p-2")
    world.dips.merge("p-1", "p-2")
    assert world.sessions() == []
    with pytest.raises(IllegalMove):
        world.invite("p-1")


def test_what_has_been_stays_as_it_was(world):
    world.dips.sync([row(start=oslo(2026, 12, 1, 9))])
    world.dips.deceased("p-1")
    assert world.desk.appointment("kontakt/1").state == "booked"
