"""Bookings from outside: a record system's calendar, or those that a clinic file lists.

Many are taken in together, in one transaction under the organisation's lock. Places and holds give
way to them: their tasks get other places in the same transaction, or the loss is named. Bookings
and blocks do not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from timevalg.booking.acting import Act
from timevalg.booking.claiming import Wanted, claim_all, release, whole_picture
from timevalg.booking.own import owner_of_appointments
from timevalg.booking.reliving import replant
from timevalg.model.clinic import Organisation
from timevalg.model.session import Session, SessionKind
from timevalg.model.task import Task
from timevalg.solver.ask import Ask
from timevalg.solver.places import Certificate, conflicts
from timevalg.solver.verify import broken

FIRM = frozenset({SessionKind.BOOKING, SessionKind.BLOCK})
"""What gives way to nothing from outside."""
LASTING = ("opening", "closed", "resources", "quota", "patient")
"""Rules that bind visits from outside too; the others say when one may still choose a time."""


@dataclass(frozen=True)
class Prospect:
    """What booking a session from outside would mean.

    Attributes
    ----------
    own : tuple of Session
        Former sessions of the same visit, which it gives up.
    task : Task or None
        Whose visit it is.
    in_the_way : tuple of Session
        Bookings and blocks that it overlaps; empty = it can be booked.
    yielding : tuple of Session
        Places and holds that give way.
    ask : Ask or None
        The rules it is under; None outside every pool, and for what is past.
    broken : tuple of str
        Those it breaks, one sentence each.
    """

    session: Session
    own: tuple[Session, ...] = ()
    task: Task | None = None
    in_the_way: tuple[Session, ...] = ()
    yielding: tuple[Session, ...] = ()
    ask: Ask | None = None
    broken: tuple[str, ...] = ()

    @property
    def faults(self) -> tuple[str, ...]:
        """What staff must hear of."""
        return tuple(b for b in self.broken if b.startswith(LASTING))


class Outside:
    """What is being taken in.

    Attributes
    ----------
    picture : Picture
        As everything will stand once `finish` has claimed what was booked here.
    owner : Owner
        Who owns appointments.
    """

    def __init__(self, act: Act) -> None:
        self.picture = whole_picture(act)
        self.owner = owner_of_appointments(act.unit)
        self._act = act
        self._wanted: list[Wanted] = []
        self._homeless: list[str] = []

    @property
    def organisation(self) -> Organisation:
        """The organisation as its clinics' files have it now."""
        return self.picture.index.organisation

    def consider(
        self, session: Session, own: Iterable[Session] = (), task: Task | None = None
    ) -> Prospect:
        """Look what booking a session would mean, as things stand; nothing changes."""
        own = tuple(own)
        bare = self.picture.apply(removed=[s.id for s in own])
        beside = bare.index.touching(session)
        overlapping = [s for s in beside if _overlap(s, session)]  # the index goes by cells
        fixed = tuple(s for s in overlapping if s.kind in FIRM)
        if fixed:
            return Prospect(session, own, task, fixed)
        yielding = {s.id: s for s in (*overlapping, *conflicts(bare, session))}
        ask = self._ask(session, own, task)
        if ask is None:
            return Prospect(session, own, task, yielding=tuple(yielding.values()))
        clinic = self.organisation.clinic(session.clinic)
        counted = (
            s
            for quota in clinic.quotas
            if session.pool in quota.pools
            for sessions in bare.index.counted(clinic, quota, session)
            for s in sessions
        )
        standing = {s.id: s for s in (*beside, *counted) if s.id not in yielding}
        verdict = broken(
            self.organisation, standing.values(), ask, session.start, session.resources
        )
        return Prospect(session, own, task, (), tuple(yielding.values()), ask, verdict)

    def book(self, prospect: Prospect) -> None:
        """Book what nothing is in the way of."""
        session, gone = prospect.session, (*prospect.own, *prospect.yielding)
        certificate = Certificate((session,), gone)
        self._wanted.append(Wanted(certificate, prospect.ask, bool(prospect.broken)))
        self._homeless += [s.task for s in prospect.yielding if s.task]
        self.picture = self.picture.apply([session], [s.id for s in gone])

    def free(self, sessions: Iterable[Session]) -> None:
        """Give time back."""
        sessions = list(sessions)
        release(self._act, sessions)
        self.picture = self.picture.apply(removed=[s.id for s in sessions])

    def revive(self, task: Task) -> None:
        """Give a task that has become live again a place, at the end."""
        self.picture = self.picture.with_task(task)
        self._homeless.append(task.id)

    def finish(self) -> tuple[str, ...]:
        """Claim it all, and give new places to whoever gave way; gives the tasks with none left."""
        claim_all(self._act, self.picture, self._wanted)
        self.picture, lost = replant(self._act, self.picture, self._homeless)
        self._wanted, self._homeless = [], []
        return lost

    def _ask(self, session: Session, own: Iterable[Session], task: Task | None) -> Ask | None:
        now = self.picture.now
        if session.pool is None or session.start <= now:
            return None
        if task is None or session.pool not in task.pools:
            return Ask(session.clinic, session.pool, now, count_places=True)
        mine = [s.id for s in own]
        ask = Ask.for_task(self.picture.index, task, session.pool, now, changing=True, ignore=mine)
        return replace(ask, count_places=True)


def _overlap(one: Session, other: Session) -> bool:
    theirs = {c.subject: c.span for c in other.claims()}
    return any(c.subject in theirs and c.span.overlaps(theirs[c.subject]) for c in one.claims())
