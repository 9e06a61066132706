"""Appointments and the preparations before them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from timevalg.model.service import Service
from timevalg.model.session import Assignment
from timevalg.model.states import AppointmentState, PreparationState


class Origin(StrEnum):
    """How an appointment got its time."""

    CHOSEN = "chosen"
    ASSIGNED = "assigned"
    ALLOTTED = "allotted"
    IMPORTED = "imported"


@dataclass(frozen=True)
class Told:
    """What a patient was told of a visit, or chose, and when.

    Attributes
    ----------
    roles : tuple of str
        The service's roles for those who see the patient.
    clinicians : tuple of str
        The ids of those who were to do so, sorted.
    """

    at: datetime
    start: datetime
    service: str
    length: int
    roles: tuple[str, ...]
    clinicians: tuple[str, ...]

    @classmethod
    def of(cls, visit: Appointment, service: Service, at: datetime) -> Told:
        """Give what is told of a visit as it stands."""
        roles = tuple(role.id for role in service.roles if role.kind == "clinician")
        return cls(
            at, visit.start, visit.service, visit.length, roles, _serving(roles, visit.resources)
        )

    def holds(self, visit: Appointment) -> bool:
        """Tell whether the visit still is as was told."""
        return (self.start, self.service, self.length, self.clinicians) == (
            visit.start,
            visit.service,
            visit.length,
            _serving(self.roles, visit.resources),
        )


def _serving(roles: Iterable[str], resources: Assignment) -> tuple[str, ...]:
    return tuple(sorted({name for role in roles for name in resources.get(role, ())}))


@dataclass(frozen=True)
class Appointment:
    """One visit.

    Attributes
    ----------
    session : str or None
        The booking that takes its time; None once the visit is cancelled.
    start : datetime
        UTC; with `wall` (local ISO time) and `zone` it is what the patient was told.
    length : int
        Minutes.
    moves_by_patient, moves : int
        How often the patient, and anybody, moved it.
    lettered_start : datetime or None
        The start that the last letter told.
    chosen : Told or None
        What the patient last chose it to be, if they did.
    acknowledged_at : datetime or None
        "I am coming": a fact, not a state.
    """

    id: str
    organisation: str
    clinic: str
    service: str
    start: datetime
    wall: str
    zone: str
    length: int
    resources: Assignment
    origin: Origin
    patient: str | None = None
    pool: str | None = None
    task: str | None = None
    session: str | None = None
    ref: str | None = None
    ref_version: int | None = None
    state: AppointmentState = AppointmentState.BOOKED
    created_at: datetime | None = None
    lettered_at: datetime | None = None
    lettered_start: datetime | None = None
    acknowledged_at: datetime | None = None
    chosen: Told | None = None
    moves: int = 0
    moves_by_patient: int = 0
    version: int = 1


@dataclass(frozen=True)
class Preparation:
    """One thing to do before one visit, with its dates (local, both shown to the patient)."""

    id: str
    organisation: str
    clinic: str
    appointment: str
    rule: str
    name: dict[str, str] = field(hash=False)
    kind: str
    by: str
    due: date
    start: date | None = None
    state: PreparationState = PreparationState.PLANNED
    answer: str = ""
    done_at: datetime | None = None
    version: int = 1
