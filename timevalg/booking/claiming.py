"""The one function through which every path claims time.

Planning happens outside the locks and gives a certificate; `claim` takes the locks, checks the
certificate against what is there now, and inserts. The database's constraint has the last word.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from timevalg.booking.acting import Act
from timevalg.booking.ground import Ground, lock_keys, periods
from timevalg.booking.last_day import watch
from timevalg.booking.unit_of_work import UnitOfWork
from timevalg.model.errors import RuleBroken, TimeTaken
from timevalg.model.session import Session, SessionKind
from timevalg.model.task import Task
from timevalg.solver.ask import Ask
from timevalg.solver.certificates import Certificate, as_place, is_place
from timevalg.solver.picture import Picture
from timevalg.solver.verify import broken


@dataclass(frozen=True)
class Wanted:
    """A certificate to use, and the rules that its first claim must obey.

    Attributes
    ----------
    ask : Ask or None
        None where it is a place, or outside every pool.
    override : bool
        Rules may be broken (by staff, or by who owns the appointment), but nothing may overlap.
    """

    certificate: Certificate
    ask: Ask | None = None
    override: bool = False


def claim(
    act: Act, picture: Picture, certificate: Certificate, ask: Ask | None, *, override: bool = False
) -> Session:
    """Take what a certificate claims, after checking it under locks; see `claim_all`."""
    (taken,) = claim_all(act, picture, [Wanted(certificate, ask, override)])
    return taken


def claim_all(act: Act, picture: Picture, wanted: Iterable[Wanted]) -> list[Session]:
    """Take what certificates claim, after checking each, in order, under locks.

    However many they are, what stands is read, and time is taken, in a few statements.

    Parameters
    ----------
    picture : Picture
        On which the certificates were found, each after those before it.

    Returns
    -------
    list of Session
        What each certificate was for, as it was taken: a hold's minutes run from now.

    Raises
    ------
    TimeTaken
        If anything the certificates rest on has changed, or the time is gone.
    RuleBroken
        If a claim breaks a rule for another cause than somebody else's time.
    """
    found = _claim(act, picture, list(wanted), apart=False)
    return [taken for taken in found if taken is not None]


def claim_each(act: Act, picture: Picture, wanted: Iterable[Wanted]) -> list[Session | None]:
    """Do as `claim_all` does, but leave out (None) what cannot be claimed any more.

    Raises
    ------
    TimeTaken
        If something goes while it is written.
    """
    return _claim(act, picture, list(wanted), apart=True)


def _claim(
    act: Act, picture: Picture, wanted: list[Wanted], *, apart: bool
) -> list[Session | None]:
    unit = act.unit
    if not wanted:
        return []
    certificates = [w.certificate for w in wanted]
    unit.lock(lock_keys(picture, (s for c in certificates for s in _sessions(c))))
    now = unit.now()
    if unit.publications.count() != sum(picture.versions.values()):
        raise TimeTaken("the clinic's plan has changed; the time")
    ground = _read_ground(act, picture, certificates)
    moving = frozenset(s.task for c in certificates for s in c.moved if s.task)
    fresh = {t.id: t for t in unit.tasks.find(id=moving)} if moving else {}
    taken: list[Session | None] = []
    for each in wanted:
        certificate = _begun(each.certificate, now - picture.now)
        before = ground.copy() if apart else ground
        try:
            _take(picture, ground, fresh, replace(each, certificate=certificate), now)
        except (TimeTaken, RuleBroken):
            if not apart:
                raise
            ground = before
            taken.append(None)
        else:
            taken.append(certificate.claim)
    for place in filter(is_place, ground.new.values()):
        task = _task_of(picture, fresh, place)
        watch(act, picture.index.organisation.clinic(task.clinic), task, place)
    if _write(unit, ground.gone, ground.new.values()) < len(ground.gone):
        raise TimeTaken("a place that would move aside has gone meanwhile; the time")
    released = (s for c in certificates for s in c.released if s.kind is SessionKind.BOOKING)
    act.log.freed.extend(s.id for s in released)
    return taken


def _take(
    picture: Picture, ground: Ground, fresh: Mapping[str, Task], each: Wanted, now: datetime
) -> None:
    """Check one certificate against what stands, and let it stand there.

    Raises
    ------
    TimeTaken, RuleBroken
    """
    certificate = each.certificate
    for old in (*certificate.released, *certificate.displaced):
        ground.give_up(old)
    if certificate.claim.kind is SessionKind.HOLD:
        ground.require_only_hold(certificate.claim)
    if each.ask is not None and not each.override:
        own = certificate.claim.task
        others = [s for s in (*certificate.claims, *certificate.moved) if s.task != own]
        verdict = broken(
            picture.index.organisation,
            [*ground.beside(certificate.claim), *others],
            replace(each.ask, now=now, count_places=True, ignore=frozenset()),
            certificate.claim.start,
            certificate.claim.resources,
        )
        if verdict:
            raise _refusal(certificate.claim, verdict)
    new = (*certificate.claims, *certificate.moved)
    for session in new:
        ground.take(session)
    for place in filter(is_place, new):
        _check_place(picture, _task_of(picture, fresh, place), place, ground.beside(place), now)


def _task_of(picture: Picture, fresh: Mapping[str, Task], place: Session) -> Task:
    key = place.task or ""
    return fresh.get(key) or picture.tasks[key]


def _begun(certificate: Certificate, waited: timedelta) -> Certificate:
    """Let a hold have its minutes from when the locks were had, not from when it was planned.

    One that is there already, and is only put anew, ends when the patient was told.
    """
    hold, *others = certificate.claims
    there = any((s.id, s.until) == (hold.id, hold.until) for s in certificate.released)
    if hold.until is None or there:
        return certificate
    return replace(certificate, claims=(replace(hold, until=hold.until + waited), *others))


def release_all(act: Act, task: Task) -> None:
    """Give back whatever a task has, also what somebody moves aside at this moment."""
    while has := act.unit.sessions.find(task=task.id):
        release(act, has)


def release(act: Act, sessions: Iterable[Session]) -> None:
    """Give time back."""
    gone = [s.id for s in sessions]
    _write(act.unit, gone, ())
    act.log.freed.extend(gone)


def drop_holds(act: Act, holds: Iterable[Session]) -> None:
    """Remove expired holds; where one was also its task's place, the place stays."""
    _write(act.unit, (), _places_left_by(act, holds))


def whole_picture(act: Act) -> Picture:
    """Take the organisation's lock, as bulk work does, and give the picture as it is then.

    Nobody else can claim or release before the transaction ends: what is planned on this picture
    and what it becomes cannot be overtaken.
    """
    act.unit.lock((), whole=True)
    act.log.write(act.unit)  # the picture is read from it
    drop_holds(act, act.unit.sessions.expired(act.unit.now()))
    return act.ports.pictures.within(act.unit)


def _read_ground(act: Act, picture: Picture, certificates: list[Certificate]) -> Ground:
    """Read, under the locks, everything that could stand in the way; remove expired holds."""
    unit, now = act.unit, act.unit.now()
    new = [s for c in certificates for s in (*c.claims, *c.moved)]
    old = [s for c in certificates for s in (*c.released, *c.displaced)]
    also: list[dict[str, Any]] = [
        {"pool": pools, "clinic": clinic, "start": period}
        for clinic, pools, period in periods(picture, new)
    ]
    if tasks := frozenset(s.task for s in (*new, *old) if s.task):
        also.append({"task": tasks})
    if holders := frozenset(s.patient for s in new if s.kind is SessionKind.HOLD and s.patient):
        also.append({"patient": holders, "kind": SessionKind.HOLD})
    if taskless := frozenset(s.id for s in old if not s.task):
        also.append({"id": taskless})
    found = unit.sessions.touching((c for s in new for c in s.claims()), *also)
    expired = [s for s in found if not s.is_live(now)]
    ground = Ground(picture, (s for s in found if s.is_live(now)))
    for place in _places_left_by(act, expired):
        ground.take(place)
    return ground


def _places_left_by(act: Act, holds: Iterable[Session]) -> list[Session]:
    """Remove holds; gives the places that they were, for the caller to put in their stead."""
    places = []
    for hold in holds:
        if not act.unit.sessions.release([hold.id]):
            continue
        act.log.freed.append(hold.id)
        if not hold.is_place or hold.task is None:
            continue
        if act.unit.tasks.get(hold.task).is_live:
            places.append(as_place(hold))
    return places


def _write(unit: UnitOfWork, gone: Collection[str], new: Iterable[Session]) -> int:
    """Give back and take, in the database: the one place where that is done.

    Gives how many of those to give back were still there: not all, if whom they belong to has
    given them back in a transaction that ended after they were read.
    """
    count = unit.sessions.release(gone)
    unit.sessions.claim(new)
    return count


def _sessions(certificate: Certificate) -> list[Session]:
    return [
        *certificate.claims,
        *certificate.released,
        *certificate.displaced,
        *certificate.moved,
    ]


def _check_place(
    picture: Picture, task: Task, place: Session, others: list[Session], now: datetime
) -> None:
    ask = Ask.for_place(picture.index, task, place.pool or "", now)
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
