"""What only record systems tell and ask: publish, sync, invite, and hear of every change.

Ids of patients and referrals stand in bodies only, never in an address.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from timevalg.api.routes.hospital import declare
from timevalg.api.routes.verbs import SYSTEM, Next, System, told_patient
from timevalg.api.schemas import clinic_files, events, intake, patients, tasks
from timevalg.api.schemas.given import Id
from timevalg.api.surface import Key, MaybeKey, Surface, Version, tag
from timevalg.booking.feed import MOST_EVENTS
from timevalg.model.errors import InvalidInput
from timevalg.model.principal import RoleName

router = Surface(prefix="/v1/system", tags=["system"], roles=[RoleName.SYSTEM])
feed = Surface(prefix="/v1", tags=["system"], roles=[RoleName.SYSTEM])

FIRST_TASK = {"task": "$response.body#/invitations/0/task/id"}


@router.operation("GET", "/clinics", "read clinic file")
def published_clinics(system: System, response: Response) -> clinic_files.ClinicsOut:
    """Give the clinics with the versions of their files; the ETag is that of all files together."""
    version = system.clinics_version()
    tag(response, version)
    found = [clinic_files.VersionOut.of(p) for p in system.clinics()]
    return clinic_files.ClinicsOut(clinics=found)


@router.operation("POST", "/publications", "publish", changes=True)
def publish_clinics(
    system: System,
    given: intake.PublicationIn,
    key: MaybeKey,
    version: Version,
    response: Response,
) -> intake.PublishedOut:
    """Put clinic files in force; If-Match is that of all files together, "0" where there is none.

    The same files again change nothing; sections that one leaves out stay, `[]` empties one.
    """
    done = system.publish(given.sources(), version=version, idempotency_key=key)
    tag(response, system.clinics_version())
    return intake.PublishedOut.of(done)


@router.operation(
    "POST",
    "/calendar",
    "sync",
    unversioned="each row carries the record system's own version of it; older ones change nothing",
)
def sync_the_calendar(system: System, given: intake.SyncIn) -> intake.SyncedOut:
    """Take in rows of the record system's calendar; late and repeated ones do no harm."""
    window = None
    if given.first is not None and given.last is not None:
        window = given.first, given.last
    elif given.first is not None or given.last is not None:
        raise InvalidInput.single("/body/first", "give both `first` and `last`, or neither")
    return intake.SyncedOut.of(system.sync([row.row() for row in given.rows], window))


@router.operation(
    "POST",
    "/invitations",
    "invite",
    books=True,
    unversioned="makes new tasks; those sent before stay as they are, by their ref",
    links={"sent_task": FIRST_TASK, "withdraw_a_task": FIRST_TASK, "amend_a_task": FIRST_TASK},
)
def invite_patients(system: System, given: tasks.InvitationsIn, key: Key) -> tasks.InvitationsOut:
    """Invite one patient or many, planned together; who cannot be served is told why."""
    found = system.invite_many(
        [one.fields_of_task() for one in given.invitations],
        all_or_nothing=given.all_or_nothing,
        idempotency_key=key,
    )
    return tasks.InvitationsOut(invitations=[tasks.InvitationOut.of(one) for one in found])


@router.operation("POST", "/referrals/find", "list tasks", unversioned="changes nothing")
def tasks_of_a_referral(
    system: System, given: tasks.ReferralIn, response: Response
) -> tasks.ReferralOut:
    """Give the invitations of a referral; its `version` is its ETag."""
    found = tasks.ReferralOut.of(system.tasks_of(given.referral))
    tag(response, found.version)
    return found


@router.operation("POST", "/referrals/withdraw", "withdraw", changes=True)
def withdraw_a_referral(
    system: System,
    given: tasks.WithdrawReferralIn,
    key: MaybeKey,
    version: Version,
    response: Response,
) -> tasks.ReferralOut:
    """Withdraw all invitations of a referral."""
    gone = system.withdraw(
        referral=given.referral,
        letters=given.letters,
        reason=given.reason,
        version=version,
        idempotency_key=key,
    )
    told = tasks.ReferralOut.of(gone)
    tag(response, told.version)
    return told


@router.operation("POST", "/patients/merge", "merge", changes=True)
def merge_patients(
    system: System,
    given: patients.MergeIn,
    key: MaybeKey,
    version: Version,
    response: Response,
) -> patients.PatientOut:
    """Say that two patients are one; gives the one that is left, whose version If-Match is."""
    left = system.merge(
        given.old, given.into, reason=given.reason, version=version, idempotency_key=key
    )
    return told_patient(left, response)


@router.operation("POST", "/patients/deceased", "deceased", changes=True)
def patient_has_died(
    system: System,
    given: patients.DeceasedIn,
    key: MaybeKey,
    version: Version,
    response: Response,
) -> patients.PatientOut:
    """Say that a patient has died: all is withdrawn, and no letter is written any more."""
    died = system.deceased(given.patient, reason=given.reason, version=version, idempotency_key=key)
    return told_patient(died, response)


@feed.operation(
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
) -> events.EventsOut:
    """Give what happened after a cursor, in the order of commits, none skipped, at least once."""
    found = [events.EventOut.of(event) for event in system.events(after, limit)]
    return events.EventsOut(events=found, next=found[-1].id if found else after)


@router.operation("GET", "/subscriptions", "list subscriptions")
def receivers(system: System) -> events.SubscriptionsOut:
    """Give the receivers of events as signed webhooks."""
    found = [events.SubscriptionOut.of(one) for one in system.subscriptions()]
    return events.SubscriptionsOut(subscriptions=found)


@router.operation(
    "POST",
    "/subscriptions",
    "subscribe",
    unversioned="makes a new one, or finds the one there is on the same terms",
    status=201,
    gone=True,
    links={"end_a_subscription": {"subscription": "$response.body#/id"}},
)
def subscribe_to_events(system: System, given: events.SubscriptionIn) -> events.SubscriptionOut:
    """Have events sent to an address; asked again it is the same subscription."""
    return events.SubscriptionOut.of(
        system.subscribe(
            given.url,
            given.secret,
            given.events,
            deduplicates=given.deduplicates,
            after=given.after,
        )
    )


@router.operation(
    "DELETE",
    "/subscriptions/{subscription}",
    "end subscription",
    unversioned="its version counts what has been sent; nothing else of it ever changes",
)
def end_a_subscription(system: System, subscription: Id) -> events.SubscriptionOut:
    """Have no more events sent; what has not left is stopped."""
    return events.SubscriptionOut.of(system.end_subscription(subscription))


declare(router, SYSTEM)
