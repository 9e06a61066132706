"""Search against the naive reference, and against the verifier, on thousands of random clinics.

`pytest --hypothesis-profile=long tests/property/test_search.py` looks at many more.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import islice

from hypothesis import HealthCheck, given, settings

from tests.property.clinics import World, worlds
from tests.property.reference import Reference
from timevalg.solver.assign import allows, assign, assignments
from timevalg.solver.index import Index
from timevalg.solver.search import feasible
from timevalg.solver.verify import broken

thorough = settings(
    max_examples=3 * settings.default.max_examples,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def as_set(assignment):
    return frozenset((role, frozenset(names)) for role, names in assignment.items())


@thorough
@given(worlds())
def test_the_complete_set_is_the_reference_set(world: World) -> None:
    index = Index.of(world.organisation, world.sessions)
    for ask in world.asks:
        reference = Reference(world.organisation, world.sessions, ask)
        assert feasible(index, ask).instants() == sorted(reference.starts())


@thorough
@given(worlds(asks=1))
def test_the_verifier_accepts_every_start_and_nothing_else(world: World) -> None:
    index = Index.of(world.organisation, world.sessions)
    (ask,) = world.asks
    found = feasible(index, ask).instants()
    for start in found:
        resources = assign(index, ask, start)
        assert resources is not None
        assert broken(world.organisation, world.sessions, ask, start, resources) == ()
    loose = Reference(world.organisation, world.sessions, ask)
    loose.free = lambda resource, span: True  # type: ignore[method-assign]  # guard off
    loose.below_each = lambda resource, t: True  # type: ignore[method-assign]  # guard off
    loose.pool = replace(
        loose.pool, open=tuple(replace(row, release=None) for row in loose.pool.open)
    )
    cell = timedelta(minutes=world.organisation.grid)
    raster = loose.opening()
    others = sorted((raster | {t + cell for t in raster}) - set(found))
    for start in others[:: len(others) // 12 + 1]:
        for resources in islice(loose.all_assignments(start), 12):
            assert broken(world.organisation, world.sessions, ask, start, resources)


@thorough
@given(worlds(asks=1))
def test_all_assignments_are_given_once_and_the_first_is_assigned(world: World) -> None:
    index = Index.of(world.organisation, world.sessions)
    (ask,) = world.asks
    reference = Reference(world.organisation, world.sessions, ask)
    for start in islice(sorted(reference.opening()), 0, 24, 6):
        given_ = [as_set(a) for a in assignments(index, ask, start)]
        expected = {as_set(a) for a in reference.all_assignments(start)}
        assert len(given_) == len(set(given_))
        assert set(given_) == expected
        assert all(allows(index, ask, start, a) for a in reference.all_assignments(start))
        loose = Reference(world.organisation, (), ask)
        loose.free = lambda resource, span: True  # type: ignore[method-assign]  # guard off
        for other in islice(loose.all_assignments(start), 20):
            assert allows(index, ask, start, other) == (as_set(other) in expected)
        first = assign(index, ask, start)
        assert (first is None) == (not expected)
        if first is not None:
            assert as_set(first) == given_[0]


@thorough
@given(worlds(asks=2))
def test_changes_one_by_one_give_the_index_of_all(world: World) -> None:
    """Searching between changes must not matter: what is remembered is brought up to date."""
    index = Index.of(world.organisation, world.sessions[::2])
    kept = index
    before = [feasible(index, ask).bits for ask in world.asks]
    for session in world.sessions[1::2]:
        index = index.apply([session])
        for ask in world.asks:
            feasible(index, ask)
    for session in world.sessions[::3]:
        index = index.apply(removed=[session.id])
        rest = Index.of(world.organisation, [s for s in world.sessions if s.id != session.id])
        for ask in world.asks:
            assert feasible(index, ask).bits == feasible(rest, ask).bits
        index = index.apply([session])
    assert dict(index.sessions) == {s.id: s for s in world.sessions}
    fresh = Index.of(world.organisation, world.sessions)
    for ask in world.asks:
        assert feasible(index, ask).bits == feasible(fresh, ask).bits
    assert [feasible(kept, ask).bits for ask in world.asks] == before
    for session in world.sessions:
        for other in (index.by_task(session.task or ""), index.by_patient(session.patient or "")):
            assert len({s.id for s in other}) == len(other)
        assert [s.id for s in index.touching(session)] == [s.id for s in fresh.touching(session)]
