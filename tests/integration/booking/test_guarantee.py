"""Nobody is stranded: every live task has a valid place after every step, at any load."""

from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest

from tests.world import World, document, oslo
from timevalg.booking.sync import CalendarRow
from timevalg.model.errors import TimeTaken
from timevalg.store import Memory

DAY = date(2027, 1, 20)


def invitations(*windows):
    return [
        {
            "patient": f"q-{n}",
            "pools": ["auto"],
            "opens": date(2027, 1, 4),
            "due": date(2027, 1, 8),
            "not_before": first,
            "not_after": last,
        }
        for n, (first, last) in enumerate(windows)
    ]


def test_as_many_tasks_as_starts_and_each_patient_gets_one(world):
    answers = world.desk.invite_many(invitations(*[(DAY, DAY)] * 8))
    assert all(a.task for a in answers)
    random = Random(8)
    for answer in random.sample(answers, 8):
        me = world.patient(answer.task.patient)
        offers = me.offers(answer.task, 100)
        assert len(offers.offers) == offers.feasible  # whatever is free is safe here
        visit = me.choose(answer.task, random.choice(offers.offers))
        assert visit.start.date() == DAY
        assert world.promises_broken() == {}
    assert len({s.start for s in world.sessions(kind="booking")}) == 8


@pytest.mark.parametrize("seed", range(3))
def test_patients_who_could_go_anywhere_do_not_strand_those_who_cannot(seed):
    world = World(Memory)
    last = DAY + timedelta(days=2)
    tight = [(DAY + timedelta(days=n % 3), DAY + timedelta(days=n % 3)) for n in range(9)]
    answers = world.desk.invite_many(invitations(*tight, *[(DAY, last)] * 15))
    assert all(a.task for a in answers)  # 24 tasks for 24 starts
    random = Random(seed)
    moved = 0
    for answer in sorted(answers, key=lambda a: a.task.not_before == a.task.not_after):
        me = world.patient(answer.task.patient)
        offer = random.choice(me.offers(answer.task, 100).offers)
        moved += len(offer.certificate.moved)
        me.choose(answer.task, offer)
        assert world.promises_broken() == {}
    assert moved > 5  # the places of others did give way
    assert len(world.sessions(kind="booking")) == 24
    assert world.cases("capacity-loss") == []


def test_one_too_many_is_not_sent_and_the_shortage_is_named(world):
    answers = world.desk.invite_many(invitations(*[(DAY, DAY)] * 9))
    (short,) = [a for a in answers if a.task is None]
    assert "needed by others invited" in str(short.shortage)
    assert (short.shortage.first, short.shortage.last) == (DAY, DAY)
    assert world.task(short.draft).state == "draft"
    world.at(date(2027, 1, 6))
    assert {letter.patient for letter in world.letters()} == {
        a.task.patient for a in answers if a.task
    }
    (case,) = world.cases("not-servable")
    assert (case.task, case.reason) == (short.draft.id, str(short.shortage))
    assert world.sessions(task=short.draft.id) == []


def test_the_role_that_is_short_is_named(quick):
    block = {"service": "talk", "clinic": "clinic", "resources": {"room": ("room",)}}
    rows = [
        CalendarRow(f"op/{day}-{n}", 1, start=oslo(2027, 1, day, 8 + n // 2, n % 2 * 30), **block)
        for day in (20, 21)
        for n in range(8)
    ]
    assert len(quick.dips.sync(rows).applied) == 16
    answer = quick.invite(not_before=DAY, not_after=DAY + timedelta(days=1))
    assert answer.task is None
    assert answer.shortage.roles == ("room",)
    why, cures = str(answer.shortage).split("; it would help: ")
    assert why == "no time for room (30 min) between 2027-01-20 and 2027-01-21"
    assert cures == "not_after +1 day, or not_before -1 day, or one more room on Wednesdays"


def test_a_draft_is_sent_once_there_is_room(quick):
    taken = quick.desk.invite_many(invitations(*[(DAY, DAY)] * 8))
    late = {"ref": "oppgave/9", "not_before": DAY, "not_after": DAY}
    draft = quick.invite("late", **late).draft
    assert draft is not None
    assert len(quick.cases("not-servable")) == 1
    assert quick.invite("late", **late).draft.id == draft.id
    assert len(quick.cases("not-servable")) == 1  # still one case, not two
    quick.desk.withdraw(task=taken[0].task.id)
    assert quick.invite("late", **late).task.id == draft.id
    assert quick.task(draft).state == "open"
    assert quick.cases() == []


def test_every_offer_shown_can_be_chosen(quick):
    quick.desk.invite_many(invitations(*[(DAY, DAY)] * 7))
    task = quick.invited("p-1", not_before=DAY, not_after=DAY)
    shown = quick.patient().offers(task, 100).offers
    assert shown
    for offer in shown:
        visit = quick.patient().choose(task, offer)
        assert (visit.start, visit.pool) == (offer.start, offer.pool)
        assert dict(visit.resources) == dict(offer.session.resources)
        assert quick.promises_broken() == {}
        quick.desk.undo(task, reason="again")
        assert quick.promises_broken() == {}


def shown_but_not_found_again(world, monkeypatch):
    """A start on somebody's only other day, for which a search of its own finds no way."""
    other = world.invited("p-2", not_before=DAY, not_after=DAY + timedelta(days=1))
    (place,) = world.sessions(task=other.id)
    task = world.invited("p-1", not_before=DAY)
    me = world.patient()
    offer = next(o for o in me.offers(task, 100).offers if o.start == place.start)
    assert offer.certificate.moved
    monkeypatch.setattr("timevalg.booking.choose.safe", lambda *given, **named: None)
    return me, task, offer


@pytest.mark.parametrize("verb", ["choose", "hold"])
def test_an_offer_shown_is_honoured_by_the_way_it_was_shown(world, monkeypatch, verb):
    me, task, offer = shown_but_not_found_again(world, monkeypatch)
    assert getattr(me, verb)(task, offer).start == offer.start
    assert world.promises_broken() == {}


def test_if_that_way_were_not_asked_for_it_would_be_refused(quick, monkeypatch):
    me, task, offer = shown_but_not_found_again(quick, monkeypatch)
    monkeypatch.setattr("timevalg.booking.choose.recall", lambda *given, **named: None)
    with pytest.raises(TimeTaken, match="which others who are invited may need"):
        me.choose(task, offer)


def test_choosing_a_place_of_another_moves_it(world):
    other = world.invited("p-2", not_before=DAY)
    place = world.sessions(task=other.id)[0]
    task = world.invited("p-1", not_before=DAY)
    world.patient().choose(task, place.start)
    moved = world.sessions(task=other.id)[0]
    assert moved.start != place.start
    assert world.promises_broken() == {}


def test_what_would_strand_is_not_offered(world):
    tight = world.desk.invite_many(invitations(*[(DAY, DAY)] * 8))
    assert all(a.task for a in tight)
    loose = world.invited("p-1", not_before=DAY, not_after=DAY + timedelta(days=1))
    starts = {o.start.date() for o in world.patient().offers(loose, 100).offers}
    assert starts == {DAY + timedelta(days=1)}
    before = world.sessions()
    with pytest.raises(TimeTaken, match="which others who are invited may need") as refused:
        world.patient().choose(loose, oslo(2027, 1, 20, 9))
    assert refused.value.alternatives
    assert world.sessions() == before


def test_places_survive_the_clock_to_the_day_after_due(quick):
    quick.desk.invite_many(
        [
            {
                "patient": f"q-{n}",
                "pools": ["staff"],
                "opens": date(2027, 1, 4 + n % 3),
                "due": date(2027, 1, 8 + n),
                "not_after": date(2027, 1, 12 + n),
            }
            for n in range(6)
        ]
    )
    for day in range(4, 15):
        quick.at(date(2027, 1, day), 0)
        assert quick.promises_broken() == {}, day
    assert quick.cases("capacity-loss") == []


def test_the_fallback_books_everybody_at_full_load(world):
    answers = world.desk.invite_many(invitations(*[(DAY, DAY)] * 8))
    world.at(date(2027, 1, 9), 0)
    assert [world.task(a.task).state for a in answers] == ["confirmed"] * 8
    assert len({s.start for s in world.sessions(kind="booking")}) == 8
    assert world.overlaps() == []


@pytest.mark.parametrize("hour", [9, 10])
def test_a_choice_gives_up_the_same_patients_hold_for_another_task_not_its_place(world, hour):
    first = world.invited(not_before=DAY)
    second = world.invited(pools=("manual",), not_before=DAY)
    at = oslo(2027, 1, 20, 9)
    world.patient().hold(first, at)
    assert [s.is_place for s in world.sessions(task=first.id)] == [True]
    world.patient().choose(second, oslo(2027, 1, 20, hour))  # what was held for the other, or not
    assert world.promises_broken() == {}
    assert world.sessions(task=first.id)[0].kind == "place"
    third = world.invited("p-3", not_before=DAY)
    assert world.promises_broken() == {}
    assert third.state == "open"


@pytest.mark.parametrize("first", ["hold", "place"])
def test_a_place_gives_way_to_a_quota_and_a_hold_does_not(make_world, first):
    world = make_world(document(quotas=[{"pools": ["auto"], "per": "day", "max": 2}]))
    next_day = DAY + timedelta(days=1)
    full = [world.invited(p, not_before=next_day, not_after=next_day) for p in ("q-1", "q-2")]
    wanting = world.invited("p-1")
    steps = [
        lambda: world.patient("p-1").hold(wanting, oslo(2027, 1, 20, 9)),
        lambda: world.invited("p-2", not_before=DAY, not_after=next_day),
    ]
    order = steps if first == "hold" else reversed(steps)
    made = {type(done).__name__: done for done in [step() for step in order]}
    assert made["Session"].is_place
    assert world.sessions(task=made["Task"].id)[0].start.date() == DAY
    world.desk.withdraw(task=full[0].id)
    world.patient("p-3").choose(world.invited("p-3"), oslo(2027, 1, 20, 10))
    assert made["Session"] in world.sessions()
    assert world.sessions(task=made["Task"].id)[0].start.date() == next_day
    assert world.promises_broken() == {}


@pytest.mark.parametrize("override", [False, True])
def test_staff_do_not_take_what_a_patient_holds(world, override):
    at = oslo(2027, 1, 20, 9)
    held = world.patient("p-1").hold(world.invited("p-1"), at)
    task = world.invited("p-2")
    world.desk.take(task)
    for doctor in ("dr-a", "dr-b"):
        resources = {"doctor": [doctor], "room": ["room"]}
        with pytest.raises(TimeTaken):
            world.desk.assign(
                task, start=at, resources=resources, reason="urgent", override=override
            )
    assert held in world.sessions()


def assigned(world, task, hour, **more):
    if world.task(task).state == "open":
        world.desk.take(task)
    doctor = {"doctor": ["dr-a"], "room": ["room"]}
    return world.desk.assign(task, start=oslo(2027, 1, 20, hour), resources=doctor, **more)


def test_what_a_patient_holds_counts_in_a_quota_when_staff_book_another_of_their_tasks(make_world):
    """Staff do not give up what the patient holds, as the patient's own choice would."""
    world = make_world(document(quotas=[{"pools": ["auto"], "per": "day", "max": 1}]))
    held = world.patient().hold(world.invited(), oslo(2027, 1, 20, 9))
    task = world.invited()
    with pytest.raises(TimeTaken, match="1 of 1 visits a day"):
        assigned(world, task, 10)
    assert held in world.sessions()
    assert assigned(world, task, 10, override=True, reason="urgent").state == "assigned"
    assert held.id in {s.id for s in world.sessions()}


@pytest.mark.parametrize("elsewhere", [True, False])
def test_a_hold_that_an_override_puts_over_a_quota_is_no_place_any_more(make_world, elsewhere):
    """It stays its patient's, but the time that the guarantee keeps is another, or is lost."""
    world = make_world(document(quotas=[{"pools": ["auto"], "per": "day", "max": 1}]))
    task = world.invited(not_before=DAY, not_after=DAY + timedelta(days=elsewhere))
    held = world.patient().hold(task, oslo(2027, 1, 20, 9))
    assert held.is_place
    assigned(world, world.invited("p-2"), 10, override=True, reason="urgent")
    places = world.sessions(task=task.id, kind="place")
    assert world.sessions(kind="hold") == [replace(held, is_place=False)]
    assert [s.start.date() for s in places] == [DAY + timedelta(days=1)] * elsewhere
    assert [c.task for c in world.cases("capacity-loss")] == [task.id] * (not elsewhere)
    assert world.promises_broken() == {}
    world.later(minutes=11)
    assert world.sessions(kind="hold") == []
    assert world.sessions(task=task.id) == places
    assert world.promises_broken() == {}


def test_a_hold_whose_day_the_record_system_fills_is_given_up_and_its_place_moves(make_world):
    world = make_world(document(quotas=[{"pools": ["auto"], "per": "day", "max": 1}]))
    task = world.invited(not_before=DAY, not_after=DAY + timedelta(days=1))
    world.patient().hold(task, oslo(2027, 1, 20, 9))
    visit = {"service": "talk", "clinic": "clinic", "pool": "auto", "start": oslo(2027, 1, 20, 10)}
    resources = {"doctor": ("dr-a",), "room": ("room",)}
    assert world.dips.sync([CalendarRow("op/1", 1, resources=resources, **visit)]).applied
    (place,) = world.sessions(task=task.id)
    assert (place.kind, place.start.date()) == ("place", DAY + timedelta(days=1))
    assert world.promises_broken() == {}


def test_a_hold_gives_way_to_the_next_though_its_day_holds_fewer_by_now(make_world):
    """The place that it leaves stays where it was; nothing is taken by that."""

    def quota(most):
        return document(quotas=[{"pools": ["auto"], "per": "day", "max": most}])

    world = make_world(quota(2))
    holds = [
        world.patient(name).hold(world.invited(name), oslo(2027, 1, 20, hour))
        for name, hour in (("p-1", 9), ("p-2", 10))
    ]
    world.publish(quota(1))
    later = world.invited(not_before=DAY + timedelta(days=1))
    assert world.patient().hold(later, oslo(2027, 1, 21, 9)).is_place
    assert holds[0].id not in {s.id for s in world.sessions()}


def test_quotas_hold_for_places_and_choices_together(make_world):
    limit = 2
    world = make_world(document(quotas=[{"pools": ["auto"], "per": "day", "max": limit}]))
    answers = world.desk.invite_many(invitations(*[(DAY, DAY + timedelta(days=1))] * (2 * limit)))
    assert all(a.task for a in answers)
    assert world.invite("late", not_before=DAY, not_after=DAY + timedelta(days=1)).task is None
    for answer in answers:
        me = world.patient(answer.task.patient)
        me.choose(answer.task, me.offers(answer.task).offers[-1])
        assert world.promises_broken() == {}
    days = [s.start.date() for s in world.sessions(kind="booking")]
    assert {days.count(d) for d in days} == {limit}


def test_a_busy_fortnight_keeps_every_promise():
    """Random use of everything, one step after another, with the verifier after each."""
    world = World(Memory)
    random = Random(27)
    tasks = []
    for step in range(60):
        who = f"q-{random.randrange(12)}"
        if len(tasks) < 30 and random.random() < 0.5:
            first = date(2027, 1, 18) + timedelta(days=random.randrange(5))
            answer = world.invite(
                who,
                (random.choice(["auto", "manual", "record", "staff"]),),
                not_before=first,
                not_after=first + timedelta(days=random.randrange(4)),
            )
            tasks += [answer.task] if answer.task else []
        elif tasks:
            task = world.task(random.choice(tasks))
            me, state = world.patient(task.patient), task.state
            if state in {"open", "with-staff"}:
                offers = me.offers(task).offers
                verb = random.choice([me.choose, me.choose, me.hold])
                if offers:
                    verb(task, random.choice(offers))
            elif state == "chosen":
                world.desk.check(task, confirm=random.random() < 0.7)
            elif state == "confirmed" and world.visit(task).state == "booked":
                offers = me.offers_to_change(world.visit(task)).offers
                if random.random() < 0.5 and offers:
                    world.desk.change(world.visit(task), random.choice(offers))
                else:
                    world.desk.cancel(world.visit(task))
        if step % 5 == 0:
            world.later(hours=1)
        assert world.promises_broken() == {}, step
    world.at(date(2027, 1, 9))
    assert world.promises_broken() == {}
    assert world.overlaps() == []
    assert world.cases("capacity-loss") == []
    assert len({world.task(t).state for t in tasks}) >= 2
