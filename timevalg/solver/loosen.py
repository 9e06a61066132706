"""Cures: the smallest loosenings of the rules that would give a start.

Every condition of the rules is a bitmap of starts, so a loosening is a bitmap with more of them:
which ones could help is read off at once, on a calendar that reaches further than the pool's
horizon. Each is then made for real, on a changed copy of clinic, task or ask, and counted by the
search itself; what the search does not confirm is not told. Pairs are tried only where no single
one helps.

How small a loosening is (what is told first): a day of notice, horizon, `not_before`, `not_after`,
`due`, `release` or planning = 1; a preparation done = 2; one more in a quota = 2; one more resource
allowed by `only` or the pool = 3; one more person, room or piece on one weekday = 5; a patient's
`times` given up = 6. A pair is as large as both together.

Never proposed: a time past the task's legal deadline, a start on closed days or in the past,
another opening, moving what is booked, moving a date of the task by more than `FURTHER` days, a
`due` that is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

from timevalg.solver.ask import Ask
from timevalg.solver.conditions import Change, Conditions, Loosening
from timevalg.solver.index import Index
from timevalg.solver.loosenings import LOOSENINGS
from timevalg.solver.place_loosenings import PLACE_LOOSENINGS
from timevalg.solver.search import feasible
from timevalg.solver.trial import Model, Trials

MOST = 8
"""Cures given at most."""


@dataclass(frozen=True)
class Cure:
    """A change that gives a start, confirmed by a search.

    Attributes
    ----------
    change : str
        Such as ``notice 3 -> 1``.
    starts : int
        How many starts there are after it, in all pools asked about.
    size : float
        See the module.
    pool : str or None
        Whose rule changes; None for the task's or the ask's own.
    model : Model
        The changed rules.
    """

    change: str
    starts: int
    size: float
    pool: str | None
    model: Model


def cures(
    index: Index,
    asks: Sequence[Ask],
    start: datetime | None = None,
    *,
    most: int = MOST,
    trials: Trials | None = None,
) -> tuple[Cure, ...]:
    """Give the smallest loosenings that give a start.

    Parameters
    ----------
    asks : sequence of Ask
        Those of one question, one for each pool; a change of the task changes all of them.
    start : datetime or None
        A start that shall become feasible; None = any.
    most : int
        How many at most.
    trials : Trials or None
        Of others who ask about the same index.

    Returns
    -------
    tuple of Cure
        Smallest first. Single loosenings, or pairs if no single one helps.
    """
    model = Model(index, tuple(asks), trials or Trials())
    found: dict[str, Cure] = {}
    known = [(number, Conditions(model, number, start)) for number in range(len(asks))]
    for finder in (_single, _pairs):
        for number, conditions in known:
            for changes in finder(conditions):
                cure = _confirmed(model, number, changes, start)
                if cure is not None:
                    found.setdefault(f"{cure.pool}: {cure.change}", cure)
        if found:
            break
    ordered = sorted(found.values(), key=lambda c: (c.size, -c.starts, c.change, c.pool or ""))
    return tuple(ordered[:most])


def _confirmed(
    model: Model, number: int, options: Sequence[Change], start: datetime | None
) -> Cure | None:
    """Make the first of some changes that a search confirms."""
    for change in options:
        try:
            changed = change.make(model)
        except ValueError:  # a task or pool that cannot be so
            continue
        answers = [feasible(changed.index, ask) for ask in changed.asks]
        helps = any(answers) if start is None else any(start in starts for starts in answers)
        if helps:
            pool = model.asks[number].pool if change.of_pool else None
            return Cure(change.text, sum(map(len, answers)), change.size, pool, changed)
    return None


def _loosenings(conditions: Conditions) -> list[Loosening]:
    return [one for family in (*LOOSENINGS, *PLACE_LOOSENINGS) for one in family(conditions)]


def _single(conditions: Conditions) -> Iterator[Sequence[Change]]:
    helped = set()
    for one in _loosenings(conditions):
        gained = 0 if one.name in helped else conditions.left([one])
        if gained:
            helped.add(one.name)
            yield from one.changes(gained)


def _pairs(conditions: Conditions) -> Iterator[Sequence[Change]]:
    """Give for each two loosenings of different conditions the smallest changes of both.

    The first is made as small as it can be with the second as large as it goes, then the second.
    """
    helped = set()
    for one, other in combinations(_loosenings(conditions), 2):
        names = (one.name, other.name)
        if one.name == other.name or names in helped:
            continue
        gained = conditions.left([one, other])
        pair = _both(one, other, gained) if gained else None
        if pair is not None:
            helped.add(names)
            yield [pair]


def _both(one: Loosening, other: Loosening, gained: int) -> Change | None:
    first = _first(one.changes(gained))
    if first is None:
        return None
    second = _first(other.changes(gained & first.bits)) or _first(other.changes(gained))
    if second is None:
        return None
    return Change(
        f"{first.text}; {second.text}",
        first.size + second.size,
        _one_after_the_other(first.make, second.make),
        first.of_pool or second.of_pool,
        first.bits & second.bits,
    )


def _first(options: Iterator[Sequence[Change]]) -> Change | None:
    return min((c for group in options for c in group[:1]), key=lambda c: c.size, default=None)


def _one_after_the_other(
    first: Callable[[Model], Model], second: Callable[[Model], Model]
) -> Callable[[Model], Model]:
    return lambda model: second(first(model))
