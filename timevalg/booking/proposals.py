"""What staff are told of a booking that could not be had: why, and what is free near it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from timevalg.booking.unit_of_work import UnitOfWork
from timevalg.model.session import Assignment, Session
from timevalg.model.task import Task
from timevalg.model.time import Span
from timevalg.solver.ask import Ask
from timevalg.solver.assign import allows, assign
from timevalg.solver.picture import Picture
from timevalg.solver.search import feasible

NEAREST = 5
"""Starts proposed."""
WITHIN = (3, 30, 3660)
"""Days around the wanted one that are looked at in turn, until there are so many."""


def in_words(picture: Picture, session: Session, fixed: Iterable[Session]) -> str:
    """Say what a session overlaps."""
    zone = picture.index.organisation.clinic(session.clinic).timezone
    local = session.start.astimezone(zone)
    return f"{local:%Y-%m-%dT%H:%M} overlaps {', '.join(f'{s.kind} {s.id}' for s in fixed)}"


def named(unit: UnitOfWork, fixed: Iterable[Session]) -> list[dict[str, Any]]:
    """Name what stands in the way: the visit with its ref, or the block."""
    by_session = {s.id: s for s in fixed}
    visits = unit.appointments.find(session=frozenset(by_session)) if by_session else []
    of = {v.session: {"appointment": v.id, "ref": v.ref} for v in visits}
    return [
        {"kind": str(s.kind), "session": key, "start": s.start.isoformat(), **of.get(key, {})}
        for key, s in by_session.items()
    ]


def proposals(
    picture: Picture, session: Session, own: Iterable[Session] = (), task: Task | None = None
) -> list[Mapping[str, Any]]:
    """Give the nearest feasible starts for a session, with resources; the same ones if they can.

    None of them takes a place of the guarantee.

    Parameters
    ----------
    own : iterable of Session
        Former sessions of the same visit, which it gives up.
    task : Task or None
        Whose particulars apply.
    """
    former, found = frozenset(s.id for s in own), list[tuple[datetime, str, Assignment]]()
    for days in WITHIN:
        if len(found) < NEAREST:
            found = list(islice(_near(picture, session, former, task, days), NEAREST))
    zone = picture.index.organisation.clinic(session.clinic).timezone
    return [
        {
            "start": start.astimezone(zone).isoformat(),
            "pool": pool,
            "resources": {role: list(ids) for role, ids in resources.items()},
        }
        for start, pool, resources in found
    ]


def _near(
    picture: Picture, session: Session, own: frozenset[str], task: Task | None, days: int
) -> Iterator[tuple[datetime, str, Assignment]]:
    """Give feasible starts within some days of the session's own, nearest first."""
    index, clinic = picture.index, picture.index.organisation.clinic(session.clinic)
    pools = [p.id for p in clinic.pools.values() if p.service == session.service]
    day = session.local_date(clinic.timezone)
    first, last = day - timedelta(days), day + timedelta(days)
    asks = {
        pool: replace(_ask(picture, session, pool, own, task), not_before=first, not_after=last)
        for pool in ([session.pool] if session.pool is not None else pools)
    }
    starts = [(t, pool) for pool, ask in asks.items() for t in feasible(index, ask).instants()]
    busy = [s.visit for s in index.by_patient(session.patient or "") if s.id not in own]
    given: set[datetime] = set()
    for start, pool in sorted(starts, key=lambda s: (abs(s[0] - session.start), s)):
        visit = Span(start, start + timedelta(minutes=session.length))
        if start in given or any(visit.overlaps(other) for other in busy):
            continue
        ask, same = asks[pool], session.resources
        resources = same if allows(index, ask, start, same) else assign(index, ask, start)
        if resources is not None:
            given.add(start)
            yield start, pool, resources


def _ask(
    picture: Picture, session: Session, pool: str, own: frozenset[str], task: Task | None
) -> Ask:
    if task is None or pool not in task.pools:
        return Ask(session.clinic, pool, picture.now, ignore=own, count_places=True)
    ask = Ask.for_task(picture.index, task, pool, picture.now, changing=True, ignore=own)
    return replace(ask, count_places=True)
