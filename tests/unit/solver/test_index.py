"""The index as a value: changes give what a new one would be, and leave the old one alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.unit.solver.small import (
    DAY,
    NOW,
    TODAY,
    at,
    clinic,
    organisation,
    pool,
    resource,
    service,
    taken,
    task,
    told,
)
from timevalg.model.pool import Quota
from timevalg.model.resource import Kind
from timevalg.model.roster import Opening, WorkingHours
from timevalg.model.service import PreparationRule
from timevalg.model.session import SessionKind
from timevalg.model.text import Text
from timevalg.solver.ask import Ask
from timevalg.solver.assign import assign
from timevalg.solver.index import Index
from timevalg.solver.look import Look

ASK = Ask("c", "p", NOW)
ALL = ["09:00", "09:30", "10:00", "10:30", "11:00"]
ONE = organisation(clinic(resource("kari")))


def test_a_change_leaves_the_old_index_as_it_was():
    old = Index.of(ONE)
    assert told(old, ASK) == ALL
    new = old.apply([taken("kari", start=at(10))])
    assert told(new, ASK) == ["09:00", "11:00"]
    assert told(old, ASK) == ALL
    assert told(new.apply(removed=["b"]), ASK) == ALL
    assert told(new, ASK) == ["09:00", "11:00"]
    assert new.apply(removed=["unknown"]) is new


def test_giving_back_one_of_two_overlapping_bookings_leaves_the_other():
    both = [
        taken("kari", start=at(9), minutes=90, name="early"),
        taken("kari", start=at(10), minutes=60, name="late"),
    ]
    for search_before in (False, True):
        index = Index.of(ONE, both)
        if search_before:
            assert told(index, ASK) == ["11:00"]
        assert told(index.apply(removed=["early"]), ASK) == ["09:00", "11:00"]
        assert told(index.apply(removed=["late"]), ASK) == ["10:30", "11:00"]


def test_a_session_of_the_same_id_takes_the_place_of_the_old_one():
    index = Index.of(ONE, [taken("kari", start=at(9), patient="ola", task="t")])
    told(index, ASK)
    moved = index.apply([taken("kari", start=at(11), patient="per", task="u")])
    assert told(moved, ASK) == ["09:00", "09:30", "10:00"]
    assert len(moved.sessions) == 1
    assert moved.by_task("t") == moved.by_patient("ola") == ()
    assert [s.id for s in moved.by_task("u")] == [s.id for s in moved.by_patient("per")] == ["b"]


def test_a_hold_that_becomes_a_booking():
    hold = taken("kari", start=at(10), kind=SessionKind.HOLD, until=at(8))
    index = Index.of(ONE, [hold])
    assert told(index, Ask("c", "p", at(8))) == ALL
    booked = index.apply([replace(hold, kind=SessionKind.BOOKING, until=None)])
    assert told(booked, Ask("c", "p", at(8))) == ["09:00", "11:00"]


@pytest.mark.parametrize("count", [True, False])
def test_places_that_come_and_go_are_looked_at_where_they_count(count, monkeypatch):
    ask = replace(ASK, count_places=count)
    place = taken("kari", start=at(10), kind=SessionKind.PLACE, name="place")
    booking = taken("kari", start=at(9), name="booking")
    index = Index.of(ONE)
    assert told(index, ask) == ALL
    looked = []
    fit = Look.fit

    def noted(self, *given):
        looked.append(given)
        return fit(self, *given)

    monkeypatch.setattr(Look, "fit", noted)
    come = index.apply([place])
    assert told(come, ask) == (["09:00", "11:00"] if count else ALL)
    assert told(come.apply(removed=["place"]), ask) == ALL
    assert bool(looked) is count
    changed = come.apply([booking], ["place"])
    assert told(changed, ask) == told(Index.of(ONE, [booking]), ask) == ["10:00", "10:30", "11:00"]


def test_a_booking_over_midnight_takes_both_days():
    here = clinic(
        resource("kari", hours=None),
        hours=(WorkingHours(),),
        pools=(pool(horizon=1, open=(Opening(start=0, end=60), Opening(start=1380, end=1440))),),
    )
    whole = organisation(here)
    # Midnight in UTC is 01:00 in Oslo.
    over = taken("kari", start=at(0, 30, TODAY + DAY), minutes=60)
    index = Index.of(whole)
    assert told(index, ASK) == ["23:00", "13 00:00", "13 23:00"]
    booked = index.apply([over])
    assert told(booked, ASK) == told(Index.of(whole, [over]), ASK) == ["23:00", "13 23:00"]
    assert told(booked.apply(removed=["b"]), ASK) == told(index, ASK)


def test_sessions_that_share_time():
    first = taken("kari", start=at(9), name="first", patient="ola")
    touches = taken("kari", start=at(10), name="touches")
    overlaps = taken("kari", start=at(9, 30), name="overlaps", kind=SessionKind.PLACE)
    held = taken("kari", start=at(8, 30), name="held", kind=SessionKind.HOLD, until=at(7))
    elsewhere = taken("lie", start=at(9, 30), name="elsewhere", patient="ola")
    index = Index.of(organisation(), [first, touches, overlaps, held, elsewhere])
    assert [s.id for s in index.touching(first)] == ["elsewhere", "held", "overlaps"]


def test_sessions_that_a_quota_counts_with_one():
    together = Quota(frozenset({"p"}), "week", 3)
    each = Quota(frozenset({"p"}), "day", 2, Kind.CLINICIAN)
    here = clinic(quotas=(together, each))
    sessions = [
        taken("kari", "lie", start=at(9), name="a"),
        taken("kari", start=at(10), name="b"),
        taken("lie", start=at(9, day=TODAY + DAY), name="c"),
        taken("lie", start=at(9, day=TODAY + 7 * DAY), name="d"),
    ]
    for index in (
        Index.of(organisation(here), sessions),
        Index.of(organisation(here), sessions[:1]).apply(sessions[1:]),
    ):
        (counted,) = index.counted(here, together, sessions[0])
        assert {s.id for s in counted} == {"b", "c"}
        by_kari, by_lie = index.counted(here, each, sessions[0])
        assert [s.id for s in by_kari] == ["b"]
        assert by_lie == ()
        assert index.counted(here, together, sessions[3]) == [()]


def test_an_index_without_masks_answers_the_same():
    index = Index.of(ONE, [taken("kari", start=at(10))])
    assert told(index, ASK) == told(index.without_masks(), ASK)


def test_questions_to_one_index_do_not_mix():
    """Everything that a question can vary is part of what answers are remembered by."""
    form = PreparationRule("form", Text.plain(""), due=1)
    here = clinic(
        resource("kari"),
        resource("lie"),
        service=service(preparations=(form,)),
        pools=(pool(horizon=3, notice=0, open=(Opening(start=540, end=660, release=2),)),),
    )
    done = task(done=frozenset({"form"}))
    asks = [
        Ask("c", "p", NOW),
        Ask("c", "p", NOW + DAY),
        Ask("c", "p", NOW, done=frozenset({"form"})),
        Ask("c", "p", NOW, today=TODAY + DAY),
        Ask("c", "p", NOW, earliest_from=TODAY + DAY),
        Ask("c", "p", NOW, notice=2),
        Ask("c", "p", NOW, not_before=TODAY + 2 * DAY),
        Ask("c", "p", NOW, not_after=TODAY + DAY),
        Ask("c", "p", NOW, task()),
        Ask("c", "p", NOW, done),
        Ask("c", "p", NOW, replace(done, extra=30)),
        Ask("c", "p", NOW, replace(done, extra=30, only={"doctor": ("kari",)})),
        Ask("c", "p", NOW, replace(done, only={"doctor": ("kari",)})),
        Ask("c", "p", NOW, replace(done, times=(Opening(start=540, end=600),))),
        Ask("c", "p", NOW, replace(done, not_before=TODAY + DAY)),
        Ask("c", "p", NOW, replace(done, not_after=TODAY + DAY)),
        Ask("c", "p", NOW, task(preparations=(replace(form, due=3),))),
        Ask("c", "p", NOW, task(preparations=(replace(form, due=3),)), count_places=True),
        Ask("c", "p", NOW, done, ignore=frozenset({"b"})),
    ]
    sessions = [taken("kari", start=at(9, 30), patient="ola")]
    fresh = [told(Index.of(organisation(here), sessions), ask) for ask in asks]
    assert len({tuple(answer) for answer in fresh}) == 8
    index = Index.of(organisation(here), sessions)
    assert [told(index, ask) for ask in asks] == fresh
    assert [told(index, ask) for ask in reversed(asks)] == fresh[::-1]


def test_an_assignment_after_a_change_knows_of_it():
    index = Index.of(organisation())
    assert assign(index, ASK, at(9)) == {"doctor": ("kari",)}
    booked = index.apply([taken("kari", start=at(9))])
    assert assign(booked, ASK, at(9)) == {"doctor": ("lie",)}
    assert assign(booked.apply(removed=["b"]), ASK, at(9)) == {"doctor": ("kari",)}
    assert assign(index, ASK, at(9)) == {"doctor": ("kari",)}


def test_threads_may_search_and_change_one_index_at_once():
    index = Index.of(ONE)
    sessions = [taken("kari", start=at(9 + n % 3), name=f"b{n % 3}") for n in range(60)]

    def look(number: int) -> bool:
        day = NOW + (number % 20) * DAY
        changed = index.apply([sessions[number % 60]])
        free = told(changed, ASK)
        start = sessions[number % 60].start
        return (
            assign(changed, ASK, start) is None
            and told(index, ASK) == ALL
            and len(free) < len(ALL)
            and isinstance(told(index, Ask("c", "p", day)), list)
        )

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(look, range(400)))
