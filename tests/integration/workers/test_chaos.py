"""The short form of ``python -m benchmarks.chaos``."""

from benchmarks.chaos.chaos import run


def test_in_chaos_nothing_is_lost_and_nothing_done_twice():
    figures = run(seconds=4, seed=1, durable=False, pause=0.2)
    assert figures["lost"] == figures["duplicated"] == figures["forged"] == 0
    assert figures["settled"]
    assert figures["jobs"] > figures["letters"] > 0
    assert figures["faults"] >= 1
    assert figures["kills"] >= 1
