"""Plans against every plan there is, on clinics small enough to try them all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.small_plans import Case, draw, value
from tests.proving import Here
from timevalg.model.session import SessionKind
from timevalg.model.task import Task
from timevalg.prover.limits import Limits
from timevalg.solver import complete, places
from timevalg.solver.ask import Ask
from timevalg.solver.assign import assignments, session_for
from timevalg.solver.complete import faults, settle_plan
from timevalg.solver.picture import Picture
from timevalg.solver.places import after, plan, worth
from timevalg.solver.problem import Problem, Solution, Solve
from timevalg.solver.search import feasible
from timevalg.solver.settle_offers import Verdict, settle_offers

here = Here().solve
hasty = Here(Limits(effort=1e-5)).solve
"""CP-SAT that is stopped after next to no work."""


def silent(problems: Sequence[Problem]) -> list[Solution]:
    """A prover that cannot start."""
    return [Solution() for _ in problems]


def require_valid(case: Case, plan) -> None:
    """The certificates, one after the other, lead to a plan that keeps every rule."""
    picture = case.picture
    for task in case.tasks:
        picture = picture.with_task(task)
    for certificate in plan.placed:
        picture = after(picture, certificate)
        for session in (*certificate.claims, *certificate.moved):
            task = picture.tasks[session.task]
            assert faults(picture, task, session, picture.now) == ()
    assert dict(picture.index.sessions) == dict(plan.picture.index.sessions)
    kept = {s.task for s in picture.index.sessions.values()}
    assert case.had <= kept
    assert {t.id for t in case.tasks} - {t.id for t in plan.unplaced} <= kept


@settings(max_examples=80)
@given(st.randoms(use_true_random=False))
def test_the_fewest_go_without_and_proven_is_said_of_it(random: Random) -> None:
    case = draw(random)
    settled = settle_plan(case.picture, case.tasks, case.picture.now, here)
    require_valid(case, settled.plan)
    best, sets = case.least_left_out()
    assert settled.proven
    assert value(settled.plan.unplaced) == best
    assert frozenset(t.id for t in settled.plan.unplaced) in sets


def not_the_least() -> int:
    """Count the cases in which repair alone leaves out others, or more, than need be."""
    cases = [draw(Random(seed)) for seed in range(60)]
    plans = [plan(case.picture, case.tasks, case.picture.now) for case in cases]
    return sum(
        worth(made.unplaced) != case.least_left_out()[0]
        for case, made in zip(cases, plans, strict=True)
    )


def test_repair_alone_lets_those_go_without_whom_it_harms_least(monkeypatch) -> None:
    """So it is after a capacity loss, where no prover is asked: an order for each kind of harm."""
    assert not_the_least() == 0
    monkeypatch.setattr(places, "AGAIN", (lambda _: (),) * 3)
    assert not_the_least() > 0


@settings(max_examples=40)
@given(st.randoms(use_true_random=False), st.sampled_from([here, hasty, silent]))
def test_proven_is_said_only_when_it_is_so(random: Random, prover: Solve) -> None:
    """In steps from one neighbour on, with a prover that has no time, and with none."""
    case = draw(random)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(complete, "FIRST", 1)
        patch.setattr(complete, "GROWTH", 2)
        settled = settle_plan(case.picture, case.tasks, case.picture.now, prover)
    require_valid(case, settled.plan)
    if settled.proven:
        assert value(settled.plan.unplaced) == case.least_left_out()[0]
    if prover is here:
        assert settled.proven


@settings(max_examples=40)
@given(st.randoms(use_true_random=False), st.sampled_from([200, 1]))
def test_a_candidate_is_called_safe_or_unsafe_only_when_it_is(random: Random, near: int) -> None:
    case = draw(random)
    picture = settle_plan(case.picture, case.tasks, case.picture.now, here).plan.picture
    placed = [s for s in picture.index.sessions.values() if s.kind is SessionKind.PLACE]
    if not placed:
        return
    task = picture.tasks[random.choice(placed).task or ""]
    others = frozenset(s.task or "" for s in placed) - {task.id}
    asks = candidates(picture, task)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("timevalg.solver.settle_offers.NEAR", near)
        verdicts = settle_offers(picture, task, asks, picture.now, here, key="s-1")
    for (ask, start), verdict in zip(asks, verdicts, strict=True):
        claims = [
            session_for(
                picture.index.organisation, ask, start, r, id="s-1", kind=SessionKind.BOOKING
            )
            for r in assignments(picture.index, ask, start)
        ]
        is_safe = any(case.fits(others, (claim,)) for claim in claims)
        if near >= len(others):
            assert (verdict.certificate is not None, verdict.unsafe) == (is_safe, not is_safe)
        if verdict.certificate is not None:
            assert is_safe
            require_kept(after(picture, verdict.certificate), others)
            assert verdict.certificate.claim.start == start
            assert {s.task for s in verdict.certificate.released} == {task.id}
        assert not (verdict.unsafe and is_safe)


def test_candidates_stay_undecided_without_a_prover() -> None:
    asked = 0
    for seed in range(10):
        case = draw(Random(seed))
        picture = settle_plan(case.picture, case.tasks, case.picture.now, silent).plan.picture
        for task in picture.tasks.values():
            asks = candidates(picture, task)
            verdicts = settle_offers(picture, task, asks, picture.now, silent, key="s-1")
            assert verdicts == [Verdict()] * len(asks)
            asked += len(asks)
    assert asked


def candidates(picture: Picture, task: Task) -> list[tuple[Ask, datetime]]:
    """Every feasible start, with the rules it is feasible by."""
    return [
        (ask, start)
        for pool in task.pools
        for ask in [Ask.for_task(picture.index, task, pool, picture.now, changing=True)]
        for start in feasible(picture.index, ask).instants()
    ]


def require_kept(picture: Picture, tasks: frozenset[str]) -> None:
    """Everybody of these has a valid place."""
    for name in tasks:
        (place,) = picture.index.by_task(name)
        assert faults(picture, picture.tasks[name], place, picture.now) == ()
