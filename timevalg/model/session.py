"""Sessions and claims: one start of a visit and the time it takes of everyone and everything.

A session is a hold, a booking, a place of the guarantee, or a block by staff. Its claims (one for
each resource, one for the patient) are what the database keeps from overlapping.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from timevalg.model.service import Role, Service
from timevalg.model.time import Span, require_aware

Assignment = Mapping[str, tuple[str, ...]]
"""Role id → ids of the resources that serve it."""


class SessionKind(StrEnum):
    """What a session is."""

    HOLD = "hold"
    BOOKING = "booking"
    PLACE = "place"
    BLOCK = "block"


@dataclass(frozen=True)
class Claim:
    """`subject` (``r:dr-berg`` or ``p:p-1``) is taken for a span."""

    subject: str
    span: Span


@dataclass(frozen=True)
class Session:
    """One start with its resources.

    Attributes
    ----------
    start : datetime
        The patient's start, UTC.
    length : int
        Minutes the patient is told, `extra` included.
    spans : mapping
        Resource id → the span that the session takes of it.
    until : datetime or None
        When a hold expires.
    is_place : bool
        For a hold: whether the held time also serves as the task's place, so that it becomes one
        when the hold expires.
    """

    id: str
    kind: SessionKind
    clinic: str
    start: datetime
    length: int
    service: str | None = None
    pool: str | None = None
    task: str | None = None
    patient: str | None = None
    resources: Assignment = field(default_factory=dict)
    spans: Mapping[str, Span] = field(default_factory=dict)
    until: datetime | None = None
    is_place: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", require_aware(self.start, "session start"))
        if self.length <= 0:
            raise ValueError(f"session {self.id} lasts {self.length} minutes")
        if (self.kind is SessionKind.HOLD) != (self.until is not None):
            raise ValueError(f"session {self.id}: a hold, and only a hold, has an expiry")

    @property
    def visit(self) -> Span:
        """The span the patient is told."""
        return Span(self.start, self.start + timedelta(minutes=self.length))

    def claims(self) -> Iterator[Claim]:
        """Give what the session takes, resources first, then the patient."""
        for resource, span in self.spans.items():
            yield Claim(f"r:{resource}", span)
        if self.patient is not None:
            yield Claim(f"p:{self.patient}", self.visit)

    def is_live(self, now: datetime) -> bool:
        """Tell whether it still takes its time: a hold only until it expires."""
        return self.until is None or now < self.until

    def local_date(self, zone: ZoneInfo) -> date:
        """Give the visit's local date."""
        return self.start.astimezone(zone).date()

    def clinicians(self, service: Service) -> frozenset[str]:
        """Give the ids of those who see the patient."""
        return clinicians_of(service, self.resources)


def clinicians_of(service: Service, resources: Assignment) -> frozenset[str]:
    """Give the ids of those who see the patient, of all who serve a visit."""
    return frozenset(
        name
        for role in service.roles
        if role.kind == "clinician"
        for name in resources.get(role.id, ())
    )


def role_span(role: Role, start: datetime, extra: int) -> Span:
    """Give the span for which a visit at `start` takes a resource of the role."""
    begins = start + timedelta(minutes=role.start)
    return Span(begins, begins + timedelta(minutes=role.length + extra))


def resource_spans(
    service: Service, start: datetime, extra: int, resources: Assignment
) -> dict[str, Span]:
    """Give what a visit takes of each of its resources."""
    return {
        resource: role_span(role, start, extra)
        for role in service.roles
        for resource in resources.get(role.id, ())
    }
