"""The one function through which every path claims time, and the loop around it.

Planning happens outside the locks and gives a certificate; `claim` takes the locks, checks the
certificate against what is there now, and inserts. The database's constraint has the last word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TypeVar

from timevalg.booking.access import scope_of
from timevalg.booking.acting import Act, picture_of, run
from timevalg.booking.ports import Between, Ports, UnitOfWork
from timevalg.model.errors import RuleBroken, TimeTaken
from timevalg.model.principal import Principal
from timevalg.model.session import Session, SessionKind
from timevalg.model.task import Task
from timevalg.model.time import instant
from timevalg.solver.ask import Ask
from timevalg.solver.picture import Picture
from timevalg.solver.places import Certificate, place_id
from timevalg.solver.verify import broken

R = TypeVar("R")
C = TypeVar("C")

ATTEMPTS = 3
"""How often a stale certificate is repaired before the time counts as taken."""


def settle(
    ports: Ports,
    principal: Principal,
    verb: str,
    find: Callable[[Picture], C],
    body: Callable[[Act, Picture, C], R],
    *,
    reason: str = "",
    wish: str = "",
) -> R:
    """Plan with `find`, then do `body` in one transaction; plan anew if the plan was overtaken.

    Raises
    ------
    NotAllowed
        If the principal's role has no right to the verb at all.
    TimeTaken
        If `find` says so, or three plans in a row were overtaken.
    """
    scope_of(verb, principal)
    overtaken = 0
    while True:
        picture = picture_of(ports, principal)
        plan = find(picture)
        try:
            follow = partial(_follow, body, picture, plan)
            return run(ports, principal, verb, follow, reason=reason, wish=wish)
        except TimeTaken:
            overtaken += 1
            if overtaken >= ATTEMPTS:
                find(picture_of(ports, principal))  # says what else is free, if this is not
                raise


def _follow(body: Callable[[Act, Picture, C], R], picture: Picture, plan: C, act: Act) -> R:
    return body(act, picture, plan)


def claim(
    act: Act, picture: Picture, certificate: Certificate, ask: Ask | None, *, override: bool = False
) -> None:
    """Take what a certificate claims, after checking it under locks.

    Parameters
    ----------
    ask : Ask or None
        The rules that the first claim must obey; None where it is a place.
    override : bool
        Staff's: rules may be broken, but nothing may overlap.

    Raises
    ------
    TimeTaken
        If anything the certificate rests on has changed, or the time is gone.
    RuleBroken
        If the claim breaks a rule for another cause than somebody else's time.
    """
    unit, everything = act.unit, _sessions(certificate)
    unit.lock(_lock_keys(picture, everything))
    now = unit.now()
    if unit.publications.count() != sum(picture.versions.values()):
        raise TimeTaken("the clinic's plan has changed; the time")
    others = _around(act, picture, certificate)
    given_up = {s.id for s in (*certificate.released, *certificate.displaced)}
    for old in (*certificate.released, *certificate.displaced):
        present = others[old.id] if old.id in others else _stored(unit, old.id)
        if present != old:
            raise TimeTaken("the time, or a place that would move aside for it,")
    standing = [s for s in others.values() if s.id not in given_up]
    if ask is not None and not override:
        verdict = broken(
            picture.index.organisation,
            [*standing, *certificate.moved],
            replace(ask, now=now, count_places=True),
            certificate.claim.start,
            certificate.claim.resources,
        )
        if verdict:
            raise _refusal(certificate.claim, verdict)
    everybody = [*standing, *certificate.claims, *certificate.moved]
    moving = frozenset(s.task for s in certificate.moved if s.task)
    fresh = unit.tasks.find(id=moving) if moving else []
    tasks = {**picture.tasks, **{t.id: t for t in fresh}}
    for place in (*certificate.claims, *certificate.moved):
        if place.kind is SessionKind.PLACE or place.is_place:
            others_ = [s for s in everybody if s is not place]
            _check_place(picture, tasks[place.task or ""], place, others_)
    unit.sessions.release(given_up)
    unit.sessions.claim([*certificate.claims, *certificate.moved])


def release(act: Act, sessions: Iterable[Session]) -> None:
    """Give time back."""
    act.unit.sessions.release([s.id for s in sessions])


def _sessions(certificate: Certificate) -> list[Session]:
    return [
        *certificate.claims,
        *certificate.released,
        *certificate.displaced,
        *certificate.moved,
    ]


def _lock_keys(picture: Picture, sessions: Iterable[Session]) -> set[str]:
    keys: set[str] = set()
    for session in sessions:
        keys.update(c.subject for c in session.claims())
        clinic = picture.index.organisation.clinic(session.clinic)
        day = session.local_date(clinic.timezone)
        for number, quota in enumerate(clinic.quotas):
            if session.pool in quota.pools:
                keys.add(f"q:{clinic.id}:{number}:{quota.period(day)}")
    return keys


def _around(act: Act, picture: Picture, certificate: Certificate) -> dict[str, Session]:
    """Read, under the locks, everything that could stand in the way; drop expired holds."""
    unit, now = act.unit, act.unit.now()
    wanted = [*certificate.claims, *certificate.moved]
    found: dict[str, Session] = {}
    for session in wanted:
        spans = {c.subject: c.span for c in session.claims()}
        found |= {s.id: s for s in unit.sessions.touching(spans)}
        clinic = picture.index.organisation.clinic(session.clinic)
        day = session.local_date(clinic.timezone)
        for quota in clinic.quotas:
            if session.pool in quota.pools:
                first = quota.period(day)
                after = first + timedelta(days=1 if quota.per == "day" else 7)
                period = Between(
                    instant(first, 0, clinic.timezone), instant(after, 0, clinic.timezone)
                )
                counted = unit.sessions.find(pool=quota.pools, clinic=clinic.id, start=period)
                found |= {s.id: s for s in counted}
    concerned = frozenset(s.task for s in _sessions(certificate) if s.task)
    found |= {s.id: s for s in unit.sessions.find(task=concerned)}
    expired = [s for s in found.values() if not s.is_live(now)]
    places = drop_holds(act, expired)
    gone = {s.id for s in expired}
    return {k: s for k, s in found.items() if k not in gone} | {s.id: s for s in places}


def drop_holds(act: Act, holds: Iterable[Session]) -> list[Session]:
    """Remove holds; where one was also its task's place, the place stays. Gives such places."""
    unit, places = act.unit, list[Session]()
    for hold in holds:
        if not unit.sessions.release([hold.id]) or not hold.is_place or hold.task is None:
            continue
        task = unit.tasks.get(hold.task)
        if task.is_live:
            place = replace(
                hold, id=place_id(task), kind=SessionKind.PLACE, until=None, is_place=False
            )
            unit.sessions.claim([place])
            places.append(place)
    return places


def _stored(unit: UnitOfWork, key: str) -> Session | None:
    found = unit.sessions.find(id=key)
    return found[0] if found else None


def _check_place(picture: Picture, task: Task, place: Session, others: list[Session]) -> None:
    ask = Ask.for_place(picture.index, task, place.pool or "", picture.now)
    ask = replace(ask, ignore=frozenset())
    verdict = broken(picture.index.organisation, others, ask, place.start, place.resources)
    if verdict:
        raise TimeTaken(
            f"the place of task {task.id} is not valid ({'; '.join(verdict)}): its time"
        )


def _refusal(session: Session, verdict: tuple[str, ...]) -> Exception:
    taken = all(v.startswith(("resources", "patient", "quota")) for v in verdict)
    if taken:
        return TimeTaken(f"{session.start.isoformat()} ({'; '.join(verdict)})")
    return RuleBroken(verdict)
