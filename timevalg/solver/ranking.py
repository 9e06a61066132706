"""The order in which starts are offered: documented terms, weighed by the pool.

Each term gives a part between 0 (bad) and 1 (good); the score is their weighted sum divided by the
weights that apply. `varied` then spreads the list over days, mornings and afternoons. The terms
and their formulas are in docs/ranking.md.

`top` gives the same order as `varied(ranked(…))` without looking at every start: all terms but
`earliness` sort the starts into a few classes, as bitmaps, and within a class earlier is better.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush, heapreplace
from itertools import islice
from zoneinfo import ZoneInfo

from timevalg.model.session import Assignment
from timevalg.solver.ask import Ask
from timevalg.solver.classes import Class, classes
from timevalg.solver.index import Index
from timevalg.solver.wishes import NOTHING, Wishes

VARIETY = 0.08
"""What each earlier offer in the same half-day costs a start when a short list is made."""


@dataclass(frozen=True)
class Candidate:
    """One start in one pool, with the facts that the terms look at.

    Attributes
    ----------
    reach : timedelta
        From the first to the last start under consideration.
    first : datetime
        The first of them.
    clinicians : frozenset of str
        Who would see the patient; empty where not settled.
    wishes, gaps, scarcity : float or None
        Parts of these terms; None where there is nothing to say.
    """

    start: datetime
    pool: str
    first: datetime
    reach: timedelta
    clinicians: frozenset[str] = frozenset()
    last_clinicians: frozenset[str] = frozenset()
    wishes: float | None = None
    gaps: float | None = None
    scarcity: float | None = None


@dataclass(frozen=True, order=True)
class Ranked:
    """A candidate with its score and the score's parts; sorts best first."""

    key: tuple[float, datetime, str]
    candidate: Candidate = field(compare=False)
    score: float = field(compare=False)
    parts: Mapping[str, float] = field(compare=False)


@dataclass(frozen=True)
class Suggestion:
    """One start of a short list.

    Attributes
    ----------
    start : datetime
        UTC.
    score, parts : float, mapping
        How good it is by the pool's weights, and why.
    resources : mapping
        An assignment that keeps the wishes about the clinician that the score counts.
    """

    start: datetime
    clinic: str
    pool: str
    score: float
    parts: Mapping[str, float]
    resources: Assignment


def earliness(candidate: Candidate) -> float | None:
    """1 for the first start there is, 0 for the last."""
    if not candidate.reach:
        return 1.0
    return 1.0 - (candidate.start - candidate.first) / candidate.reach


def wishes(candidate: Candidate) -> float | None:
    """The share of the patient's wishes that are kept; no say if there are none."""
    return candidate.wishes


def same_clinician(candidate: Candidate) -> float | None:
    """1 if the patient meets someone met before; no say if nobody was or it is not settled."""
    if not candidate.last_clinicians or not candidate.clinicians:
        return None
    return float(bool(candidate.last_clinicians & candidate.clinicians))


def gaps(candidate: Candidate) -> float | None:
    """The share of the roles that leave no useless gap in anybody's calendar."""
    return candidate.gaps


def scarcity(candidate: Candidate) -> float | None:
    """The share of the competing pools whose patients could not use the time."""
    return candidate.scarcity


TERMS: Mapping[str, Callable[[Candidate], float | None]] = {
    "earliness": earliness,
    "wishes": wishes,
    "same_clinician": same_clinician,
    "gaps": gaps,
    "scarcity": scarcity,
}


def ranked(
    candidates: Iterable[Candidate], weights: Mapping[str, Mapping[str, float]]
) -> list[Ranked]:
    """Score candidates and sort them, best first; ties by time, then pool.

    Parameters
    ----------
    candidates : iterable of Candidate
    weights : mapping
        Pool id → term → weight.
    """
    out = []
    for candidate in candidates:
        parts = {
            name: part for name, term in TERMS.items() if (part := term(candidate)) is not None
        }
        score = _score(parts, weights[candidate.pool])
        told = {name: round(part, 4) for name, part in parts.items()}
        out.append(
            Ranked((-round(score, 9), candidate.start, candidate.pool), candidate, score, told)
        )
    return sorted(out)


def varied(ranking: list[Ranked], zone: ZoneInfo) -> list[Ranked]:
    """Spread a ranking over half-days: each earlier one of the same half-day costs `VARIETY`."""
    seen: dict[tuple[object, bool], int] = {}
    spread = []
    for item in ranking:
        local = item.candidate.start.astimezone(zone)
        half = (local.date(), local.hour < 12)
        position = seen[half] = seen.get(half, -1) + 1
        spread.append((item.key[0] + VARIETY * position, item.key, item))
    return [item for _, _, item in sorted(spread, key=lambda row: row[:2])]


def top(
    index: Index, asks: Sequence[Ask], n: int, wishes: Wishes | None = None
) -> list[Suggestion]:
    """Give the best starts of one or several pools, with variety and resources.

    Parameters
    ----------
    index : Index
    asks : sequence of Ask
        One for each pool in which the patient could be seen.
    n : int
        How many at most.
    wishes : Wishes or None
        Its musts filter, the rest ranks.

    Returns
    -------
    list of Suggestion
        Best first; the same values give the same list.
    """
    found = [c for ask in asks for c in classes(index, ask, wishes or NOTHING)]
    if not found or n <= 0:
        return []
    zone = index.organisation.clinic(asks[0].clinic).timezone
    return [_suggest(item) for item in islice(_spread(_best_first(found), zone), n)]


@dataclass(frozen=True)
class _Item:
    of: Class
    cell: int
    key: tuple[float, int, str]
    start: datetime
    earliness: float


def _best_first(found: Sequence[Class]) -> Iterator[_Item]:
    """Give the starts of some classes in the order of `ranked`, found one at a time."""
    first = min(c.offset + (c.bits & -c.bits).bit_length() - 1 for c in found)
    last = max(c.offset + c.bits.bit_length() - 1 for c in found)
    reach = last - first
    heap = []
    for number, of in enumerate(found):
        weight = of.weights.get("earliness", 0.0)
        rest = sum(of.weights.get(name, 0.0) * part for name, part in of.parts.items())
        total = weight + sum(of.weights.get(name, 0.0) for name in of.parts)
        heap.append(_next(number, of, of.bits, (weight, rest, total), first, reach))
    heapify(heap)
    while heap:
        key, number, bits, early, base = heap[0]
        of = found[number]
        cell = key[1] - of.offset
        yield _Item(of, cell, key, of.frame.moment(cell), early)
        if bits:
            heapreplace(heap, _next(number, of, bits, base, first, reach))
        else:
            heappop(heap)


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
    """Give the order of `varied`, reading no more of the ranking than it takes."""
    seen: dict[tuple[int, bool], int] = {}
    waiting: list[tuple[float, tuple[float, int, str], int, _Item]] = []
    for count, item in enumerate(ranking):
        while waiting and waiting[0][0] <= item.key[0]:
            yield heappop(waiting)[3]
        local = item.start.astimezone(zone)
        half = (local.toordinal(), local.hour < 12)
        position = seen[half] = seen.get(half, -1) + 1
        heappush(waiting, (item.key[0] + VARIETY * position, item.key, count, item))
    while waiting:
        yield heappop(waiting)[3]


def _suggest(item: _Item) -> Suggestion:
    of = item.of
    parts = {"earliness": item.earliness, **of.parts}
    return Suggestion(
        item.start,
        of.clinic,
        of.pool,
        _score(parts, of.weights),
        {name: round(parts[name], 4) for name in TERMS if name in parts},
        of.assign(item.cell),
    )


def _score(parts: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """Give the weighted sum of the parts divided by their weights."""
    total = sum(weights.get(name, 0.0) for name in parts)
    if not total:
        return 0.0
    return sum(weights.get(name, 0.0) * part for name, part in parts.items()) / total
