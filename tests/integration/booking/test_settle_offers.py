"""What a look leaves undecided is settled in the background, for the next look and the choice."""

from __future__ import annotations

from datetime import date

import pytest

from tests.waiting import until
from tests.world import ORGANISATION, Post
from timevalg.booking.settle_offers import settle_offers
from timevalg.model.errors import TimeTaken
from timevalg.model.principal import worker
from timevalg.solver import recall, safety
from timevalg.wiring import ports_on

DAY = date(2027, 1, 20)


@pytest.fixture(autouse=True)
def short_of_breath(monkeypatch):
    """Repair finds nothing at all."""
    monkeypatch.setattr(safety, "CHAIN", -1)
    monkeypatch.setattr(safety, "WAYS", 0)


def crowded(world):
    """Eight half-hours on one day, a doctor and a room: seven are invited for it."""
    window = {"opens": date(2027, 1, 4), "due": date(2027, 1, 8)}
    window |= {"not_before": DAY, "not_after": DAY}
    sent = world.desk.invite_many(
        [{"patient": f"p-{n}", "pools": ["auto"], **window} for n in range(7)]
    )
    return [answer.task for answer in sent]


def test_the_next_look_has_what_a_prover_found_and_it_can_be_chosen(world):
    tasks = crowded(world)
    me = world.patient("p-0")
    first = me.offers(tasks[0])
    assert first.undecided > 0
    me.offers(tasks[0])
    elsewhere = ports_on(world.store, Post()).pictures  # of another process
    elsewhere.current(ORGANISATION)
    assert world.only_work("settle offers").entity == tasks[0].id
    # transactions of other tests on the same server hold the feed back, not for long
    until(lambda: elsewhere.current(ORGANISATION).settled.get(tasks[0].id))
    second = me.offers(tasks[0])
    assert len(second.offers) > len(first.offers)
    new = next(o for o in second.offers if o.certificate.moved)
    visit = me.choose(tasks[0], new)
    assert (visit.start, world.promises_broken()) == (new.start, {})


def test_what_a_prover_found_can_be_held_and_the_held_time_chosen(quick, monkeypatch):
    tasks = crowded(quick)
    me = quick.patient("p-0")
    me.offers(tasks[0])
    quick.work_kinds("settle offers")
    new = next(o for o in me.offers(tasks[0]).offers if o.certificate.moved)
    held = me.hold(tasks[0], new)
    assert (held.start, held.is_place, quick.promises_broken()) == (new.start, True, {})
    monkeypatch.setattr(safety, "CHAIN", 1)  # nobody need move any more
    assert me.choose(tasks[0], new).start == new.start
    assert quick.promises_broken() == {}


@pytest.mark.parametrize("minutes", [0, 11])
def test_who_holds_the_place_of_another_task_has_what_a_prover_found_too(
    world, monkeypatch, minutes
):
    """The other task keeps its place, moved if need be; what was found outlives the hold."""
    (task, *_), other = crowded(world), world.invited("p-0", not_before=DAY, not_after=DAY)
    me = world.patient("p-0")
    monkeypatch.setattr(safety, "CHAIN", 3)
    assert me.hold(other, world.sessions(task=other.id)[0].start).is_place
    monkeypatch.setattr(safety, "CHAIN", -1)
    first = me.offers(task)
    assert first.undecided > 0
    assert settle_offers(world.ports, worker(ORGANISATION), task.id).proved
    # transactions of other tests on the same server hold the feed back, not for long
    until(lambda: world.ports.pictures.current(ORGANISATION).settled.get(task.id))
    world.later(minutes=minutes)
    assert len(world.sessions(kind="hold")) == (minutes == 0)
    second = me.offers(task)
    assert (second.undecided, len(second.offers)) == (0, second.feasible)
    assert second.feasible > len(first.offers)
    new = next(o for o in second.offers if other.id in {s.task for s in o.certificate.moved})
    assert me.choose(task, new).start == new.start
    assert [s.kind for s in world.sessions(task=other.id)] == ["place"]
    assert world.promises_broken() == {}


def overtaken(world, monkeypatch):
    """Somebody chooses the time to which another's place was to move: the task, and its start."""
    tasks = crowded(world)
    me = world.patient("p-0")
    me.offers(tasks[0])
    world.work_kinds("settle offers")
    new = next(o for o in me.offers(tasks[0]).offers if o.certificate.moved)
    moved = {s.task for s in new.certificate.moved}
    third = next(t for t in tasks[1:] if t.id not in moved)
    monkeypatch.setattr(safety, "CHAIN", 3)
    world.patient(third.patient).choose(third, new.certificate.moved[0].start)
    monkeypatch.setattr(safety, "CHAIN", -1)
    return tasks[0], new.start


def test_what_no_longer_holds_is_not_offered(quick, monkeypatch):
    task, start = overtaken(quick, monkeypatch)
    assert start not in [o.start for o in quick.patient("p-0").offers(task).offers]
    assert quick.promises_broken() == {}


def test_guard_off_it_would_be_offered_and_the_booking_would_refuse_it(quick, monkeypatch):
    task, start = overtaken(quick, monkeypatch)
    monkeypatch.setattr(recall, "claim_faults", lambda *_: ())
    monkeypatch.setattr(recall, "all_valid", lambda *_: True)
    assert start in [o.start for o in quick.patient("p-0").offers(task).offers]
    with pytest.raises(TimeTaken):
        quick.patient("p-0").choose(task, start)
    assert quick.promises_broken() == {}


def test_a_worker_that_comes_when_nothing_can_be_chosen_is_done(quick):
    tasks = crowded(quick)
    quick.patient("p-0").offers(tasks[0])
    quick.patient("p-0").decline(tasks[0])
    (done,) = quick.work_kinds("settle offers")
    assert done.outcome == "done"


def test_a_look_that_shows_enough_asks_for_nothing(quick, monkeypatch):
    tasks = crowded(quick)
    monkeypatch.setattr(safety, "CHAIN", 3)
    quick.patient("p-0").offers(tasks[0])
    assert quick.read(lambda unit: unit.work.find(kind="settle offers")) == []
