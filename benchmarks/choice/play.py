"""What patients do: look, choose, cancel; first come first served, under the guarantee, today.

All of it in process, on pictures: no database, no HTTP.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice

from benchmarks.choice.clinic import NOW, Case
from timevalg.model.session import Assignment, Session, SessionKind
from timevalg.model.states import TaskState
from timevalg.model.task import Task
from timevalg.prover.outside import CpSat
from timevalg.solver.ask import Ask
from timevalg.solver.assign import assign, session_for
from timevalg.solver.certificates import Certificate, after
from timevalg.solver.complete import settle_plan
from timevalg.solver.index import Index
from timevalg.solver.memory import keep_for_good
from timevalg.solver.offers import Offers, candidates, offers
from timevalg.solver.picture import Picture
from timevalg.solver.ranking import Ranking
from timevalg.solver.safety import STEPS_A_CHOICE, Settling, safe
from timevalg.solver.search import feasible
from timevalg.solver.tidy import MANY, tidied

ONE_OF = 20
"""Of so many looks that showed few, one is looked into."""
SHOWN = 20
"""Offers a look gives at most."""
REST, LONGEST_REST = 10, 160
"""Looks between two times at which places are tidied, at least; each time in vain twice as many, up
to the longest. That is to save time: workers tidy after every look that leaves so many open."""
WAITING = 5
"""Patients who look before the first of them chooses, where looks and choices are interleaved."""
CANCELLED = 0.15
REPLANNED = 0.3


@dataclass
class Played:
    """What came of one run.

    Attributes
    ----------
    stranded : int
        Patients who looked and were shown nothing, or whose place was lost.
    shown : list of int
        Offers a look.
    few : int
        Looks that showed fewer than 10 while candidates were left undecided.
    tried, hidden : int
        Some of these in which each undecided candidate was tried as hard as a choice is, and those
        of them in which one was found to be safe.
    unsafe, undecided, looked_at : int
        Candidates.
    look_ms : list of float
    plan_s : float
    tidy_s : list of float
        What it took to tidy places between looks, each time.
    refused, taken, chosen : int
        Of the offers chosen those that were refused, and those of them that another had taken: no
        room or clinician was left. The others would have left somebody without a place.
    """

    stranded: int = 0
    shown: list[int] = field(default_factory=list)
    few: int = 0
    tried: int = 0
    hidden: int = 0
    unsafe: int = 0
    undecided: int = 0
    looked_at: int = 0
    look_ms: list[float] = field(default_factory=list)
    plan_s: float = 0.0
    tidy_s: list[float] = field(default_factory=list)
    unplaced: int = 0
    refused: int = 0
    taken: int = 0
    chosen: int = 0


def first_come(case: Case, dice: random.Random, cancelling: float = 0.0) -> Played:
    """Show everyone whatever is free."""
    played = Played()
    index = Index.of(case.organisation)
    for task in case.tasks:
        asks = [Ask.for_task(index, task, pool, NOW) for pool in task.pools]
        found = list(islice(Ranking(index, asks), SHOWN))
        played.shown.append(len(found))
        if not found:
            played.stranded += 1
            continue
        one = found[_choice(len(found), dice)]
        ask = next(a for a in asks if a.pool == one.pool)
        index = index.apply([_booking(index, ask, one.start, one.resources)])
        if dice.random() < cancelling:
            index = index.apply(removed=[f"b:{task.id}"])
    return played


def allotted(case: Case, dice: random.Random) -> Played:
    """Allot everyone a time by letter; three of ten phone and get another.

    The clinic gives each the first free time of the window, in the order in which the referrals
    came. Who phones is given another one of the free times, at random, if there is one.
    """
    played = Played()
    index = Index.of(case.organisation)
    for task in case.tasks:
        ask = Ask.for_task(index, task, task.pools[0], NOW)
        starts = feasible(index, ask).instants()
        if not starts:
            played.stranded += 1
            continue
        index = index.apply([_booking(index, ask, starts[0])])
        if dice.random() < REPLANNED:
            played.chosen += 1
            others = feasible(index, ask).instants()
            if not others:
                played.refused += 1
                continue
            index = index.apply([_booking(index, ask, dice.choice(others))])
    return played


def guaranteed(
    case: Case, dice: random.Random, *, cancelling: float = 0.0, waiting: int = 1
) -> Played:
    """Plan places for all, then show everyone safe offers only; tidy places as workers do.

    Parameters
    ----------
    waiting : int
        How many look before the first of them chooses.
    """
    played = Played()
    picture = Picture(Index.of(case.organisation), {}, NOW)
    begin = time.perf_counter()
    made = settle_plan(picture, case.tasks, NOW, CpSat().solve).plan  # as `invite` does
    played.plan_s = time.perf_counter() - begin
    unplaced = {task.id for task in made.unplaced}
    played.unplaced = len(unplaced)
    picture = made.picture
    keep_for_good()  # as a process that serves does
    queue, tidying = list(case.tasks), _Tidying(played)
    while queue:
        group, queue = queue[:waiting], queue[waiting:]
        choices = []
        for task in group:
            begin = time.perf_counter()
            found = offers(picture, task, NOW, limit=SHOWN, key=f"b:{task.id}")
            played.look_ms.append((time.perf_counter() - begin) * 1e3)
            played.shown.append(len(found.offers))
            played.undecided += found.undecided
            played.unsafe += found.unsafe
            played.looked_at += found.undecided + found.unsafe + len(found.offers)
            if len(found.offers) < 10 and found.undecided:
                if played.few % ONE_OF == 0:
                    played.tried += 1
                    played.hidden += _hides(picture, task, found)
                played.few += 1
            tidying.saw(found, task)
            if found.offers:
                choices.append((task, found.offers[_choice(len(found.offers), dice)]))
            elif task.id not in unplaced:
                played.stranded += 1
        if waiting > 1:
            picture = tidying.done(picture)  # while they make up their minds
        for task, offer in choices:
            played.chosen += 1
            certificate = offer.certificate
            if waiting > 1:  # as `choose` does: certified anew on what is there now
                anew = safe(picture, task, offer.pool, offer.start, NOW, key=f"b:{task.id}")
                if anew is None:
                    played.refused += 1
                    ask = Ask.for_task(picture.index, task, offer.pool, NOW)
                    played.taken += offer.start not in feasible(picture.index, ask)
                    queue.append(task)
                    continue
                certificate = anew
            picture = after(picture, certificate)
            check(picture, certificate)
            picture = picture.with_task(replace(task, state=TaskState.CONFIRMED))
            if dice.random() < cancelling:
                picture = picture.apply(removed=[certificate.claim.id])
        if waiting == 1:
            picture = tidying.done(picture)  # what was chosen is certified as it was shown
    return played


class _Tidying:
    """Has places tidied now and then, as workers do, after looks that left many starts open."""

    def __init__(self, played: Played) -> None:
        self._played, self._rest, self._until = played, REST, 0
        self._task: Task | None = None

    def saw(self, found: Offers, task: Task) -> None:
        """See what a look has left open."""
        if found.undecided > MANY and len(self._played.shown) > self._until:
            self._task = task

    def done(self, picture: Picture) -> Picture:
        """Tidy if it is time to; gives the picture then."""
        if self._task is None:
            return picture
        begin = time.perf_counter()
        moves = tidied(picture, self._task, NOW)
        self._played.tidy_s.append(time.perf_counter() - begin)
        self._task = None
        self._rest = REST if moves is not None else min(2 * self._rest, LONGEST_REST)
        self._until = len(self._played.shown) + self._rest
        if moves is None:
            return picture
        tidy = after(picture, moves)
        check(tidy, moves)
        return tidy


def _hides(picture: Picture, task: Task, found: Offers) -> bool:
    """Tell whether a look left out a time that is found to be safe by trying harder."""
    shown = {(offer.pool, offer.start) for offer in found.offers}
    for candidate in candidates(picture, task, NOW):
        if (candidate.pool, candidate.start) not in shown:
            settling = Settling(
                picture, task, NOW, candidate.ask.ignore, key="harder", thorough=True
            )
            settled = settling.settle(candidate.ask, candidate.start, steps=STEPS_A_CHOICE)
            if isinstance(settled, Certificate):
                return True
    return False


def check(picture: Picture, certificate: Certificate) -> None:
    """Look, outside the search, whether what a certificate brought overlaps anything.

    Raises
    ------
    ValueError
        If it does.
    """
    for session in (*certificate.claims, *certificate.moved):
        others = picture.index.touching(session)
        if others:
            raise ValueError(f"{session.id} overlaps {', '.join(s.id for s in others)}")


def _choice(count: int, dice: random.Random) -> int:
    """Half take the first offer, half any of those shown."""
    return 0 if dice.random() < 0.5 else dice.randrange(count)


def _booking(
    index: Index, ask: Ask, start: datetime, resources: Assignment | None = None
) -> Session:
    chosen = resources or assign(index, ask, start) or {}
    key = f"b:{'' if ask.task is None else ask.task.id}"
    return session_for(index.organisation, ask, start, chosen, id=key, kind=SessionKind.BOOKING)
