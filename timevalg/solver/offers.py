"""Safe offers: the starts a patient is shown, each with the proof that nobody is stranded by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from timevalg.model.session import Session, clinicians_of
from timevalg.model.task import Task
from timevalg.model.time import local_date
from timevalg.solver.ask import Ask
from timevalg.solver.certificates import Certificate
from timevalg.solver.picture import Picture
from timevalg.solver.ranking import Ranked, Ranking
from timevalg.solver.recall import recall
from timevalg.solver.repair import Budget
from timevalg.solver.safety import STEPS_A_LOOK, UNSAFE, Settling, Unsafe
from timevalg.solver.wishes import NOTHING, Wishes

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
    parts: Mapping[str, float]
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
        How many starts the rules, and what the patient must have, allow in all.
    reached : (datetime, str) or None
        Start and pool up to which a look by time has come; None if it has come to the end.
    """

    offers: tuple[Offer, ...]
    unsafe: int
    undecided: int
    feasible: int
    reached: tuple[datetime, str] | None = None


def candidates(
    picture: Picture,
    task: Task,
    now: datetime,
    rules: Callable[[Ask], Ask] = lambda ask: ask,
    wishes: Wishes = NOTHING,
    since: tuple[datetime, str] | None = None,
) -> Ranking:
    """Give every feasible start of the task's pools in ranking order, found one at a time."""
    index = picture.index
    asks = [rules(Ask.for_task(index, task, pool, now, changing=True)) for pool in task.pools]
    return Ranking(index, asks, wishes, since)


def offers(
    picture: Picture,
    task: Task,
    now: datetime,
    *,
    limit: int,
    key: str,
    tries: int | None = None,
    rules: Callable[[Ask], Ask] = lambda ask: ask,
    wishes: Wishes = NOTHING,
    since: tuple[datetime, str] | None = None,
) -> Offers:
    """Give the best safe starts, with variety.

    A start that is not safe with the clinicians wished for is tried with others.

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
    wishes : Wishes
        What the patient would like, or must have.
    since : (datetime, str) or None
        Give them in order of time instead: those after this start and pool.
    """
    ranking = candidates(picture, task, now, rules, wishes, since)
    budget = Budget(STEPS_A_LOOK)
    settlings: dict[frozenset[str], Settling] = {}
    out: list[Offer] = []
    unsafe = undecided = 0
    reached: tuple[datetime, str] | None = None
    for number, candidate in enumerate(ranking):
        if len(out) == limit or ((out or since) and number >= (tries or MOST)):
            break
        ignore = candidate.ask.ignore
        settling = settlings.get(ignore)
        if settling is None:
            settling = settlings[ignore] = Settling(
                picture, task, now, ignore, key=key, budget=budget
            )
        if budget.left <= 0 and not settling.displaces_nobody(candidate.ask, candidate.start):
            if since is not None:
                break  # the next page goes on here, with a budget of its own
            undecided += 1
            continue
        reached = None if since is None else (candidate.start, candidate.pool)
        found: Certificate | Unsafe | None = None
        for way in candidate.ways():
            ask, start = way.ask, way.start
            found = settle_way(settling, way) or recall(picture, task, ask, start, key=key)
            if isinstance(found, Certificate) and way.keeps(found.claim.resources):
                out.append(Offer(start, way.pool, way.score, way.parts, found))
                break
        else:  # the last way is the one with any clinicians: it speaks for the start
            unsafe += found is UNSAFE
            undecided += found is not UNSAFE
    else:
        reached = None
    return Offers(tuple(out), unsafe, undecided, len(ranking), reached)


def settle_way(settling: Settling, way: Ranked) -> Certificate | Unsafe | None:
    """Settle one way to give a start; what it claims keeps the wishes that the way counts."""
    found = settling.settle(way.ask, way.start)
    if isinstance(found, Certificate) and not way.keeps(found.claim.resources):
        service = settling.organisation.clinic(way.clinic).service_of(way.pool)
        found = settling.settle(way.ask, way.start, clinicians_of(service, way.resources))
    return found


def with_fallback_notice(picture: Picture, task: Task) -> Callable[[Ask], Ask]:
    """Give the rules for times nobody chose: the pool's fallback notice."""
    clinic = picture.index.organisation.clinic(task.clinic)
    return lambda ask: replace(
        ask,
        earliest_from=local_date(ask.now, clinic.timezone),
        notice=clinic.pool(ask.pool).fallback_notice,
    )
