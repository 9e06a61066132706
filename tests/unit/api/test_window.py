"""How often somebody may ask."""

from __future__ import annotations

import random

import pytest

from timevalg.api.window import MovingWindow


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize("seed", range(20))
def test_no_more_are_let_in_within_any_span_than_may_be_and_no_fewer(seed):
    chance, clock = random.Random(seed), Clock()
    most, seconds = chance.randint(1, 5), chance.randint(1, 10)
    window, let_in = MovingWindow(most, seconds, clock), {who: [] for who in "abc"}
    for _ in range(300):
        clock.now += chance.choice([0, 0.1, 1, seconds])
        who = chance.choice("abc")
        lately = [t for t in let_in[who] if t > clock.now - seconds]
        wait = window.wait(who)
        if len(lately) < most:
            assert wait == 0
            let_in[who].append(clock.now)
        else:
            assert wait == pytest.approx(lately[-most] + seconds - clock.now)


def test_whoever_has_not_asked_for_long_is_forgotten():
    clock = Clock()
    window = MovingWindow(3, 60, clock)
    for number in range(1000):
        clock.now = number
        assert window.wait(f"p-{number}") == 0
        assert len(window._times) <= 60
