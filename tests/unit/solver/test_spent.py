"""Quotas that are full for good: who could be where none counts keeps them from being so."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

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
    taken,
    task,
)
from timevalg.model.pool import Quota
from timevalg.model.resource import Kind
from timevalg.model.session import SessionKind
from timevalg.solver import spent
from timevalg.solver.aside import Aside
from timevalg.solver.ask import Ask
from timevalg.solver.board import Board
from timevalg.solver.index import Index
from timevalg.solver.picture import Picture

THERE = TODAY + 2 * DAY
"""The day on which everybody must come."""


def forbidden(quota: Quota, *pools: str, last: date = THERE) -> bool:
    """Tell whether no second visit may come in, beside one that could be in some pools."""
    here = clinic(
        resource("kari"), pools=(pool(horizon=4), pool("other", horizon=4)), quotas=(quota,)
    )
    placed = replace(task(not_before=THERE, not_after=last, pools=pools), id="placed")
    asking = replace(task(not_before=THERE, not_after=THERE), id="asking", patient="kim")
    place = taken(
        "kari",
        start=at(9, day=THERE),
        kind=SessionKind.PLACE,
        name="place:placed",
        task="placed",
        patient="ola",
    )
    picture = Picture(
        Index.of(organisation(here), [place]), {t.id: t for t in (placed, asking)}, NOW
    )
    board = Board(picture)
    aside = Aside(board)
    scope = board.scope(Ask.for_task(picture.index, asking, "p", NOW))
    aside.starts(scope, 1)
    role = None if quota.each is None else 0
    cells = [cell for cell in range(scope.frame.size) if scope.bits >> cell & 1]
    proofs = spent.Spent(board, aside)
    found = {proofs.forbids(scope, cell, role, "kari" if quota.each else "") for cell in cells}
    assert len(found) == 1
    return found.pop()


@pytest.mark.parametrize("each", [None, Kind.CLINICIAN])
@pytest.mark.parametrize("per", ["day", "week"])
def test_a_period_is_spent_if_who_is_in_it_has_nowhere_else(per, each):
    both = frozenset({"p", "other"})
    assert forbidden(Quota(both, per, 1, each), "p")
    assert forbidden(Quota(both, per, 1, each), "p", "other")
    assert not forbidden(Quota(both, per, 2, each), "p")


def test_it_is_not_if_one_in_it_could_come_in_another():
    later = THERE + DAY
    assert not forbidden(Quota(frozenset({"p"}), "day", 1), "p", last=later)
    assert forbidden(Quota(frozenset({"p"}), "week", 1), "p", last=later)


def test_it_is_not_if_one_in_it_could_come_where_the_quota_does_not_count(monkeypatch):
    quota = Quota(frozenset({"p"}), "day", 1)
    assert not forbidden(quota, "p", "other")
    monkeypatch.setattr(spent, "_counts", lambda key, quota, plan: True)
    assert forbidden(quota, "p", "other")
