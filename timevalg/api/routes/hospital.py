"""What planners and record systems do alike: each verb is declared once, for both surfaces.

Ids of visits may be the record system's own, slashes included. Ids of patients stand in bodies
only, never in an address.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Query, Response

from timevalg.api.schemas import patients, tasks, visits
from timevalg.api.schemas.given import After, Id, given_resources
from timevalg.api.schemas.patient import ReasonIn
from timevalg.api.schemas.privacy import RepresentativeOut, RepresentativesOut
from timevalg.api.surface import Endpoint, Key, MaybeKey, OnPorts, Surface, Version, Who, tag
from timevalg.library.hospital import Hospital
from timevalg.library.record_system import RecordSystem
from timevalg.model.appointment import Appointment
from timevalg.model.records import Patient
from timevalg.model.representation import Representation
from timevalg.model.states import TaskState
from timevalg.model.task import Task

PLANNER, SYSTEM = "planner", "system"
TASK, VISIT = "/tasks/{task:path}", "/appointments/{appointment:path}"
BOND = "/representations/{representation}"
Limit = Annotated[int, Query(ge=1, le=100)]
Next = Annotated[After, Query(description="`next` of the page before.")]
OF_TASK = {"task": "$response.body#/id"}
OF_VISIT = {"appointment": "$response.body#/id"}


@dataclass(frozen=True)
class Verb:
    """A route of one surface or of both.

    Attributes
    ----------
    ids : mapping
        Surface → operation id there.
    links : mapping
        Name of another verb's function → parameter → where the answer has it.
    """

    method: str
    path: str
    use: str
    endpoint: Callable[..., Any]
    ids: Mapping[str, str]
    links: Mapping[str, Mapping[str, str]]
    more: Mapping[str, Any]


VERBS: list[Verb] = []


def verb(
    method: str,
    path: str,
    use: str,
    *,
    links: Mapping[str, Mapping[str, str]] | None = None,
    system: str = "",
    planner: str = "",
    **more: Any,
) -> Callable[[Endpoint], Endpoint]:
    """Add a verb under its operation ids; `more` as in `timevalg.api.surface.Surface.operation`."""

    def declare(endpoint: Endpoint) -> Endpoint:
        ids = {SYSTEM: system, PLANNER: planner}
        found = {side: name for side, name in ids.items() if name}
        VERBS.append(Verb(method, path, use, endpoint, found, links or {}, more))
        return endpoint

    return declare


def declare(router: Surface, side: str) -> None:
    """Add the verbs of one side to its routes."""
    here = {v.endpoint.__name__: v.ids[side] for v in VERBS if side in v.ids}
    for one in VERBS:
        if side not in one.ids:
            continue
        links = {here[name]: parameters for name, parameters in one.links.items() if name in here}
        router.operation(
            one.method, one.path, one.use, name=one.ids[side], links=links, **one.more
        )(one.endpoint)


async def _hospital(ports: OnPorts, who: Who) -> Hospital:
    return Hospital(ports, who)


async def _record_system(ports: OnPorts, who: Who) -> RecordSystem:
    return RecordSystem(ports, who)


Here = Annotated[Hospital, Depends(_hospital)]
System = Annotated[RecordSystem, Depends(_record_system)]


def told_task(task: Task, response: Response) -> tasks.SentTaskOut:
    """Tell a task with its version."""
    tag(response, task.version)
    return tasks.SentTaskOut.of(task)


def told_visit(visit: Appointment, response: Response) -> visits.VisitOut:
    """Tell a visit with its version."""
    tag(response, visit.version)
    return visits.VisitOut.of(visit)


def told_patient(patient: Patient, response: Response) -> patients.PatientOut:
    """Tell a patient with their version."""
    tag(response, patient.version)
    return patients.PatientOut.of(patient)


def _told_bond(made: Representation, response: Response) -> RepresentativeOut:
    tag(response, made.version)
    return RepresentativeOut.of(made)


# -- tasks -----------------------------------------------------------------------------------------


@verb(
    "GET",
    "/tasks",
    "list tasks",
    system="sent_tasks",
    planner="clinic_tasks",
    links={"read_task": {"task": "$response.body#/tasks/0/id"}},
)
def list_tasks(
    hospital: Here,
    state: Annotated[list[TaskState] | None, Query(max_length=11)] = None,
    after: Next = "",
    limit: Limit = 50,
) -> tasks.SentTasksOut:
    """Give the choice tasks, those in some states if asked for them."""
    found = [tasks.SentTaskOut.of(task) for task in hospital.tasks(state or (), after, limit)]
    return tasks.SentTasksOut(tasks=found, next=found[-1].id if len(found) == limit else "")


@verb(
    "GET",
    TASK,
    "read",
    system="sent_task",
    planner="clinic_task",
    links={"withdraw": OF_TASK, "amend": OF_TASK},
)
def read_task(hospital: Here, task: Id, response: Response) -> tasks.SentTaskOut:
    """Give a choice task."""
    return told_task(hospital.task(task), response)


@verb(
    "POST",
    TASK + "/amend",
    "amend",
    books=True,
    changes=True,
    system="amend_a_task",
    planner="amend_an_invitation",
)
def amend(
    hospital: Here, task: Id, given: tasks.TermsIn, key: Key, version: Version, response: Response
) -> tasks.SentTaskOut:
    """Change the terms of an invitation, if it has a place by the new ones."""
    amended = hospital.amend(
        task, version=version, reason=given.reason, idempotency_key=key, **given.changes()
    )
    return told_task(amended, response)


@verb(
    "POST",
    TASK + "/withdraw",
    "withdraw",
    changes=True,
    system="withdraw_a_task",
    planner="withdraw_an_invitation",
)
def withdraw(
    hospital: Here,
    task: Id,
    given: tasks.WithdrawIn,
    key: MaybeKey,
    version: Version,
    response: Response,
) -> tasks.SentTaskOut:
    """Withdraw an invitation; a visit that was booked is cancelled."""
    (gone,) = hospital.withdraw(
        task=task,
        letters=given.letters,
        reason=given.reason,
        version=version,
        idempotency_key=key,
    )
    return told_task(gone, response)


# -- visits ----------------------------------------------------------------------------------------


@verb(
    "GET",
    "/appointments",
    "list appointments",
    system="sent_visits",
    planner="clinic_visits",
    links={"read_visit": {"appointment": "$response.body#/appointments/0/id"}},
)
def list_visits(hospital: Here, after: Next = "", limit: Limit = 50) -> visits.VisitsOut:
    """Give the visits, past ones too."""
    found = [visits.VisitOut.of(visit) for visit in hospital.appointments(after, limit)]
    return visits.VisitsOut(appointments=found, next=found[-1].id if len(found) == limit else "")


@verb(
    "GET",
    VISIT,
    "read",
    system="sent_visit",
    planner="clinic_visit",
    links={name: OF_VISIT for name in ("accept", "refuse", "move", "cancel")},
)
def read_visit(hospital: Here, appointment: Id, response: Response) -> visits.VisitOut:
    """Give a visit, by its id or the record system's."""
    return told_visit(hospital.appointment(appointment), response)


@verb(
    "POST",
    VISIT + "/accept",
    "accept",
    changes=True,
    system="accept_a_choice",
    links={"read_visit": OF_VISIT},
)
def accept(
    system: System,
    appointment: Id,
    given: visits.AcceptIn,
    key: MaybeKey,
    version: Version,
    response: Response,
) -> visits.VisitOut:
    """Accept a choice; the visit gets the record system's own id."""
    accepted = system.accept(appointment, ref=given.ref, version=version, idempotency_key=key)
    return told_visit(accepted, response)


@verb(
    "POST",
    VISIT + "/refuse",
    "refuse",
    changes=True,
    system="refuse_a_choice",
    links={"read_task": OF_TASK},
)
def refuse(
    hospital: Here,
    appointment: Id,
    given: visits.RefuseIn,
    key: MaybeKey,
    version: Version,
    response: Response,
) -> tasks.SentTaskOut:
    """Refuse a choice; the patient may choose again."""
    task = hospital.refuse(appointment, reason=given.reason, version=version, idempotency_key=key)
    return told_task(task, response)


@verb(
    "POST",
    VISIT + "/move",
    "move",
    books=True,
    changes=True,
    system="move_a_visit",
    planner="move_a_patients_visit",
)
def move(
    hospital: Here,
    appointment: Id,
    given: visits.MoveIn,
    key: Key,
    version: Version,
    response: Response,
) -> visits.VisitOut:
    """Move a visit to any time, as the hospital, with resources of its choice."""
    moved = hospital.move(
        appointment,
        start=given.start,
        resources=None if given.resources is None else given_resources(given.resources),
        reason=given.reason,
        version=version,
        override=given.override,
        idempotency_key=key,
    )
    return told_visit(moved, response)


@verb(
    "POST",
    VISIT + "/cancel",
    "cancel",
    changes=True,
    system="cancel_as_hospital",
    planner="cancel_a_patients_visit",
)
def cancel(
    hospital: Here,
    appointment: Id,
    given: visits.CancelIn,
    key: MaybeKey,
    version: Version,
    response: Response,
) -> visits.VisitOut:
    """Cancel a visit; its time is free at once."""
    gone = hospital.cancel(appointment, given.reason, version, given.by, idempotency_key=key)
    return told_visit(gone, response)


@verb(
    "POST",
    VISIT + "/arrive",
    "arrive",
    changes=True,
    system="patient_is_here",
    planner="note_arrival",
)
def arrive(
    hospital: Here, appointment: Id, key: MaybeKey, version: Version, response: Response
) -> visits.VisitOut:
    """Note that the patient is here."""
    return told_visit(hospital.arrive(appointment, version, idempotency_key=key), response)


@verb(
    "POST",
    VISIT + "/fulfil",
    "fulfil",
    changes=True,
    system="visit_took_place",
    planner="note_visit",
)
def fulfil(
    hospital: Here, appointment: Id, key: MaybeKey, version: Version, response: Response
) -> visits.VisitOut:
    """Note that the visit has taken place."""
    return told_visit(hospital.fulfil(appointment, version, idempotency_key=key), response)


@verb(
    "POST",
    VISIT + "/no-show",
    "no show",
    changes=True,
    system="patient_did_not_come",
    planner="note_no_show",
)
def no_show(
    hospital: Here, appointment: Id, key: MaybeKey, version: Version, response: Response
) -> visits.VisitOut:
    """Note that the patient did not come."""
    return told_visit(hospital.no_show(appointment, version, idempotency_key=key), response)


# -- patients --------------------------------------------------------------------------------------


@verb(
    "POST",
    "/patients/register",
    "register patient",
    changes=True,
    system="register_a_patient",
    planner="register_patient_of_clinic",
)
def register_patient(
    hospital: Here,
    given: patients.PatientIn,
    key: MaybeKey,
    version: Version,
    response: Response,
) -> patients.PatientOut:
    """Say what a patient is called, their language, where letters may go; If-Match "0": new."""
    fields = {name: getattr(given, name) for name in type(given).model_fields}
    found = hospital.register(**fields, version=version, idempotency_key=key)
    return told_patient(found, response)


@verb(
    "POST",
    "/patients/find",
    "find patient",
    unversioned="changes nothing",
    system="find_a_patient",
    planner="find_patient_of_clinic",
)
def find_patient(hospital: Here, given: patients.WhomIn, response: Response) -> patients.PatientOut:
    """Give the patient with an identity number or an id, which stands in the body alone."""
    found = hospital.patient_with(given.identity, patient=given.patient)
    return told_patient(found, response)


@verb(
    "POST",
    "/patients/represent",
    "register representation",
    status=201,
    unversioned="makes a new one; one that stood on the same basis ends by being followed",
    system="register_a_representative",
    planner="register_representative_of_patient",
)
def register_representative(
    hospital: Here, given: patients.RepresentativeIn, key: MaybeKey, response: Response
) -> RepresentativeOut:
    """Say who may act for a patient; what stood between the two on that basis ends with it."""
    fields = {name: getattr(given, name) for name in type(given).model_fields}
    fields["areas"] = tuple(given.areas)
    return _told_bond(hospital.represent(**fields, idempotency_key=key), response)


@verb(
    "POST",
    "/patients/representatives",
    "list representations",
    unversioned="changes nothing",
    system="representatives_of_a_patient",
    planner="representatives_of_patient_of_clinic",
)
def list_representatives(hospital: Here, given: patients.PatientNamed) -> RepresentativesOut:
    """Tell who may act for a patient, or might, those whose time is over too."""
    found = hospital.representations(given.patient)
    return RepresentativesOut(representatives=[RepresentativeOut.of(one) for one in found])


@verb(
    "POST",
    BOND + "/end",
    "end representation",
    changes=True,
    system="end_a_representation",
    planner="end_representation_of_patient",
)
def end_representation(
    hospital: Here, representation: Id, given: ReasonIn, version: Version, response: Response
) -> RepresentativeOut:
    """End a representation now; its `version` is its ETag."""
    ended = hospital.end_representation(representation, given.reason, version)
    return _told_bond(ended, response)
