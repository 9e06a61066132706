"""Chains of moves keep apart what they bring, look after look, in a clinic of some size.

What repair remembers of one candidate serves the next of the same look; a chain that leaned on
places which another candidate leaves standing would show up here as an overlap.
"""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from benchmarks.choice.clinic import EARLY, NOW, case
from benchmarks.choice.play import check
from timevalg.model.states import TaskState
from timevalg.solver.certificates import after
from timevalg.solver.index import Index
from timevalg.solver.offers import offers
from timevalg.solver.picture import Picture
from timevalg.solver.places import plan
from timevalg.solver.repair import Chain
from timevalg.solver.spot import Spot

CLINIC = replace(EARLY, clinicians=8, rooms=4, days=4)
SEED = 2
"""A clinic in which chains overlap as soon as those are remembered that lean on another's going."""


def play(seed: int) -> int:
    """Let everybody look and choose; gives how many certificates moved two places or more.

    Every offer of every look is used on a copy, not just the one that is chosen.
    """
    made = case(CLINIC, 0.92, seed)
    dice = random.Random(seed)
    picture = plan(Picture(Index.of(made.organisation), {}, NOW), made.tasks, NOW).picture
    chains = 0
    for task in made.tasks:
        found = offers(picture, task, NOW, limit=20, key=f"b:{task.id}").offers
        for offer in found:
            check(after(picture, offer.certificate), offer.certificate)
            chains += len(offer.certificate.moved) > 1
        if found:
            picture = after(picture, dice.choice(found).certificate)
        picture = picture.with_task(replace(task, state=TaskState.CONFIRMED))
    return chains


def test_no_two_sessions_of_a_certificate_or_beside_it_overlap():
    assert play(SEED) > 50


def test_if_joined_chains_were_not_compared_they_would_overlap(monkeypatch):
    def joined(one: Chain, other: Chain, place: str) -> Chain:
        return Chain([*one.new, *other.new], one.gone | other.gone)

    monkeypatch.setattr(Chain, "joined", joined)
    with pytest.raises(ValueError, match="overlaps"):
        play(1)


def test_if_spots_of_one_chain_were_not_compared_they_would_overlap(monkeypatch):
    monkeypatch.setattr(Spot, "clashes", lambda one, other: False)
    with pytest.raises(ValueError, match="overlaps"):
        play(1)
