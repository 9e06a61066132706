"""What record systems tell and ask: invite, sync, answer, move, hear of every change.

Ids of visits and tasks may be the record system's own, slashes included. Ids of patients and
referrals stand in bodies only, never in an address.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Response

from timevalg.api.schemas import system as shapes
from timevalg.api.schemas.given import After, Id
from timevalg.api.schemas.privacy import RepresentativeOut
from timevalg.api.surface import Key, MaybeKey, OnPorts, Surface, Version, Who, tag
from timevalg.booking.feed import MOST_EVENTS
from timevalg.library.hospital import RecordSystem
from timevalg.model.appointment import Appointment
from timevalg.model.errors import InvalidInput
from timevalg.model.task import Task

router = Surface(prefix="/v1", tags=["system"])

Limit = Annotated[int, Query(ge=1, le=100)]
Next = Annotated[After, Query(description="`next` of the page before.")]
TASK, VISIT = "/system/tasks/{task:path}", "/system/appointments/{appointment:path}"
OF_TASK = {"task": "$response.body#/id"}
OF_VISIT = {"appointment": "$response.body#/id"}
FIRST_TASK = {"task": "$response.body#/invitations/0/task/id"}


async def _system(ports: OnPorts, who: Who) -> RecordSystem:
    return RecordSystem(ports, who)


System = Annotated[RecordSystem, Depends(_system)]


def _task(task: Task, response: Response) -> shapes.SentTaskOut:
    tag(response, task.version)
    return shapes.SentTaskOut.of(task)


def _visit(visit: Appointment, response: Response) -> shapes.VisitOut:
    tag(response, visit.version)
    return shapes.VisitOut.of(visit)


@router.operation("POST", "/system/publications", "publish")
def publish_clinics(
    system: System, given: shapes.PublicationIn, key: MaybeKey
) -> shapes.PublishedOut:
    """Put clinic files in force; the same files again change nothing."""
    return shapes.PublishedOut.of(system.publish(given.sources(), idempotency_key=key))


@router.operation("POST", "/system/calendar", "sync")
def sync_the_calendar(system: System, given: shapes.SyncIn) -> shapes.SyncedOut:
    """Take in rows of the record system's calendar; late and repeated ones do no harm."""
    window = None
    if given.first is not None and given.last is not None:
        window = given.first, given.last
    elif given.first is not None or given.last is not None:
        raise InvalidInput.single("/body/first", "give both `first` and `last`, or neither")
    return shapes.SyncedOut.of(system.sync([row.row() for row in given.rows], window))


@router.operation(
    "POST",
    "/system/invitations",
    "invite",
    books=True,
    links={"sent_task": FIRST_TASK, "withdraw_a_task": FIRST_TASK, "amend_a_task": FIRST_TASK},
)
def invite_patients(system: System, given: shapes.InvitationsIn, key: Key) -> shapes.InvitationsOut:
    """Invite one patient or many, planned together; who cannot be served is told why."""
    found = system.invite_many(
        [one.fields_of_task() for one in given.invitations],
        all_or_nothing=given.all_or_nothing,
        idempotency_key=key,
    )
    return shapes.InvitationsOut(invitations=[shapes.InvitationOut.of(one) for one in found])


@router.operation(
    "GET",
    "/system/tasks",
    "list tasks",
    links={"sent_task": {"task": "$response.body#/tasks/0/id"}},
)
def sent_tasks(system: System, after: Next = "", limit: Limit = 50) -> shapes.SentTasksOut:
    """Give the choice tasks."""
    found = [shapes.SentTaskOut.of(task) for task in system.tasks((), after, limit)]
    return shapes.SentTasksOut(tasks=found, next=found[-1].id if len(found) == limit else "")


@router.operation("GET", TASK, "read", links={"withdraw_a_task": OF_TASK, "amend_a_task": OF_TASK})
def sent_task(system: System, task: Id, response: Response) -> shapes.SentTaskOut:
    """Give a choice task."""
    return _task(system.task(task), response)


@router.operation("POST", TASK + "/amend", "amend", books=True, changes=True)
def amend_a_task(
    system: System,
    task: Id,
    given: shapes.TermsIn,
    key: Key,
    version: Version,
    response: Response,
) -> shapes.SentTaskOut:
    """Change the terms of an invitation, if it has a place by the new ones."""
    amended = system.amend(
        task, version=version, reason=given.reason, idempotency_key=key, **given.changes()
    )
    return _task(amended, response)


@router.operation("POST", TASK + "/withdraw", "withdraw", changes=True)
def withdraw_a_task(
    system: System,
    task: Id,
    given: shapes.WithdrawIn,
    key: MaybeKey,
    version: Version,
    response: Response,
) -> shapes.SentTaskOut:
    """Withdraw an invitation; a visit that was booked is cancelled."""
    (withdrawn,) = system.withdraw(
        task=task,
        letters=given.letters,
        reason=given.reason,
        version=version,
        idempotency_key=key,
    )
    return _task(withdrawn, response)


@router.operation("POST", "/system/referrals/withdraw", "withdraw")
def withdraw_a_referral(
    system: System, given: shapes.WithdrawReferralIn, key: MaybeKey
) -> shapes.WithdrawnOut:
    """Withdraw all invitations of a referral."""
    found = system.withdraw(
        referral=given.referral, letters=given.letters, reason=given.reason, idempotency_key=key
    )
    return shapes.WithdrawnOut(tasks=[shapes.SentTaskOut.of(task) for task in found])


@router.operation(
    "GET",
    "/system/appointments",
    "list appointments",
    links={"sent_visit": {"appointment": "$response.body#/appointments/0/id"}},
)
def sent_visits(system: System, after: Next = "", limit: Limit = 50) -> shapes.VisitsOut:
    """Give the visits, past ones too."""
    found = [shapes.VisitOut.of(visit) for visit in system.appointments(after, limit)]
    return shapes.VisitsOut(appointments=found, next=found[-1].id if len(found) == limit else "")


@router.operation(
    "GET",
    VISIT,
    "read",
    links={
        name: OF_VISIT
        for name in ("accept_a_choice", "refuse_a_choice", "move_a_visit", "cancel_as_hospital")
    },
)
def sent_visit(system: System, appointment: Id, response: Response) -> shapes.VisitOut:
    """Give a visit, by its id or the record system's."""
    return _visit(system.appointment(appointment), response)


@router.operation("POST", VISIT + "/accept", "accept", changes=True, links={"sent_visit": OF_VISIT})
def accept_a_choice(
    system: System,
    appointment: Id,
    given: shapes.AcceptIn,
    key: MaybeKey,
    version: Version,
    response: Response,
) -> shapes.VisitOut:
    """Accept a choice; the visit gets the record system's own id."""
    accepted = system.accept(appointment, ref=given.ref, version=version, idempotency_key=key)
    return _visit(accepted, response)


@router.operation("POST", VISIT + "/refuse", "refuse", changes=True, links={"sent_task": OF_TASK})
def refuse_a_choice(
    system: System,
    appointment: Id,
    given: shapes.RefuseIn,
    key: MaybeKey,
    version: Version,
    response: Response,
) -> shapes.SentTaskOut:
    """Refuse a choice; the patient may choose again."""
    task = system.refuse(appointment, reason=given.reason, version=version, idempotency_key=key)
    return _task(task, response)


@router.operation("POST", VISIT + "/move", "move", books=True, changes=True)
def move_a_visit(
    system: System,
    appointment: Id,
    given: shapes.MoveIn,
    key: Key,
    version: Version,
    response: Response,
) -> shapes.VisitOut:
    """Move a visit, as the hospital."""
    resources = given.resources
    moved = system.move(
        appointment,
        start=given.start,
        resources=None if resources is None else shapes.given_resources(resources),
        reason=given.reason,
        version=version,
        override=given.override,
        idempotency_key=key,
    )
    return _visit(moved, response)


@router.operation("POST", VISIT + "/cancel", "cancel", changes=True)
def cancel_as_hospital(
    system: System,
    appointment: Id,
    given: shapes.CancelIn,
    key: MaybeKey,
    version: Version,
    response: Response,
) -> shapes.VisitOut:
    """Cancel a visit; its time is free at once."""
    cancelled = system.cancel(appointment, given.reason, version, given.by, idempotency_key=key)
    return _visit(cancelled, response)


@router.operation("POST", VISIT + "/arrive", "arrive", changes=True)
def patient_is_here(
    system: System, appointment: Id, key: MaybeKey, version: Version, response: Response
) -> shapes.VisitOut:
    """Note that the patient is here."""
    return _visit(system.arrive(appointment, version, idempotency_key=key), response)


@router.operation("POST", VISIT + "/fulfil", "fulfil", changes=True)
def visit_took_place(
    system: System, appointment: Id, key: MaybeKey, version: Version, response: Response
) -> shapes.VisitOut:
    """Note that the visit has taken place."""
    return _visit(system.fulfil(appointment, version, idempotency_key=key), response)


@router.operation("POST", VISIT + "/no-show", "no show", changes=True)
def patient_did_not_come(
    system: System, appointment: Id, key: MaybeKey, version: Version, response: Response
) -> shapes.VisitOut:
    """Note that the patient did not come."""
    return _visit(system.no_show(appointment, version, idempotency_key=key), response)


@router.operation("POST", "/system/patients/register", "register patient")
def register_a_patient(system: System, given: shapes.PatientIn, key: MaybeKey) -> shapes.PatientOut:
    """Say what a patient is called in letters, their language, and where letters may go."""
    fields = {name: getattr(given, name) for name in type(given).model_fields}
    return shapes.PatientOut.of(system.register(**fields, idempotency_key=key))


@router.operation("POST", "/system/patients/find", "find patient")
def find_a_patient(system: System, given: shapes.IdentityIn) -> shapes.PatientOut:
    """Give the patient with an identity number, which stands in the body alone."""
    return shapes.PatientOut.of(system.patient_with(given.identity))


@router.operation("POST", "/system/patients/represent", "register representation", status=201)
def register_a_representative(
    system: System, given: shapes.RepresentativeIn, key: MaybeKey
) -> RepresentativeOut:
    """Say who may act for a patient; what stood between the two on that basis ends with it."""
    fields = {name: getattr(given, name) for name in type(given).model_fields}
    fields["areas"] = tuple(given.areas)
    return RepresentativeOut.of(system.represent(**fields, idempotency_key=key))


@router.operation("POST", "/system/patients/merge", "merge")
def merge_patients(system: System, given: shapes.MergeIn, key: MaybeKey) -> shapes.PatientOut:
    """Say that two patients are one; gives the one that is left."""
    left = system.merge(given.old, given.into, reason=given.reason, idempotency_key=key)
    return shapes.PatientOut.of(left)


@router.operation("POST", "/system/patients/deceased", "deceased")
def patient_has_died(system: System, given: shapes.DeceasedIn, key: MaybeKey) -> shapes.PatientOut:
    """Say that a patient has died: all is withdrawn, and no letter is written any more."""
    died = system.deceased(given.patient, reason=given.reason, idempotency_key=key)
    return shapes.PatientOut.of(died)


@router.operation(
    "GET",
    "/events",
    "read events",
    gone=True,
    links={"what_happened": {"after": "$response.body#/next"}},
)
def what_happened(
    system: System,
    after: Next = "",
    limit: Annotated[int, Query(ge=1, le=MOST_EVENTS)] = 500,
) -> shapes.EventsOut:
    """Give what happened after a cursor, in the order of commits, none skipped, at least once."""
    found = [shapes.EventOut.of(event) for event in system.events(after, limit)]
    return shapes.EventsOut(events=found, next=found[-1].id if found else after)


@router.operation("GET", "/system/subscriptions", "list subscriptions")
def receivers(system: System) -> shapes.SubscriptionsOut:
    """Give the receivers of events as signed webhooks."""
    found = [shapes.SubscriptionOut.of(one) for one in system.subscriptions()]
    return shapes.SubscriptionsOut(subscriptions=found)


@router.operation(
    "POST",
    "/system/subscriptions",
    "subscribe",
    status=201,
    gone=True,
    links={"end_a_subscription": {"subscription": "$response.body#/id"}},
)
def subscribe_to_events(system: System, given: shapes.SubscriptionIn) -> shapes.SubscriptionOut:
    """Have events sent to an address; asked again it is the same subscription."""
    return shapes.SubscriptionOut.of(
        system.subscribe(
            given.url,
            given.secret,
            given.events,
            deduplicates=given.deduplicates,
            after=given.after,
        )
    )


@router.operation("DELETE", "/system/subscriptions/{subscription}", "end subscription")
def end_a_subscription(system: System, subscription: Id) -> shapes.SubscriptionOut:
    """Have no more events sent; what has not left is stopped."""
    return shapes.SubscriptionOut.of(system.end_subscription(subscription))
