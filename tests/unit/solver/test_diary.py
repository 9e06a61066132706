"""What holds take of a resource is remembered, and right at every instant all the same."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.unit.solver.small import DAY, NOW, TODAY, at, taken
from timevalg.model.session import SessionKind
from timevalg.solver.diary import Diary, Layer, entry_of
from timevalg.solver.frame import EPOCH_DAY, Frame

GRID = 5
FRAME = Frame(TODAY.toordinal() - EPOCH_DAY - 1, 4, GRID)
MINUTE = timedelta(minutes=1)


def claim(name, hour, until=None, is_place=False):
    kind = SessionKind.BOOKING if until is None else SessionKind.HOLD
    session = taken(
        "kari", start=at(hour), name=name, kind=kind, until=until, is_place=is_place, task=name
    )
    return entry_of(session, "kari", GRID), session


CLAIMS = [
    claim("first", 9, NOW + 5 * MINUTE),
    claim("second", 10, NOW + 10 * MINUTE, is_place=True),
    claim("third", 11, NOW + 10 * MINUTE),
]
INSTANTS = [NOW, NOW + 5 * MINUTE, NOW + 7 * MINUTE, NOW + 10 * MINUTE, NOW + DAY, NOW]


def fresh(claims):
    return Diary.of(claims, 24 * 60 // GRID)


@pytest.mark.parametrize("places", [True, False])
def test_a_hold_takes_its_time_until_it_expires_also_where_that_is_remembered(places):
    kept = fresh(CLAIMS)
    found = [kept.taken(FRAME, now, places) for now in INSTANTS]
    assert found == [fresh(CLAIMS).taken(FRAME, now, places) for now in INSTANTS]
    assert found[0] == found[-1]
    assert len(set(found)) == 3


def test_what_is_remembered_is_not_kept_for_other_holds():
    kept = fresh(CLAIMS)
    kept.taken(FRAME, NOW, True)
    booking = claim("booked", 13)
    more = kept.changed([booking], [], {})
    fewer = more.changed([], CLAIMS[:1], {})
    assert more.taken(FRAME, NOW, True) == fresh([*CLAIMS, booking]).taken(FRAME, NOW, True)
    assert fewer.taken(FRAME, NOW, True) == fresh([*CLAIMS[1:], booking]).taken(FRAME, NOW, True)


@pytest.mark.parametrize("places", [True, False])
@pytest.mark.parametrize("first", INSTANTS)
@pytest.mark.parametrize("until", [NOW - DAY, NOW, NOW + MINUTE, NOW + 7 * MINUTE, NOW + DAY])
@pytest.mark.parametrize("is_place", [True, False])
def test_what_is_remembered_serves_those_too_who_hold_one_more(places, first, until, is_place):
    kept = fresh(CLAIMS)
    kept.taken(FRAME, first, places)
    more = claim("more", 13, until, is_place=is_place)
    grown = kept.changed([more], [], {})
    assert grown._held
    for now in [first, *INSTANTS, NOW + MINUTE]:
        expected = fresh([*CLAIMS, more])
        assert grown.taken(FRAME, now, places) == expected.taken(FRAME, now, places)
        assert grown.steady(now)[0] <= now < grown.steady(now)[1]
        assert expected.steady(now)[0] <= grown.steady(now)[0]
        assert grown.steady(now)[1] <= expected.steady(now)[1]


def test_claims_by_id_are_right_after_some_came_and_went():
    per_day = 24 * 60 // GRID
    entries = [claim(str(hour), hour)[0] for hour in range(8, 16)]
    layer = Layer.of(entries[:6], per_day)
    assert layer.by_id() == {e[2]: e for e in entries[:6]}
    moved = (entries[0][0] + 1, entries[0][1] + 1, entries[0][2])
    changed = layer.changed([*entries[6:], moved], entries[:2])
    assert changed.by_id() == {e[2]: e for e in (*entries[2:], moved)}
    assert changed.by_id() == Layer.of([*entries[2:], moved], per_day).by_id()
    assert layer.by_id() == {e[2]: e for e in entries[:6]}
