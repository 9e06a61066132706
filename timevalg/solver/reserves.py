"""Reserves: the place of every live task, and what is missing for those that can have none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from timevalg.model.session import Session
from timevalg.model.task import Task
from timevalg.solver.complete import settle_plan
from timevalg.solver.index import Index
from timevalg.solver.picture import Picture
from timevalg.solver.places import is_valid_place, own_place
from timevalg.solver.problem import Solve
from timevalg.solver.shortage import Shortage, shortages


@dataclass(frozen=True)
class Reserves:
    """What every live task can count on.

    Attributes
    ----------
    picture : Picture
        With all places.
    places : mapping
        Task id → its place, in the order of the tasks.
    unservable : tuple of (Task, Shortage)
        Those that can have none.
    planned : frozenset of str
        Those among `places` that had none before.
    proven : bool
        No plan serves more (see `timevalg.solver.complete.Settled`).
    """

    picture: Picture
    places: Mapping[str, Session]
    unservable: tuple[tuple[Task, Shortage], ...]
    planned: frozenset[str]
    proven: bool


def reserve(picture: Picture, solve: Solve, *, why: bool = True) -> Reserves:
    """Give every live task a place, or name what is missing.

    Parameters
    ----------
    picture : Picture
        Tasks that have a place in it keep one.
    why : bool
        Whether it is asked what is missing.
    """
    live = [t for t in picture.tasks.values() if t.is_live]
    bare = [t for t in live if own_place(picture, t) is None]
    settled = settle_plan(picture, bare, picture.now, solve)
    then = settled.plan.picture
    places = {t.id: place for t in live if (place := own_place(then, t)) is not None}
    without = settled.plan.unplaced if why else ()
    short = shortages(then, without, picture.now)
    missing = tuple((t, short[t.id]) for t in without)
    planned = frozenset(t.id for t in bare) & places.keys()
    return Reserves(then, places, missing, planned, settled.proven)


def picture_of(
    index: Index, holds: Iterable[Session], tasks: Iterable[Task], now: datetime
) -> Picture:
    """Give the picture in which nobody has a place but those whose held time is a valid one.

    Parameters
    ----------
    index : Index
        With all that is booked; without the holds.
    """
    by_id = {t.id: t for t in tasks}
    live = [hold for hold in holds if hold.is_live(now)]
    picture = Picture(index, by_id, now).apply(live)
    served = [
        replace(hold, is_place=True)
        for hold in live
        if (task := by_id.get(hold.task or "")) is not None
        and task.is_live
        and is_valid_place(picture, task, hold, now)
    ]
    return picture.apply(served)
