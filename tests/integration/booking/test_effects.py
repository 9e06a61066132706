"""What leaves: refused, put off, limited; webhooks in order, and who holds back whom."""

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from tests.waiting import until
from tests.world import ORGANISATION, Post, World, oslo
from timevalg.booking import parked, tell_systems
from timevalg.booking.work import KINDS, do_work, due_work
from timevalg.model.errors import Conflict, IllegalMove, InvalidInput, NotDelivered
from timevalg.model.principal import Principal, RoleName, worker

WHO = worker(ORGANISATION)
OPERATOR = Principal("ola", RoleName.OPERATOR, ORGANISATION)


@dataclass
class Mail(Post):
    """A channel that can refuse, and reaches only those with an address."""

    name: str = "mail"
    deduplicates: bool = False
    refuses: NotDelivered | None = None

    def address(self, letter, patient):
        return patient.email

    def send(self, effect, letter):
        if self.refuses is not None:
            raise self.refuses
        return super().send(effect, letter)


@dataclass
class Hooks:
    """Receivers of events, of which some are away."""

    away: set = field(default_factory=set)
    had: list = field(default_factory=list)

    def send(self, subscription, delivery):
        if subscription.url in self.away:
            raise NotDelivered("webhook", "no connection")
        self.had.append((subscription.url, json.loads(delivery.body)))
        return "204"


def through(world, *channels, hooks=None):
    ports = replace(world.ports, channels=channels or world.ports.channels)
    valg = replace(world.valg, ports=replace(ports, hooks=hooks) if hooks else ports)
    world.valg = valg
    return valg


def test_the_first_channel_that_reaches_the_patient_takes_the_letter(quick):
    mail = Mail()
    through(quick, mail, quick.post)
    quick.desk.register("p-1", email="p-1@example.test")
    quick.invited("p-1")
    quick.invited("p-2")
    quick.work()
    assert [(x.patient, x.address) for x in mail.sent] == [("p-1", "p-1@example.test")]
    assert [x.patient for x in quick.post.sent] == ["p-2"]


def test_a_letter_that_reaches_nobody_is_stopped_and_on_the_staff_list(quick):
    through(quick, Mail())
    task = quick.invited()
    quick.work()
    assert [x.state for x in quick.letters(task=task.id)] == ["stopped"]
    assert [c.task for c in quick.cases("letter-refused")] == [task.id]


def test_what_has_surely_not_left_is_sent_again_even_where_nobody_deduplicates(world):
    mail = Mail(refuses=NotDelivered("mail", "no connection"))
    valg = through(world, mail)
    world.desk.register("p-1", email="p-1@example.test")
    world.invited()
    assert "failed" in {d.outcome for d in valg.work()}
    assert [x.state for x in world.letters()] == ["pending"]
    mail.refuses = None
    world.later(minutes=1)
    assert [x.state for x in world.letters()] == ["sent"]
    assert len(mail.sent) == 1
    assert world.cases() == []


def test_what_is_refused_for_good_goes_to_staff(quick):
    through(quick, Mail(refuses=NotDelivered("mail", "the server said 550", forever=True)))
    quick.desk.register("p-1", email="p-1@example.test")
    quick.invited()
    quick.work()
    assert [x.state for x in quick.letters()] == ["stopped"]
    (case,) = quick.cases("letter-refused")
    assert "550" in case.reason
    assert "example.test" not in case.reason


def test_a_channel_takes_no_more_letters_a_minute_than_its_rate(world):
    mail = Mail(rate=2)
    through(world, mail)
    for n in range(5):
        world.desk.register(f"p-{n}", email=f"p-{n}@example.test")
        world.invited(f"p-{n}")
    for sent in (2, 4, 5):
        world.work()
        assert len(mail.sent) == sent
        world.clock.advance(timedelta(minutes=1))
    assert {w.attempts for w in world.read(lambda u: u.work.find(kind="send letter"))} == {1}


def subscribed(world, *urls):
    hooks = Hooks()
    through(world, hooks=hooks)
    for url in urls:
        world.dips.subscribe(url, "DIPS", ["task.", "appointment."])
    return hooks


def work_until(world, reached):
    """Work until something has been reached: other tests on the server can delay the feed."""
    assert any(world.valg.work() is not None and reached() for _ in range(5_000))


def told(world):
    return [e for e in world.events() if e.type.startswith(("task.", "appointment."))]


def test_events_come_once_and_in_order(world):
    hooks = subscribed(world, "https://dips.test/")
    world.chosen()
    for _ in range(3):
        world.work()
        world.later(minutes=1)
    work_until(world, lambda: len(hooks.had) >= len(told(world)))
    feed = [e.id for e in world.events() if e.type.startswith(("task.", "appointment."))]
    got = [e["id"] for _, e in hooks.had]
    assert sorted(got) == sorted(feed)
    streams = {e["appointment"] or e["task"] for _, e in hooks.had}
    assert len(streams) > 1
    for stream in streams:
        mine = [e["id"] for _, e in hooks.had if (e["appointment"] or e["task"]) == stream]
        assert mine == [key for key in feed if key in set(mine)]


def test_a_receiver_that_is_away_holds_back_only_its_own_later_events(world):
    away, there = "https://away.test/", "https://there.test/"
    hooks = subscribed(world, away, there)
    hooks.away.add(away)
    world.chosen()
    work_until(world, lambda: len(hooks.had) >= len(told(world)))
    assert {url for url, _ in hooks.had} == {there}
    assert len(hooks.had) == len(told(world))
    waiting = world.read(lambda unit: unit.work.find(kind="deliver", state="waiting"))
    streams = world.read(lambda unit: unit.deliveries.find(state="pending"))
    assert len(waiting) == len({d.stream for d in streams}) < len(streams)  # heads only
    hooks.away.clear()
    for _ in range(4):
        world.clock.advance(timedelta(hours=1))
        world.valg.work()
    ours = [e["id"] for url, e in hooks.had if url == away]
    theirs = [e["id"] for url, e in hooks.had if url == there]
    assert sorted(ours) == sorted(theirs)  # each once
    bodies = {e["id"]: e for _, e in hooks.had}
    streams = {bodies[key]["appointment"] or bodies[key]["task"] for key in ours}
    assert len(streams) > 1
    for stream in streams:
        mine = [k for k in ours if (bodies[k]["appointment"] or bodies[k]["task"]) == stream]
        assert mine == [k for k in theirs if k in set(mine)]


def test_a_subscription_twice_is_one_and_ended_it_is_told_no_more(world):
    hooks = subscribed(world, "https://dips.test/")
    again = world.dips.subscribe("https://dips.test/", "DIPS", ["task.", "appointment."])
    assert len(world.read(lambda unit: unit.subscriptions.find())) == 1
    world.invited()
    # transactions of other tests on the same server hold the feed back, not for long
    until(lambda: tell_systems.pass_on_events(world.ports, WHO, again.id))
    world.dips.end_subscription(again)
    world.work()
    assert hooks.had == []
    assert {d.state for d in world.read(lambda u: u.deliveries.find())} == {"stopped"}


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("http://dips.test/", "DIPS"),
        ("ftp://dips.test/", "DIPS"),
        ("https://user:word@dips.test/", "DIPS"),
        ("https://dips.test/", ""),
        ("dips", "DIPS"),
        ("https://[", "DIPS"),
        ("https://[x]/", "DIPS"),
        ("https://\u2100.no/", "DIPS"),
        ("http://localhost:abc/", "DIPS"),
        ("https://dips\n.test/", "DIPS"),
        ("https://di ps.test/", "DIPS"),
    ],
)
def test_an_address_that_events_must_not_leave_to(quick, url, secret):
    with pytest.raises(InvalidInput):
        quick.dips.subscribe(url, secret)


class Broken:
    def render(self, kind, facts):
        raise RuntimeError("no paper")


def given_up(world):
    """A letter's work after all its attempts."""
    world.invited()
    ports = replace(world.ports, typesetter=Broken())
    (work,) = world.read(lambda unit: unit.work.find(kind="letter"))
    for _ in range(KINDS["letter"].attempts):
        do_work(ports, WHO, work.id)
        world.clock.advance(timedelta(hours=1))
    return world.read(lambda unit: unit.work.get(work.id))


def test_work_that_was_given_up_is_on_the_staff_list_and_can_be_retried(world):
    work = given_up(world)
    assert work.state == "parked"
    (case,) = world.cases("work-parked")
    assert case.detail == {"work": work.id, "kind": "letter", "error": "RuntimeError"}
    assert len(world.events("staff.work-parked")) == 1
    assert parked.list_work(world.ports, OPERATOR) == [work]
    assert parked.show_work(world.ports, OPERATOR, work.id).error.startswith(
        "RuntimeError: in test_effects.py:"
    )
    retried = parked.retry_work(world.ports, OPERATOR, work.id, "paper has come")
    assert (retried.state, retried.attempts) == ("waiting", 0)
    assert world.cases("work-parked") == []
    world.work()
    assert len(world.post.sent) == 1
    with pytest.raises(IllegalMove, match="done"):
        parked.retry_work(world.ports, OPERATOR, work.id)


def test_dropped_work_stays_where_it_can_be_seen(world):
    work = given_up(world)
    dropped = parked.drop_work(world.ports, OPERATOR, work.id, "told by phone")
    assert dropped.state == "dropped"
    assert "told by phone" in dropped.error
    world.work()
    assert world.post.sent == []
    assert world.cases("work-parked") == []


def test_a_dropped_delivery_lets_the_next_of_its_stream_go(world):
    hooks = subscribed(world, "https://dips.test/")
    hooks.away.add("https://dips.test/")
    world.invited()
    work_until(world, lambda: world.read(lambda unit: unit.deliveries.find()))
    (work,) = world.read(lambda unit: unit.work.find(kind="deliver", state="waiting"))
    parked.drop_work(world.ports, OPERATOR, work.id, "they have it")
    hooks.away.clear()
    world.later(minutes=5)
    work_until(world, lambda: hooks.had)
    dropped = world.read(lambda unit: unit.deliveries.get(work.entity))
    assert dropped.state == "stopped"
    assert hooks.had
    assert dropped.event not in {e["id"] for _, e in hooks.had}


def test_nobody_settles_work_that_a_worker_holds(world):
    world.invited()
    (work,) = world.read(lambda unit: unit.work.find(kind="letter"))
    stale = world.read(lambda unit: unit.work.get(work.id))
    world.store.run(
        ORGANISATION,
        lambda unit: unit.work.lease([work.id], unit.now(), unit.now() + timedelta(9), "me"),
    )
    assert not world.store.run(ORGANISATION, lambda unit: unit.work.settle(stale))
    with pytest.raises((IllegalMove, Conflict)):
        parked.drop_work(world.ports, OPERATOR, work.id, "no")


def test_what_is_due_of_one_clinic_does_not_wait_for_thousands_of_another(open_store):
    """Priorities, and shares of each clinic."""
    world = World(lambda clock: open_store("postgresql", clock))
    now = world.clock.now()
    world.invited()
    model = world.read(lambda unit: unit.work.find(limit=1)[0])
    works = [
        replace(model, id=f"f-{n:05}", effect=f"f-{n}", kind="letter", clinic="big", due_at=now)
        for n in range(2_000)
    ]
    small = [
        replace(model, id="s-1", effect="s-1", kind="fall due", clinic="small", due_at=now),
        replace(model, id="s-2", effect="s-2", kind="letter", clinic="small", due_at=now),
    ]
    world.store.run(ORGANISATION, lambda unit: unit.work._records.add_all(works + small))
    unfair = due_work(world.ports, ORGANISATION, 100, kinds=["letter"])
    assert "s-2" not in {w.id for w in unfair}  # guard off: it waits for all of them
    fair = due_work(world.ports, ORGANISATION, 100, share=20)
    assert fair[0].id == "s-1"
    assert "s-2" in {w.id for w in fair}
    assert sum(w.clinic == "big" for w in fair) == 20


def test_reminders(quick):
    """7, 3 and 1 days before, on working days, at 10 by the clock on the wall."""
    mail = Mail()

    def reach(letter, patient):
        return patient.email

    mail.address = reach
    through(quick, mail, quick.post)
    quick.desk.register("p-1", email="p-1@example.test")
    task = quick.invited()
    quick.patient().choose(task, oslo(2027, 1, 20, 9))  # a Wednesday
    quick.work()
    planned = quick.read(lambda unit: unit.work.find(kind="remind"))
    assert [w.due_at for w in planned] == [
        oslo(2027, 1, 13, 10),
        oslo(2027, 1, 15, 10),  # Sunday gives way to Friday
        oslo(2027, 1, 19, 10),
    ]
    quick.clock.set(oslo(2027, 1, 13, 22))  # the worker comes late, in the quiet hours
    quick.work()
    assert [x.kind for x in mail.sent if x.kind == "reminder"] == []
    quick.clock.set(oslo(2027, 1, 14, 8))
    quick.work()
    (letter,) = (x for x in mail.sent if x.kind == "reminder")
    assert letter.subject == "Husk timen din onsdag 20. januar 2027 kl. 09.00"
    visit = quick.visit(task)
    quick.desk.cancel(visit)
    quick.clock.set(oslo(2027, 1, 19, 11))
    quick.work()
    assert len([x for x in mail.sent if x.kind == "reminder"]) == 1


def test_a_moved_visit_is_reminded_of_at_its_new_time_only(quick):
    mail = Mail()
    through(quick, mail, quick.post)
    quick.desk.register("p-1", email="p-1@example.test")
    task = quick.invited()
    visit = quick.patient().choose(task, oslo(2027, 1, 18, 9))
    quick.work()
    quick.patient().change(visit, oslo(2027, 1, 20, 9))
    quick.work()
    for day in range(5, 20):
        quick.clock.set(oslo(2027, 1, day, 12))
        quick.work()
    told = [x.sent_at or x.sending_at for x in mail.sent if x.kind == "reminder"]
    assert [when.day for when in told] == [13, 15, 19]
