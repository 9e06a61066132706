"""Stretches: where on a resource seats lie so close that they share time, and what they can hold.

Time is counted in steps of the raster (`timevalg.solver.raster`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from timevalg.solver.bits import cells, raised, stretch

Sort = tuple[int, int, int]
"""Seats that are alike: where they begin, as bits; how long each is, and what it is worth."""


@dataclass(frozen=True)
class Stretch:
    """Time of one resource that no seat leaves.

    Attributes
    ----------
    start, end : int
        Steps.
    sorts : tuple of Sort
        Its seats, counted from its start.
    """

    start: int
    end: int
    sorts: tuple[Sort, ...]

    @cached_property
    def most(self) -> int:
        """What seats that it can hold side by side are worth at most."""
        return _most(self.sorts)

    def is_packed(self, there: int) -> bool:
        """Tell whether seats of some worth fill it to the last step."""
        return there >= self.end - self.start and all(
            worth <= long for _, long, worth in self.sorts
        )

    def room(self, there: int) -> int:
        """Give what more it can hold beside seats of some worth."""
        return 0 if self.is_packed(there) else self.most - there

    def loss(self, start: int, end: int, there: int) -> int:
        """Give how much less a claim makes it hold, or less than that where it is packed."""
        if self.is_packed(there):
            return min(end, self.end) - max(start, self.start)
        return self.most - _most(self.sorts, start - self.start, end - self.start)


class Stretches:
    """The stretches of one resource, in order; each is made when first asked for.

    Parameters
    ----------
    sorts : tuple of Sort
        All seats.

    Attributes
    ----------
    starts, ends : sequence of int
        Where each begins and ends.
    """

    def __init__(self, sorts: tuple[Sort, ...]) -> None:
        cover = joined = 0
        for begins, length, _ in sorts:
            cover |= raised(begins, length)
            if length > 1:
                joined |= raised(begins << 1, length - 1)
        self._sorts = sorts
        self.starts: Sequence[int] = cells(cover & ~joined)
        self.ends: Sequence[int] = cells((cover & ~(joined >> 1)) << 1)
        self._known: dict[int, Stretch] = {}

    def number(self, step: int) -> int:
        """Give the number of the first that ends after a step."""
        return bisect_right(self.ends, step)

    def inside(self, number: int) -> int:
        """Give the steps of one, as bits."""
        return stretch(self.starts[number], self.ends[number])

    def room(self, number: int, there: int) -> int:
        """Give what more one can hold beside seats of some worth."""
        return self[number].room(there)

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, number: int) -> Stretch:
        found = self._known.get(number)
        if found is None:
            start, end = self.starts[number], self.ends[number]
            size = (1 << end - start) - 1
            inside = tuple(
                (here, length, worth)
                for begins, length, worth in self._sorts
                if (here := begins >> start & size)
            )
            found = self._known[number] = Stretch(start, end, inside)
        return found


class Steps(Stretches):
    """Every step of time as a stretch of its own, which one seat fills.

    Parameters
    ----------
    size : int
        How many there are.
    """

    def __init__(self, size: int) -> None:
        self.starts, self.ends = range(size), range(1, size + 1)

    def number(self, step: int) -> int:
        """Give the number of the first that ends after a step: the step."""
        return max(0, step)

    def inside(self, number: int) -> int:
        """Give the step, as bits."""
        return 1 << number

    def room(self, number: int, there: int) -> int:
        """Give whether it is free yet, as a number."""
        return 1 - there

    def __getitem__(self, number: int) -> Stretch:
        return Stretch(number, number + 1, ((1, 1, 1),))


parted = lru_cache(maxsize=1024)(Stretches)
"""Part the seats of one resource into stretches; remembered for as long as they stay the same."""


@lru_cache(maxsize=16_384)
def _most(sorts: tuple[Sort, ...], start: int = 0, end: int = 0) -> int:
    """Give what seats that can be had side by side, and beside a claim, are worth at most."""
    seats = sorted(
        (step + length, step, worth)
        for begins, length, worth in sorts
        for step in cells(begins)
        if step + length <= start or end <= step
    )
    ends, best = [0], [0]
    for stop, step, worth in seats:
        whole = best[bisect_right(ends, step) - 1] + worth
        if whole > best[-1]:
            ends.append(stop)
            best.append(whole)
    return best[-1]
