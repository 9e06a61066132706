"""Candidates that repair left undecided, settled by a prover: safe, with a certificate, or unsafe.

For each candidate the prover is asked twice at once: can everybody else near by still have a place
if it is claimed, with those further away where they are (then it is safe); and can they not even
if nobody else were there (then it is unsafe). Where all who share anything with the candidate are
near by, one question answers both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from timevalg.model.session import Session, SessionKind
from timevalg.model.task import Task
from timevalg.solver.ask import Ask
from timevalg.solver.complete import sharing, without_others
from timevalg.solver.given_up import GivenUp
from timevalg.solver.offers import Offer, candidates, offers
from timevalg.solver.picture import Picture
from timevalg.solver.places import Certificate, is_valid_place
from timevalg.solver.pose import Wish, pose, session_of
from timevalg.solver.problem import Problem, Solution, Solve
from timevalg.solver.ranking import Ranked
from timevalg.solver.recall import all_valid, claim_faults
from timevalg.solver.wishes import NOTHING, Wishes

MOST = 300
"""Candidates of one task that a prover is asked about."""
NEAR = 120
"""Other tasks whose places a prover may move for one candidate."""


@dataclass(frozen=True)
class Verdict:
    """What is known of a candidate: neither = still undecided."""

    certificate: Certificate | None = None
    unsafe: bool = False


@dataclass(frozen=True)
class SettledOffers:
    """All that repair and a prover together could find out.

    Attributes
    ----------
    offers : tuple of Offer
        Best first, with variety: in ranking order.
    proved : tuple of Offer
        Those of them that needed the prover.
    unsafe, undecided : int
        Candidates proven unsafe, and those that are still not settled.
    """

    offers: tuple[Offer, ...]
    proved: tuple[Offer, ...] = ()
    unsafe: int = 0
    undecided: int = 0


def offers_settled(
    picture: Picture,
    task: Task,
    now: datetime,
    solve: Solve,
    *,
    key: str,
    limit: int | None = None,
    wishes: Wishes = NOTHING,
) -> SettledOffers:
    """Give the best safe offers; a prover is called where repair alone does not find as many.

    Parameters
    ----------
    limit : int or None
        How many at most; None = all there are.
    wishes : Wishes
        What the patient would like, or must have.
    """
    ranking = list(candidates(picture, task, now, wishes=wishes))
    if not ranking or limit == 0:
        return SettledOffers(())
    many = len(ranking)
    by_repair = offers(picture, task, now, limit=many, key=key, tries=many, wishes=wishes).offers
    safe = {(o.pool, o.start): o for o in by_repair}
    rest, seen = list[Ranked](), 0
    for item in ranking:  # what comes after enough safe ones need not be settled
        known = (item.pool, item.start) in safe
        seen += known
        if seen == limit:
            break
        if not known:
            rest.append(item)
    asks = [(r.ask, r.start) for r in rest[:MOST]]
    verdicts = settle_offers(picture, task, asks, now, solve, key=key) if asks else []
    proved = tuple(
        Offer(r.start, r.pool, r.score, r.parts, v.certificate)
        for r, v in zip(rest, verdicts, strict=False)
        if v.certificate is not None and r.keeps(v.certificate.claim.resources)
    )
    unsafe = sum(v.unsafe for v in verdicts)
    undecided = len(rest) - len(proved) - unsafe
    safe.update(((o.pool, o.start), o) for o in proved)
    best = [safe[r.pool, r.start] for r in ranking if (r.pool, r.start) in safe][:limit]
    return SettledOffers(tuple(best), proved, unsafe, undecided)


def settle_offers(
    picture: Picture,
    task: Task,
    asks: Sequence[tuple[Ask, datetime]],
    now: datetime,
    solve: Solve,
    *,
    key: str,
) -> list[Verdict]:
    """Settle candidates.

    Parameters
    ----------
    picture : Picture
        As it is, the task's own place, hold and (when changing) booking included.
    asks : sequence of (Ask, datetime)
        By which rules each start may be claimed, all giving up the same; feasible if nobody had a
        place.
    key : str
        Id of the sessions to make.

    Returns
    -------
    list of Verdict
        One for each candidate.
    """
    if not asks:
        return []
    given_up = GivenUp.of(picture, task, asks[0][0].ignore)
    bare = given_up.without(picture).with_task(task)
    others = sharing(bare, task)

    @cache
    def movable(number: int) -> bool:
        return is_valid_place(bare, *others[number], now)

    cases = []
    for ask, start in asks:
        near = sorted(range(len(others)), key=lambda n: abs(others[n][1].start - start))[:NEAR]
        free = [others[number] for number in near if movable(number)]
        cases.append(_Case(bare, task, ask, start, free, len(free) == len(others), now))
    answers = iter(solve([problem for case in cases for problem in case.problems]))
    return [case.verdict([next(answers) for _ in case.problems], given_up, key) for case in cases]


class _Case:
    """One candidate as questions to a prover.

    Attributes
    ----------
    problems : list of Problem
        One, or two where there are tasks further away.
    """

    def __init__(
        self,
        bare: Picture,
        task: Task,
        ask: Ask,
        start: datetime,
        near: Sequence[tuple[Task, Session]],
        whole: bool,
        now: datetime,
    ) -> None:
        self._old = {t.id: place for t, place in near}
        self._state = bare.apply(removed=[s.id for s in self._old.values()])
        self._now = now
        index = self._state.index
        claim = Wish(task, (replace(ask, count_places=True),), True, at=start)
        self._wishes = [claim] + [
            Wish(t, tuple(Ask.for_place(index, t, p, now) for p in t.pools), True, place)
            for t, place in near
        ]
        self.problems: list[Problem] = [pose(self._state, self._wishes)]
        if not whole:
            self.problems.append(pose(self._state, [without_others(w) for w in self._wishes]))

    def verdict(self, answers: Sequence[Solution], given_up: GivenUp, key: str) -> Verdict:
        """Say what the answers mean, once the verifier has seen them."""
        if answers[-1].impossible:
            return Verdict(unsafe=True)
        seats = answers[0].seats
        if seats is None:
            return Verdict()
        claim = self._wishes[0]
        places = {
            w.task.id: session_of(self._state, self.problems[0], w, seats[w.task.id])
            for w in self._wishes
        }
        seen = places.pop(claim.task.id)
        session = replace(seen, id=key, kind=SessionKind.BOOKING)
        then = self._state.apply([session, *places.values()])
        changed = [t for t, place in places.items() if place != self._old[t]]
        found = given_up.certificate(
            [session], [self._old[t] for t in changed], [places[t] for t in changed]
        )
        if claim_faults(then, claim.asks[0], session):
            return Verdict()
        if not all_valid(then, [*places.values(), *found.moved], self._now):
            return Verdict()
        return Verdict(found)
