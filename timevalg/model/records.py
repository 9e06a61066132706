"""What the three logs and the outgoing letters hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from timevalg.model.appointment import Told
from timevalg.model.contents import Source
from timevalg.model.states import LetterState, WorkState

SETTLED = "offers.settled"
"""The internal event by which what a prover found for a task's next look reaches every process."""


@dataclass(frozen=True)
class Event:
    """A fact, for the index, record systems and webhooks.

    Attributes
    ----------
    cursor : str
        Where it stands in the feed; opaque, handed back as `after`. Empty until stored.
    subject : str
        ``task`` | ``appointment`` | ``preparation`` | ``block`` | ``patient`` | ``clinic`` |
        ``organisation`` | ``session``.
    key, version : str, int
        The subject's id and its version after the change.
    refs : mapping
        External references, ``{"task": "dips:oppgave/4711", …}``.
    old, new : mapping or None
        The facts that changed, before and after.
    """

    id: str
    type: str
    time: datetime
    organisation: str
    clinic: str
    subject: str
    key: str
    version: int
    by: str
    channel: str
    reason: str = ""
    origin: str = ""
    task: str | None = None
    appointment: str | None = None
    refs: Mapping[str, str] = field(default_factory=dict)
    old: Mapping[str, Any] | None = None
    new: Mapping[str, Any] | None = None
    cursor: str = ""


@dataclass(frozen=True)
class Work:
    """Something that is to be done, written with the change that causes it.

    Attributes
    ----------
    kind, entity : str
        What, for which thing.
    due_at : datetime
        Not before.
    effect : str
        Unique: the same work is never written twice.
    fence : int
        Grows with each lease; an old holder's result is refused.
    owner : str or None
        Who has, or last had, the lease.
    """

    id: str
    organisation: str
    clinic: str
    kind: str
    entity: str
    due_at: datetime
    effect: str
    state: WorkState = WorkState.WAITING
    attempts: int = 0
    fence: int = 0
    leased_until: datetime | None = None
    error: str = ""
    done_at: datetime | None = None
    owner: str | None = None


@dataclass(frozen=True)
class Depth:
    """How much work of one kind of one clinic is due, in one state; the oldest since when."""

    kind: str
    clinic: str
    state: WorkState
    count: int
    oldest: datetime
    attempts: int


@dataclass(frozen=True)
class Answer:
    """What a call with an idempotency key was answered, kept for whoever asks again.

    Attributes
    ----------
    id : str
        A digest of who asked and of their key.
    payload : str
        A digest of what was asked.
    value : str
        The answer as JSON.
    """

    id: str
    organisation: str
    verb: str
    payload: str
    value: str
    answered_at: datetime


@dataclass(frozen=True)
class AuditEntry:
    """Who looked at or changed what, for whom, why and whence.

    Attributes
    ----------
    address : str or None
        Whence: the network address and the software that called, as far as known.
    cursor : str
        Where it stands in the log; opaque. Empty until stored.
    """

    id: str
    time: datetime
    organisation: str
    principal: str
    role: str
    verb: str
    subject: str
    key: str
    patient: str | None = None
    channel: str = ""
    reason: str = ""
    address: str | None = None
    cursor: str = ""


@dataclass(frozen=True)
class AuditSeal:
    """What the audit entries up to a cursor say, and all seals before them.

    Attributes
    ----------
    number : int
        From 1 on, without gaps.
    count : int
        Entries since the seal before.
    until : str
        Cursor of the last of them.
    digest : str
        SHA-256 over the digest before and these entries.
    """

    id: str
    organisation: str
    number: int
    count: int
    until: str
    digest: str
    sealed_at: datetime


@dataclass(frozen=True)
class Letter:
    """One document to one patient, as it was sent.

    Attributes
    ----------
    kind : str
        ``choice`` | ``appointment`` | ``change`` | ``cancellation`` | ``reminder``.
    receipt : str
        What the channel answered.
    address : str or None
        Where it was sent, as the channel understands it.
    attempt, sending_at : str, datetime or None
        Which attempt to send it was the last, and when that began.
    terms : str or None
        The task's terms that an invitation to choose tells, as `told_terms` gives them.
    told : Told or None
        What a letter about a visit tells of it.
    """

    id: str
    organisation: str
    clinic: str
    patient: str
    kind: str
    language: str
    created_at: datetime
    task: str | None = None
    appointment: str | None = None
    state: LetterState = LetterState.PENDING
    subject: str = ""
    html: str = ""
    text: str = ""
    channel: str = ""
    receipt: str = ""
    sent_at: datetime | None = None
    address: str | None = None
    attempt: str | None = None
    sending_at: datetime | None = None
    terms: str | None = None
    told: Told | None = None
    version: int = 1


@dataclass(frozen=True)
class Patient:
    """What we need to know of a patient, no more.

    Attributes
    ----------
    identity : str or None
        National identity number, D-number or help number; in no log, message or address.
    person : str or None
        The pseudonym made of it, by which the patient is found.
    birth : date or None
        Date of birth.
    confidential : bool
        Lives at a confidential address.
    merged_into : str or None
        The id that this one turned out to be another of.
    deceased_at : datetime or None
        When we were told of the death.
    version : int
        0 = nothing is known of the patient but the id.
    """

    id: str
    organisation: str
    language: str = "nb"
    name: str = ""
    email: str | None = None
    phone: str | None = None
    identity: str | None = field(default=None, repr=False)
    person: str | None = None
    birth: date | None = None
    confidential: bool = False
    merged_into: str | None = None
    deceased_at: datetime | None = None
    version: int = 1


_EMAIL = re.compile(
    r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?", re.ASCII
)


def is_email(text: str) -> bool:
    """Tell whether a text is one plain e-mail address (RFC 5321, ASCII) that any server takes."""
    return _EMAIL.fullmatch(text) is not None


class Owner(StrEnum):
    """Whose word counts where timevalg and the record system say different things."""

    RECORD_SYSTEM = "record-system"
    TIMEVALG = "timevalg"


@dataclass(frozen=True)
class Ownership:
    """Who owns a kind of thing (``appointments``) in an organisation, since when, set by whom."""

    id: str
    organisation: str
    owner: Owner
    since: datetime
    by: str
    version: int = 1


@dataclass(frozen=True)
class Verification:
    """The mark of an organisation in which nobody is treated: since when, set by whom."""

    id: str
    organisation: str
    since: datetime
    by: str


class CaseKind(StrEnum):
    """Why a person at the clinic must look at something."""

    CANCELLED = "cancelled"
    CAPACITY_LOSS = "capacity-loss"
    """A live task without a place; open for as long as there is none."""
    CHECK_REFUSED = "check-refused"
    CHECK_WANTED = "check-wanted"
    """A choice that waits for a check by staff; open for as long as it does."""
    CONFLICT = "conflict"
    DECLINED = "declined"
    DELIVERY_REFUSED = "delivery-refused"
    DELIVERY_UNKNOWN = "delivery-unknown"
    LETTER_REFUSED = "letter-refused"
    LETTER_UNKNOWN = "letter-unknown"
    LETTER_WANTED = "letter-wanted"
    MUST_MOVE = "must-move"
    NO_ANSWER = "no-answer"
    NONE_SUITS = "none-suits"
    NOT_SERVABLE = "not-servable"
    OVERDUE = "overdue"
    PREPARATION_OVERDUE = "preparation-overdue"
    TO_ALLOT = "to-allot"
    WORK_PARKED = "work-parked"


@dataclass(frozen=True)
class StaffCase:
    """Something a person at the clinic must look at.

    Attributes
    ----------
    kind : str
        The value of a `CaseKind`.
    """

    id: str
    organisation: str
    clinic: str
    kind: str
    created_at: datetime
    reason: str
    task: str | None = None
    appointment: str | None = None
    ref: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    closed_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True)
class Publication:
    """One published version of a clinic's file, as it was written, with its calendars."""

    id: str
    organisation: str
    clinic: str
    version: int
    published_at: datetime
    by: str
    document: Mapping[str, Any]
    calendars: Mapping[str, str] = field(default_factory=dict)

    @property
    def source(self) -> Source:
        """The file, to be read."""
        return Source(dict(self.document), dict(self.calendars))
