"""Tidying: places planned anew, late first, where that lets patients be shown more.

Each choice moves a few places aside. After hundreds of them places stand where no chain of moves
finds its way any more, though a plan made afresh would be looser. So those nearest to a task that
was left with many starts open are planned anew, and kept if some tasks, asked before and after,
would have fewer starts left open: those most like it, and others from all over, to whom no harm is
to be done.

Source: docs/guarantee.md: places may move for as long as everybody keeps one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import accumulate

from timevalg.model.session import Session, SessionKind
from timevalg.model.task import Task
from timevalg.solver.certificates import Certificate
from timevalg.solver.complete import first_and_last, sharing
from timevalg.solver.offers import offers
from timevalg.solver.picture import Picture
from timevalg.solver.places import plan
from timevalg.solver.repair import Lazy

MANY = 4
"""Starts that a look leaves open beyond which it is worthwhile."""
NEAR = (150, 600)
"""Places planned anew, those first that come first; more where fewer do not help."""
STEPS = 40_000
"""Steps of repair for a plan, see `plan`: enough for all its attempts but a long last one, which
found none in the plays of `benchmarks.choice`; with 16,000 a jam stayed that these undo."""
ALIKE, OTHERS = 5, 3
"""Tasks that are asked: those most like the one that was left with many, and others."""
SHOWN = 20
"""Offers for which each is asked."""


def tidied(picture: Picture, task: Task, now: datetime) -> Certificate | None:
    """Give moves of places by which fewer starts would be left open.

    Parameters
    ----------
    task : Task
        One that was left with many.

    Returns
    -------
    Certificate or None
        For the first of the places that move; None where no plan made afresh helps.
    """
    rows = sharing(picture, task)
    rows += [(task, s) for s in picture.index.by_task(task.id) if s.kind is SessionKind.PLACE]
    asked = _asked(task, [of_one for of_one, _ in rows])
    before = Lazy(_left_open(picture, asked, now))
    if all(count <= MANY for count in before):
        return None
    first = first_and_last(task)[0]
    later = [row for row in rows if row[1].start.toordinal() >= first]
    later.sort(key=lambda row: (row[1].start, row[0].id))
    for many in NEAR:
        near = later[:many]
        bare = picture.apply(removed=[place.id for _, place in near])
        made = plan(bare, [of_one for of_one, _ in near], now, steps=STEPS)
        if made.unplaced:
            return None  # as few as these: with more it is the same
        *_, most = before
        if all(count < most for count in _left_open(made.picture, asked, now)):
            return _moves([place for _, place in rows], made.picture)
        if many >= len(later):
            break
    return None


def _asked(task: Task, tasks: Sequence[Task]) -> list[Task]:
    """Give tasks most like one, and others evenly from the rest."""
    days = first_and_last(task)

    def unlike(other: Task) -> tuple[bool, int, str]:
        apart = sum(abs(a - b) for a, b in zip(first_and_last(other), days, strict=True))
        return other.pools != task.pools, apart, other.id

    order = sorted(tasks, key=unlike)
    rest = order[ALIKE:]
    return order[:ALIKE] + rest[:: -(-len(rest) // OTHERS) or 1]


def _left_open(picture: Picture, tasks: Sequence[Task], now: datetime) -> Iterator[int]:
    """Give how many starts looks of the first task leave open, of the first two, and so on."""
    return accumulate(
        offers(picture, task, now, limit=SHOWN, key="tidied").undecided for task in tasks
    )


def _moves(old: Sequence[Session], then: Picture) -> Certificate | None:
    """Give the certificate by which places go where they are in another picture."""
    pairs = [(s, new) for s in old if (new := then.index.sessions[s.id]) != s]
    if not pairs:
        return None
    (released, claim), *others = pairs
    return Certificate(
        (claim,), (released,), tuple(was for was, _ in others), tuple(new for _, new in others)
    )
