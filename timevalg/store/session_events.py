"""The internal events of sessions: they tell the index of every process what to look at again."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator

from timevalg.booking.unit_of_work import UnitOfWork
from timevalg.model.records import Event
from timevalg.model.session import Session

SUBJECT = "session"


def claimed(unit: UnitOfWork, sessions: Iterable[Session]) -> Iterator[Event]:
    """Give an event for each session."""
    for session in sessions:
        yield _event(unit, "session.claimed", session.id, session.clinic, session.task)


def released(unit: UnitOfWork, gone: Iterable[tuple[str, str, str | None]]) -> Iterator[Event]:
    """Give an event for each id, clinic and task of what was deleted."""
    for key, clinic, task in gone:
        yield _event(unit, "session.released", key, clinic, task)


def _event(unit: UnitOfWork, type: str, key: str, clinic: str, task: str | None) -> Event:
    return Event(
        id=f"e-{uuid.uuid4().hex}",
        type=type,
        time=unit.now(),
        organisation=unit.organisation,
        clinic=clinic,
        subject=SUBJECT,
        key=key,
        version=1,
        by="store",
        channel="store",
        task=task,
    )
