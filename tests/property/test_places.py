"""Places and safe offers against exhaustive search, on clinics small enough to try everything."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.choice.exact import Exhaustive, small, without
from timevalg.model.session import SessionKind
from timevalg.model.task import Task
from timevalg.solver.ask import Ask
from timevalg.solver.certificates import after, own_place
from timevalg.solver.offers import offers
from timevalg.solver.picture import Picture
from timevalg.solver.places import plan
from timevalg.solver.repair import Repair
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


def test_what_is_shown_is_safe_and_nearly_all_that_is_safe_is_shown():
    """An offer is shown as safe only if it is; `unsafe` is said only when true."""
    safe = shown = 0
    for seed in SEEDS:
        picture = planned(seed)
        for task in picture.tasks.values():
            truly, found = looked(picture, task)
            safe, shown = safe + truly, shown + found
    assert safe > 600
    assert shown >= 0.95 * safe


def test_if_spots_in_a_chain_could_clash_an_offer_would_strand_somebody(monkeypatch):
    monkeypatch.setattr(Spot, "clashes", lambda one, other: False)
    with pytest.raises(AssertionError):
        for seed in SEEDS:
            picture = planned(seed)
            for task in picture.tasks.values():
                looked(picture, task)


def test_if_it_were_not_known_what_was_cut_off_unsafe_would_be_said_wrongly(monkeypatch):
    always = property(lambda _: True, lambda _, value: None)
    monkeypatch.setattr(Repair, "exhausted", always, raising=False)
    monkeypatch.setattr("timevalg.solver.safety.STEPS", 1)
    monkeypatch.setattr("timevalg.solver.safety.PROOF", 2)
    with pytest.raises(AssertionError):
        for seed in SEEDS:
            picture = planned(seed)
            for task in picture.tasks.values():
                looked(picture, task)


def looked(picture: Picture, task: Task) -> tuple[int, int]:
    """Check one patient's look; gives how many candidates are safe, and how many are shown."""
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
    return len(safe), len(shown)
