"""The demo's figures, counted in the database."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from itertools import pairwise
from typing import Any

from timevalg.booking.unit_of_work import UnitOfWork
from timevalg.library import Timevalg
from timevalg.model.records import Event
from timevalg.model.session import Session, SessionKind
from timevalg.model.states import AppointmentState, LetterState, TaskState
from timevalg.model.task import Task
from timevalg.model.time import instant

COUNTED_EVENTS = {
    "chosen": "appointment.chosen",
    "changed": "appointment.changed",
    "cancelled": "appointment.cancelled",
    "none_suits": "task.none-suits",
    "assigned": "appointment.assigned",
    "no_shows": "appointment.no-show",
}
"""Figures that count events."""

ENDS = {
    "confirmed": TaskState.CONFIRMED,
    "declined": TaskState.DECLINED,
    "with_staff": TaskState.WITH_STAFF,
}
"""Figures that count tasks by their end; together they are all that were invited."""


def figures(valg: Timevalg, now: datetime) -> dict[str, Any]:
    """Count what happened.

    Returns
    -------
    dict
        ``invited`` (tasks sent), one entry for each of `ENDS` and `COUNTED_EVENTS`, ``letters``
        (sent), ``stranded`` (after `due` with neither appointment, place, decline, withdrawal nor
        staff) and ``double_booked`` (claims that overlap, recounted from all of them).
    """
    organisation = valg.ports.pictures.current(valg.organisation).index.organisation

    def count(unit: UnitOfWork) -> dict[str, Any]:
        tasks = [t for t in unit.tasks.find() if t.state is not TaskState.DRAFT]
        sessions = unit.sessions.find()
        has_visit = {
            a.task for a in unit.appointments.find() if a.state not in {AppointmentState.CANCELLED}
        }
        placed = {s.task for s in sessions if s.kind is SessionKind.PLACE or s.is_place}
        settled = has_visit | placed

        def is_stranded(task: Task) -> bool:
            zone = organisation.clinic(task.clinic).timezone
            safe = {TaskState.CONFIRMED, TaskState.DECLINED, TaskState.WITHDRAWN}
            past_due = instant(task.after_due, 0, zone) <= now
            return (
                past_due
                and task.id not in settled
                and task.state not in safe | {TaskState.WITH_STAFF}
            )

        states = Counter(t.state for t in tasks)
        letters = unit.letters.find(state=LetterState.SENT)
        return {
            "invited": len(tasks),
            **{name: states[state] for name, state in ENDS.items()},
            "open": len(tasks) - sum(states[s] for s in ENDS.values()),
            "letters": len(letters),
            "letters_by_kind": dict(Counter(letter.kind for letter in letters)),
            "stranded": sum(is_stranded(t) for t in tasks),
            "double_booked": overlaps(sessions),
            "allotted": unit.appointments.count(task=None),
        }

    counted = valg.ports.store.run(valg.organisation, count, write=False)
    types = Counter(event.type for event in _events(valg))
    return counted | {name: types[type_] for name, type_ in COUNTED_EVENTS.items()}


def overlaps(sessions: list[Session]) -> int:
    """Count pairs of neighbouring claims on one subject that share time."""
    claims = sorted((c.subject, c.span.start, c.span.end) for s in sessions for c in s.claims())
    return sum(one[0] == other[0] and other[1] < one[2] for one, other in pairwise(claims))


def _events(valg: Timevalg) -> list[Event]:
    system, out, cursor = valg.system("figures"), list[Event](), ""
    while batch := system.events(after=cursor):
        out += batch
        cursor = batch[-1].cursor
    return out
