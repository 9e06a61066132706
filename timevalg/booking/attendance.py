"""The attendance list: who comes to a clinic on a day, and how prepared they are."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

from timevalg.booking.access import allow, scope_of
from timevalg.booking.acting import Act, picture_of, run, use_case
from timevalg.booking.patients import known_patients
from timevalg.booking.ports import Between, Ports
from timevalg.model.appointment import Appointment
from timevalg.model.errors import InvalidInput
from timevalg.model.principal import Principal
from timevalg.model.states import AppointmentState, PreparationState
from timevalg.model.time import instant

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
    ports: Ports, principal: Principal, clinic: str, first: date, last: date | None = None
) -> list[Expected]:
    """Give the visits of some local days in order of time, cancelled ones left out.

    Parameters
    ----------
    first, last : date
        Both included; default one day.

    Raises
    ------
    InvalidInput
        If it is no span of at most `LONGEST` days.
    """
    scope_of("attendance list", principal)
    last = last or first
    if not timedelta() <= last - first < timedelta(days=LONGEST):
        raise InvalidInput.single("last", f"give 1 to {LONGEST} days, the first one first")

    def body(act: Act) -> list[Expected]:
        allow(act.verb, principal, kind="clinic", key=clinic, clinic=clinic)
        zone = picture.index.organisation.clinic(clinic).timezone
        span = Between(instant(first, 0, zone), instant(last + timedelta(days=1), 0, zone))
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

    picture = picture_of(ports, principal)
    return run(ports, principal, "attendance list", body)
