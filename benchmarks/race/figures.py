"""From what the writers did to the figures that are printed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import quantiles

from benchmarks.race.writers import BOOKED, BUSY, TAKEN, Attempt


@dataclass(frozen=True)
class Part:
    """One part of the race.

    Attributes
    ----------
    seconds : float
        While every writer was at work: bookings outside are in no rate.
    """

    attempts: Sequence[Attempt]
    seconds: float
    within: int

    @classmethod
    def of(cls, hands: Iterable[Sequence[Attempt]]) -> Part:
        """Put together what each writer did."""
        busy = [hand for hand in hands if hand]
        if not busy:
            return cls((), 0.0, 0)
        began = max(hand[0].began for hand in busy)
        ended = min(hand[-1].ended for hand in busy)
        attempts = tuple(a for hand in busy for a in hand)
        within = sum(a.outcome == BOOKED and began < a.ended <= ended for a in attempts)
        return cls(attempts, ended - began, within)

    def __add__(self, other: Part) -> Part:
        return Part(
            (*self.attempts, *other.attempts),
            self.seconds + other.seconds,
            self.within + other.within,
        )

    @property
    def bookings(self) -> int:
        """How many got their time."""
        return self._count(BOOKED)

    @property
    def conflicts(self) -> int:
        """How many were told that the time is taken."""
        return self._count(TAKEN)

    @property
    def busy(self) -> int:
        """How many waited three seconds for a lock, or five repeats, in vain."""
        return self._count(BUSY)

    @property
    def retries(self) -> int:
        """How often the store ran a transaction again."""
        return sum(a.retries for a in self.attempts)

    @property
    def per_second(self) -> float:
        """Bookings a second."""
        return self.within / self.seconds if self.seconds > 0 else 0.0

    def ms(self, percent: int, *, outcome: str | None = None) -> float:
        """Give a percentile of the milliseconds an attempt took."""
        times = [
            (a.ended - a.began) * 1000
            for a in self.attempts
            if outcome is None or a.outcome == outcome
        ]
        if len(times) < 2:
            return times[0] if times else 0.0
        return quantiles(times, n=100, method="inclusive")[percent - 1]

    def _count(self, outcome: str) -> int:
        return sum(a.outcome == outcome for a in self.attempts)
