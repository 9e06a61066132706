"""Certificates: a claim, the places it displaces, and where these go instead.

Whoever uses a certificate checks it again under locks; until then it is a proposal.

Source: docs/guarantee.md; docs/clinic-file.md, "Reserves and safe offers".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from timevalg.model.session import Session, SessionKind
from timevalg.model.task import Task
from timevalg.solver.picture import Picture

_PLACE = "place:"


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


def after(picture: Picture, certificate: Certificate) -> Picture:
    """Give the picture once the certificate has been used."""
    gone = [s.id for s in (*certificate.released, *certificate.displaced)]
    return picture.apply([*certificate.claims, *certificate.moved], gone)


def place_id(task: Task) -> str:
    """Give the id of a task's place; a task has at most one."""
    return place_of(task.id)


def place_of(task: str) -> str:
    """Give the id of the place of the task that has an id."""
    return f"{_PLACE}{task}"


def is_place(session: Session) -> bool:
    """Tell whether a session is a place, or a hold that serves as one."""
    return session.kind is SessionKind.PLACE or session.is_place


def is_movable(session: Session, now: datetime) -> bool:
    """Tell whether a session is a place that may move: a hold gives way only once it expires."""
    return is_place(session) and (session.until is None or not session.is_live(now))


def as_place(session: Session) -> Session:
    """Give the place of a session's task that has its start and resources."""
    key = place_of(session.task or "")
    return replace(session, id=key, kind=SessionKind.PLACE, until=None, is_place=False)


def own_place(picture: Picture, task: Task) -> Session | None:
    """Give the task's place, be it a place or a hold that serves as one."""
    found = [s for s in picture.index.by_task(task.id) if is_place(s)]
    return found[0] if found else None
