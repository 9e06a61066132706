"""The attendance list: who comes to a clinic on a day, and how prepared they are."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

from timevalg.booking.access import allow, scope_of
from timevalg.booking.acting import Act
from timevalg.booking.patients import known_patients
from timevalg.booking.ports import Ports
from timevalg.booking.running import picture_of, run
from timevalg.booking.unit_of_work import Between
from timevalg.booking.use_cases import use_case
from timevalg.model.appointment import Appointment
from timevalg.model.errors import InvalidInput
from timevalg.model.principal import Principal
from timevalg.model.states import AppointmentState, PreparationState
from timevalg.model.time import instant, local_date

LONGEST = 31
"""Days of a list at most."""
EXPECTED = frozenset(AppointmentState) - {AppointmentState.CANCELLED}


@dataclass(frozen=True)
class Expected:
    """One visit on the list.

    Attributes
    ----------
    name : str
        The patient's; empty where we know none.
    done, preparations : int
        How many preparations are done, of how many.
    """

    visit: Appointment
    name: str
    done: int
    preparations: int


@use_case("attendance list", keyed=False)
def attendance_list(
    ports: Ports,
    principal: Principal,
    clinic: str,
    first: date | None = None,
    last: date | None = None,
) -> list[Expected]:
    """Give the visits of some local days in order of time, cancelled ones left out.

    Parameters
    ----------
    first, last : date or None
        Both included; default today, and one day.

    Raises
    ------
    InvalidInput
        If it is no span of at most `LONGEST` days.
    """
    scope_of("attendance list", principal)
    allow("attendance list", principal, kind="clinic", key=clinic, clinic=clinic)
    picture = picture_of(ports, principal)
    zone = picture.index.organisation.clinic(clinic).timezone
    first = first or local_date(picture.now, zone)
    last = last or first
    if not timedelta() <= last - first < timedelta(days=LONGEST):
        raise InvalidInput.single("last", f"give 1 to {LONGEST} days, the first one first")
    span = Between(instant(first, 0, zone), instant(last + timedelta(days=1), 0, zone))

    def body(act: Act) -> list[Expected]:
        visits = act.unit.appointments.find(
            order="start", clinic=clinic, start=span, state=EXPECTED
        )
        asked = frozenset(v.id for v in visits)
        wanted, done = Counter[str](), Counter[str]()
        for preparation in act.unit.preparations.find(appointment=asked) if asked else ():
            if preparation.state is not PreparationState.VOID:
                wanted[preparation.appointment] += 1
                done[preparation.appointment] += preparation.state is PreparationState.DONE
        patients = known_patients(act.unit, {v.patient for v in visits if v.patient})
        for visit in visits:
            act.audit("appointment", visit.id, visit.patient)
        return [
            Expected(
                visit,
                patients[visit.patient].name if visit.patient else "",
                done[visit.id],
                wanted[visit.id],
            )
            for visit in visits
        ]

    return run(ports, principal, "attendance list", body)
