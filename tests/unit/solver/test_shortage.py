"""What is missing is named, and every cure named was tried."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from random import Random

import pytest

from tests.property.small_plans import draw
from tests.unit.solver.small import DAY, NOW, TODAY, clinic, organisation, pool, task
from timevalg.model.session import SessionKind
from timevalg.solver import shortage as module
from timevalg.solver import trial
from timevalg.solver.ask import Ask
from timevalg.solver.assign import assign, session_for
from timevalg.solver.index import Index
from timevalg.solver.loosen import cures
from timevalg.solver.picture import Picture
from timevalg.solver.places import place, plan
from timevalg.solver.search import feasible
from timevalg.solver.shortage import shortage, shortages


def picture_of(here):
    return Picture(Index.of(organisation(here)), {}, NOW)


def test_every_cure_named_gives_the_task_a_place():
    tried = 0
    for seed in range(30):
        case = draw(Random(seed))
        made = plan(case.picture, case.tasks, NOW)
        for left_out in made.unplaced:
            index = made.picture.index
            asks = [Ask.for_place(index, left_out, pool, NOW) for pool in left_out.pools]
            found = {cure.change: cure.model for cure in cures(index, asks)}
            for remedy in shortage(made.picture, left_out, NOW).cures:
                model = found[remedy.change]
                asked = model.asks[0]
                changed = replace(asked.task, done=asked.task.done | asked.done)
                there = replace(made.picture, index=model.index)
                assert place(there, changed, NOW) is not None, remedy.change
                tried += 1
    assert tried > 20


def test_a_cure_that_does_not_hold_is_not_named(monkeypatch):
    """Guard off: what a search alone finds would be told. Guard on: it is planned first."""
    picture, asked = picture_of(clinic(pools=(pool(horizon=30),))), task(not_after=TODAY)
    assert [c.change for c in shortage(picture, asked, NOW).cures]
    monkeypatch.setattr(module, "place", lambda *_, **more: None)
    assert shortage(picture, asked, NOW).cures == ()


def test_of_those_alike_it_is_found_out_once(monkeypatch):
    """And each is told what they would be told alone; who has a visit already is like nobody."""
    here, asked, calls = picture_of(clinic(pools=(pool(horizon=30),))), task(not_after=TODAY), []
    rest = [replace(asked, id="b", patient="x"), replace(asked, id="c", extra=15)]
    busy = replace(asked, id="d", patient="busy")
    later = Ask("c", "p", NOW)
    start = feasible(here.index, later).instants()[0]
    visit = session_for(
        here.index.organisation,
        later,
        start,
        assign(here.index, later, start),
        id="s",
        kind=SessionKind.BOOKING,
    )
    here = here.apply([replace(visit, patient="busy")])
    alone = {one.id: shortage(here, one, NOW) for one in (asked, *rest, busy)}
    monkeypatch.setattr(module, "shortage", lambda p, t, now, _: calls.append(t.id) or alone[t.id])
    assert shortages(here, [asked, *rest, busy], NOW) == alone
    assert calls == [asked.id, "c", "d"]


def test_rules_that_are_tried_for_one_are_there_for_others(monkeypatch):
    """Guard off: each line makes an index of its own for each change that it tries."""
    made, under = [], trial.under
    monkeypatch.setattr(trial, "under", lambda i, o: made.append(o) or under(i, o))
    for seed in range(4):
        case = draw(Random(seed))
        picture = plan(case.picture, case.tasks, NOW).picture
        asked = [replace(t, id=f"{t.id}/{n}", extra=5 * n) for t in case.tasks for n in range(8)]
        picture = replace(picture, tasks={})
        shared = shortages(picture, asked, NOW)
        together = len(made)
        made.clear()
        assert shared == {one.id: shortage(picture, one, NOW) for one in asked}
        assert together * 3 < len(made)
        made.clear()
        with monkeypatch.context() as off:
            off.setattr(trial.Trials, "_known", lambda *_: None)
            shortages(picture, asked, NOW)
        assert together * 3 < len(made)
        made.clear()


def test_the_fallback_notice_is_cured_by_its_own_name():
    soon = task(not_after=TODAY + 3 * DAY)
    for notices, change in (
        ({"notice": 14, "fallback_notice": 14}, "notice 14 -> 2"),
        ({"notice": 1, "fallback_notice": 14}, "fallback_notice 14 -> 2"),
    ):
        here = picture_of(clinic(pools=(pool(horizon=30, **notices),)))
        assert change in [c.change for c in shortage(here, soon, NOW).cures]


def test_an_earlier_due_date_cures_what_comes_too_soon_after_it():
    here = picture_of(clinic(pools=(pool(horizon=30, notice=5, fallback_notice=5),)))
    soon = task(due=TODAY + 4 * DAY, not_after=TODAY + 8 * DAY)
    assert "due -2 days" in [c.change for c in shortage(here, soon, NOW).cures]


@pytest.mark.parametrize(
    ("moved", "change", "far"),
    [
        ("due", "due -29 days", "due -63175 days"),
        ("not_before", "not_before -28 days", "not_before -63174 days"),
    ],
)
def test_no_date_is_moved_so_far_that_nobody_would(monkeypatch, moved, change, far):
    """Guard off: a task of the year 2200 could have a place now, if only its date were now."""
    here = clinic(pools=(pool(horizon=2),))

    def told(day):
        asked = task(**{moved: day}, not_after=day + 10 * DAY)
        asks = [Ask.for_place(picture_of(here).index, asked, "p", NOW)]
        found = [c.change for c in cures(Index.of(organisation(here)), asks)]
        return [text for text in found if text.startswith(moved)]

    later = date(2200, 1, 1)
    assert (told(TODAY + 30 * DAY), told(later)) == ([change], [])
    for name in ("loosenings", "place_loosenings"):
        monkeypatch.setattr(f"timevalg.solver.{name}.is_step", lambda days: days > 0)
    assert told(later) == [far]


def test_a_due_date_is_not_moved_to_where_nobody_could_choose_any_more():
    here = picture_of(clinic(pools=(pool(horizon=30, notice=5, fallback_notice=5),)))
    for last, changes in ((6, ["due -4 days"]), (5, [])):
        asked = task(opens=TODAY - 9 * DAY, due=TODAY + 4 * DAY, not_after=TODAY + last * DAY)
        asks = [Ask.for_place(here.index, asked, "p", NOW)]
        told = [c.change for c in cures(here.index, asks)]
        assert [text for text in told if text.startswith("due")] == changes
