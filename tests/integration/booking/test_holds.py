"""A hold is renewed by its owner, some times; it gives way to the same patient's next."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.world import WEEKDAYS, document, oslo, pool
from timevalg.booking import attempts
from timevalg.booking import hold as holding
from timevalg.booking.hold import RENEWALS
from timevalg.model.errors import IllegalMove, NotFound, TimeTaken
from timevalg.model.principal import Principal, RoleName
from timevalg.solver.wishes import SAME, Wishes

AT, LATER = oslo(2027, 1, 20, 9), oslo(2027, 1, 20, 10)


def held(world):
    return world.sessions(kind="hold")


def test_it_is_held_for_its_minutes_from_now_on(world):
    task = world.invited()
    first = world.patient().hold(task, AT)
    world.later(minutes=6)
    second = world.patient().renew(first)
    assert (second.id, second.resources) == (first.id, first.resources)
    assert second.until == first.until + timedelta(minutes=6)
    assert held(world) == [second]
    world.later(minutes=6)  # the first would have expired
    assert held(world) == [second]
    assert world.patient().choose(task, AT).start == AT
    assert [e.new["until"] for e in world.events("task.hold-renewed")] == [second.until.isoformat()]


def test_its_minutes_begin_when_it_is_had_not_when_it_was_planned(world, monkeypatch):
    """Waiting for others' locks takes nothing from the patient."""
    task, run = world.invited(), attempts.run

    def slow(*given, **named):
        world.clock.advance(timedelta(minutes=2))
        return run(*given, **named)

    monkeypatch.setattr(attempts, "run", slow)
    hold = world.patient().hold(task, AT)
    assert hold.until == world.clock.now() + timedelta(minutes=10)
    assert held(world) == [hold]
    assert [w.due_at for w in world.read(lambda u: u.work.find(kind="expire hold"))] == [hold.until]


def test_one_that_is_put_anew_ends_when_the_patient_was_told(world, monkeypatch):
    """The hospital adds time to the visit that is being confirmed."""
    task, run = world.invited(), attempts.run
    hold = world.patient().hold(task, AT)

    def slow(*given, **named):
        world.clock.advance(timedelta(minutes=2))
        return run(*given, **named)

    monkeypatch.setattr(attempts, "run", slow)
    world.desk.amend(task, extra=10)
    (longer,) = held(world)
    assert (longer.length, longer.until) == (hold.length + 10, hold.until)


def test_so_often_and_no_more_until_others_have_had_the_chance(world):
    task = world.invited()
    hold = world.patient().hold(task, AT)
    for number in range(RENEWALS):
        again = (world.patient().renew, lambda h: world.patient().hold(task, h.start))[number % 2]
        world.later(minutes=6)
        hold = again(hold)
    world.later(minutes=6)
    for again in (lambda: world.patient().renew(hold), lambda: world.patient().hold(task, AT)):
        with pytest.raises(IllegalMove, match=f"renewed {RENEWALS} times"):
            again()
    world.later(minutes=5)
    assert held(world) == []
    assert world.patient().renew(hold).id != hold.id


def test_one_that_has_expired_is_taken_anew_if_it_is_free(world):
    mine, theirs = world.invited(), world.invited("p-2")
    hold = world.patient().hold(mine, AT)
    world.clock.advance(timedelta(minutes=11))
    renewed = world.patient().renew(hold)  # before anybody has tidied up
    assert renewed.until > hold.until
    world.later(minutes=11)
    assert world.patient().renew(hold).start == AT  # after
    world.later(minutes=11)
    world.patient("p-2").choose(theirs, AT)
    with pytest.raises(TimeTaken) as refused:
        world.patient().renew(hold)
    assert refused.value.alternatives
    assert world.promises_broken() == {}


def test_nobody_elses(world):
    task = world.invited()
    hold = world.patient().hold(task, AT)
    world.invited("p-2")
    for who in (
        world.patient("p-2").principal,
        Principal("x", RoleName.REPRESENTATIVE, task.organisation, patient="p-2"),
    ):
        with pytest.raises(NotFound):
            holding.renew_hold(world.ports, who, task.id, AT)
    assert held(world) == [hold]


def test_a_second_hold_of_the_patient_replaces_the_first_for_whichever_task(world):
    one, other = world.invited(), world.invited(pools=("manual",))
    hold = world.patient().hold(one, AT)
    assert [s.start for s in held(world)] == [AT]
    world.patient().hold(one, LATER)
    assert [s.start for s in held(world)] == [LATER]
    second = world.patient().hold(other, AT)
    assert held(world) == [second]
    assert world.promises_broken() == {}
    with pytest.raises(IllegalMove, match="another time is held"):
        world.patient().renew(replace(hold, start=LATER))
    world.patient("p-2").choose(world.invited("p-2"), LATER)  # free again


def test_the_first_hold_is_given_up_only_if_the_second_is_had(world):
    task = world.invited()
    hold = world.patient().hold(task, AT)
    world.patient("p-2").choose(world.invited("p-2"), LATER)
    with pytest.raises(TimeTaken):
        world.patient().hold(task, LATER)
    assert held(world) == [hold]


def test_two_renewals_at_once_are_two(database, monkeypatch):
    task = database.invited()
    hold = database.patient().hold(task, AT)
    pictures = database.ports.pictures
    old, current = pictures.current(task.organisation), pictures.current
    database.patient().renew(hold)
    looks = iter([old])
    monkeypatch.setattr(pictures, "current", lambda o: next(looks, None) or current(o))
    database.patient().renew(hold)  # planned before the first was there
    with pytest.raises(IllegalMove):
        database.patient().renew(hold)


def test_a_time_that_leaves_no_place_if_let_go_is_chosen_not_held(make_world):
    """Its notice of 30 days makes it no place, and the only other start is the same hour."""
    hour = [{"days": WEEKDAYS, "from": "09:00", "to": "09:30"}]
    pools = [pool("auto", open=hour, fallback_notice=30), pool("manual", open=hour)]
    world = make_world(document(pools=pools))
    task = world.invited(pools=("auto", "manual"), not_before=AT.date(), not_after=AT.date())
    me, before = world.patient(), world.sessions()
    late, place = me.offers(task).offers
    assert (late.pool, place.pool) == ("auto", "manual")
    with pytest.raises(IllegalMove, match="can be chosen at once, but nothing else would be left"):
        me.hold(task, late)
    assert world.sessions() == before
    assert me.hold(task, place).is_place
    assert me.choose(task, late).pool == "auto"


@pytest.mark.parametrize("verb", ["hold", "choose"])
def test_a_time_that_has_passed_is_told_as_such(world, verb):
    task = world.invited()
    start = world.clock.now() - timedelta(minutes=30)
    with pytest.raises(TimeTaken, match="2027-01-04 07:30 has passed; choose another") as refused:
        getattr(world.patient(), verb)(task, start)
    assert refused.value.alternatives


def test_who_holds_a_start_and_chooses_it_with_another_clinician_gets_that_one(quick):
    """The visit is with whom the offer shows, not with whom the hold was."""
    task = quick.invited()
    me = quick.patient("p-1")
    held = me.hold(task, me.offers(task).offers[0])
    other = next(iter({"dr-a", "dr-b"} - {held.resources["doctor"][0]}))
    wishes = Wishes(clinicians=frozenset({other}), must=frozenset({SAME}))
    offers = me.offers(task, limit=100, wishes=wishes).offers
    (offer,) = [o for o in offers if o.start == held.start]
    assert me.choose(task, offer).resources["doctor"] == (other,)


def test_a_held_time_that_is_no_place_by_a_later_due_date_may_still_be_chosen(world):
    """The task gets another place; the hold keeps its minutes."""
    task, early = world.invited(), oslo(2027, 1, 14, 9)
    hold = world.patient().hold(task, early)
    assert hold.is_place
    world.desk.amend(task, due=date(2027, 1, 15))
    (kept,) = held(world)
    assert kept == replace(hold, is_place=False)
    (place,) = world.sessions(task=task.id, kind="place")
    assert place.start > oslo(2027, 1, 16)
    assert world.promises_broken() == {}
    assert world.patient().choose(task, early).start == early
    assert (world.promises_broken(), world.sessions(kind="place")) == ({}, [])
