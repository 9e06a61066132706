"""What a spot on a board would displace."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from tests.unit.solver.small import NOW, TODAY, at, clinic, organisation, pool, taken, task
from timevalg.model.pool import Quota
from timevalg.model.session import Session, SessionKind
from timevalg.solver.ask import Ask
from timevalg.solver.board import Board
from timevalg.solver.index import Index
from timevalg.solver.picture import Picture
from timevalg.solver.spot import Spot

PLACED = [replace(task(not_after=TODAY), id=name, patient=name) for name in ("ada", "bo", "liv")]


def place(owner: str, hour: int) -> Session:
    return taken(
        "kari",
        start=at(hour),
        kind=SessionKind.PLACE,
        name=f"place:{owner}",
        task=owner,
        patient=owner,
    )


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_who_goes_where_a_quota_has_too_many_does_not_depend_on_who_came_first(order):
    here = clinic(pools=(pool(),), quotas=(Quota(frozenset({"p"}), "day", 3),))
    places = [place(t.id, 9 + number) for number, t in enumerate(PLACED)]
    index = Index.of(organisation(here))
    for number in order:
        index = index.apply([places[number]])
    asking = replace(task(not_after=TODAY), id="asking", patient="kim")
    board = Board(Picture(index, {t.id: t for t in (*PLACED, asking)}, NOW))
    scope = board.scope(Ask.for_task(index, asking, "p", NOW))
    cell = (at(9) - scope.frame.origin).total_seconds() / 60 / scope.frame.grid
    spot = Spot.at(scope, int(cell), {"doctor": ("lie",)}, "b:asking")
    found = board.in_the_way(spot)
    assert found is not None
    assert [s.id for s in found] == ["place:ada"]
