"""Deceased: everything is withdrawn, the times go to others, and nobody writes a letter."""

from __future__ import annotations

from dataclasses import replace

from timevalg.booking.acting import Act
from timevalg.booking.cancel import cancel_visit, withdraw_task
from timevalg.booking.own import require_whole
from timevalg.booking.patients import keep, surviving
from timevalg.booking.ports import Ports
from timevalg.booking.running import run
from timevalg.booking.unit_of_work import Between
from timevalg.booking.use_cases import use_case
from timevalg.booking.versions import require_version
from timevalg.model.principal import Principal
from timevalg.model.records import Patient
from timevalg.model.states import (
    BOOKED_STATES,
    LIVE,
    AppointmentState,
    LetterState,
    TaskState,
    target,
)

ENDING = LIVE | BOOKED_STATES | {TaskState.DRAFT}
"""States of the tasks that are withdrawn."""


@use_case("deceased")
def deceased(
    ports: Ports,
    principal: Principal,
    patient: str,
    reason: str = "",
    version: int | None = None,
) -> Patient:
    """Note a patient's death; once noted, saying it again changes nothing.

    Live tasks and those not confirmed are withdrawn, visits to come are cancelled, letters that
    wait are stopped, and none is written after. The patient cannot be invited any more.

    Raises
    ------
    NotAllowed
        If the principal acts for some clinics only.
    StaleVersion
        If the patient is not as it was read.
    """

    def body(act: Act) -> Patient:
        act.unit.lock((), whole=True)
        found = surviving(act.unit, patient)
        if found.deceased_at is None:
            require_version(act.unit, found, version)
        return end_of_life(act, found)

    require_whole(principal, "deceased")
    return run(ports, principal, "deceased", body, reason=reason)


def end_of_life(act: Act, patient: Patient) -> Patient:
    """Do what a death means, in a transaction that holds the organisation's lock."""
    act.audit("patient", patient.id, patient.id)
    if patient.deceased_at is not None:
        return patient
    unit, now = act.unit, act.unit.now()
    patient = keep(unit, replace(patient, deceased_at=now))
    to_come = Between(now)
    coming = unit.appointments.find(
        patient=patient.id, state=AppointmentState.BOOKED, start=to_come
    )
    tasks = {v.task for v in coming}
    for task in unit.tasks.find(patient=patient.id, state=ENDING):
        if task.state is not TaskState.CONFIRMED or task.id in tasks:
            withdraw_task(act, task, letters=False)
    for visit in unit.appointments.find(
        patient=patient.id, state=AppointmentState.BOOKED, start=to_come
    ):
        cancel_visit(act, visit, unit.tasks.get(visit.task) if visit.task else None, letter=False)
    for letter in unit.letters.find(patient=patient.id, state=LetterState.PENDING):
        state = LetterState(target("letter", letter.id, letter.state, "stop"))
        stopped = unit.letters.save(replace(letter, state=state))
        facts = {"state": str(state), "kind": letter.kind}
        act.event("letter.stopped", "letter", letter.clinic, letter.id, stopped.version, new=facts)
    died = {"deceased_at": now.isoformat()}
    act.event("patient.deceased", "patient", "", patient.id, patient.version, new=died)
    return patient
