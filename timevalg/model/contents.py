"""What a clinic file, or a folder of them, holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from timevalg.model.appointment import Origin
from timevalg.model.clinic import Organisation
from timevalg.model.errors import Problem
from timevalg.model.session import Session
from timevalg.model.task import Task


@dataclass(frozen=True)
class FileBooking:
    """A visit that the file says is booked.

    Attributes
    ----------
    ref : str or None
        The record system's own id.
    """

    session: Session
    origin: Origin
    ref: str | None = None


@dataclass(frozen=True)
class Source:
    """One clinic's file as it was written: what the store keeps and reads again.

    Attributes
    ----------
    document : mapping
        The file as plain data, such as JSON can hold; dates and times are strings.
    calendars : mapping
        Text of the iCalendar files that it names, by the name it gives them.
    """

    document: Mapping[str, Any] = field(hash=False)
    calendars: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Contents:
    """Everything that one or several clinic files say.

    Attributes
    ----------
    bookings, holds, tasks : tuple
        Of all the clinics, in the order of the files.
    sources : mapping
        Clinic id → its file.
    warnings : tuple of Problem
        What loads but deserves a look.
    """

    organisation: Organisation
    bookings: tuple[FileBooking, ...] = ()
    holds: tuple[Session, ...] = ()
    tasks: tuple[Task, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict, hash=False)
    warnings: tuple[Problem, ...] = ()
