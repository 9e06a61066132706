"""Safe offers: the starts a patient is shown, each with the proof that nobody is stranded by it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from timevalg.model.session import Session
from timevalg.model.task import Task
from timevalg.model.time import local_date
from timevalg.solver.ask import Ask
from timevalg.solver.certificates import Certificate
from timevalg.solver.picture import Picture
from timevalg.solver.ranking import Candidate, Ranked, ranked, varied
from timevalg.solver.recall import recall
from timevalg.solver.repair import Budget
from timevalg.solver.safety import STEPS_A_LOOK, UNSAFE, Settling
from timevalg.solver.search import feasible

MOST = 400
"""Candidates settled in a look at most."""


@dataclass(frozen=True)
class Offer:
    """One start shown to one patient.

    Attributes
    ----------
    score, parts : float, mapping
        How good it is by the pool's weights, and why.
    certificate : Certificate
        How everybody else keeps a place.
    """

    start: datetime
    pool: str
    score: float
    parts: dict[str, float]
    certificate: Certificate

    @property
    def session(self) -> Session:
        """What would be booked."""
        return self.certificate.claim


@dataclass(frozen=True)
class Offers:
    """What a look gives.

    Attributes
    ----------
    offers : tuple of Offer
        Best first.
    unsafe : int
        Candidates looked at that would strand somebody; proven.
    undecided : int
        Candidates looked at that were not settled within the budget.
    feasible : int
        How many starts the rules allow in all.
    """

    offers: tuple[Offer, ...]
    unsafe: int
    undecided: int
    feasible: int


def candidates(
    picture: Picture, task: Task, now: datetime, rules: Callable[[Ask], Ask] = lambda ask: ask
) -> list[Ranked]:
    """Give every feasible start of the task's pools in ranking order."""
    clinic = picture.index.organisation.clinic(task.clinic)
    found = [
        (start, pool)
        for pool in task.pools
        for start in feasible(
            picture.index, rules(Ask.for_task(picture.index, task, pool, now, changing=True))
        ).instants()
    ]
    if not found:
        return []
    first, last = min(found)[0], max(found)[0]
    return ranked(
        (Candidate(start, pool, first, last - first) for start, pool in found),
        {pool: clinic.pool(pool).weights for pool in task.pools},
    )


def offers(
    picture: Picture,
    task: Task,
    now: datetime,
    *,
    limit: int,
    key: str,
    tries: int | None = None,
    rules: Callable[[Ask], Ask] = lambda ask: ask,
) -> Offers:
    """Give the best safe starts, with variety.

    Parameters
    ----------
    limit : int
        How many at most. There is one whenever the task's own place may be chosen: with that
        place gone, its time displaces nobody.
    key : str
        Id for the sessions in the certificates.
    tries : int or None
        Candidates settled at most; default as many as it takes, within `STEPS_A_LOOK`.
    rules : callable
        Changes the ask, for looks by other rules than the patient's (fallback notice).
    """
    zone = picture.index.organisation.clinic(task.clinic).timezone
    ranking = candidates(picture, task, now, rules)
    budget = Budget(STEPS_A_LOOK)
    asks = {
        pool: rules(Ask.for_task(picture.index, task, pool, now, changing=True))
        for pool in task.pools
    }
    settlings: dict[frozenset[str], Settling] = {}
    out: list[Offer] = []
    unsafe = undecided = 0
    for number, item in enumerate(varied(ranking, zone)):
        if len(out) == limit or (out and number >= (tries or MOST)):
            break
        start, pool = item.candidate.start, item.candidate.pool
        ask = asks[pool]
        settling = settlings.get(ask.ignore)
        if settling is None:
            settling = settlings[ask.ignore] = Settling(
                picture, task, now, ask.ignore, key=key, budget=budget
            )
        if budget.left <= 0 and not settling.displaces_nobody(ask, start):
            continue
        found = settling.settle(ask, start) or recall(picture, task, ask, start, key=key)
        if isinstance(found, Certificate):
            out.append(Offer(start, pool, item.score, dict(item.parts), found))
        elif found is UNSAFE:
            unsafe += 1
        else:
            undecided += 1
    return Offers(tuple(out), unsafe, undecided, len(ranking))


def with_fallback_notice(picture: Picture, task: Task) -> Callable[[Ask], Ask]:
    """Give the rules for times nobody chose: the pool's fallback notice."""
    clinic = picture.index.organisation.clinic(task.clinic)
    return lambda ask: replace(
        ask,
        earliest_from=local_date(ask.now, clinic.timezone),
        notice=clinic.pool(ask.pool).fallback_notice,
    )
