"""Visits that cannot stand, what may become of them, and how much harm that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from timevalg.model.session import Session, SessionKind
from timevalg.model.task import Task
from timevalg.solver.ask import Ask
from timevalg.solver.assign import session_for
from timevalg.solver.certificates import Certificate
from timevalg.solver.picture import Picture

Value = tuple[int, ...]
"""How much harm is done; less is better."""


@dataclass(frozen=True)
class LostVisit:
    """A booked visit that cannot stand.

    Attributes
    ----------
    session : Session
        The booking, as it is in the picture.
    task : Task
        By whose particulars it is served at its time; its `not_after` is the planned date.
    renewed : Task
        By which it would get another time: the same task, or one like it.
    done : frozenset of str
        Preparations done.
    """

    session: Session
    task: Task
    renewed: Task
    done: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Move:
    """What is to become of a visit that cannot stand.

    Attributes
    ----------
    certificate : Certificate or None
        The booking with other resources, or the place of the renewed task; None = it is left as
        it is.
    goal : Session or None
        Where it is once all are carried out: a later one may move a place on.
    """

    visit: LostVisit
    certificate: Certificate | None = None
    goal: Session | None = None

    @property
    def keeps_time(self) -> bool:
        """Whether it stays where it is, with other resources."""
        return self.certificate is not None and self.certificate.claim.kind is SessionKind.BOOKING


@dataclass(frozen=True)
class Moves:
    """What is to become of all of them.

    Attributes
    ----------
    moves : tuple of Move
        In the order in which they can be carried out.
    proven : bool
        No other way moves fewer (nothing found for fewer, of these those with the latest
        deadlines; then fewer times changed), or as few with less harm: past the planned date,
        on another day, with another clinician.
    """

    moves: tuple[Move, ...]
    proven: bool


def harms(picture: Picture, visit: LostVisit, new: Session) -> tuple[bool, bool, bool, timedelta]:
    """Tell how a visit would differ: past the planned date, another day, other clinicians, by."""
    clinic = picture.index.organisation.clinic(visit.task.clinic)
    old = visit.session
    was, day = (s.local_date(clinic.timezone) for s in (old, new))
    before, now = (clinic.service_of(s.pool or "") for s in (old, new))
    other = new.clinicians(now) != old.clinicians(before)
    return day > visit.task.not_after, day != was, other, abs(new.start - old.start)


def harm_of(picture: Picture, goals: Sequence[tuple[LostVisit, Session | None]]) -> Value:
    """Say how much harm is done; in the order of `timevalg.solver.pose.HARMS`."""
    nothing = [visit for visit, goal in goals if goal is None]
    latest = max((_deadline(visit) for visit, _ in goals), default=0)
    counts = [0] * 4
    for visit, goal in goals:
        if goal is not None:
            past, day, other, _ = harms(picture, visit, goal)
            for number, harmed in enumerate((goal.kind is SessionKind.PLACE, past, day, other)):
                counts[number] += harmed
    return len(nothing), sum(latest - _deadline(visit) for visit in nothing), *counts


def _deadline(visit: LostVisit) -> int:
    return (visit.renewed.deadline or visit.renewed.not_after).toordinal()


def ask_of(picture: Picture, visit: LostVisit) -> Ask:
    """Give the rules for the visit at its time."""
    pool = visit.session.pool or ""
    ask = Ask.for_task(picture.index, visit.task, pool, picture.now, changing=True)
    return replace(ask, ignore=ask.ignore | {visit.session.id}, done=ask.done | visit.done)


def booking_with(
    picture: Picture, ask: Ask, visit: LostVisit, resources: Mapping[str, tuple[str, ...]]
) -> Session:
    """Give the booking with other resources, under the id that it has."""
    old = visit.session
    new = session_for(
        picture.index.organisation,
        ask,
        old.start,
        resources,
        id=old.id,
        kind=SessionKind.BOOKING,
    )
    return replace(new, task=old.task)
