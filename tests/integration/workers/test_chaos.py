"""The short form of ``python -m benchmarks.chaos``, and what its reckoning finds out."""

from dataclasses import replace
from datetime import timedelta

import pytest

from benchmarks.chaos.chaos import run
from benchmarks.chaos.crew import THREADS
from benchmarks.chaos.reckoning import Reckoning
from benchmarks.receiver import Receiver
from tests.world import ORGANISATION, World
from timevalg.store import Memory


def test_in_chaos_nothing_is_lost_and_nothing_done_twice():
    figures = run(seconds=4, seed=1, durable=False, pause=0.2, leases_run_out=True)
    wrong = ("lost", "duplicated", "unexplained", "forged")
    assert {name: figures[name] for name in wrong} == dict.fromkeys(wrong, 0)
    assert figures["settled"]
    assert figures["jobs"] > figures["letters"] > 0
    assert figures["faults"] >= 1
    assert figures["kills"] >= 1


@pytest.mark.parametrize(("unknown", "unexplained"), [(0, 0), (THREADS, 0), (THREADS + 2, 2)])
def test_only_what_a_killed_worker_had_on_its_way_may_be_unknown(unknown, unexplained):
    """Guard off: with nobody killed each of them counts."""
    world = World(Memory)
    for n in range(THREADS + 2):
        world.desk.register(f"p-{n}", email=f"p-{n}@example.test")
        world.chosen(f"p-{n}")
    world.work_kinds("letter", "check")
    world.work_kinds("letter")
    with Receiver() as receiver:
        reckoning = Reckoning(world.store, ORGANISATION, receiver)

        def lease(unit):
            now, keys = unit.now(), [w.id for w in unit.work.find(kind="send letter")]
            return unit.work.lease(keys, now, now + timedelta(minutes=1), "host:7")

        assert len(world.store.run(ORGANISATION, lease)) == THREADS + 2

        def lose(unit):
            for letter in unit.letters.find()[:unknown]:
                unit.letters.save(replace(letter, state="unknown"))

        world.store.run(ORGANISATION, lose)
        reckoning.note_dead({8})
        assert reckoning.counts([])["unexplained"] == unknown
        reckoning.note_dead({7})
        assert reckoning.counts([])["unexplained"] == unexplained
