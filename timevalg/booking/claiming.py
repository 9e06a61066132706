"""The one function through which every path claims time, and the loop around it.

Planning happens outside the locks and gives a certificate; `claim` takes the locks, checks the
certificate against what is there now, and inserts. The database's constraint has the last word.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from timevalg.booking.access import scope_of
from timevalg.booking.acting import Act, picture_of, run
from timevalg.booking.last_day import watch
from timevalg.booking.ports import Between, Ports, UnitOfWork
from timevalg.model.errors import RuleBroken, TimeTaken
from timevalg.model.principal import Principal
from timevalg.model.session import Session, SessionKind
from timevalg.model.task import Task
from timevalg.model.time import instant
from timevalg.solver.ask import Ask
from timevalg.solver.picture import Picture
from timevalg.solver.places import Certificate, is_place, place_id
from timevalg.solver.verify import broken

R = TypeVar("R")
C = TypeVar("C")

_TICK = timedelta(microseconds=1)
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

    def attempt(picture: Picture) -> R:
        plan = find(picture)
        follow = partial(_follow, body, picture, plan)
        with overtaking():
            return run(ports, principal, verb, follow, reason=reason, wish=wish)

    scope_of(verb, principal)
    return attempts(ports, principal, attempt, find)


class Overtaken(Exception):
    """What a plan rested on has changed; not for callers of use cases."""

    def __init__(self, error: TimeTaken) -> None:
        super().__init__(str(error))
        self.error = error


@contextmanager
def overtaking(planned: Callable[[], bool] = lambda: True) -> Iterator[None]:
    """Tell a plan that was overtaken from one that could not be made."""
    try:
        yield
    except TimeTaken as error:
        if planned():
            raise Overtaken(error) from error
        raise


def attempts(
    ports: Ports,
    principal: Principal,
    attempt: Callable[[Picture], R],
    seek: Callable[[Picture], object],
) -> R:
    """Try some plans; in the end `seek` says what else is free, if this is not."""
    for left in reversed(range(ATTEMPTS)):
        try:
            return attempt(picture_of(ports, principal))
        except Overtaken as overtaken:
            if not left:
                seek(picture_of(ports, principal))
                raise overtaken.error from None
    raise AssertionError("unreachable")


def _follow(body: Callable[[Act, Picture, C], R], picture: Picture, plan: C, act: Act) -> R:
    return body(act, picture, plan)


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
    unit.lock(_lock_keys(picture, (s for c in certificates for s in _sessions(c))))
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
    return taken


def _take(
    picture: Picture, ground: _Ground, fresh: Mapping[str, Task], each: Wanted, now: datetime
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
        _check_place(picture, _task_of(picture, fresh, place), place, ground.beside(place))


def _task_of(picture: Picture, fresh: Mapping[str, Task], place: Session) -> Task:
    key = place.task or ""
    return fresh.get(key) or picture.tasks[key]


def _begun(certificate: Certificate, waited: timedelta) -> Certificate:
    """Let a hold have its minutes from when the locks were had, not from when it was planned."""
    hold, *others = certificate.claims
    if hold.kind is not SessionKind.HOLD or hold.until is None:
        return certificate
    return replace(certificate, claims=(replace(hold, until=hold.until + waited), *others))


def release_all(act: Act, task: Task) -> None:
    """Give back whatever a task has, also what somebody moves aside at this moment."""
    while has := act.unit.sessions.find(task=task.id):
        release(act, has)


def release(act: Act, sessions: Iterable[Session]) -> None:
    """Give time back."""
    _write(act.unit, [s.id for s in sessions], ())


def drop_holds(act: Act, holds: Iterable[Session]) -> None:
    """Remove expired holds; where one was also its task's place, the place stays."""
    _write(act.unit, (), _places_left_by(act.unit, holds))


def whole_picture(act: Act) -> Picture:
    """Take the organisation's lock, as bulk work does, and give the picture as it is then.

    Nobody else can claim or release before the transaction ends: what is planned on this picture
    and what it becomes cannot be overtaken.
    """
    act.unit.lock((), whole=True)
    act.log.write(act.unit)  # the picture is read from it
    drop_holds(act, act.unit.sessions.expired(act.unit.now()))
    return act.ports.pictures.within(act.unit)


class _Ground:
    """What stands, read under the locks, and what becomes of it certificate by certificate."""

    def __init__(self, picture: Picture, standing: Iterable[Session]) -> None:
        self._picture = picture
        self._standing: dict[str, Session] = {}
        self._beside: dict[str, dict[str, Session]] = {}
        self.gone: set[str] = set()
        self.new: dict[str, Session] = {}
        for session in standing:
            self._put(session)

    def copy(self) -> _Ground:
        """Give another that is as this one is now."""
        ground = _Ground(self._picture, ())
        ground._standing = dict(self._standing)
        ground._beside = {key: dict(sessions) for key, sessions in self._beside.items()}
        ground.gone, ground.new = set(self.gone), dict(self.new)
        return ground

    def give_up(self, old: Session) -> None:
        """Take a session away; refuse if it is not as it was when the plan was made.

        Raises
        ------
        TimeTaken
        """
        if self._standing.get(old.id) != old:
            raise TimeTaken("the time, or a place that would move aside for it,")
        del self._standing[old.id]
        for key in _lock_keys(self._picture, [old]):
            del self._beside[key][old.id]
        if self.new.pop(old.id, None) is None:
            self.gone.add(old.id)

    def require_only_hold(self, hold: Session) -> None:
        """Refuse a hold beside another of the patient's, which it would have replaced.

        Raises
        ------
        TimeTaken
        """
        others = (s for s in self.beside(hold) if s.patient == hold.patient)
        if any(s.kind is SessionKind.HOLD for s in others):
            raise TimeTaken("the patient holds another time meanwhile; this one")

    def take(self, session: Session) -> None:
        """Add a session that is to be claimed."""
        self.new[session.id] = session
        self._put(session)

    def beside(self, session: Session) -> list[Session]:
        """Give the others that share a subject, or the period of a quota, with a session."""
        found: dict[str, Session] = {}
        for key in _lock_keys(self._picture, [session]):
            found |= self._beside.get(key, {})
        found.pop(session.id, None)
        return list(found.values())

    def _put(self, session: Session) -> None:
        self._standing[session.id] = session
        for key in _lock_keys(self._picture, [session]):
            self._beside.setdefault(key, {})[session.id] = session


def _read_ground(act: Act, picture: Picture, certificates: list[Certificate]) -> _Ground:
    """Read, under the locks, everything that could stand in the way; remove expired holds."""
    unit, now = act.unit, act.unit.now()
    new = [s for c in certificates for s in (*c.claims, *c.moved)]
    old = [s for c in certificates for s in (*c.released, *c.displaced)]
    also: list[dict[str, Any]] = [
        {"pool": pools, "clinic": clinic, "start": period}
        for clinic, pools, period in _periods(picture, new)
    ]
    if tasks := frozenset(s.task for s in (*new, *old) if s.task):
        also.append({"task": tasks})
    if holders := frozenset(s.patient for s in new if s.kind is SessionKind.HOLD and s.patient):
        also.append({"patient": holders, "kind": SessionKind.HOLD})
    if taskless := frozenset(s.id for s in old if not s.task):
        also.append({"id": taskless})
    found = unit.sessions.touching((c for s in new for c in s.claims()), *also)
    expired = [s for s in found if not s.is_live(now)]
    ground = _Ground(picture, (s for s in found if s.is_live(now)))
    for place in _places_left_by(unit, expired):
        ground.take(place)
    return ground


def _places_left_by(unit: UnitOfWork, holds: Iterable[Session]) -> list[Session]:
    """Remove holds; gives the places that they were, for the caller to put in their stead."""
    places = []
    for hold in holds:
        if not unit.sessions.release([hold.id]) or not hold.is_place or hold.task is None:
            continue
        task = unit.tasks.get(hold.task)
        if task.is_live:
            key = place_id(task)
            places.append(replace(hold, id=key, kind=SessionKind.PLACE, until=None, is_place=False))
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


def _lock_keys(picture: Picture, sessions: Iterable[Session]) -> set[str]:
    """Give what to lock for sessions; whoever could be in each other's way has a key in common.

    Of a resource that is each day (UTC) on which it is taken. A patient is locked whole: of their
    holds there is one at most, whenever it is. Quotas are locked by their periods.
    """
    keys: set[str] = set()
    for session in sessions:
        for resource, span in session.spans.items():
            first, last = span.start.toordinal(), (span.end - _TICK).toordinal()
            keys.update(f"r:{resource}:{day}" for day in range(first, last + 1))
        if session.patient is not None:
            keys.add(f"p:{session.patient}")
        if session.pool is None:
            continue
        clinic = picture.index.organisation.clinic(session.clinic)
        day = session.local_date(clinic.timezone)
        for number, quota in enumerate(clinic.quotas):
            if session.pool in quota.pools:
                keys.add(f"q:{clinic.id}:{number}:{quota.period(day)}")
    return keys


def _periods(
    picture: Picture, sessions: Iterable[Session]
) -> Iterable[tuple[str, frozenset[str], Between]]:
    """Give the periods of the quotas that count the sessions: clinic, pools, from when to when."""
    found = {}
    for session in sessions:
        if session.pool is None:
            continue
        clinic = picture.index.organisation.clinic(session.clinic)
        for number, quota in enumerate(clinic.quotas):
            if session.pool in quota.pools:
                first = quota.period(session.local_date(clinic.timezone))
                after = first + timedelta(days=1 if quota.per == "day" else 7)
                low, high = (instant(day, 0, clinic.timezone) for day in (first, after))
                found[clinic.id, number, first] = clinic.id, quota.pools, Between(low, high)
    return found.values()


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
