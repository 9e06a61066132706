"""How long what is kept, by class, and why: data, so that another hospital may decide otherwise.

Source: the acts on patient records (duty to keep them) and on personal data (no longer than is
needed); the lengths are an organisation's own decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from timevalg.model.errors import InvalidInput


@dataclass(frozen=True)
class Retention:
    """One class of data.

    Attributes
    ----------
    what : str
        In words.
    days : int or None
        How long after it is over; None = it is not removed here.
    why : str
        Why so long.
    """

    name: str
    what: str
    days: int | None
    why: str

    def before(self, now: datetime) -> datetime | None:
        """Give the instant before which it must have been over to be removed."""
        return None if self.days is None else now - timedelta(days=self.days)


CLASSES = (
    Retention(
        "technical",
        "events as they were sent to record systems",
        90,
        "to find faults; the facts are in the record",
    ),
    Retention(
        "unused",
        "tasks that were withdrawn and never had a visit, with their letters and events",
        365,
        "to answer questions about an invitation",
    ),
    Retention(
        "record",
        "visits and their tasks, preparations, letters and events",
        None,
        "record duty: what was planned, told and done for a patient is part of the record",
    ),
    Retention(
        "contact",
        "names, addresses and identity numbers of patients of whom nothing else is left",
        365,
        "so that a patient who comes again is known",
    ),
    Retention(
        "authority",
        "who might act for a patient, once that is over",
        1826,
        "to answer who could see or do something then",
    ),
    Retention(
        "log",
        "who looked at and changed what, with its seals; who had which rights",
        None,
        "patients may ask who looked; the program may not remove it",
    ),
)

SHORTEST_RECORD = 3652
"""Days for which the record is kept at least, whatever is set: ten years after the last visit."""


def classes(days: Mapping[str, int]) -> tuple[Retention, ...]:
    """Give the classes with other lengths.

    Raises
    ------
    InvalidInput
        If there is no such class, its length is negative, or not an organisation's to shorten.
    """
    known = {c.name: c for c in CLASSES}
    for name, length in days.items():
        if name not in known or name == "log":
            raise _wrong(f"{name!r} is no class whose length can be set")
        if length < 0 or (name == "record" and length < SHORTEST_RECORD):
            raise _wrong(f"{name}: {length} days is too short")
    return tuple(replace(c, days=days.get(c.name, c.days)) for c in CLASSES)


LONGEST = 365_250
"""Days that a class may be kept at most: what is over before then still has a date."""


def read_days(text: str) -> dict[str, int]:
    """Read lengths as they stand in a setting: ``unused=180,record=3653``.

    Raises
    ------
    InvalidInput
    """
    parts = [part.strip().partition("=") for part in text.split(",") if part.strip()]
    if any(not days.isdecimal() for _, _, days in parts):
        raise _wrong("give each class its days: unused=180,record=3653")
    if any(len(days) > 9 or int(days) > LONGEST for _, _, days in parts):
        raise _wrong(f"{LONGEST} days (a thousand years) are the most that a class may be kept")
    return {name: int(days) for name, _, days in parts}


def _wrong(why: str) -> InvalidInput:
    return InvalidInput.single("TIMEVALG_RETENTION", why, "environment")
