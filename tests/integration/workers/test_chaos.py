"""The short form of ``python -m benchmarks.chaos``."""

from benchmarks.chaos.chaos import run


def test_in_chaos_nothing_is_lost_and_nothing_done_twice():
    figures = run(seconds=5, seed=1, durable=False)
    assert figures["lost"] == figures["duplicated"] == figures["forged"] == 0
    assert figures["settled"]
    assert figures["jobs"] > figures["letters"] > 0
    assert figures["faults"] >= 1
    assert figures["kills"] >= 1
