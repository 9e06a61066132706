"""Every legal move of a task, an appointment, a preparation, a letter and work: data, in one place.

The diagram in the README is tested against these tables; guarded updates in the store enforce
them; no other module decides what may follow what.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from timevalg.model.errors import IllegalMove


class TaskState(StrEnum):
    """Where a choice task is in its life."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    OPEN = "open"
    OVERDUE = "overdue"
    NONE_SUITS = "none-suits"
    WITH_STAFF = "with-staff"
    CHOSEN = "chosen"
    ASSIGNED = "assigned"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class AppointmentState(StrEnum):
    """Where a visit is in its life."""

    BOOKED = "booked"
    ARRIVED = "arrived"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"
    NO_SHOW = "no-show"


class PreparationState(StrEnum):
    """Where one preparation of one visit is."""

    PLANNED = "planned"
    STARTED = "started"
    OVERDUE = "overdue"
    DONE = "done"
    VOID = "void"


class LetterState(StrEnum):
    """How far what leaves the house has come; ``unknown`` = perhaps sent, staff must look."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    STOPPED = "stopped"


class WorkState(StrEnum):
    """Where a piece of work is."""

    WAITING = "waiting"
    LEASED = "leased"
    DONE = "done"
    PARKED = "parked"
    DROPPED = "dropped"


@dataclass(frozen=True)
class Move:
    """One legal move: from any of `sources`, by `verb`, to `target`."""

    verb: str
    sources: frozenset[str]
    target: str


def _move(sources: str, verb: str, target: str) -> Move:
    return Move(verb, frozenset(sources.split()), target)


LIVE = frozenset(
    {
        TaskState.SCHEDULED,
        TaskState.OPEN,
        TaskState.OVERDUE,
        TaskState.NONE_SUITS,
        TaskState.WITH_STAFF,
    }
)
"""States in which a task must have a place."""

BOOKED_STATES = frozenset({TaskState.CHOSEN, TaskState.ASSIGNED, TaskState.CONFIRMED})
"""States in which a task has its appointment (a confirmed one may have lost it since)."""

ENDED = frozenset({TaskState.DECLINED, TaskState.WITHDRAWN})
"""States in which an invitation has come to its end without a visit: it is not sent again."""

TASK_MOVES: tuple[Move, ...] = (
    _move("draft", "schedule", "scheduled"),
    _move("scheduled", "open", "open"),
    _move("open overdue with-staff", "choose", "chosen"),
    _move("open", "fall due", "overdue"),
    _move("open overdue", "none suits", "none-suits"),
    _move("open", "decline", "declined"),
    _move("overdue with-staff", "assign", "assigned"),
    _move("chosen assigned", "confirm", "confirmed"),
    _move("open overdue none-suits declined", "hand to staff", "with-staff"),
    _move("chosen", "hand to staff", "with-staff"),
    _move("chosen", "refuse", "open"),
    _move("chosen", "refuse overdue", "overdue"),
    _move("chosen assigned confirmed", "undo", "with-staff"),
    _move("with-staff", "reopen", "open"),
    _move("draft scheduled open overdue none-suits with-staff", "withdraw", "withdrawn"),
)

APPOINTMENT_MOVES: tuple[Move, ...] = (
    _move("booked", "change", "booked"),
    _move("booked", "acknowledge", "booked"),
    _move("booked", "arrive", "arrived"),
    _move("arrived", "fulfil", "fulfilled"),
    _move("booked", "cancel", "cancelled"),
    _move("booked", "no show", "no-show"),
)

PREPARATION_MOVES: tuple[Move, ...] = (
    _move("planned", "start", "started"),
    _move("planned started", "fall due", "overdue"),
    _move("planned started overdue", "complete", "done"),
    _move("planned started overdue", "plan anew", "planned"),
    _move("planned started overdue", "void", "void"),
)

LETTER_MOVES: tuple[Move, ...] = (
    _move("pending", "send", "sending"),
    _move("sending", "receipt", "sent"),
    _move("sending", "lose", "unknown"),
    _move("sending", "try again", "pending"),
    _move("pending sending", "stop", "stopped"),
)

WORK_MOVES: tuple[Move, ...] = (
    _move("waiting leased", "lease", "leased"),
    _move("leased", "finish", "done"),
    _move("leased", "fail", "waiting"),
    _move("leased", "put off", "waiting"),
    _move("leased", "park", "parked"),
    _move("parked", "retry", "waiting"),
    _move("waiting parked", "drop", "dropped"),
)

TABLES: dict[str, tuple[Move, ...]] = {
    "task": TASK_MOVES,
    "appointment": APPOINTMENT_MOVES,
    "preparation": PREPARATION_MOVES,
    "letter": LETTER_MOVES,
    "delivery": LETTER_MOVES,
    "work": WORK_MOVES,
}


def target(kind: str, key: str, state: str, verb: str) -> str:
    """Give the state that a legal move leads to.

    Parameters
    ----------
    kind : str
        ``task``, ``appointment``, ``preparation``, ``letter``, ``delivery`` or ``work``.
    key : str
        Id of the thing, for the message.
    state, verb : str
        Where it is, and what is to be done with it.

    Raises
    ------
    IllegalMove
        If the table has no such move; the message names those it has.
    """
    for move in TABLES[kind]:
        if move.verb == verb and state in move.sources:
            return move.target
    raise IllegalMove(
        kind, key, state, verb, f"possible: {', '.join(verbs(kind, state)) or 'nothing'}"
    )


def verbs(kind: str, state: str) -> tuple[str, ...]:
    """Give the verbs that are legal in a state."""
    return tuple(move.verb for move in TABLES[kind] if state in move.sources)
