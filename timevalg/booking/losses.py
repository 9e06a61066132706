"""Places that were lost to a capacity loss: whom that harms most, and what would cure it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice

from timevalg.booking.acting import Act, clinic_of
from timevalg.model.records import CaseKind, StaffCase
from timevalg.model.session import Session, SessionKind
from timevalg.model.task import Task
from timevalg.solver.ask import Ask
from timevalg.solver.assign import assign, session_for
from timevalg.solver.certificates import own_place
from timevalg.solver.picture import Picture
from timevalg.solver.places import place, place_id
from timevalg.solver.search import feasible
from timevalg.solver.shortage import Shortage, shortage

TIMES = 5
"""Times proposed for each."""


@dataclass(frozen=True)
class LostPlace:
    """A live task without a place, as it has been named.

    Attributes
    ----------
    case : StaffCase
        Since when, and why.
    place : Session or None
        Where it could have one by now; `amend` with no new terms takes it.
    shortage : Shortage or None
        Where there is none: what is missing, and cures that were tried.
    times : tuple of (Session, harm)
        Times outside its terms that take nothing from anybody, with what each would harm, the
        least first: for staff to assign (with an override), or to amend the terms to.
    """

    case: StaffCase
    task: Task
    place: Session | None
    shortage: Shortage | None
    times: tuple[tuple[Session, tuple[str, ...]], ...] = ()


def lost_places(act: Act, picture: Picture, clinic: str | None) -> list[StaffCase]:
    """Give the named losses of live tasks that still have no place."""
    mine = act.principal.clinics
    return [
        case
        for case in act.unit.cases.find(kind=CaseKind.CAPACITY_LOSS, closed_at=None)
        if clinic in {None, case.clinic}
        and (mine is None or case.clinic in mine)
        and (task := picture.tasks.get(case.task or "")) is not None
        and task.is_live
        and own_place(picture, task) is None
    ]


def cured(picture: Picture, cases: Iterable[StaffCase]) -> list[LostPlace]:
    """Say of each loss what would cure it; whom it harms most comes first."""
    by_task = {case.task: case for case in cases}
    tasks = sorted((picture.tasks[key or ""] for key in by_task), key=lambda t: t.urgency)
    return [_cured(picture, task, by_task[task.id]) for task in tasks]


def _cured(picture: Picture, task: Task, case: StaffCase) -> LostPlace:
    found = place(picture, task, picture.now)
    if found is not None:
        return LostPlace(case, task, found.claim, None)
    times = tuple(islice(_times(picture, task), TIMES))
    return LostPlace(case, task, None, shortage(picture, task, picture.now), times)


def _times(picture: Picture, task: Task) -> Iterator[tuple[Session, tuple[str, ...]]]:
    """Give times outside the task's window, those that harm least first."""
    index, zone = picture.index, clinic_of(picture, task).timezone
    wide = replace(task, not_before=None, not_after=date.max, deadline=None)
    found = []
    for pool in task.pools:
        ask = replace(Ask.for_task(index, wide, pool, picture.now), count_places=True)
        for start in feasible(index, ask).instants():
            day = start.astimezone(zone).date()
            early = (task.not_before - day).days if task.not_before else 0
            late = (day - task.not_after).days
            words = {
                "past the deadline": task.deadline is not None and day > task.deadline,
                "past the planned date": late > 0,
                "before the first day": early > 0,
            }
            harm = tuple(word for word, is_so in words.items() if is_so)
            rank = (*words.values(), max(late, early), start, pool)
            found.append((rank, start, ask, harm))
    for _, start, ask, harm in sorted(found, key=lambda row: row[0]):
        resources = assign(index, ask, start)
        if resources is not None:
            yield (
                session_for(
                    index.organisation,
                    ask,
                    start,
                    resources,
                    id=place_id(task),
                    kind=SessionKind.PLACE,
                ),
                harm,
            )
