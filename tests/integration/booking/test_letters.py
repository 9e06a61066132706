"""Which letters go when, to whom in which language, and what a half-sent one leads to."""

from dataclasses import dataclass
from datetime import date

import pytest

from tests.integration.booking.ways import AFTER_DUE
from tests.world import ORGANISATION, Post, document, oslo, pool
from timevalg.booking.write import send_letter, write_letter
from timevalg.library import Timevalg
from timevalg.model.errors import NotDelivered
from timevalg.model.principal import worker
from timevalg.wiring import ports_on

AT, LATER = oslo(2027, 1, 20, 9), oslo(2027, 1, 21, 9)
WHO = worker(ORGANISATION)


def sent(world, patient="p-1"):
    return [letter.kind for letter in world.post.sent if letter.patient == patient]


def told(world, **more):
    """A visit whose letter has gone."""
    visit = world.patient().choose(world.invited(**more), AT)
    world.work()
    return world.desk.appointment(visit.id)


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


def test_the_patient_who_cancels_knows_already(quick):
    quick.patient().cancel(told(quick))
    quick.work()
    assert sent(quick) == ["appointment"]


@pytest.mark.parametrize("chosen", [True, False])
def test_a_cancellation_goes_to_those_who_know_of_the_visit(make_world, chosen):
    world = make_world(document(pools=[pool("auto", letter="manual")]))
    task = world.invited()
    if chosen:
        world.patient().choose(task, AT)
    world.at(AFTER_DUE)
    assert world.task(task).state == "confirmed"
    world.desk.cancel(world.visit(task))
    world.work()
    assert sent(world)[-1:] == (["cancellation"] if chosen else [])


@pytest.mark.parametrize(
    ("cancel", "letters"),
    [
        (lambda world, visit: world.desk.cancel(visit, reason="ill"), ["cancellation"]),
        (lambda world, visit: world.dips.cancel(visit, reason="8445:1"), ["cancellation"]),
        (lambda world, visit: world.patient().cancel(visit), []),
        (lambda world, visit: world.dips.cancel(visit, by="patient"), []),
    ],
    ids=["staff", "record system", "patient", "at the patient's wish"],
)
def test_a_choice_called_off_before_it_was_confirmed_is_told(quick, cancel, letters):
    task, visit = quick.chosen()
    cancel(quick, visit)
    quick.work()
    assert quick.task(task).state == "with-staff"
    assert sent(quick) == letters


def test_a_choice_called_off_is_not_told_where_the_task_says_no_letters(quick):
    _, visit = quick.chosen(letters=False)
    quick.desk.cancel(visit)
    quick.work()
    assert quick.post.sent == []


def test_a_told_time_that_is_called_off_is_told_whoever_chose_it(quick):
    task = quick.invited()
    quick.at(AFTER_DUE)
    assert sent(quick) == ["appointment"]
    quick.dips.cancel(quick.visit(task), reason="8445:1")
    quick.work()
    assert sent(quick) == ["appointment", "cancellation"]


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
