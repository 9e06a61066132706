"""Terms, weights and variety, each by hand."""

from __future__ import annotations

from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from tests.unit.solver.small import (
    DAY,
    NOW,
    OSLO,
    TODAY,
    at,
    clinic,
    organisation,
    pool,
    resource,
    service,
    taken,
    task,
)
from timevalg.model.roster import Opening
from timevalg.model.service import PreparationRule
from timevalg.model.text import Text
from timevalg.solver.ask import Ask
from timevalg.solver.index import Index
from timevalg.solver.ranking import Ranking, _half_day


def short(here, *sessions, n=99, **asked):
    return best(Index.of(organisation(here), sessions), n, Ask("c", "p", NOW, **asked))


def best(index, n, *asks):
    return list(islice(Ranking(index, asks), n))


def test_ties_go_by_time_then_pool():
    """With no weight at all every score is 0."""
    pools = [pool(name, weights={}) for name in ("q", "p")]
    index = Index.of(organisation(clinic(pools=pools)))
    found = best(index, 3, Ask("c", "q", NOW), Ask("c", "p", NOW))
    assert [one.score for one in found] == [0.0] * 3
    first = [(at(9), "p"), (at(9), "q"), (at(9, 30), "p")]
    assert [(one.start, one.pool) for one in found] == first


def test_the_list_is_spread_over_half_days():
    day = (Opening(start=540, end=780),)
    mild = {"earliness": 0.1, "scarcity": 1}
    here = clinic(pools=(pool(open=day, horizon=0, weights=mild),))
    times = [f"{one.start.astimezone(OSLO):%H:%M}" for one in short(here)]
    assert times[:4] == ["09:00", "12:00", "09:30", "10:00"]
    here = clinic(pools=(pool(horizon=60),))
    days = [one.start.astimezone(OSLO).date() for one in short(here, n=5)]
    assert len(set(days)) == 5
    scores = [one.score for one in short(here, n=5)]
    assert scores == sorted(scores, reverse=True)


def test_a_useless_remnant_costs():
    """Kari is free from nine to one: ten o'clock leaves an hour, half past nine half an hour."""
    here = clinic(
        resource("kari"),
        pools=(pool(open=(Opening(start=540, end=780),), weights={"gaps": 1}),),
    )
    blocks = [
        taken("kari", start=at(8), name="a"),
        taken("kari", start=at(13), minutes=180, name="b"),
    ]
    gaps = {f"{s.start.astimezone(OSLO):%H:%M}": s.parts["gaps"] for s in short(here, *blocks)}
    assert gaps == {
        "09:00": 1.0,
        "09:30": 0.0,
        "10:00": 1.0,
        "10:30": 1.0,
        "11:00": 1.0,
        "11:30": 0.0,
        "12:00": 1.0,
    }


def test_the_tidy_resource_is_taken_first():
    here = clinic(pools=(pool(open=(Opening(start=540, end=600),)),))
    block = taken("kari", start=at(10, 30), minutes=30)
    (found,) = short(here, block)
    assert found.parts["gaps"] == 1.0
    assert found.resources == {"doctor": ("lie",)}


def test_what_few_others_could_use_is_cheap():
    """Only who has done the form can come tomorrow, so tomorrow is nobody else's."""
    form = PreparationRule("form", Text.plain(""), due=2)
    here = clinic(pools=(pool(horizon=3),), service=service(preparations=(form,)))
    found = short(here, task=task(done=frozenset({"form"})))
    assert {one.parts["scarcity"] for one in found} == {0.0, 1.0}
    for one in found:
        early = one.start < at(0, day=TODAY + 2 * DAY)
        assert one.parts["scarcity"] == float(early)


def test_other_pools_that_want_the_time():
    pools = (pool(), pool("q", open=(Opening(start=570, end=630),)))
    found = short(clinic(pools=pools))
    parts = {f"{s.start.astimezone(OSLO):%H:%M}": s.parts["scarcity"] for s in found}
    assert parts == {"09:00": 0.0, "09:30": 0.0, "10:00": 0.0, "10:30": 0.5, "11:00": 0.5}


def test_nothing_and_no_more_than_asked():
    assert short(clinic(resource("kari", hours=()))) == []
    assert short(clinic(), n=0) == []
    assert len(short(clinic(), n=2)) == 2
    again = short(clinic(), n=5)
    assert again == short(clinic(), n=5)
    assert again[:2] == short(clinic(), n=2)


def test_facts_go_with_the_masks_they_belong_to():
    index = Index.of(organisation(clinic(resource("kari"))))
    before = best(index, 9, Ask("c", "p", NOW))
    later = index.apply([taken("kari", start=at(10, 30), minutes=30)])
    changed = {s.start: s.parts["gaps"] for s in best(later, 9, Ask("c", "p", NOW))}
    assert changed == {at(9): 0.0, at(9, 30): 1.0, at(11): 1.0}
    assert best(index, 9, Ask("c", "p", NOW)) == before


@pytest.mark.parametrize(
    "zone", ["Europe/Oslo", "America/Santiago", "America/Havana", "Australia/Lord_Howe", "UTC"]
)
def test_half_days_end_where_the_next_begins_when_clocks_change_too(zone):
    grid, first = 5, 56 * 365 * 24 * 12
    cell, last, lengths = first, first + 366 * 24 * 12, set()
    while cell < last:
        number, end = _half_day(ZoneInfo(zone), grid, cell)
        some = (cell, (cell + end) // 2, end - 1)
        inside = {_half_day(ZoneInfo(zone), grid, one)[0] for one in some}
        assert inside == {number}
        assert _half_day(ZoneInfo(zone), grid, end)[0] == number + 1
        lengths.add(end - cell)
        cell = end
    assert (len(lengths) > 1) == (zone != "UTC")
