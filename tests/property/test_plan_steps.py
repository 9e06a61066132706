"""Plans in several orders; where many cannot be served they end within their steps."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from benchmarks.choice.clinic import EARLY, FIRST, NOW, VARIANTS, case
from timevalg.solver import places
from timevalg.solver.index import Index
from timevalg.solver.picture import Picture
from timevalg.solver.places import Plan, plan
from timevalg.solver.repair import Budget

CLINIC = replace(EARLY, clinicians=8, rooms=4, days=3)
BEYOND = 16
"""Tasks for the first two days, which are nearly full without them."""


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the steps that repair takes."""
    taken = [0]
    spend = Budget.spend

    def counted(budget: Budget) -> bool:
        taken[0] += 1
        return spend(budget)

    monkeypatch.setattr(Budget, "spend", counted)
    return taken


def overloaded() -> tuple[Plan, int]:
    """Plan for a clinic that has more tasks than it can serve; gives how many there are."""
    made = case(CLINIC, 0.92, 1)
    one = made.tasks[0]
    beyond = [
        replace(
            one,
            id=f"beyond{n}",
            patient=f"beyond{n}",
            pools=(f"p{n % 5}",),
            not_before=FIRST,
            not_after=FIRST + timedelta(days=1),
        )
        for n in range(BEYOND)
    ]
    tasks = [*made.tasks, *beyond]
    return plan(Picture(Index.of(made.organisation), {}, NOW), tasks, NOW), len(tasks)


def bound(tasks: int) -> int:
    """Give the steps of a plan, and some for each time that repair found none left."""
    return places.STEPS_A_PLAN + (places.STEPS_A_TASK + 20) * tasks


def test_a_plan_that_cannot_serve_all_ends_with_the_rest_placed(steps):
    made, tasks = overloaded()
    assert steps[0] <= bound(tasks)
    assert 0 < len(made.unplaced) < BEYOND
    assert len(made.placed) + len(made.unplaced) == tasks
    sessions = list(made.picture.index.sessions.values())
    assert len({s.task for s in sessions}) == len(sessions) == len(made.placed)
    for place in sessions:
        assert not made.picture.index.touching(place)


def test_if_a_plan_had_no_bound_the_tasks_beyond_would_take_far_more(steps, monkeypatch):
    monkeypatch.setattr(places, "STEPS_A_PLAN", 2_000)
    tasks = overloaded()[1]
    within = bound(tasks)
    assert steps[0] <= within
    monkeypatch.setattr(places, "STEPS_A_PLAN", 10 * within)
    steps[0] = 0
    overloaded()
    assert steps[0] > 2 * within


@pytest.mark.parametrize("seed", [6, 9, 10, 20])
def test_pools_of_those_left_out_go_first_next_time(seed, monkeypatch):
    setting = replace(VARIANTS["quotas"], clinicians=8, rooms=4, days=5)
    made = case(setting, 0.92, seed)
    bare = Picture(Index.of(made.organisation), {}, NOW)
    assert not plan(bare, made.tasks, NOW).unplaced
    monkeypatch.setattr(places, "ATTEMPTS", 1)
    assert plan(bare, made.tasks, NOW).unplaced
