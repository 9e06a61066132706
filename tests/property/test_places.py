"""Places and safe offers against exhaustive search, on clinics small enough to try everything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from benchmarks.choice.exact import Exhaustive, small, without
from timevalg.model.session import SessionKind
from timevalg.model.task import Task
from timevalg.solver.aside import ANYHOW, Aside
from timevalg.solver.ask import Ask
from timevalg.solver.certificates import after, own_place
from timevalg.solver.offers import offers
from timevalg.solver.picture import Picture
from timevalg.solver.places import plan
from timevalg.solver.repair import Budget
from timevalg.solver.safety import UNSAFE, Settling
from timevalg.solver.search import feasible
from timevalg.solver.spot import Spot
from timevalg.solver.verify import broken

SEEDS = range(100)


def planned(seed: int) -> Picture:
    """Give a small clinic with a place for everybody who got one."""
    picture = small(seed)
    made = plan(picture, picture.tasks.values(), picture.now)
    return made.picture


def check_places(picture: Picture) -> None:
    """Ask the verifier whether every place is valid beside all others, after `due` too."""
    index = picture.index
    for place in index.sessions.values():
        if place.kind is not SessionKind.PLACE:
            continue
        task = picture.tasks[place.task]
        others = [s for s in index.sessions.values() if s is not place]
        now = Ask(task.clinic, place.pool, picture.now, task, count_places=True)
        pool = index.organisation.clinic(task.clinic).pool(place.pool)
        for ask in (
            replace(now, today=max(picture.now.date(), task.opens)),
            replace(now, today=task.after_due, notice=pool.fallback_notice),
        ):
            assert not broken(index.organisation, others, ask, place.start, place.resources)


@pytest.mark.parametrize("seed", SEEDS)
def test_places_are_valid_and_as_many_as_can_be(seed):
    picture = small(seed)
    tasks = list(picture.tasks.values())
    made = plan(picture, tasks, picture.now)
    check_places(made.picture)
    stage = picture
    for certificate in made.placed:
        stage = after(stage, certificate)
        check_places(stage)
    assert dict(stage.index.sessions) == dict(made.picture.index.sessions)
    assert {t.id for t in made.unplaced} == {
        t.id for t in tasks if own_place(made.picture, t) is None
    }
    assert len(made.placed) == Exhaustive(picture).most(tasks)


def test_if_the_day_after_due_were_not_asked_about_the_clock_would_end_places(monkeypatch):
    real = Ask.for_place.__func__

    def for_place(cls, *given, **named):
        return replace(real(cls, *given, **named), earliest_from=None, notice=None)

    monkeypatch.setattr(Ask, "for_place", classmethod(for_place))
    with pytest.raises(AssertionError):
        for seed in SEEDS:
            check_places(planned(seed))


def test_what_is_shown_is_safe_and_nearly_all_that_is_safe_is_shown():
    """An offer is shown as safe only if it is; `unsafe` is said only when true."""
    safe = shown = 0
    for seed in SEEDS:
        picture = planned(seed)
        for task in picture.tasks.values():
            truly, found, _ = looked(picture, task)
            safe, shown = safe + truly, shown + found
    assert safe > 600
    assert shown >= 0.95 * safe


def test_where_few_are_shown_a_look_spends_what_it_has_left(monkeypatch):
    def shown(where_few: int) -> int:
        monkeypatch.setattr("timevalg.solver.offers.STEPS_WHERE_FEW", where_few)
        pictures = [planned(seed) for seed in SEEDS[:30]]
        return sum(
            len(offers(p, task, p.now, limit=limit, key="c").offers)
            for p in pictures
            for task in p.tasks.values()
        )

    monkeypatch.setattr("timevalg.solver.offers.STEPS_AT_FIRST", 1)
    monkeypatch.setattr("timevalg.solver.offers.ROUNDS", ())
    limit = 100
    assert shown(0) < shown(500)
    limit = 1  # one is found, and no more is wanted
    assert shown(0) == shown(500)


def test_where_many_are_not_settled_a_look_asks_for_a_proof_by_all_that_is_known(monkeypatch):
    def unsafe(many: int) -> int:
        monkeypatch.setattr("timevalg.solver.offers.MANY", many)
        pictures = [planned(seed) for seed in range(100, 130)]
        return sum(looked(p, task)[2] for p in pictures for task in p.tasks.values())

    assert unsafe(0) > unsafe(1000) > 0


@pytest.mark.parametrize(("depth", "several"), [(0, 1), (1, 5)])
def test_what_joint_moves_find_is_safe(monkeypatch, depth, several):
    """So that they are put to the test: at least some offers move others, and some several."""
    joint_moves_only(monkeypatch, depth)
    moved = [number for picture in map(planned, SEEDS[:30]) for number in moved_in(picture)]
    assert sum(number > 0 for number in moved) > 30
    assert sum(number > 1 for number in moved) >= several


@pytest.mark.parametrize("kind", [SessionKind.BOOKING, SessionKind.HOLD])
def test_joint_moves_leave_everybody_a_valid_place(kind):
    """Also where a hold needs a place of its own beside the time held."""
    found = 0
    for picture in map(planned, SEEDS[:30]):
        until = picture.now + timedelta(minutes=10) if kind is SessionKind.HOLD else None
        for task in picture.tasks.values():
            for pool in task.pools:
                ask = Ask.for_task(picture.index, task, pool, picture.now, changing=True)
                settling = Settling(
                    picture, task, picture.now, ask.ignore, key="new", kind=kind, until=until
                )
                for start in feasible(picture.index, ask).instants():
                    certificate = settling.settle_jointly(ask, start)
                    if certificate is not None:
                        then = after(picture, certificate)
                        check_places(then)
                        assert all(own_place(then, other) for other in without(picture, task))
                        found += bool(certificate.moved)
    assert found > 20


def test_joint_moves_find_what_chains_do_not(monkeypatch):
    pictures = [planned(seed) for seed in SEEDS[:30]]

    def shown(*rounds) -> int:
        monkeypatch.setattr("timevalg.solver.offers.ROUNDS", rounds)
        return sum(
            len(offers(p, task, p.now, limit=100, key="new").offers)
            for p in pictures
            for task in p.tasks.values()
        )

    monkeypatch.setattr("timevalg.solver.offers.STEPS_WHERE_FEW", 0)
    assert shown((None, 50, 1000)) < shown((None, 50, 1000), (1, 50, 1000))


def test_joint_moves_leave_places_alone_whose_owners_are_not_known(monkeypatch):
    """Guard off: such a place goes, and there is nothing to say where to."""
    joint_moves_only(monkeypatch, 1)

    def lost() -> int:
        count = 0
        for picture in map(planned, SEEDS[:10]):
            for unknown in picture.tasks:
                some = {key: task for key, task in picture.tasks.items() if key != unknown}
                alone = replace(picture, tasks=some)
                for task in some.values():
                    found = offers(alone, task, alone.now, limit=100, key="new").offers
                    count += sum(
                        old.task == unknown
                        for offer in found
                        for old in offer.certificate.displaced
                    )
        return count

    assert lost() == 0
    monkeypatch.setattr(
        "timevalg.solver.together.owners",
        lambda board, spots: [board.tasks[s.task] for s in spots if s.task in board.tasks],
    )
    with pytest.raises(KeyError):
        lost()


@pytest.mark.parametrize(
    ("rule", "instead"),
    [
        ("Board.back", lambda board, mark: None),
        ("Board.in_the_way", lambda board, spot, **named: []),
    ],
    ids=["the board put back", "who is in the way"],
)
def test_if_joint_moves_did_not_see_to_this_somebody_would_be_stranded(monkeypatch, rule, instead):
    joint_moves_only(monkeypatch, 1)
    pictures = [planned(seed) for seed in SEEDS[:30]]
    monkeypatch.setattr(f"timevalg.solver.board.{rule}", instead)
    with pytest.raises((AssertionError, LookupError, ValueError)):
        for picture in pictures:
            moved_in(picture)


def joint_moves_only(monkeypatch, depth):
    """Let a look find by joint moves whatever displaces anybody."""
    monkeypatch.setattr("timevalg.solver.offers.STEPS_AT_FIRST", 0)
    monkeypatch.setattr("timevalg.solver.offers.STEPS_WHERE_FEW", 0)
    monkeypatch.setattr("timevalg.solver.offers.ROUNDS", ((depth, 50, 1000),))


def moved_in(picture: Picture) -> list[int]:
    """Check everybody's look; gives how many others each offer moves."""
    out = []
    for task in picture.tasks.values():
        looked(picture, task)
        found = offers(picture, task, picture.now, limit=1000, key="new").offers
        out += [len(offer.certificate.moved) for offer in found]
    return out


def test_if_spots_in_a_chain_could_clash_an_offer_would_strand_somebody(monkeypatch):
    monkeypatch.setattr(Spot, "clashes", lambda one, other: False)
    with pytest.raises(AssertionError):
        for seed in SEEDS:
            picture = planned(seed)
            for task in picture.tasks.values():
                looked(picture, task)


@pytest.mark.parametrize("kind", [SessionKind.BOOKING, SessionKind.HOLD])
def test_unsafe_is_said_of_most_that_is_unsafe_and_only_of_that(kind):
    unsafe, said, with_quotas = said_unsafe(SEEDS[:40], kind)
    assert said >= 0.5 * unsafe
    assert with_quotas > 0


def test_a_resource_whose_quota_is_spent_is_no_way_out_though_no_time_is_full():
    """One clinician with a quota of two a week, who have a place each; three more ask."""
    picture = planned(1054)
    found = [
        offers(picture, picture.tasks[name], picture.now, limit=10, key="new")
        for name in ("t0", "t2", "t4")
    ]
    assert [(look.unsafe, look.undecided, len(look.offers)) for look in found] == [(4, 0, 0)] * 3


def test_unsafe_is_true_whoever_is_looked_at(monkeypatch):
    look_at_everybody(monkeypatch)
    unsafe, said, with_quotas = said_unsafe(SEEDS[:40], SessionKind.BOOKING)
    assert said >= 0.5 * unsafe
    assert with_quotas > 0


@pytest.mark.parametrize(
    ("rule", "instead", "seeds"),
    [
        ("stretches._most", lambda sorts, start=0, end=0: 1, SEEDS[:40]),
        ("overflow.Filled._next", lambda filled, level, unseen: [], SEEDS[:40]),
        ("spent.Spent._free", lambda spent, site, quota, seats, periods: 0, [131]),
        ("overflow.Filled.confined", lambda filled: (filled._full[0], set()), [25, 56]),
        ("filling.least", lambda one, other: other, [20, 36]),
        ("filling.could_do_without", lambda roles, rows: set(), [19]),
    ],
    ids=[
        "what seats side by side are worth",
        "who could go elsewhere",
        "who could be in another period",
        "whose time it is that is full",
        "in which pool a visit takes less",
        "who could come without such a resource",
    ],
)
def test_if_this_were_not_asked_unsafe_would_be_said_wrongly(monkeypatch, rule, instead, seeds):
    look_at_everybody(monkeypatch)
    said_unsafe(seeds, SessionKind.BOOKING)
    monkeypatch.setattr(f"timevalg.solver.{rule}", instead)
    with pytest.raises(AssertionError, match="although it is safe"):
        said_unsafe(seeds, SessionKind.BOOKING)


def look_at_everybody(monkeypatch):
    """Let proofs look at those too who could very well move aside."""
    known = Aside._new_ground

    def nothing_free(aside, site, moves):
        ground = known(aside, site, moves)
        return ground if moves == ANYHOW else replace(ground, bits=0)

    monkeypatch.setattr(Aside, "_new_ground", nothing_free)


def said_unsafe(seeds: Iterable[int], kind: SessionKind) -> tuple[int, int, int]:
    """Count the unsafe starts, those proven to be, and those of them where there are quotas."""
    unsafe = said = with_quotas = 0
    for seed in seeds:
        picture = planned(seed)
        for task in picture.tasks.values():
            every, found = proven_unsafe(picture, task, kind)
            safe = Exhaustive(picture).safe_starts(task)
            assert not found & safe, f"{seed}: {found & safe} is said unsafe although it is safe"
            unsafe, said = unsafe + len(every - safe), said + len(found)
            with_quotas += len(found) if picture.index.plan.counts else 0
    return unsafe, said, with_quotas


def proven_unsafe(
    picture: Picture, task: Task, kind: SessionKind
) -> tuple[set[tuple[str, datetime]], set[tuple[str, datetime]]]:
    """Ask of every feasible start, as a look does and more; gives all, and those proven unsafe."""
    every, unsafe = set(), set()
    until = picture.now + timedelta(minutes=10) if kind is SessionKind.HOLD else None
    asks = [Ask.for_task(picture.index, task, p, picture.now, changing=True) for p in task.pools]
    settling = Settling(
        picture,
        task,
        picture.now,
        asks[0].ignore,
        key="new",
        kind=kind,
        until=until,
        budget=Budget(1_000_000),
    )
    for ask in asks:
        for start in feasible(picture.index, ask).instants():
            every.add((ask.pool, start))
            scope, _ = settling._scope(ask)
            proven = settling._full.proven(scope, scope.frame.cell(start))
            narrowly = settling.is_unsafe(ask, start)
            if proven or narrowly or settling.settle(ask, start) is UNSAFE:
                unsafe.add((ask.pool, start))
    return every, unsafe


def looked(picture: Picture, task: Task) -> tuple[int, int, int]:
    """Check one patient's look; gives how many are safe, how many shown, and how many unsafe."""
    others = without(picture, task)
    found = offers(picture, task, picture.now, limit=1000, tries=1000, key="new")
    shown = {(o.pool, o.start) for o in found.offers}
    safe = Exhaustive(picture).safe_starts(task)
    assert shown <= safe
    assert found.unsafe <= found.feasible - len(safe)
    assert len(shown) + found.unsafe + found.undecided <= found.feasible
    for offer in found.offers:
        then = after(picture, offer.certificate)
        check_places(then)
        assert all(own_place(then, other) is not None for other in others)
        ask = Ask.for_task(then.index, task, offer.pool, then.now, changing=True)
        ask = replace(ask, count_places=True)
        rest = [s for s in then.index.sessions.values() if s.id != "new"]
        booked = offer.session
        assert not broken(then.index.organisation, rest, ask, booked.start, booked.resources)
    return len(safe), len(shown), found.unsafe
