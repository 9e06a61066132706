"""The order in which starts are offered: documented terms, weighed by the pool, with variety.

Each term gives a part between 0 (bad) and 1 (good); the score is their weighted sum divided by the
weights that apply. The order is then spread over days, mornings and afternoons. The terms and
their formulas are in docs/ranking.md.

No more starts are looked at than are asked for: all terms but `earliness` sort the starts into a
few classes, as bitmaps, and within a class earlier is better.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from heapq import heapify, heappop, heappush, heapreplace
from typing import NamedTuple
from zoneinfo import ZoneInfo

from timevalg.model.pool import WEIGHTS
from timevalg.model.session import Assignment
from timevalg.solver.ask import Ask
from timevalg.solver.classes import Class, Way, classes
from timevalg.solver.frame import EPOCH
from timevalg.solver.index import Index
from timevalg.solver.wishes import NOTHING, Wishes

VARIETY = 0.08
"""What each earlier start of the same half-day costs a start in the order."""


@dataclass(frozen=True)
class Ranked:
    """One start in the order.

    Attributes
    ----------
    start : datetime
        UTC.
    score, parts : float, mapping
        How good it is by the pool's weights, and why.
    """

    start: datetime
    clinic: str
    pool: str
    score: float
    parts: Mapping[str, float]
    item: _Item = field(compare=False, repr=False)
    way: Way = field(compare=False, repr=False)

    @property
    def ask(self) -> Ask:
        """What was asked, a task's for those alone who keep the wishes that the score counts."""
        return self.way.ask

    @cached_property
    def resources(self) -> Assignment:
        """An assignment that keeps those wishes; those first who leave no useless gap."""
        return self.item.of.assign(self.item.cell, self.way)

    def keeps(self, resources: Assignment) -> bool:
        """Tell whether another assignment that its ask allows keeps the wishes that it counts."""
        return self.item.of.keeps(self.way, resources)

    def ways(self) -> Iterator[Ranked]:
        """Give it, then the same start with clinicians who keep other or fewer wishes."""
        yield self
        for way in self.item.of.others(self.item.cell):
            yield _ranked(self.item, way)


class Ranking:
    """The starts of one or several pools, best first, with variety.

    The same values give the same order.

    Parameters
    ----------
    index : Index
    asks : sequence of Ask
        One for each pool in which the patient could be seen.
    wishes : Wishes
        Its musts filter, the rest ranks.
    since : (datetime, str) or None
        In order of time instead: those after this start and pool.
    """

    def __init__(
        self,
        index: Index,
        asks: Sequence[Ask],
        wishes: Wishes = NOTHING,
        since: tuple[datetime, str] | None = None,
    ) -> None:
        self._since = since
        self._classes = [c for ask in asks for c in classes(index, ask, wishes)]
        self._zone = index.organisation.clinic(asks[0].clinic).timezone if asks else None

    def __len__(self) -> int:
        """Give how many starts there are in all."""
        return sum(c.bits.bit_count() for c in self._classes)

    def __iter__(self) -> Iterator[Ranked]:
        """Give them one at a time, working out no more than is asked for."""
        if self._classes and self._zone is not None:
            best = _best_first(self._classes)
            if self._since is not None:
                order: Iterator[_Item] = _by_time(best, self._since)
            else:
                order = _spread(best, self._zone)
            for item in order:
                yield _ranked(item, item.of.way)


class _Item(NamedTuple):
    of: Class
    cell: int
    key: tuple[float, int, str]
    earliness: float

    @property
    def start(self) -> datetime:
        return self.of.frame.moment(self.cell)


def _best_first(found: Sequence[Class]) -> Iterator[_Item]:
    """Give the starts of some classes by score, found one at a time; ties by time, then pool."""
    first = min(c.offset + (c.bits & -c.bits).bit_length() - 1 for c in found)
    last = max(c.offset + c.bits.bit_length() - 1 for c in found)
    reach = last - first
    heap = []
    for number, of in enumerate(found):
        weight = of.weights.get("earliness", 0.0)
        rest = sum(of.weights.get(name, 0.0) * part for name, part in of.way.parts.items())
        total = weight + sum(of.weights.get(name, 0.0) for name in of.way.parts)
        heap.append(_next(number, of, of.bits, (weight, rest, total), first, reach))
    heapify(heap)
    while heap:
        key, number, bits, early, base = heap[0]
        of = found[number]
        cell = key[1] - of.offset
        yield _Item(of, cell, key, early)
        if bits:
            heapreplace(heap, _next(number, of, bits, base, first, reach))
        else:
            heappop(heap)


def _by_time(items: Iterable[_Item], since: tuple[datetime, str]) -> Iterator[_Item]:
    """Give the starts after one of them, in order of time and then of pool."""
    left = {(i.start, i.of.pool): i for i in items if (i.start, i.of.pool) > since}
    return (left[key] for key in sorted(left))


_Row = tuple[tuple[float, int, str], int, int, float, tuple[float, float, float]]


def _next(
    number: int, of: Class, bits: int, base: tuple[float, float, float], first: int, reach: int
) -> _Row:
    """Give a class's first start with its key, and the starts left."""
    low = bits & -bits
    cell = of.offset + low.bit_length() - 1
    early = 1.0 - (cell - first) / reach if reach else 1.0
    weight, rest, total = base
    score = (weight * early + rest) / total if total else 0.0
    return (-round(score, 9), cell, of.pool), number, bits ^ low, early, base


def _spread(ranking: Iterator[_Item], zone: ZoneInfo) -> Iterator[_Item]:
    """Spread an order over half-days, reading no more of it than it takes.

    Each earlier start of the same half-day costs `VARIETY`.
    """
    seen: dict[int, int] = {}
    waiting: list[tuple[float, tuple[float, int, str], int, _Item]] = []
    for count, item in enumerate(ranking):
        while waiting and waiting[0][0] <= item.key[0]:
            yield heappop(waiting)[3]
        half = _half_day(zone, item.of.frame.grid, item.key[1])
        position = seen[half] = seen.get(half, -1) + 1
        heappush(waiting, (item.key[0] + VARIETY * position, item.key, count, item))
    while waiting:
        yield heappop(waiting)[3]


@lru_cache(maxsize=65_536)
def _half_day(zone: ZoneInfo, grid: int, cell: int) -> int:
    """Give the number of the local half-day in which a cell, counted from 1970, begins."""
    local = (EPOCH + timedelta(minutes=cell * grid)).astimezone(zone)
    return 2 * local.toordinal() + (local.hour >= 12)


def _ranked(item: _Item, way: Way) -> Ranked:
    of = item.of
    parts = {"earliness": item.earliness, **way.parts}
    told = {name: round(parts[name], 4) for name in WEIGHTS if name in parts}
    return Ranked(item.start, of.clinic, of.pool, _score(parts, of.weights), told, item, way)


def _score(parts: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """Give the weighted sum of the parts divided by their weights."""
    total = sum(weights.get(name, 0.0) for name in parts)
    if not total:
        return 0.0
    return sum(weights.get(name, 0.0) * part for name, part in parts.items()) / total
