"""Places of the guarantee: where every live task could still go, and how to keep it so.

Late first: the tasks with the latest earliest day go first, each to the latest start that is free
(the mirror image of earliest deadline first). Early times, which patients want, stay free of
places, and places late in time survive the clock. Where no start is free, places of others move
aside by a short chain of moves. A `Certificate` says what is claimed, which places it displaces
and where these go instead; whoever uses it checks it again under locks.

Source: design.md, "The choice guarantee"; clinic-file.md, "Reserves and safe offers".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import islice

from timevalg.model.session import Session, SessionKind
from timevalg.model.task import Task
from timevalg.model.time import local_date
from timevalg.solver.ask import Ask
from timevalg.solver.assign import allows, assign, assignments, session_for
from timevalg.solver.picture import Picture
from timevalg.solver.search import feasible

CHAIN = 2
"""How many places may move in a row for one that gives way."""
STARTS_TRIED = 24
"""Starts tried for a place once no free one is left."""
ASSIGNMENTS_TRIED = 6
"""Assignments tried at a start before another start is."""


@dataclass(frozen=True)
class Certificate:
    """A claim that keeps every promise, and the moves that make it so.

    Attributes
    ----------
    claims : tuple of Session
        What is taken for the task itself: a booking, a hold, or its place (a hold may bring a
        place of its own).
    released : tuple of Session
        Sessions of the same patient that are given up for it.
    displaced, moved : tuple of Session
        Places of others as they were, and where they go instead; the same tasks in the same order.
    """

    claims: tuple[Session, ...]
    released: tuple[Session, ...] = ()
    displaced: tuple[Session, ...] = ()
    moved: tuple[Session, ...] = ()

    @property
    def claim(self) -> Session:
        """What the certificate is for."""
        return self.claims[0]


@dataclass(frozen=True)
class Plan:
    """Places for many tasks at once.

    Attributes
    ----------
    placed : tuple of Certificate
        In the order in which they must be applied.
    picture : Picture
        With all of them applied.
    unplaced : tuple of Task
        Tasks for which no place was found.
    """

    placed: tuple[Certificate, ...]
    picture: Picture
    unplaced: tuple[Task, ...]


def place_id(task: Task) -> str:
    """Give the id of a task's place; a task has at most one."""
    return f"place:{task.id}"


def own_place(picture: Picture, task: Task) -> Session | None:
    """Give the task's place, be it a place or a hold that serves as one."""
    found = [s for s in picture.index.by_task(task.id) if _is_place(s)]
    return found[0] if found else None


def plan(picture: Picture, tasks: Iterable[Task], now: datetime) -> Plan:
    """Give every task a valid place, as far as late-first with repair reaches.

    Parameters
    ----------
    picture : Picture
        Without places for these tasks.
    tasks : iterable of Task
        All need not be of one clinic.
    now : datetime
        UTC.
    """
    placed: list[Certificate] = []
    left: list[Task] = []
    for task in sorted(tasks, key=lambda t: (_earliest(picture, t, now), t.id), reverse=True):
        picture = picture.with_task(task)
        session = _free_place(picture, task, now)
        if session is None:
            left.append(task)
            continue
        placed.append(Certificate((session,)))
        picture = picture.apply(added=[session])
    unplaced: list[Task] = []
    for task in sorted(left, key=lambda t: (t.priority, t.deadline or t.not_after, t.id)):
        certificate = place(picture, task, now)
        if certificate is None:
            unplaced.append(task)
            continue
        placed.append(certificate)
        picture = after(picture, certificate)
    return Plan(tuple(placed), picture, tuple(unplaced))


def after(picture: Picture, certificate: Certificate) -> Picture:
    """Give the picture once the certificate has been used."""
    gone = [s.id for s in (*certificate.released, *certificate.displaced)]
    return picture.apply([*certificate.claims, *certificate.moved], gone)


def place(
    picture: Picture, task: Task, now: datetime, prefer: Session | None = None
) -> Certificate | None:
    """Find a valid place for a task that has none, moving places of others if need be.

    Parameters
    ----------
    picture : Picture
        What is taken; the task's old place, if any, must be gone from it.
    prefer : Session or None
        A time to try first (the one that was just given back).
    """
    if prefer is not None:
        same = _as_place(task, prefer)
        if is_valid_place(picture, task, same, now):
            return Certificate((same,))
    free = _free_place(picture, task, now)
    if free is not None:
        return Certificate((free,))
    for crowded in _crowded_places(picture, task, now):
        moves = _make_room(picture, crowded, now, CHAIN)
        if moves is not None:
            return Certificate((crowded,), (), *moves)
    return None


def is_valid_place(picture: Picture, task: Task, session: Session, now: datetime) -> bool:
    """Tell whether the session's start and resources are a valid place for the task."""
    if session.pool is None or session.pool not in task.pools:
        return False
    ask = Ask.for_place(picture.index, task, session.pool, now)
    ask = replace(ask, ignore=ask.ignore | {session.id})
    return session.start in feasible(picture.index, ask) and allows(
        picture.index, ask, session.start, session.resources
    )


def safe(
    picture: Picture,
    task: Task,
    pool: str,
    start: datetime,
    now: datetime,
    *,
    kind: SessionKind = SessionKind.BOOKING,
    key: str,
    until: datetime | None = None,
    clinicians: frozenset[str] | None = None,
    ask: Ask | None = None,
) -> Certificate | None:
    """Find a way to claim a start for the task that leaves every other live task a place.

    Parameters
    ----------
    picture : Picture
        As it is, the task's own place, hold and (when changing) booking included.
    key : str
        Id of the session to make.
    until : datetime or None
        When it expires, for a hold.
    clinicians : frozenset of str or None
        Only assignments in which the patient meets just these.
    ask : Ask or None
        The rules to search by, where they are not those of a patient's choice.

    Returns
    -------
    Certificate or None
        None = not settled: perhaps unsafe, perhaps only not found.
    """
    index = picture.index
    ask = ask or Ask.for_task(index, task, pool, now, changing=True)
    service = index.organisation.clinic(task.clinic).service_of(pool)
    given_up = {s.id: s for s in index.by_task(task.id) if _is_place(s)}
    given_up.update({k: index.sessions[k] for k in ask.ignore if k in index.sessions})
    held = {
        place_id(other): s
        for s in given_up.values()
        if s.is_place and s.task != task.id and (other := picture.tasks.get(s.task or ""))
    }
    released = tuple(s for s in given_up.values() if s not in held.values())
    bare = picture.apply(
        [_as_place(picture.tasks[s.task or ""], s) for s in held.values()], given_up
    )

    def sessions(blocked_by_places: bool) -> Iterator[Session]:
        asked = replace(ask, count_places=blocked_by_places)
        if start not in feasible(bare.index, asked):
            return
        for resources in assignments(bare.index, asked, start):
            session = session_for(
                index.organisation, asked, start, resources, id=key, kind=kind, until=until
            )
            if clinicians is None or session.clinicians(service) == clinicians:
                yield session

    first = next(sessions(True), None)
    if first is not None:
        done = _finish(bare, task, first, released, ((), ()), now)
        if done is not None:
            return _keep_places(bare, done, held)
    for session in islice(sessions(False), ASSIGNMENTS_TRIED):
        moves = _make_room(bare, session, now, CHAIN)
        if moves is not None:
            done = _finish(bare, task, session, released, moves, now)
            if done is not None:
                return _keep_places(bare, done, held)
    return None


def _keep_places(
    bare: Picture, certificate: Certificate, held: Mapping[str, Session]
) -> Certificate:
    """Let the patient's holds for other tasks become the places that they served as.

    Parameters
    ----------
    held : mapping
        Those holds, by the id of the place each becomes.
    """
    displaced = tuple(held.get(s.id, s) for s in certificate.displaced)
    staying = [k for k in held if k not in {s.id for s in certificate.displaced}]
    return replace(
        certificate,
        displaced=(*displaced, *(held[k] for k in staying)),
        moved=(*certificate.moved, *(bare.index.sessions[k] for k in staying)),
    )


def conflicts(picture: Picture, session: Session) -> list[Session]:
    """Give the places that a session would displace: overlapping ones, and those over a quota."""
    index = picture.index
    found = {s.id: s for s in index.touching(session) if _is_place(s) and s.id != session.id}
    clinic = index.organisation.clinic(session.clinic)
    for quota in clinic.quotas:
        if session.pool not in quota.pools:
            continue
        for counted in index.counted(clinic, quota, session):
            over = len(counted) + 1 - quota.max
            stay = [s for s in counted if _is_place(s) and s.id not in found]
            gone = sum(1 for s in counted if s.id in found)
            for place_ in stay[: max(0, over - gone)]:
                found[place_.id] = place_
    return list(found.values())


def make_room(
    picture: Picture, session: Session, now: datetime
) -> tuple[tuple[tuple[Session, ...], tuple[Session, ...]], tuple[Session, ...]]:
    """Re-place whoever a staff booking displaces, as far as that goes.

    Parameters
    ----------
    picture : Picture
        Without whatever the session is put in the place of.

    Returns
    -------
    (displaced, moved), lost
        `lost` are the places for which there is no other.
    """
    moves = _make_room(picture, session, now, CHAIN)
    if moves is not None:
        return moves, ()
    displaced = conflicts(picture, session)
    state = picture.apply([session], [s.id for s in displaced])
    was: list[Session] = []
    new: list[Session] = []
    lost: list[Session] = []
    for old in displaced:
        task = picture.tasks.get(old.task or "")
        found = _free_place(state, task, now) if task is not None else None
        if found is None:
            lost.append(old)
            continue
        was.append(old)
        new.append(found)
        state = state.apply([found])
    return (tuple(was), tuple(new)), tuple(lost)


def _is_place(session: Session) -> bool:
    return session.kind is SessionKind.PLACE or session.is_place


def _earliest(picture: Picture, task: Task, now: datetime) -> date:
    """Give the first local date on which the task could have a place."""
    clinic = picture.index.organisation.clinic(task.clinic)
    notices = [clinic.pool(p).fallback_notice for p in task.pools]
    today = max(local_date(now, clinic.timezone), task.after_due)
    return max(today + timedelta(days=min(notices)), task.not_before or date.min)


def _as_place(task: Task, session: Session) -> Session:
    return replace(
        session, id=place_id(task), kind=SessionKind.PLACE, task=task.id, until=None, is_place=False
    )


def _free_place(picture: Picture, task: Task, now: datetime) -> Session | None:
    """Give the latest valid place that displaces nobody."""
    best: tuple[datetime, Ask] | None = None
    for pool in task.pools:
        ask = Ask.for_place(picture.index, task, pool, now)
        latest = feasible(picture.index, ask).last()
        if latest is not None and (best is None or latest > best[0]):
            best = (latest, ask)
    if best is None:
        return None
    start, ask = best
    resources = assign(picture.index, ask, start)
    if resources is None:
        return None
    return session_for(
        picture.index.organisation,
        ask,
        start,
        resources,
        id=place_id(task),
        kind=SessionKind.PLACE,
    )


def _crowded_places(picture: Picture, task: Task, now: datetime) -> Iterator[Session]:
    """Give valid places that are taken by places of others only, latest first."""
    for pool in task.pools:
        ask = replace(Ask.for_place(picture.index, task, pool, now), count_places=False)
        starts = feasible(picture.index, ask).instants()
        for start in islice(reversed(starts), STARTS_TRIED):
            for resources in islice(assignments(picture.index, ask, start), ASSIGNMENTS_TRIED):
                yield session_for(
                    picture.index.organisation,
                    ask,
                    start,
                    resources,
                    id=place_id(task),
                    kind=SessionKind.PLACE,
                )


def _make_room(
    picture: Picture, session: Session, now: datetime, depth: int
) -> tuple[tuple[Session, ...], tuple[Session, ...]] | None:
    """Re-place everyone whom the session displaces; gives (as they were, as they are then)."""
    displaced = conflicts(picture, session)
    if any(s.task is None or s.task not in picture.tasks for s in displaced):
        return None
    state = picture.apply([session], [s.id for s in displaced])
    was: dict[str, Session] = {s.id: s for s in displaced}
    new: dict[str, Session] = {}
    for old in displaced:
        task = picture.tasks[old.task or ""]
        found = _free_place(state, task, now)
        if found is not None:
            state, new[found.id] = state.apply([found]), found
            continue
        if depth <= 1:
            return None
        chained = _chain(state, task, session, now, depth - 1)
        if chained is None:
            return None
        found, (others, moved) = chained
        for other, place_ in zip(others, moved, strict=True):
            if new.get(other.id) is None:
                was.setdefault(other.id, other)
            new[place_.id] = place_
        new[found.id] = found
        state = state.apply([found, *moved], [s.id for s in others])
    order = [picture.tasks[s.task or ""] for s in was.values()]
    return tuple(was.values()), tuple(new[place_id(t)] for t in order)


def _chain(
    state: Picture, task: Task, keep: Session, now: datetime, depth: int
) -> tuple[Session, tuple[tuple[Session, ...], tuple[Session, ...]]] | None:
    for candidate in _crowded_places(state, task, now):
        if any(s.id == keep.id for s in conflicts(state, candidate)):
            continue
        moves = _make_room(state, candidate, now, depth)
        if moves is not None:
            return candidate, moves
    return None


def _finish(
    bare: Picture,
    task: Task,
    session: Session,
    released: tuple[Session, ...],
    moves: tuple[tuple[Session, ...], tuple[Session, ...]],
    now: datetime,
) -> Certificate | None:
    """Add what a hold needs: a place, in the held time if that is valid, else another."""
    if session.kind is not SessionKind.HOLD or not task.is_live:
        return Certificate((session,), released, *moves)
    displaced, moved = moves
    state = bare.apply(moved, [s.id for s in displaced])
    if is_valid_place(state, task, session, now):
        return Certificate((replace(session, is_place=True),), released, displaced, moved)
    with_hold = state.apply([session])
    own = place(with_hold, task, now)
    if own is None or own.displaced:
        return None
    return Certificate((session, *own.claims), released, displaced, moved)
