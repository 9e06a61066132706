"""Where a look leaves many starts open, workers plan places anew, and the next shows more."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.world import Post
from timevalg.booking import attempts, tidy
from timevalg.booking.access import ACCESS
from timevalg.model.errors import TimeTaken
from timevalg.model.principal import RoleName
from timevalg.solver import safety
from timevalg.solver.certificates import Certificate
from timevalg.wiring import ports_on

FIRST = date(2027, 1, 18)
LAST = FIRST + timedelta(days=3)


@pytest.fixture(autouse=True)
def short_of_breath(monkeypatch):
    """Looks move nobody."""
    monkeypatch.setattr(safety, "CHAIN", -1)
    monkeypatch.setattr(safety, "WAYS", 0)


def invited(world, names, first, last):
    window = {"opens": date(2027, 1, 4), "due": date(2027, 1, 8)}
    window |= {"not_before": first, "not_after": last}
    sent = world.desk.invite_many([{"patient": n, "pools": ["auto"], **window} for n in names])
    assert all(answer.task for answer in sent)
    return [answer.task for answer in sent]


def untidy(world):
    """Eight half-hours a day. Twelve could come on four days, but were driven to the first two.

    Those who had the last two days to themselves have said no.
    """
    anywhere = invited(world, [f"p-{n}" for n in range(12)], FIRST, LAST)
    late = invited(world, [f"late-{n}" for n in range(16)], LAST - timedelta(days=1), LAST)
    for task in late:
        world.patient(task.patient).decline(task)
    days = {s.start.date() for s in world.sessions(kind="place")}
    assert days == {FIRST, FIRST + timedelta(days=1)}
    return anywhere


def test_a_look_that_leaves_much_open_has_places_tidied(world):
    tasks = untidy(world)
    me = world.patient("p-0")
    first = me.offers(tasks[0])
    assert first.undecided > 4
    me.offers(tasks[0])
    elsewhere = ports_on(world.store, Post()).pictures  # of another process
    elsewhere.current(tasks[0].organisation)
    work = world.only_work("tidy places")
    assert (work.entity, work.clinic) == (tasks[0].id, tasks[0].clinic)
    assert world.promises_broken() == {}
    second = me.offers(tasks[0])
    assert second.undecided < first.undecided
    before = {o.start for o in first.offers}
    new = next(o for o in second.offers if o.start not in before)
    assert new.start < max(before)  # on the days that were full
    here = world.ports.pictures.current(tasks[0].organisation).index.sessions
    while elsewhere.current(tasks[0].organisation).index.sessions != here:
        pass  # transactions of other tests on the same server hold the feed back, not for long
    assert me.choose(tasks[0], new).start == new.start


def test_a_look_that_leaves_little_open_asks_for_nothing(quick):
    tasks = invited(quick, ["p-0", "p-1"], FIRST, LAST)
    quick.patient("p-0").offers(tasks[0])
    assert quick.read(lambda unit: unit.work.find(kind="tidy places")) == []


def test_where_nothing_can_be_chosen_nothing_moves(quick):
    tasks = untidy(quick)
    quick.patient("p-0").offers(tasks[0])
    quick.patient("p-0").decline(tasks[0])
    before = quick.sessions()
    (done,) = quick.work_kinds("tidy places")
    assert (done.outcome, quick.sessions()) == ("done", before)


def overtaken(world, monkeypatch, times):
    """While places are planned anew somebody chooses the time of one that would move."""
    tasks = untidy(world)
    world.patient("p-0").offers(tasks[0])
    others, find = iter(tasks[1 : 1 + times]), tidy.tidied

    def slow(*given) -> Certificate | None:
        found = find(*given)
        if found and (other := next(others, None)):
            (place,) = world.sessions(task=other.id)
            world.patient(other.patient).choose(other, place.start)
        return found

    monkeypatch.setattr(tidy, "tidied", slow)


def test_overtaken_by_a_choice_it_is_planned_once_more(quick, monkeypatch):
    overtaken(quick, monkeypatch, times=1)
    (done,) = quick.work_kinds("tidy places")
    assert done.outcome == "done"
    assert quick.promises_broken() == {}
    assert len(quick.sessions(kind="booking")) == 1


def test_overtaken_each_time_it_is_tried_again_later(quick, monkeypatch):
    overtaken(quick, monkeypatch, times=attempts.ATTEMPTS)
    (done,) = quick.work_kinds("tidy places")
    assert (done.outcome, TimeTaken.__name__ in done.error) == ("failed", True)
    assert quick.promises_broken() == {}
    quick.later(minutes=1)
    (work,) = quick.read(lambda unit: unit.work.find(kind="tidy places"))
    assert work.state == "done"


def test_workers_alone_tidy():
    assert set(ACCESS["tidy places"]) == {RoleName.WORKER}
