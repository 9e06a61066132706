"""Proofs that take all that is known: what each way to weigh, and narrowing, adds to them."""

from __future__ import annotations

from datetime import date

import pytest

from tests.unit.solver.one_room import ONE, TWO, OneRoom, hours
from tests.unit.solver.small import at
from timevalg.solver import narrow
from timevalg.solver.filling import Way


def where_in_a_gap_matters(last: date = ONE) -> OneRoom:
    """Somebody can only be in the later half of an hour, as Kari begins at half past."""
    ola = frozenset({"ola"})
    visits = {"late": (30, frozenset({"kari"})), "whole": (60, ola), "half": (30, ola)}
    open_ = (*hours(14, 15, ONE), *hours(14, 16.5, TWO))
    there = OneRoom(visits, {"kari": hours(14.5, 15), "ola": open_}, open_)
    there.placed("one", "late", at(14, 30, ONE), ONE, last, "kari")
    there.placed("two", "whole", at(14, 0, TWO), ONE, TWO, "ola")
    return there.placed("three", "half", at(15, 0, TWO), ONE, TWO, "ola")


def test_steps_by_themselves_tell_where_in_a_gap_somebody_has_to_be(monkeypatch):
    there = where_in_a_gap_matters()
    assert there.told("half", at(14, 30, ONE)) == "unsafe"
    assert there.told("half", at(14, 0, ONE)) == "safe"
    assert where_in_a_gap_matters(last=TWO).told("half", at(14, 30, ONE)) == "safe"
    without(monkeypatch, Way(single=True))
    assert there.told("half", at(14, 30, ONE)) == ""


def where_a_long_visit_must_fit(last: date = ONE) -> OneRoom:
    """An hour and a half have two and a half hours on the first day, beside half-hours."""
    visits = {"long": (90, frozenset[str]()), "short": (30, frozenset[str]())}
    there = OneRoom(visits, {}, hours(12, 14.5))
    there.placed("one", "long", at(12, 0, ONE), ONE, last)
    return there.placed("two", "short", at(14, 0, TWO), ONE, TWO)


def test_with_short_visits_left_out_it_is_told_that_a_long_one_does_not_fit(monkeypatch):
    there = where_a_long_visit_must_fit()
    assert there.told("short", at(13, 0, ONE)) == "unsafe"
    assert there.told("short", at(13, 30, ONE)) == "safe"
    assert where_a_long_visit_must_fit(last=TWO).told("short", at(13, 0, ONE)) == "safe"
    without(monkeypatch, Way(beyond=1))
    assert there.told("short", at(13, 0, ONE)) == ""


def where_kari_is_taken(last: date = ONE) -> OneRoom:
    """Kari's hour on the first day is full of two talks that can be on no other day.

    So the visit that takes Kari and the room then, or Lie or Mia and the room on the second day,
    must be on the second.
    """
    visits = {
        "talk": (30, frozenset({"kari", "mia"})),
        "visit": (60, frozenset({"kari", "lie", "mia"})),
        "other": (60, frozenset({"ola"})),
    }
    people = {
        "kari": hours(14, 15, ONE),
        "lie": hours(14, 15, TWO),
        "mia": hours(14, 15, TWO),
        "ola": hours(14, 15),
    }
    there = OneRoom(visits, people, hours(14, 15))
    there.placed("one", "talk", at(14, 0, ONE), ONE, last, "kari")
    there.placed("two", "talk", at(14, 30, ONE), ONE, last, "kari")
    return there.placed("three", "visit", at(14, 0, TWO), ONE, TWO, "lie")


def test_time_that_some_need_is_no_way_out_for_others(monkeypatch):
    there = where_kari_is_taken()
    assert there.told("other", at(14, 0, TWO)) == "unsafe"
    assert there.told("other", at(14, 0, ONE)) == "safe"
    assert where_kari_is_taken(last=TWO).told("other", at(14, 0, TWO)) == "safe"
    with monkeypatch.context() as off:
        off.setattr(narrow, "ROUNDS", 0)
        assert there.told("other", at(14, 0, TWO)) == ""
    with monkeypatch.context() as fewer:
        fewer.setattr(narrow, "MOST", 2)  # tasks looked at
        assert there.told("other", at(14, 0, TWO)) == ""
    monkeypatch.setattr(narrow, "SHARE", 0)  # of all who hang together
    assert there.told("other", at(14, 0, TWO)) == ""


def test_who_could_be_where_nobody_else_here_could_is_not_taken_to_need_the_time(monkeypatch):
    visits = {"visit": (60, frozenset({"ola"})), "talk": (60, frozenset({"kari"}))}
    there = OneRoom(visits, {"ola": hours(14, 15), "kari": hours(14, 15)}, hours(14, 15))
    there.placed("one", "visit", at(14, 0, ONE), ONE, ONE, "ola", others=("talk",))
    assert there.told("visit", at(14, 0, ONE)) == "safe"
    monkeypatch.setattr(narrow, "is_known", lambda aside, place: True)
    with pytest.raises(AssertionError, match="although it is safe"):
        there.told("visit", at(14, 0, ONE))


@pytest.mark.parametrize("longest", [1, 2, 3, 4, 6, 7])
def test_ways_are_left_out_where_they_tell_nothing(longest):
    ways = [way for way in narrow.WAYS if way.tells(longest)]
    assert Way() in ways
    assert (Way(single=True) in ways) == (longest <= 4)
    assert (Way(beyond=1) in ways) == (longest > 2)
    assert (Way(beyond=3) in ways) == (longest > 6)


def without(monkeypatch: pytest.MonkeyPatch, way: Way) -> None:
    """Leave out one way."""
    monkeypatch.setattr(narrow, "WAYS", [other for other in narrow.WAYS if other != way])
