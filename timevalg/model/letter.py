"""Everything a letter shows, and the letter that comes of it: frozen values, no wording."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from timevalg.model.appointment import Origin
from timevalg.model.text import Text
from timevalg.model.time import local_date, require_aware

KINDS = ("choice", "appointment", "change", "cancellation", "reminder")
"""The letters there are."""

MODES = ("physical", "video", "phone", "home")
"""How a visit can be held."""


@dataclass(frozen=True)
class ServiceFacts:
    """A kind of visit as the patient is told it.

    Attributes
    ----------
    length : int
        Minutes.
    mode : str
        One of `MODES`.
    """

    name: Text
    length: int
    mode: str = "physical"

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"service {self.name}: mode {self.mode!r} is none of {MODES}")
        if self.length <= 0:
            raise ValueError(f"service {self.name}: length {self.length} minutes is not positive")


@dataclass(frozen=True)
class PreparationFacts:
    """One thing to do before the visit; `start` and `due` are local dates.

    Attributes
    ----------
    by : str
        ``patient`` or ``staff``.
    """

    name: Text
    due: date
    start: date | None = None
    kind: str = "instruction"
    by: str = "patient"
    done: bool = False

    @property
    def first(self) -> date:
        """The first date on which it matters."""
        return self.due if self.start is None else min(self.start, self.due)


@dataclass(frozen=True)
class VisitFacts:
    """One visit: when, where, with whom, and what may still be done about it.

    Attributes
    ----------
    start : datetime
        Aware; kept in UTC.
    old_start : datetime or None
        The start that the patient knows; a change letter needs it.
    place : Text or None
        Where patients come; None = the clinic itself.
    clinicians : tuple of Text
        The names of those who see the patient.
    change_until, cancel_until : datetime or None
        The last moment at which the patient may; None = the patient may not. A local midnight is
        told as 23:59 of the day before.
    changes_left : int or None
        How often the patient may still change; None = no limit.
    """

    service: ServiceFacts
    start: datetime
    origin: Origin
    place: Text | None = None
    room: str = ""
    clinicians: tuple[Text, ...] = ()
    preparations: tuple[PreparationFacts, ...] = ()
    change_until: datetime | None = None
    cancel_until: datetime | None = None
    changes_left: int | None = None
    old_start: datetime | None = None

    def __post_init__(self) -> None:
        for name in ("start", "old_start", "change_until", "cancel_until"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, require_aware(value, name))

    @property
    def told_start(self) -> datetime:
        """The start by which the patient knows the visit."""
        return self.old_start or self.start


@dataclass(frozen=True)
class ChoiceFacts:
    """One invitation to choose; all dates local, both ends included.

    Attributes
    ----------
    services : tuple of ServiceFacts
        What can be chosen among; at least one.
    opens, due : date
        From when, and until 23:59 on which day, the patient may choose.
    first, last : date or None, date
        Between which days the visit will be.
    """

    services: tuple[ServiceFacts, ...]
    opens: date
    due: date
    last: date
    first: date | None = None

    def __post_init__(self) -> None:
        if not self.services:
            raise ValueError("a choice letter names no service to choose")


@dataclass(frozen=True)
class LetterFacts:
    """Everything one letter shows.

    Attributes
    ----------
    language : str
        The patient's; the letter is written in it or in the nearest one there is.
    portal : Text
        Where to log on, in words (``helsenorge.no``); never an address with a secret in it.
    patient : str
        Name for the greeting; empty = "Hello".
    contact : Text or None
        How to reach the clinic: a telephone number and when it is answered.
    written : date or None
        The letter's own date; None = not shown. What ended before it is not offered.
    visit, choice : VisitFacts or None, ChoiceFacts or None
        A ``choice`` letter needs `choice`, every other needs `visit`.
    """

    language: str
    clinic: Text
    zone: ZoneInfo
    portal: Text
    patient: str = ""
    contact: Text | None = None
    written: date | None = None
    visit: VisitFacts | None = None
    choice: ChoiceFacts | None = None

    @property
    def change_until(self) -> datetime | None:
        """Until when the reader can change; None = never, not any more, or not often enough."""
        if self.visit is None or self.visit.changes_left == 0:
            return None
        return self._ahead(self.visit.change_until)

    @property
    def cancel_until(self) -> datetime | None:
        """Until when the reader can cancel; None = never or not any more."""
        return None if self.visit is None else self._ahead(self.visit.cancel_until)

    def _ahead(self, until: datetime | None) -> datetime | None:
        """Leave out what ended before the day the letter was written."""
        if until is None or self.written is None:
            return until
        return until if local_date(until, self.zone) >= self.written else None


@dataclass(frozen=True)
class Document:
    """A finished letter.

    Attributes
    ----------
    subject : str
        Names neither patient, clinic nor service: it is seen on locked screens and in lists.
    html : str
        One self-contained page.
    text : str
        The same facts in lines of at most 72 characters, where words allow.
    """

    subject: str
    html: str
    text: str
