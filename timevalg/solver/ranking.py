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
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from heapq import heapify, heappop, heappush, heapreplace
from typing import NamedTuple
from zoneinfo import ZoneInfo

from timevalg.model.pool import WEIGHTS
from timevalg.model.session import Assignment
from timevalg.solver.ask import Ask
from timevalg.solver.bits import lowest
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
            if self._since is not None:
                order: Iterator[_Item] = _by_time(_best_first(self._classes), self._since)
            else:
                order = _spread(self._classes, self._zone)
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


class _Row(NamedTuple):
    """The first of some starts of a class, and the bits of the others."""

    key: tuple[float, int, str]
    number: int
    rest: int
    earliness: float


class _Rows:
    """What classes have to offer, start by start: by score; ties by time, then by pool."""

    def __init__(self, found: Sequence[Class]) -> None:
        self._found = found
        self._first = min(c.offset + lowest(c.bits) for c in found)
        self._reach = max(c.offset + c.bits.bit_length() - 1 for c in found) - self._first
        self._bases = []
        for of in found:
            weight = of.weights.get("earliness", 0.0)
            rest = sum(of.weights.get(name, 0.0) * part for name, part in of.way.parts.items())
            total = weight + sum(of.weights.get(name, 0.0) for name in of.way.parts)
            self._bases.append((weight, rest, total))

    def firsts(self) -> list[_Row]:
        """Give the first start of every class, as a heap."""
        rows = [self.row(number, of.bits) for number, of in enumerate(self._found)]
        heapify(rows)
        return rows

    def row(self, number: int, bits: int) -> _Row:
        """Give the first of some starts of a class."""
        of, low = self._found[number], bits & -bits
        cell = of.offset + low.bit_length() - 1
        early = 1.0 - (cell - self._first) / self._reach if self._reach else 1.0
        weight, rest, total = self._bases[number]
        score = (weight * early + rest) / total if total else 0.0
        return _Row((-round(score, 9), cell, of.pool), number, bits ^ low, early)

    def item(self, row: _Row) -> _Item:
        """Give the start that a row is about."""
        of = self._found[row.number]
        return _Item(of, row.key[1] - of.offset, row.key, row.earliness)

    def advance(self, heap: list[_Row], rest: int) -> None:
        """Go on with some other starts of the class whose row is first in a heap."""
        if rest:
            heapreplace(heap, self.row(heap[0].number, rest))
        else:
            heappop(heap)


def _best_first(found: Sequence[Class]) -> Iterator[_Item]:
    """Give the starts of some classes by score, found one at a time."""
    rows = _Rows(found)
    heap = rows.firsts()
    while heap:
        yield rows.item(heap[0])
        rows.advance(heap, heap[0].rest)


def _by_time(items: Iterable[_Item], since: tuple[datetime, str]) -> Iterator[_Item]:
    """Give the starts after one of them, in order of time and then of pool."""
    left = {(i.start, i.of.pool): i for i in items if (i.start, i.of.pool) > since}
    return (left[key] for key in sorted(left))


def _spread(found: Sequence[Class], zone: ZoneInfo) -> Iterator[_Item]:
    """Give the starts of some classes by score, each earlier one of its half-day costing `VARIETY`.

    Of each half-day only the best that is left waits for its turn; what comes in half-days that
    are not looked into yet, in `ahead`, is worth less than what is given.
    """
    rows = _Rows(found)
    ahead = rows.firsts()
    halves: dict[int, list[_Row]] = {}
    given: dict[int, int] = {}
    turns: dict[int, tuple[float, tuple[float, int, str], int]] = {}
    waiting: list[tuple[float, tuple[float, int, str], int]] = []

    def wait(half: int) -> None:
        key = halves[half][0].key
        turn = key[0] + VARIETY * given.get(half, 0), key, half
        if turns.get(half) != turn:
            turns[half] = turn
            heappush(waiting, turn)

    while ahead or waiting:
        if ahead and (not waiting or (ahead[0].key[0], ahead[0].key) < waiting[0][:2]):
            row = ahead[0]
            of = found[row.number]
            half, end = _half_day(zone, of.frame.grid, row.key[1])
            here = row.rest & (1 << end - of.offset) - 1
            rows.advance(ahead, row.rest ^ here)
            heappush(halves.setdefault(half, []), row._replace(rest=here))
            wait(half)
            continue
        turn = heappop(waiting)
        half = turn[2]
        if turns.get(half) != turn:
            continue  # a better one of the half-day has come to light since
        mine = halves[half]
        yield rows.item(mine[0])
        rows.advance(mine, mine[0].rest)
        given[half] = given.get(half, 0) + 1
        del turns[half]
        if mine:
            wait(half)


@lru_cache(maxsize=65_536)
def _half_day(zone: ZoneInfo, grid: int, cell: int) -> tuple[int, int]:
    """Give the number of the local half-day in which a cell begins, and the first cell after it.

    Cells are counted from 1970.
    """
    local = (EPOCH + timedelta(minutes=cell * grid)).astimezone(zone)
    noon = local.replace(hour=12, minute=0, second=0, microsecond=0, fold=0)
    is_late = local.hour >= 12
    after = noon.replace(hour=0) + timedelta(days=1) if is_late else noon
    minutes = (after.astimezone(UTC) - EPOCH) // timedelta(minutes=1)
    return 2 * local.toordinal() + is_late, max(cell + 1, -(-minutes // grid))


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
