"""A second reference for rule 5: CP-SAT finds an assignment just where the search does."""

from __future__ import annotations

from hypothesis import assume, given, settings
from ortools.sat.python import cp_model

from tests.property.clinics import World, worlds
from tests.property.reference import Reference
from tests.property.test_search import thorough
from timevalg.solver.assign import assign
from timevalg.solver.index import Index
from timevalg.solver.look import Look
from timevalg.solver.search import RULES, feasible
from timevalg.solver.verify import broken


def assignable(reference: Reference, t) -> bool:
    """Solve the assignment at one start: x = 1 if a resource serves a role."""
    model = cp_model.CpModel()
    able = dict(zip(reference.copies(), reference.fitting(t), strict=True))
    serves = {
        (role, name): model.new_bool_var(f"{role} {name}")
        for role, names in able.items()
        for name in names
    }
    for role in reference.service.roles:
        model.add(sum(serves[role.id, name] for name in able[role.id]) == role.count)
    for resource in reference.clinic.resources:
        model.add(sum(x for (_, name), x in serves.items() if name == resource) <= 1)
    for group in reference.service.together:
        rows = []
        for row in group.allowed:
            pairs = list(zip(group.roles, row, strict=True))
            if all(pair in serves for pair in pairs):
                rows.append(model.new_bool_var(str(row)))
                for pair in pairs:
                    model.add_implication(rows[-1], serves[pair])
        model.add(sum(rows) == 1)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    status = solver.solve(model)
    assert status in {cp_model.OPTIMAL, cp_model.FEASIBLE, cp_model.INFEASIBLE}
    return status != cp_model.INFEASIBLE


@settings(thorough, max_examples=settings.default.max_examples)
@given(worlds(asks=1))
def test_a_start_can_be_served_if_and_only_if_cp_sat_says_so(world: World) -> None:
    compare(world)


@settings(thorough, max_examples=settings.default.max_examples // 3)
@given(worlds(asks=1, wide=True))
def test_so_it_is_with_eight_roles_and_five_copies(world: World) -> None:
    compare(world)


def compare(world: World) -> None:
    index = Index.of(world.organisation, world.sessions)
    (ask,) = world.asks
    reference = Reference(world.organisation, world.sessions, ask)
    look = Look(index, ask)
    served = RULES["resources"](look)
    starts = feasible(index, ask)
    inside = [
        t
        for t in sorted(reference.opening())
        if reference.closed(t) and reference.window(t) and reference.preparation(t)
    ]
    assume(inside)
    for t in inside[:: len(inside) // 10 + 1]:
        possible = assignable(reference, t)
        assert possible == bool(served >> look.frame.cell(t) & 1)
        resources = assign(index, ask, t)
        assert possible == (resources is not None)
        if t in starts and resources is not None:
            assert not broken(world.organisation, world.sessions, ask, t, resources)
        assert possible or t not in starts
