"""Hall on bitmaps against matching start by start, with up to 8 roles of up to 5 copies."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.solver.small import clinic
from timevalg.model.pool import Pool
from timevalg.model.resource import Kind, Resource
from timevalg.model.roster import Opening
from timevalg.model.service import Role, Service, Together
from timevalg.model.text import Text
from timevalg.solver import match
from timevalg.solver.fits import Able, Fits
from timevalg.solver.match import can_serve, servable
from timevalg.solver.plan import PoolPlan

STARTS = 40


def plan_of(chance: Random, role_count: int, tied: bool) -> PoolPlan:
    """Roles with random skills and counts; resources with random skills."""
    skills = "abcd"
    roles = tuple(
        Role(
            f"r{i}",
            Kind.CLINICIAN,
            60,
            skills=frozenset(chance.sample(skills, chance.choice([0, 1, 1, 2]))),
            count=1 if tied and i < 2 else chance.choice([1, 1, 1, 2, 5]),
        )
        for i in range(role_count)
    )
    people = [
        Resource(
            f"p{i}",
            Kind.CLINICIAN,
            "c",
            Text.plain(""),
            frozenset(chance.sample(skills, chance.choice([1, 2, 3]))),
        )
        for i in range(chance.randint(role_count, 3 * role_count))
    ]
    together = []
    if tied and role_count > 1:
        names = [p.id for p in people]
        rows = {tuple(chance.sample(names, 2)) for _ in range(6)}
        together.append(Together(("r0", "r1"), tuple(sorted(rows))))  # type: ignore[arg-type]  # rows are pairs
    visit = Service("v", Text.plain(""), 60, roles, together=tuple(together))
    pool = Pool("p", "c", "v", (Opening(),), 60, 1)
    return PoolPlan.of(clinic(*people, service=visit, pools=(pool,)), pool)


@pytest.mark.parametrize("one_by_one", [0.0, 1e9, 5.0])
@given(st.integers(0, 2**32), st.integers(1, 8), st.booleans())
@settings(max_examples=60)
def test_planes_and_matching_agree(one_by_one, seed, role_count, tied):
    chance = Random(seed)
    plan = plan_of(chance, role_count, tied)
    counts = [role.count for role in plan.service.roles]
    density = chance.choice([1, 2, 3])
    fits = []
    for candidates in plan.candidates:
        masks = {}
        for resource in candidates:
            bits = 0
            for _ in range(density):
                bits |= chance.getrandbits(STARTS)
            masks[resource.id] = bits
        fits.append(Fits(masks))
    expected = 0
    for cell in range(STARTS):
        able = [Able(f, cell) for f in fits]
        if all(can_serve(c, counts, able, frozenset()) for c in plan.clusters):
            expected |= 1 << cell
    # Setting and giving back by hand: Hypothesis calls this many times for one fixture.
    kept = match._ONE_BY_ONE
    match._ONE_BY_ONE = one_by_one
    try:
        found = servable(plan.clusters, counts, fits, (1 << STARTS) - 1)
    finally:
        match._ONE_BY_ONE = kept
    assert found == expected


def test_three_roles_that_two_people_share_in_pairs():
    """Each pair of roles could be served; all three cannot. Only the set of three tells."""
    roles = tuple(Role(f"r{i}", Kind.CLINICIAN, 60) for i in range(3))
    people = [Resource(f"p{i}", Kind.CLINICIAN, "c", Text.plain("")) for i in range(2)]
    visit = Service("v", Text.plain(""), 60, roles)
    pool = Pool("p", "c", "v", (Opening(),), 60, 1)
    plan = PoolPlan.of(clinic(*people, service=visit, pools=(pool,)), pool)
    assert [c.roles for c in plan.clusters] == [(0, 1, 2)]
    fits = [Fits({"p0": 1, "p1": 1}) for _ in roles]
    assert servable(plan.clusters, [1, 1, 1], fits, 1) == 0
