"""Proofs that a start is unsafe: no more is weighed than it takes."""

from __future__ import annotations

import pytest

from tests.unit.solver.one_room import ONE, TWO, OneRoom, hours
from tests.unit.solver.small import at
from timevalg.model.resource import Kind
from timevalg.solver import full
from timevalg.solver.certificates import Certificate
from timevalg.solver.safety import UNSAFE

HERS, HIS = (30, frozenset({"kari"})), (30, frozenset({"ola"}))
TALK_OR_VISIT = {"talk": HIS, "visit": HIS, "other": HERS}


@pytest.fixture
def weighed(monkeypatch) -> list[Kind]:
    """Give the kinds of resources of which it is found out who fills their time."""
    kinds: list[Kind] = []

    class Filling(full.Filling):
        def __init__(self, board, aside, kind, rows):
            kinds.append(kind)
            super().__init__(board, aside, kind, rows)

    monkeypatch.setattr(full, "Filling", Filling)
    return kinds


def where_two_moves_make_room() -> OneRoom:
    """One can move to where two is, and two to the second day."""
    people = {"ola": hours(14, 15), "kari": hours(14, 15)}
    there = OneRoom(TALK_OR_VISIT, people, (*hours(14, 15, ONE), *hours(14, 14.5, TWO)))
    there.placed("one", "visit", at(14, 0, ONE), ONE, ONE, "ola")
    return there.placed("two", "visit", at(14, 30, ONE), ONE, TWO, "ola")


def test_before_chains_one_kind_is_weighed(weighed, monkeypatch):
    settling, ask = where_two_moves_make_room().asked("other")
    assert isinstance(settling.settle(ask, at(14, 0, ONE)), Certificate)
    assert weighed == [Kind.CLINICIAN]
    every = full.Full.proven
    monkeypatch.setattr(
        full.Full, "proven", lambda self, scope, cell, **_: every(self, scope, cell)
    )
    settling, ask = where_two_moves_make_room().asked("other")
    assert isinstance(settling.settle(ask, at(14, 0, ONE)), Certificate)
    assert Kind.ROOM in weighed


def test_the_others_are_weighed_for_what_stays_open(weighed):
    there = OneRoom(TALK_OR_VISIT, {"ola": hours(14, 15), "kari": hours(14, 15)}, hours(14, 14.5))
    settling, ask = there.placed("one", "visit", at(14, 0, ONE), ONE, ONE, "ola").asked("other")
    assert settling.settle(ask, at(14, 0, ONE)) is UNSAFE
    assert weighed == [Kind.CLINICIAN, Kind.ROOM]


def test_not_if_the_first_has_told(weighed):
    there = OneRoom(TALK_OR_VISIT, {"ola": hours(14, 14.5), "kari": hours(14, 15)}, hours(14, 15))
    settling, ask = there.placed("one", "talk", at(14, 0, ONE), ONE, ONE, "ola").asked("visit")
    assert settling.settle(ask, at(14, 0, ONE)) is UNSAFE
    assert weighed == [Kind.CLINICIAN]
