"""Explanations against the naive reference: counts, blockers and cures, on random clinics."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import assume, given, settings

from tests.property.clinics import World, worlds
from tests.property.reference import Reference, minutes
from tests.property.test_search import thorough
from timevalg.solver.blockers import blockers
from timevalg.solver.explain import explain, left
from timevalg.solver.index import Index
from timevalg.solver.loosen import cures
from timevalg.solver.search import RULES, feasible
from timevalg.solver.visit import Blocker


def keeps(reference: Reference, rule: str, t) -> bool:
    return t in reference.opening() if rule == "opening" else getattr(reference, rule)(t)


def some_starts(world: World, ask):
    """Raster starts, released or not, and some off the raster."""
    loose = Reference(world.organisation, world.sessions, ask)
    rows = tuple(replace(row, release=None) for row in loose.pool.open)
    loose.pool, loose.task = replace(loose.pool, open=rows), None
    cell = timedelta(minutes=world.organisation.grid)
    raster = sorted(loose.opening())
    return [*raster[:: len(raster) // 10 + 1], *(t + cell for t in raster[:: len(raster) // 3 + 1])]


@thorough
@given(worlds())
def test_what_each_rule_leaves_is_what_the_reference_counts(world: World) -> None:
    index = Index.of(world.organisation, world.sessions)
    for ask in world.asks:
        reference = Reference(world.organisation, world.sessions, ask)
        rest = {
            t
            for t in reference.opening()
            if reference.today <= t.astimezone(reference.zone).date() <= reference.last
        }
        expected = {"opening": len(rest)}
        for rule in list(RULES)[1:]:
            rest = {t for t in rest if getattr(reference, rule)(t)}
            expected[rule] = len(rest)
        assert left(index, ask) == expected
        assert list(expected) == list(RULES)
        assert expected["patient"] == len(feasible(index, ask))


@thorough
@given(worlds(asks=1))
def test_a_start_without_blockers_is_feasible_and_each_blocker_is_true(world: World) -> None:
    index = Index.of(world.organisation, world.sessions)
    (ask,) = world.asks
    reference = Reference(world.organisation, world.sessions, ask)
    starts, tried = feasible(index, ask), some_starts(world, ask)
    assume(tried)
    for t in tried:
        found = blockers(index, ask, t)
        assert (not found) == (t in starts)
        broken = {rule for rule in RULES if not keeps(reference, rule, t)}
        assert {b.rule for b in found} == broken
        for blocker in found:
            assert blocker.start is None or blocker.end is None or blocker.start < blocker.end
            if blocker.session is not None:
                check_session(reference, blocker, t)
        check_resources(reference, [b for b in found if b.rule == "resources"], t)


def check_session(reference: Reference, blocker: Blocker, t) -> None:
    session = next(s for s in reference.sessions if s.id == blocker.session)
    assert blocker.why == session.kind
    if blocker.rule == "patient":
        assert session.patient == reference.task.patient
        begins, ends = t, t + minutes(reference.service.length + reference.extra)
        assert blocker.start == session.start
    else:
        role = reference.service.role(blocker.role)
        begins = t + minutes(role.start)
        ends = begins + minutes(role.length + reference.extra)
        assert blocker.start == session.spans[blocker.resource].start
    assert blocker.start < ends
    assert begins < blocker.end


def check_resources(reference: Reference, found: list[Blocker], t) -> None:
    """Of a role that is short, those not named are just those that could serve it."""
    able = dict(zip(reference.copies(), reference.fitting(t), strict=True))
    for role in reference.service.roles:
        named = {b.resource for b in found if b.role == role.id and b.resource}
        if named:
            kind = {r.id for r in reference.clinic.resources.values() if r.kind == role.kind}
            assert kind - named == set(able[role.id])
    for blocker in found:
        if blocker.why in {"too_few", "shared"}:
            roles = [blocker.role] if blocker.role else blocker.more["roles"]
            assert blocker.more["needs"] == sum(reference.service.role(r).count for r in roles)
            assert blocker.more["free"] == len({name for r in roles for name in able[r]})
            assert blocker.more["free"] < blocker.more["needs"]


@thorough
@given(worlds(asks=1))
def test_cures_are_what_the_reference_finds_under_the_changed_rules(world: World) -> None:
    index = Index.of(world.organisation, world.sessions)
    (ask,) = world.asks
    explained = explain(index, [ask])
    if feasible(index, ask):
        assert not explained.cures
        return
    found = explained.cures
    assert [c.size for c in found] == sorted(c.size for c in found)
    for cure in found:
        (asked,) = cure.model.asks
        changed = cure.model.index.organisation
        assert len(Reference(changed, world.sessions, asked).starts()) == cure.starts > 0
    check_smallest(world, ask, found)


def check_smallest(world: World, ask, found) -> None:
    """Nothing smaller of the same sort would do, and what would do is found."""
    pool = world.organisation.clinic(ask.clinic).pool(ask.pool)
    notices = [c for c in found if c.change.startswith("notice") and ";" not in c.change]
    helps = [n for n in range(pool.notice) if starts_with(world, ask, notice=n)]
    if helps:
        assert found
        assert not any(";" in c.change for c in found)
        (told,) = notices or [None]
        assert told is None or told.change == f"notice {pool.notice} -> {max(helps)}"
        assert told is not None or len(found) >= 8
    else:
        assert not notices
    further = [pool.horizon + more for more in range(1, 6)]
    far = next((h for h in further if starts_with(world, ask, horizon=h)), None)
    if far is not None and len(found) < 8:
        assert f"horizon {pool.horizon} -> {far}" in {c.change for c in found}


def starts_with(world: World, ask, **changes) -> bool:
    clinic = world.organisation.clinic(ask.clinic)
    pool = replace(clinic.pool(ask.pool), **changes)
    clinic = replace(clinic, pools={**clinic.pools, pool.id: pool})
    other = replace(world.organisation, clinics={**world.organisation.clinics, clinic.id: clinic})
    return any(True for _ in Reference(other, world.sessions, ask).each())


@settings(thorough, max_examples=2 * settings.default.max_examples)
@given(worlds(asks=1))
def test_cures_of_one_start_make_it_feasible(world: World) -> None:
    index = Index.of(world.organisation, world.sessions)
    (ask,) = world.asks
    starts = feasible(index, ask)
    blocked = [t for t in some_starts(world, ask) if t not in starts][:4]
    cured = [(t, cure) for t in blocked for cure in cures(index, [ask], t)]
    assume(cured)
    for t, cure in cured:
        (asked,) = cure.model.asks
        again = Reference(cure.model.index.organisation, world.sessions, asked).starts()
        assert t in again
        assert len(again) == cure.starts
