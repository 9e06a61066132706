"""What is kept: for each kind of value its table, its versions, what is unique, what is looked up.

Tables, criteria and the memory store are all made from these.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, Generic, TypeVar

from timevalg.model.appointment import Appointment, Preparation
from timevalg.model.outgoing import Delivery, Subscription
from timevalg.model.records import (
    Answer,
    AuditEntry,
    AuditSeal,
    Event,
    Letter,
    Ownership,
    Patient,
    Publication,
    StaffCase,
    Verification,
    Work,
)
from timevalg.model.representation import Representation, Withholding
from timevalg.model.right import Right, Unit
from timevalg.model.session import Session
from timevalg.model.task import Task

T = TypeVar("T")

LIVE_VISITS = ("booked", "arrived", "fulfilled")
"""States in which an appointment is the one of its task."""


@dataclass(frozen=True)
class Field:
    """A field of a value: its type without the ``| None``, and whether it had one."""

    hint: Any
    optional: bool

    @property
    def is_choice(self) -> bool:
        """Tell whether it is one of an enumeration's names."""
        return isinstance(self.hint, type) and issubclass(self.hint, StrEnum)

    @property
    def is_structured(self) -> bool:
        """Tell whether it is kept as JSON."""
        return self.hint not in (str, int, bool, date, datetime) and not self.is_choice


@dataclass(frozen=True)
class Unique:
    """At most one row of the organisation has these values (those with a None do not count).

    Attributes
    ----------
    says : str
        What a `Conflict` says of a second one.
    states : tuple of str
        The rule binds only rows in these states; empty = all.
    """

    fields: tuple[str, ...]
    says: str
    states: tuple[str, ...] = ()

    def name(self, table: str) -> str:
        """Give the name of the constraint or index in the database."""
        fields = "_".join(("organisation", *self.fields))
        return f"uq_{table}_{fields}_live" if self.states else f"uq_{table}_{fields}"


@dataclass(frozen=True, eq=False)
class Kind(Generic[T]):
    """One kind of value and how it is kept; equal to itself alone.

    Attributes
    ----------
    name, table : str
        In the singular for people, in the plural for the database.
    versioned : bool
        Whether `version` is compared and raised by every save.
    indexes : tuple
        Fields that are looked up together, after the organisation.
    omit : frozenset of str
        Fields that are not columns.
    sealed : frozenset of str
        Fields with personal data: sealed where the database has keys, so never looked up by.
    ordered : bool
        A log: kept in the order in which transactions write it, so that none is skipped.
    """

    name: str
    table: str
    type: type[T]
    versioned: bool = False
    unique: tuple[Unique, ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()
    omit: frozenset[str] = frozenset()
    sealed: frozenset[str] = frozenset()
    ordered: bool = False

    @cached_property
    def fields(self) -> Mapping[str, Field]:
        """The fields that are columns, in order."""
        hints = typing.get_type_hints(self.type)
        return {name: _field(hint) for name, hint in hints.items() if name not in self.omit}

    @property
    def same_id(self) -> str:
        """What a `Conflict` says of a second row with an id."""
        article = "an" if self.name[0] in "aeiou" else "a"
        return f"there is already {article} {self.name} with this id"


def _field(hint: Any) -> Field:
    members = typing.get_args(hint) if isinstance(hint, types.UnionType) else ()
    if type(None) not in members:
        return Field(hint, False)
    (inner,) = (member for member in members if member is not type(None))  # no wider unions here
    return Field(inner, True)


_ONE_REF = "there is already {} with this ref"

TASKS = Kind(
    "task",
    "tasks",
    Task,
    versioned=True,
    unique=(Unique(("ref",), _ONE_REF.format("a task")),),
    indexes=(("patient",), ("referral",), ("clinic", "state"), ("state", "due")),
    sealed=frozenset({"note"}),
)
APPOINTMENTS = Kind(
    "appointment",
    "appointments",
    Appointment,
    versioned=True,
    unique=(
        Unique(("ref",), _ONE_REF.format("an appointment")),
        Unique(("task",), "the task already has an appointment", LIVE_VISITS),
    ),
    indexes=(("task",), ("patient",), ("session",), ("clinic", "start"), ("state", "start")),
)
PREPARATIONS = Kind(
    "preparation",
    "preparations",
    Preparation,
    versioned=True,
    indexes=(("appointment",), ("state", "due")),
    sealed=frozenset({"answer"}),
)
LETTERS = Kind(
    "letter",
    "letters",
    Letter,
    versioned=True,
    indexes=(("patient",), ("task",), ("appointment",), ("state",), ("channel", "sending_at")),
    sealed=frozenset({"html", "text", "address"}),
)
PATIENTS = Kind(
    "patient",
    "patients",
    Patient,
    versioned=True,
    unique=(Unique(("person",), "there is already a patient with this identity number"),),
    sealed=frozenset({"name", "email", "phone", "identity", "birth"}),
)
OWNERSHIPS = Kind("ownership", "ownerships", Ownership, versioned=True)
CASES = Kind(
    "case",
    "cases",
    StaffCase,
    versioned=True,
    indexes=(("clinic", "closed_at"), ("task",), ("appointment",), ("ref",)),
    sealed=frozenset({"reason", "detail"}),
)
PUBLICATIONS = Kind(
    "publication",
    "publications",
    Publication,
    unique=(Unique(("clinic", "version"), "the clinic already has a publication of this version"),),
)
SESSIONS = Kind(
    "session",
    "sessions",
    Session,
    indexes=(("task",), ("patient",), ("pool", "start"), ("start",), ("until",)),
    omit=frozenset({"spans"}),
)
EVENTS = Kind(
    "event",
    "events",
    Event,
    indexes=(("txid", "seq"), ("subject", "key")),
    omit=frozenset({"cursor"}),
    sealed=frozenset({"reason", "old", "new"}),
    ordered=True,
)
WORK = Kind(
    "work",
    "work",
    Work,
    unique=(Unique(("effect",), "there is already work with this effect"),),
    indexes=(("state", "due_at"), ("state", "kind", "clinic", "due_at"), ("kind", "entity")),
)
ANSWERS = Kind(
    "answer",
    "answers",
    Answer,
    indexes=(("answered_at",),),
    sealed=frozenset({"value"}),
)
AUDIT = Kind(
    "audit entry",
    "audit",
    AuditEntry,
    indexes=(("txid", "seq"), ("patient", "time"), ("subject", "key"), ("time",)),
    omit=frozenset({"cursor"}),
    sealed=frozenset({"reason"}),
    ordered=True,
)
SEALS = Kind(
    "seal",
    "audit_seals",
    AuditSeal,
    unique=(Unique(("number",), "there is already a seal with this number"),),
)

SUBSCRIPTIONS = Kind("subscription", "subscriptions", Subscription, versioned=True)
DELIVERIES = Kind(
    "delivery",
    "deliveries",
    Delivery,
    versioned=True,
    unique=(Unique(("subscription", "event"), "the receiver is told this event already"),),
    indexes=(("subscription", "stream", "number"), ("state",)),
    sealed=frozenset({"body"}),
)
UNITS = Kind("unit", "units", Unit, versioned=True)
REPRESENTATIONS = Kind(
    "representation",
    "representations",
    Representation,
    versioned=True,
    indexes=(("patient",), ("representative",)),
)
WITHHOLDINGS = Kind(
    "withholding", "withholdings", Withholding, versioned=True, indexes=(("patient",),)
)
VERIFICATIONS = Kind("verification", "verifications", Verification)
RIGHTS = Kind("right", "rights", Right, versioned=True, indexes=(("holder",),))

KINDS: tuple[Kind[Any], ...] = (
    TASKS,
    APPOINTMENTS,
    PREPARATIONS,
    LETTERS,
    PATIENTS,
    OWNERSHIPS,
    CASES,
    PUBLICATIONS,
    SESSIONS,
    EVENTS,
    WORK,
    ANSWERS,
    AUDIT,
    SEALS,
    SUBSCRIPTIONS,
    DELIVERIES,
    UNITS,
    RIGHTS,
    VERIFICATIONS,
    REPRESENTATIONS,
    WITHHOLDINGS,
)
