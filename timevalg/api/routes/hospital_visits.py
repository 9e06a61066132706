"""Visits, as planners and record systems see them; ids may be the record system's own, slashes
included.
"""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Response

from timevalg.api.routes.verbs import (
    OF_TASK,
    OF_VISIT,
    VISIT,
    Here,
    Limit,
    Next,
    System,
    Verbs,
    told_task,
    told_visit,
)
from timevalg.api.schemas import tasks, visits
from timevalg.api.schemas.given import Id, given_resources
from timevalg.api.surface import Key, MaybeKey, Version
from timevalg.library.hospital import Hospital
from timevalg.model.appointment import Appointment

VERBS = Verbs()


@VERBS.add(
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


@VERBS.add(
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


@VERBS.add(
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


@VERBS.add(
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


@VERBS.add(
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


@VERBS.add(
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


def _noting(note: Callable[..., Appointment]) -> Callable[..., visits.VisitOut]:
    """Make the endpoint of something that is only noted of a visit, under its name and words."""

    def noted(
        hospital: Here, appointment: Id, key: MaybeKey, version: Version, response: Response
    ) -> visits.VisitOut:
        return told_visit(note(hospital, appointment, version, idempotency_key=key), response)

    noted.__name__, noted.__doc__ = note.__name__, note.__doc__
    return noted


for _path, _use, _note, _system, _planner in (
    ("/arrive", "arrive", Hospital.arrive, "patient_is_here", "note_arrival"),
    ("/fulfil", "fulfil", Hospital.fulfil, "visit_took_place", "note_visit"),
    ("/no-show", "no show", Hospital.no_show, "patient_did_not_come", "note_no_show"),
):
    VERBS.add("POST", VISIT + _path, _use, changes=True, system=_system, planner=_planner)(
        _noting(_note)
    )
