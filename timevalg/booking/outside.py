"""Bookings from outside: a record system's calendar, or those that a clinic file lists.

Many are taken in together, in one transaction under the organisation's lock. Places and holds give
way to them: their tasks get other places in the same transaction, or the loss is named. Bookings
and blocks do not.
"""

from __future__ import annotations

from collections.abc import Iterable

from timevalg.booking.acting import Act
from timevalg.booking.claiming import Wanted, claim_all, release, whole_picture
from timevalg.booking.reliving import replant
from timevalg.model.clinic import Organisation
from timevalg.model.session import Session, SessionKind
from timevalg.model.task import Task
from timevalg.solver.places import Certificate, conflicts

FIRM = frozenset({SessionKind.BOOKING, SessionKind.BLOCK})
"""What gives way to nothing from outside."""


class Outside:
    """What is being taken in.

    Attributes
    ----------
    picture : Picture
        As everything will stand once `finish` has claimed what was booked here.
    """

    def __init__(self, act: Act) -> None:
        self.picture = whole_picture(act)
        self._act = act
        self._wanted: list[Wanted] = []
        self._homeless: list[str] = []

    @property
    def organisation(self) -> Organisation:
        """The organisation as its clinics' files have it now."""
        return self.picture.index.organisation

    def in_the_way(self, session: Session, own: Iterable[Session] = ()) -> list[Session]:
        """Give the bookings and blocks that a session overlaps, its own former ones aside."""
        mine = {s.id for s in own}
        return [s for s in self._overlapping(session) if s.kind in FIRM and s.id not in mine]

    def book(self, session: Session, own: Iterable[Session] = ()) -> None:
        """Book a session that nothing is in the way of, in place of its own former ones."""
        own = tuple(own)
        mine = {s.id for s in own}
        bare = self.picture.apply(removed=mine)
        yielding = {s.id: s for s in self._overlapping(session) if s.id not in mine}
        yielding |= {s.id: s for s in conflicts(bare, session)}
        self._wanted.append(Wanted(Certificate((session,), (*own, *yielding.values()))))
        self._homeless += [s.task for s in yielding.values() if s.task]
        self.picture = bare.apply([session], yielding)

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

    def _overlapping(self, session: Session) -> list[Session]:
        """Give the sessions that share an instant with one; the index alone goes by cells."""
        return [s for s in self.picture.index.touching(session) if _overlap(s, session)]


def _overlap(one: Session, other: Session) -> bool:
    theirs = {c.subject: c.span for c in other.claims()}
    return any(c.subject in theirs and c.span.overlaps(theirs[c.subject]) for c in one.claims())
