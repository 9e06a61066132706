"""Safe offers: the starts a patient is shown, each with the proof that nobody is stranded by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from timevalg.model.session import Session, clinicians_of
from timevalg.model.task import Task
from timevalg.model.time import local_date
from timevalg.solver.ask import Ask
from timevalg.solver.certificates import Certificate
from timevalg.solver.picture import Picture
from timevalg.solver.ranking import Ranked, Ranking
from timevalg.solver.recall import recall
from timevalg.solver.repair import Budget
from timevalg.solver.safety import STEPS, STEPS_A_LOOK, UNSAFE, Settling, Unsafe
from timevalg.solver.together import DEPTH
from timevalg.solver.wishes import NOTHING, Wishes

MOST = 400
"""Candidates settled in a look at most."""
STEPS_AT_FIRST = 8
"""Steps spent on one candidate before all others have been tried."""
MANY = 6
"""Candidates not settled at first beyond which it is found out whether they are unsafe by all that
is known; it takes as long as several of them do."""
FEW = 10
"""Offers below which what is left of a look's steps is spent on what has not been settled."""
STEPS_WHERE_FEW = 500
"""Steps spent on one candidate then."""
ROUNDS: tuple[tuple[int | None, int, int], ...] = ((None, 50, 400), (DEPTH, 16, 32))
"""What is then tried for those not settled, steps spent on one of them, and on all of them at most:
chains of single moves (None), and moves that only fit together, with so many others who have to go
for each who is displaced (see `Together`)."""


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
        Candidates that would strand somebody; proven.
    undecided : int
        Candidates that were not settled within the budget; both of those that rank before the last
        offer.
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
    shown: dict[int, Offer] = {}
    unsafe: list[int] = []
    left: list[tuple[int, Ranked]] = []
    reached: tuple[datetime, str] | None = None

    def settle(number: int, candidate: Ranked, steps: int, depth: int | None = None) -> bool:
        """Settle a candidate, by joint moves if a depth is given; tells whether it could be."""
        ignore = candidate.ask.ignore
        settling = settlings.get(ignore)
        if settling is None:
            settling = Settling(picture, task, now, ignore, key=key, budget=budget)
            settlings[ignore] = settling
        found: Certificate | Unsafe | None = None
        for way in candidate.ways():
            found = settle_way(settling, way, steps, depth) or recall(
                picture, task, way.ask, way.start, key=key
            )
            if isinstance(found, Certificate) and way.keeps(found.claim.resources):
                shown[number] = Offer(way.start, way.pool, way.score, way.parts, found)
                return True
        if found is UNSAFE:  # the last way is the one with any clinicians: it speaks for the start
            unsafe.append(number)
        return found is UNSAFE

    def hopeless(number: int, candidate: Ranked) -> bool:
        """Look for a proof once more; tells whether there is one."""
        settling = settlings[candidate.ask.ignore]
        found = settling.is_unsafe(candidate.ask, candidate.start)
        if found:
            unsafe.append(number)
        return found

    for number, candidate in enumerate(ranking):
        if len(shown) == limit or ((shown or since) and number >= (tries or MOST)):
            break
        if since is not None and budget.left <= 0:
            break  # the next page goes on here, with a budget of its own
        reached = candidate.start, candidate.pool
        if not settle(number, candidate, STEPS_AT_FIRST):
            left.append((number, candidate))
    else:
        reached = None
    if len(left) > MANY:
        left = [(n, c) for n, c in left if not hopeless(n, c)]
    few = (None, STEPS_WHERE_FEW, STEPS_A_LOOK)
    for depth, steps, most in (*ROUNDS, few):
        if (depth, steps, most) != few or len(shown) < min(limit, FEW):
            least = max(0, budget.left - most)
            left = [
                (n, c) for n, c in left if budget.left <= least or not settle(n, c, steps, depth)
            ]
    best = sorted(shown)[:limit]
    last = len(ranking)
    if len(best) == limit:
        last = best[-1]
        if reached is not None or len(shown) > limit:
            reached = shown[last].start, shown[last].pool
    return Offers(
        tuple(shown[number] for number in best),
        sum(number < last for number in unsafe),
        sum(number < last for number, _ in left),
        len(ranking),
        None if since is None else reached,
    )


def settle_way(
    settling: Settling, way: Ranked, steps: int = STEPS, depth: int | None = None
) -> Certificate | Unsafe | None:
    """Settle one way to give a start; what it claims keeps the wishes that the way counts."""
    seek = settling.settle if depth is None else partial(settling.settle_jointly, depth=depth)
    found = seek(way.ask, way.start, steps=steps)
    if isinstance(found, Certificate) and not way.keeps(found.claim.resources):
        service = settling.organisation.clinic(way.clinic).service_of(way.pool)
        met = clinicians_of(service, way.resources)
        found = seek(way.ask, way.start, met, steps=steps)
    return found


def with_fallback_notice(picture: Picture, task: Task) -> Callable[[Ask], Ask]:
    """Give the rules for times nobody chose: the pool's fallback notice."""
    clinic = picture.index.organisation.clinic(task.clinic)
    return lambda ask: replace(
        ask,
        earliest_from=local_date(ask.now, clinic.timezone),
        notice=clinic.pool(ask.pool).fallback_notice,
    )
