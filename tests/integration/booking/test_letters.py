"""Which letters go when, to whom in which language, and what a half-sent one leads to."""

from dataclasses import dataclass, replace
from datetime import date

import pytest

from tests.integration.booking.told import AT, LATER, LATEST, flat, sent, told
from tests.integration.booking.ways import AFTER_DUE
from tests.world import ORGANISATION, Post, document, oslo, pool
from timevalg.booking.remind import remind
from timevalg.booking.sync import CalendarRow
from timevalg.booking.write import send_letter, write_letter
from timevalg.library import Timevalg
from timevalg.model.errors import NotDelivered
from timevalg.model.principal import worker
from timevalg.wiring import ports_on

WHO = worker(ORGANISATION)


def test_the_letters_of_a_life(world):
    task = world.invited(opens=date(2027, 1, 5))
    world.work()
    assert sent(world) == []
    world.at(date(2027, 1, 5))
    assert sent(world) == ["choice"]
    visit = world.patient().choose(task, AT)
    assert sent(world) == ["choice"]
    world.work()
    assert sent(world) == ["choice", "appointment"]
    visit = world.desk.appointment(visit.id)
    assert (visit.lettered_start, visit.lettered_at) == (AT, world.clock.now(None))
    world.patient().change(visit, LATER)
    world.work()
    assert sent(world) == ["choice", "appointment", "change"]
    assert world.desk.appointment(visit.id).lettered_start == LATER
    world.desk.cancel(visit, reason="ill")
    world.work()
    assert sent(world) == ["choice", "appointment", "change", "cancellation"]
    assert {letter.state for letter in world.letters()} == {"sent"}
    assert all(letter.receipt == f"receipt {letter.id}" for letter in world.letters())


def test_a_visit_moved_before_its_letter_is_told_once_at_its_new_time(world):
    _, visit = world.chosen()
    world.work_kinds("open", "check")
    world.patient().change(visit, LATER)
    world.work()
    assert sent(world) == ["appointment"]
    assert world.desk.appointment(visit.id).lettered_start == LATER
    assert "21. januar" in world.letters()[0].text


def doctor(visit):
    (name,) = visit.resources["doctor"]
    return name


def other(visit):
    """The resources of a visit, with the other doctor."""
    return {**visit.resources, "doctor": ("dr-b" if doctor(visit) == "dr-a" else "dr-a",)}


def test_a_choice_that_the_hospital_moves_is_told_as_moved_from_what_was_chosen(world):
    visit = world.patient().choose(world.invited(), AT)
    world.desk.move(visit, start=LATER)
    world.work()
    assert sent(world) == ["change"]
    words = flat(world.post.sent[0])
    assert "flyttet til torsdag 21. januar 2027 kl. 09.00" in words
    assert "Den gamle tiden, onsdag 20. januar 2027 kl. 09.00, gjelder ikke lenger" in words


def test_a_choice_that_is_moved_and_back_is_told_as_chosen(quick):
    visit = quick.patient().choose(quick.invited(), AT)
    quick.desk.move(quick.desk.move(visit, start=LATER), start=AT)
    quick.work()
    assert sent(quick) == ["appointment"]


def test_what_the_patient_has_chosen_since_the_last_letter_is_the_old_time(quick):
    visit = told(quick)
    quick.clock.set(oslo(2027, 1, 5, 12))
    visit = quick.patient().change(visit, LATER)
    quick.desk.move(visit, start=LATEST)
    quick.work()
    assert sent(quick) == ["appointment", "change"]
    words = flat(quick.post.sent[-1])
    assert "flyttet til fredag 22. januar" in words
    assert "Den gamle tiden, torsdag 21. januar" in words
    quick.clock.set(oslo(2027, 1, 6, 12))
    quick.desk.move(quick.desk.appointment(visit.id), start=AT)
    quick.work()
    assert "Den gamle tiden, fredag 22. januar" in flat(quick.post.sent[-1])


def test_the_old_time_is_the_one_that_a_letter_told_that_has_left(quick):
    visit = told(quick)
    visit = quick.desk.move(visit, start=LATER)
    quick.work_kinds("letter")
    visit = quick.desk.move(quick.desk.appointment(visit.id), start=LATEST)
    quick.work()
    assert [letter.state for letter in quick.letters(kind="change")] == ["stopped", "sent"]
    words = flat(quick.post.sent[-1])
    assert "flyttet til fredag 22. januar" in words
    assert "Den gamle tiden, onsdag 20. januar" in words


def test_a_told_visit_that_is_moved_and_back_before_a_letter_leaves_is_not_told_again(quick):
    visit = quick.desk.move(told(quick), start=LATER)
    quick.work_kinds("letter")
    quick.desk.move(quick.desk.appointment(visit.id), start=AT)
    quick.work_kinds("letter")
    quick.work()
    assert sent(quick) == ["appointment"]
    assert [letter.state for letter in quick.letters(kind="change")] == ["stopped"]


def test_a_letter_that_names_another_clinician_than_there_is_now_is_stopped(quick):
    visit = quick.patient().choose(quick.invited(), AT)
    quick.work_kinds("open", "check")
    quick.work_kinds("letter")
    assert doctor(visit) in flat(quick.letters(kind="appointment")[0])
    moved = quick.desk.move(quick.desk.appointment(visit.id), start=AT, resources=other(visit))
    quick.work()
    (letter,) = quick.post.sent
    assert doctor(moved) in flat(letter)
    assert doctor(visit) not in flat(letter)
    assert "Tiden er den samme som før" in flat(letter)


@pytest.mark.parametrize("start", [AT, LATER])
def test_what_a_record_system_changes_before_the_letter_leaves_is_told(quick, start):
    visit = quick.patient().choose(quick.invited(), AT)
    quick.dips.accept(visit, ref="kontakt/88")
    quick.work_kinds("letter")
    row = CalendarRow("kontakt/88", 2, start=start, patient="p-1", resources=other(visit))
    assert quick.dips.sync([row]).applied == ("kontakt/88",)
    quick.work()
    assert sent(quick) == ["change"]
    assert [x.state for x in quick.letters(kind="appointment")] == ["stopped"]
    assert doctor(quick.desk.appointment(visit.id)) in flat(quick.post.sent[0])


def test_another_clinician_at_the_same_time_is_told(world):
    visit = told(world)
    moved = world.desk.move(visit, start=AT, resources=other(visit))
    world.work()
    assert sent(world) == ["appointment", "change"]
    assert doctor(moved) in flat(world.post.sent[-1])
    assert "Tiden er den samme som før" in flat(world.post.sent[-1])


def test_another_room_at_the_same_time_is_no_news(make_world):
    source = document()
    source["resources"].append({"id": "room-2", "kind": "room"})
    world = make_world(source)
    visit = told(world)
    room = "room-2" if visit.resources["room"] == ("room",) else "room"
    world.desk.move(visit, start=AT, resources={**visit.resources, "room": (room,)})
    world.work()
    assert sent(world) == ["appointment"]


def test_a_reminder_of_another_time_than_there_is_now_is_stopped(quick):
    visit = told(quick)
    quick.clock.set(oslo(2027, 1, 18, 9))
    quick.post.address = lambda letter, patient: ""
    reminder = remind(quick.ports, WHO, visit.id, 0)
    quick.desk.move(visit, start=LATER)
    quick.work_kinds("letter")
    assert send_letter(quick.ports, WHO, reminder.id).state == "stopped"


@pytest.mark.parametrize("moved", [False, True])
def test_letters_written_by_an_older_version_go_by_the_start_that_was_told_last(quick, moved):
    visit = quick.patient().choose(quick.invited(), AT)
    quick.work_kinds("open", "check")
    quick.work_kinds("letter")

    def age(unit):
        for letter in unit.letters.find(kind="appointment"):
            unit.letters.save(replace(letter, told=None))
        unit.appointments.save(replace(unit.appointments.get(visit.id), chosen=None))

    quick.store.run(ORGANISATION, age)
    quick.work_kinds("send letter")
    if moved:
        quick.desk.move(quick.desk.appointment(visit.id), start=LATER)
    quick.desk.write_letter(visit)
    quick.work()
    assert sent(quick) == (["appointment", "change"] if moved else ["appointment"])
    assert not moved or "Den gamle tiden, onsdag 20. januar" in flat(quick.post.sent[-1])


def test_letters_tell_how_to_reach_the_clinic(make_world):
    source = document()
    source["clinic"]["contact"] = {"nb": "Telefon 55 00 11 22", "en": "Telephone 55 00 11 22"}
    world = make_world(source)
    told(world)
    assert sent(world) == ["appointment"]
    assert "Klinikken. Telefon 55 00 11 22" in flat(world.post.sent[-1])
    world.invited("p-2")
    world.work()
    assert "Telefon 55 00 11 22" in flat(world.post.sent[-1])


def test_no_letters_where_the_task_says_none(quick):
    visit = told(quick, letters=False)
    quick.dips.move(visit, start=LATER)
    quick.desk.cancel(visit)
    quick.invited("p-2", letters=False)
    quick.at(AFTER_DUE)
    assert quick.post.sent == []
    assert quick.letters() == []


def test_withdrawn_without_letters(quick):
    told(quick, referral="henv/9")
    quick.dips.withdraw(referral="henv/9", letters=False)
    quick.work()
    assert sent(quick) == ["appointment"]


def test_a_time_that_nobody_chose_says_so(quick):
    quick.invited()
    quick.work()
    quick.at(AFTER_DUE)
    assert sent(quick) == ["choice", "appointment"]
    assert "Vi har valgt denne tiden for deg" in " ".join(quick.post.sent[-1].text.split())


def test_the_language_of_the_patient(quick):
    quick.desk.register("p-1", name="Ann", language="en")
    told(quick)
    (letter,) = quick.letters()
    assert letter.language == "en"
    assert "Hello Ann" in letter.text
    assert "Talk" in letter.text
    assert "20 January 2027" in letter.text


def test_manual_letters_wait_for_staff_and_are_asked_for(make_world):
    world = make_world(document(pools=[pool("auto", letter="manual")]))
    visit = told(world)
    assert world.task(visit.task).state == "confirmed"
    assert sent(world) == []
    assert [c.appointment for c in world.cases("letter-wanted")] == [visit.id]
    letter = world.desk.write_letter(visit)
    assert letter.kind == "appointment"
    world.work()
    assert sent(world) == ["appointment"]
    assert world.cases() == []


def test_record_letters_leave_when_the_record_system_accepts(make_world):
    world = make_world(document(pools=[pool("auto", letter="record")]))
    visit = told(world)
    assert world.task(visit.task).state == "confirmed"
    assert sent(world) == []
    world.dips.accept(visit, ref="kontakt/88")
    world.work()
    assert sent(world) == ["appointment"]
    world.dips.accept(visit, ref="kontakt/88")
    world.work()
    assert sent(world) == ["appointment"]


def test_with_a_check_by_the_record_system_no_letter_leaves_before_it(quick):
    visit = told(quick, pools=("record",))
    assert sent(quick) == []
    quick.dips.accept(visit)
    quick.work()
    assert sent(quick) == ["appointment"]


@dataclass
class Forgetful(Post):
    """A channel that does not deduplicate, and whose answer is lost on the way."""

    deduplicates: bool = False
    lost: bool = True

    def send(self, effect, letter):
        receipt = super().send(effect, letter)
        if self.lost:
            raise ConnectionError("no answer")
        return receipt


def through(world, channel):
    return Timevalg(ports_on(world.store, channel), ORGANISATION)


def test_a_half_sent_letter_is_for_staff_where_the_channel_does_not_deduplicate(world):
    channel = Forgetful()
    valg = through(world, channel)
    task = world.invited()
    assert "failed" in {d.outcome for d in valg.work()}
    for hour in (12, 13):
        world.clock.set(oslo(2027, 1, 4, hour))
        valg.work()
    (letter,) = world.letters(task=task.id)
    assert letter.state == "unknown"
    assert len(channel.sent) == 1  # never twice
    assert [(c.task, letter.id in c.reason) for c in world.cases("letter-unknown")] == [
        (task.id, True)
    ]
    assert world.read(lambda unit: unit.work.find(kind="send letter"))[0].state == "done"


def test_where_it_does_the_letter_is_sent_again_and_arrives(world):
    channel = Forgetful(deduplicates=True)
    valg = through(world, channel)
    world.invited()
    valg.work()
    channel.lost = False
    world.clock.set(oslo(2027, 1, 4, 12))
    valg.work()
    assert [letter.state for letter in world.letters()] == ["sent"]
    assert len(channel.sent) == 2
    assert world.cases() == []


@dataclass
class Refusing(Post):
    """A channel that takes nothing for a while."""

    shut: bool = True

    def send(self, effect, letter):
        if self.shut:
            raise NotDelivered(self.name, "out of paper")
        return super().send(effect, letter)


@pytest.mark.parametrize(
    ("terms", "shown"),
    [
        ({"due": date(2027, 1, 6)}, "6. januar"),
        ({"not_after": date(2027, 1, 22)}, "22. januar"),
        ({"extra": 15}, "45 minutter"),
    ],
)
def test_an_invitation_by_terms_that_are_no_more_is_stopped(quick, terms, shown):
    channel = Refusing()
    valg = through(quick, channel)
    task = quick.invited()
    assert "failed" in {d.outcome for d in valg.work()}
    quick.desk.amend(task, **terms)
    channel.shut = False
    quick.clock.set(oslo(2027, 1, 4, 12))
    valg.work()
    assert sorted(letter.state for letter in quick.letters()) == ["sent", "stopped"]
    (letter,) = channel.sent
    assert shown in letter.text


def test_an_invitation_stands_where_other_terms_change_than_it_shows(quick):
    task = quick.invited()
    letter = write_letter(quick.ports, WHO, "choice", task.id)
    quick.desk.amend(task, priority=1)
    assert send_letter(quick.ports, WHO, letter.id).state == "sent"


@pytest.mark.parametrize("after", ["chosen", "cancelled", "moved"])
def test_a_letter_that_became_untrue_before_it_left_is_stopped(world, after):
    task = world.invited()
    if after == "chosen":
        letter = write_letter(world.ports, WHO, "choice", task.id)
        world.patient().choose(task, AT)
    else:
        visit = world.patient().choose(task, AT)
        world.work_kinds("check")
        letter = write_letter(world.ports, WHO, "appointment", visit.id)
        if after == "cancelled":
            world.desk.cancel(visit)
        else:
            world.patient().change(visit, LATER)
    assert send_letter(world.ports, WHO, letter.id).state == "stopped"
    assert world.post.sent == []
    world.work()
    expected = {"chosen": ["appointment"], "cancelled": ["cancellation"], "moved": ["appointment"]}
    assert sent(world) == expected[after]
