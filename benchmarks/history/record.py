"""What a history is made of, and how the writers' notes become one.

All instants are microseconds of one clock that every process reads off the machine's monotonic
clock (`benchmarks.history.clinic.Running`), so those of different processes compare.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

DONE, LOST = "done", ""
"""An operation that succeeded, and one whose reply nobody got; other outcomes name an error."""


@dataclass(frozen=True)
class Taken:
    """A session as it is in the database: a booking, a hold, or a place.

    Attributes
    ----------
    start : int
        The patient's start.
    spans : mapping
        Subject (``r:`` a resource, ``p:`` a patient) → from, to.
    until : int or None
        When a hold expires.
    is_place : bool
        A hold that stays as its task's place when it expires.
    """

    id: str
    kind: str
    task: str
    patient: str
    pool: str
    start: int
    spans: Mapping[str, tuple[int, int]]
    until: int | None = None
    is_place: bool = False


@dataclass(frozen=True)
class Change:
    """What one transaction did to the calendar, noted inside it, under its locks.

    Attributes
    ----------
    number : int
        Drawn under the locks: the highest sequence number of the transaction's events.
    now : int
        The instant that the transaction went by.
    released : tuple of str
        Sessions that were there before and are not any more, or not as they were.
    claimed : tuple of Taken
        Sessions that are there afterwards and were not, or not so.
    """

    number: int
    now: int
    released: tuple[str, ...] = ()
    claimed: tuple[Taken, ...] = ()


@dataclass(frozen=True)
class Operation:
    """One call of a use case by one process.

    Attributes
    ----------
    start : int or None
        The start that was wanted.
    ended : int or None
        None if the process was killed before the reply.
    change : Change or None
        What its transaction did: for certain if it is done, perhaps if the reply was lost.
    told : mapping
        What the caller was told: ``session``, ``start``, ``until``.
    """

    verb: str
    task: str
    patient: str
    pool: str
    start: int | None
    began: int
    ended: int | None
    outcome: str
    change: Change | None = None
    told: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Rules:
    """What the plain model knows of the clinic.

    Attributes
    ----------
    length : int
        Microseconds that every visit takes of its patient and of all its resources.
    resources : mapping
        Pool → the resources that each of its visits takes.
    per_day : int
        The quota of all pools together, each local day.
    day : int
        Microseconds from one local day's quota to the next.
    hold : int
        Microseconds for which a hold is kept.
    attempts : int
        Plans that may be overtaken before a time counts as taken.
    renewals : int
        How often a hold may be renewed.
    places : tuple of int
        Starts at which whoever has chosen nothing may have a place, microseconds.
    """

    length: int
    resources: Mapping[str, tuple[str, ...]]
    per_day: int
    day: int
    hold: int
    attempts: int
    renewals: int
    places: tuple[int, ...]


@dataclass(frozen=True)
class History:
    """What the clinic was like, what was done, and what is in the database afterwards."""

    rules: Rules
    initial: tuple[Taken, ...]
    operations: tuple[Operation, ...]
    final: tuple[Taken, ...]


def line(kind: str, **fields: Any) -> bytes:
    """Give one line of a writer's notes."""
    return json.dumps({"note": kind, **fields}, default=asdict).encode() + b"\n"


def operations(notes: bytes) -> list[Operation]:
    """Read a writer's notes; what has begun and not ended was lost."""
    found: list[Operation] = []
    pending: dict[str, Any] | None = None
    for text in notes.splitlines(keepends=True):
        if not text.endswith(b"\n"):
            break  # killed while it wrote this
        note = json.loads(text)
        kind = note.pop("note")
        if kind == "begins":
            pending = {**note, "ended": None, "outcome": LOST, "change": None}
            continue
        assert pending is not None
        if kind == "changes":
            pending["change"] = _change(note)
            continue
        pending |= note
        if pending["outcome"] != DONE:
            pending["change"] = None  # it was rolled back
        found.append(Operation(**pending))
        pending = None
    return found if pending is None else [*found, Operation(**pending)]


def merged(writers: Iterable[bytes]) -> tuple[Operation, ...]:
    """Read the notes of all writers, in order of time."""
    found = [operation for notes in writers for operation in operations(notes)]
    return tuple(sorted(found, key=lambda o: o.began))


def _change(note: Mapping[str, Any]) -> Change:
    claimed = tuple(
        Taken(**{**taken, "spans": {s: (a, b) for s, (a, b) in taken["spans"].items()}})
        for taken in note["claimed"]
    )
    return Change(note["number"], note["now"], tuple(note["released"]), claimed)
