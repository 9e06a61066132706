"""What a prover found for one picture, used in a later one if it still holds there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from timevalg.model.session import Session, SessionKind
from timevalg.model.task import Task
from timevalg.solver.ask import Ask
from timevalg.solver.certificates import Certificate, as_place
from timevalg.solver.complete import around, faults
from timevalg.solver.given_up import GivenUp
from timevalg.solver.picture import Picture
from timevalg.solver.places import is_valid_place, place
from timevalg.solver.verify import broken


def claim_faults(state: Picture, ask: Ask, claim: Session) -> tuple[str, ...]:
    """Say which rules a claim in the picture breaks, by the verifier."""
    asked = replace(ask, count_places=True)
    others = around(state, claim)
    return broken(state.index.organisation, others, asked, claim.start, claim.resources)


def recall(
    picture: Picture,
    task: Task,
    ask: Ask,
    start: datetime,
    *,
    key: str,
    kind: SessionKind = SessionKind.BOOKING,
    until: datetime | None = None,
    clinicians: frozenset[str] | None = None,
) -> Certificate | None:
    """Give a certificate that a prover found before, if it still keeps every rule.

    Parameters
    ----------
    ask : Ask
        The rules by which the start is claimed now.
    key, kind, until :
        Of the session to make.
    """
    service = picture.index.organisation.clinic(ask.clinic).service_of(ask.pool)
    for known in picture.settled.get(task.id, ()):
        claim = known.claim
        if (claim.pool, claim.start) != (ask.pool, start):
            continue
        if clinicians is not None and claim.clinicians(service) != clinicians:
            continue
        again = replace(known, claims=(replace(claim, id=key, kind=kind, until=until),))
        found = _if_it_holds(picture, task, ask, again)
        if found is not None:
            return found
    return None


def _if_it_holds(picture: Picture, task: Task, ask: Ask, known: Certificate) -> Certificate | None:
    given_up = GivenUp.of(picture, task, ask.ignore)
    bare = given_up.without(picture.with_task(task))
    moves = list(zip(map(as_place, known.displaced), known.moved, strict=True))
    moves = [(old, then) for old, then in moves if old != then]
    if any(bare.index.sessions.get(old.id) != old for old, _ in moves):
        return None
    moved = [then for _, then in moves]
    found = given_up.certificate(known.claims, [old for old, _ in moves], moved)
    then = bare.apply([known.claim, *moved], [old.id for old, _ in moves])
    if claim_faults(then, ask, known.claim) or not all_valid(then, found.moved, ask.now):
        return None
    return found if known.claim.until is None else _with_place(then, task, found, ask.now)


def all_valid(then: Picture, places: Iterable[Session], now: datetime) -> bool:
    """Tell whether places in the picture keep every rule, by the verifier."""
    return all(
        s.task in then.tasks and not faults(then, then.tasks[s.task or ""], s, now) for s in places
    )


def _with_place(then: Picture, task: Task, found: Certificate, now: datetime) -> Certificate | None:
    """Give a hold the place it needs: the held time if that is valid, else another free one."""
    if not task.is_live:
        return found
    if is_valid_place(then, task, found.claim, now):
        return replace(found, claims=(replace(found.claim, is_place=True),))
    own = place(then, task, now)
    return (
        None if own is None or own.displaced else replace(found, claims=(found.claim, *own.claims))
    )
