"""Terms, weights and variety, each by hand."""

from __future__ import annotations

from datetime import timedelta

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
from timevalg.model.pool import WEIGHTS
from timevalg.model.roster import Opening
from timevalg.model.service import PreparationRule
from timevalg.model.text import Text
from timevalg.solver.ask import Ask
from timevalg.solver.index import Index
from timevalg.solver.ranking import TERMS, Candidate, ranked, top, varied


def short(here, *sessions, n=99, **asked):
    return top(Index.of(organisation(here), sessions), [Ask("c", "p", NOW, **asked)], n)


def candidate(start, **facts):
    return Candidate(start, facts.pop("pool", "p"), at(9), timedelta(hours=2), **facts)


def test_the_terms_are_those_that_pools_weigh():
    assert tuple(TERMS) == tuple(WEIGHTS)


def test_a_term_without_a_say_is_left_out_above_and_below_the_line():
    plain, liked = candidate(at(10)), candidate(at(10), wishes=1.0, gaps=0.0)
    found = ranked([plain, liked], {"p": WEIGHTS})
    assert [r.score for r in found] == pytest.approx([(0.5 + 2) / 3.5, 0.5])
    assert found[1].parts == {"earliness": 0.5}
    assert found[0].parts == {"earliness": 0.5, "wishes": 1.0, "gaps": 0.0}


def test_ties_go_by_time_then_pool():
    rows = [candidate(at(9), pool=p) for p in ("q", "p")] + [candidate(at(9, 30))]
    found = ranked(rows, {"p": {}, "q": {}})
    assert [(r.candidate.start, r.candidate.pool) for r in found] == [
        (at(9), "p"),
        (at(9), "q"),
        (at(9, 30), "p"),
    ]
    assert {r.score for r in found} == {0.0}


def test_the_list_is_spread_over_half_days():
    rows = [candidate(at(9, m)) for m in (0, 10, 20)] + [candidate(at(12, 30))]
    found = varied(ranked(rows, {"p": {"earliness": 0.1, "wishes": 1}}), OSLO)
    assert found[0].candidate.start == at(9)
    here = clinic(pools=(pool(horizon=60),))
    days = [one.start.astimezone(OSLO).date() for one in short(here, n=5)]
    assert len(set(days)) == 5
    assert [one.score for one in short(here, n=5)] == sorted(
        (one.score for one in short(here, n=5)), reverse=True
    )


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
    asks = [Ask("c", "p", NOW)]
    before = top(index, asks, 9)
    later = index.apply([taken("kari", start=at(10, 30), minutes=30)])
    changed = {s.start: s.parts["gaps"] for s in top(later, asks, 9)}
    assert changed == {at(9): 0.0, at(9, 30): 1.0, at(11): 1.0}
    assert top(index, asks, 9) == before
