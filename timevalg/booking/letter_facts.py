"""The facts that letters show, taken from the visit and the clinic."""

from __future__ import annotations

from datetime import datetime

from timevalg.booking.acting import Act
from timevalg.booking.visits import last_instant
from timevalg.model import codec
from timevalg.model.appointment import Appointment
from timevalg.model.clinic import Clinic
from timevalg.model.letter import (
    ChoiceFacts,
    LetterFacts,
    PreparationFacts,
    ServiceFacts,
    VisitFacts,
)
from timevalg.model.records import Patient
from timevalg.model.resource import Kind
from timevalg.model.service import Service
from timevalg.model.states import PreparationState
from timevalg.model.task import Task
from timevalg.model.text import Text
from timevalg.model.time import local_date
from timevalg.solver.picture import Picture

PORTAL = Text((("nb", "helsenorge.no"), ("en", "helsenorge.no")))
"""Where patients log on; in words, never an address with a secret in it."""


SHOWN = ("opens", "due", "not_before", "not_after", "pools", "extra")
"""The terms of a task that the invitation to choose shows."""


def told_terms(task: Task) -> str:
    """Give the terms that the invitation shows, as text to compare."""
    return codec.dump({name: getattr(task, name) for name in SHOWN})


def choice_facts(act: Act, clinic: Clinic, task: Task, patient: Patient) -> LetterFacts:
    """Give what the invitation to choose says."""
    services = [_service(clinic.service_of(pool), task.extra) for pool in task.pools]
    return LetterFacts(
        language=patient.language,
        clinic=clinic.name,
        contact=clinic.contact,
        zone=clinic.timezone,
        portal=PORTAL,
        patient=patient.name,
        written=local_date(act.unit.now(), clinic.timezone),
        choice=ChoiceFacts(
            services=tuple(dict.fromkeys(services)),
            opens=task.opens,
            due=task.due,
            first=task.not_before,
            last=task.not_after,
        ),
    )


def visit_facts(
    act: Act,
    picture: Picture,
    visit: Appointment,
    task: Task | None,
    patient: Patient,
    old_start: datetime | None = None,
) -> LetterFacts:
    """Give what a letter about a visit says.

    Parameters
    ----------
    old_start : datetime or None
        The start that the patient knows, where the letter tells of a change.
    """
    clinic = picture.index.organisation.clinic(visit.clinic)
    pool = clinic.pools.get(visit.pool or "")
    policy = pool.change if pool else None
    left = None
    if policy is not None and policy.times is not None:
        left = max(0, policy.times - visit.moves_by_patient)
    people = [
        clinic.resources[r]
        for ids in visit.resources.values()
        for r in ids
        if r in clinic.resources and clinic.resources[r].kind is Kind.CLINICIAN
    ]
    preparations = act.unit.preparations.find(order="due", appointment=visit.id)
    return LetterFacts(
        language=patient.language,
        clinic=clinic.name,
        contact=clinic.contact,
        zone=clinic.timezone,
        portal=PORTAL,
        patient=patient.name,
        written=local_date(act.unit.now(), clinic.timezone),
        visit=VisitFacts(
            service=_service(clinic.services[visit.service], task.extra if task else 0),
            start=visit.start,
            origin=visit.origin,
            place=clinic.place.name if clinic.place else None,
            room=clinic.place.room if clinic.place else "",
            clinicians=tuple(p.name for p in people),
            preparations=tuple(
                PreparationFacts(
                    name=Text(tuple(p.name.items())),
                    due=p.due,
                    start=p.start,
                    kind=p.kind,
                    by=p.by,
                    done=p.state is PreparationState.DONE,
                )
                for p in preparations
                if p.state is not PreparationState.VOID or visit.state == "cancelled"
            ),
            change_until=last_instant(clinic, policy, visit),
            cancel_until=last_instant(clinic, pool.cancel if pool else None, visit),
            changes_left=left,
            old_start=old_start,
        ),
    )


def _service(service: Service, extra: int) -> ServiceFacts:
    return ServiceFacts(service.name, service.length + extra, service.mode)
