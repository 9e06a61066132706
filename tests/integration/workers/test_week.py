"""The short form of ``python -m benchmarks.week``."""

from benchmarks.week import week


def test_everybody_invited_has_a_letter_at_the_end(postgres_url):
    spent = week.play(postgres_url, "900000001", 6)
    assert spent["lettered"] == 6
    assert set(week.STEPS) <= set(spent)
