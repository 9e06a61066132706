"""Invitations as planners see them: one or many, choices to check, what waits for a person."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from timevalg.api.problems import Problem
from timevalg.api.routes.planner_clinics import DESK, Planner, clinics_of
from timevalg.api.routes.verbs import TASK, Limit, Next, told_task, told_visit
from timevalg.api.schemas import desk as shapes
from timevalg.api.schemas import patient, tasks, visits
from timevalg.api.schemas import planner_tasks as given_shapes
from timevalg.api.schemas.given import Id, given_resources
from timevalg.api.surface import Key, MaybeKey, Surface, Version, tag
from timevalg.library.invitation_file import read_invitations, with_refs
from timevalg.model.records import CaseKind

router = Surface(prefix="/v1/planner", tags=["planner"], roles=DESK)

NEW = "makes new tasks; those sent before stay as they are, by their ref"
CSV = "text/csv"
EXAMPLE = """patient,pools,opens,due,not_after
p-1,first,2027-01-04,2027-01-11,2027-02-12
"""
MANY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/InvitationsIn"}},
            CSV: {
                "schema": {"type": "string"},
                "example": EXAMPLE,
            },
        },
    }
}


async def _many(request: Request) -> list[dict[str, Any]]:
    """Read invitations, as JSON or as CSV.

    Raises
    ------
    RequestValidationError, InvalidInput, Problem
    """
    body = await request.body()
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media == CSV:
        try:
            return list(read_invitations(body.decode("utf-8-sig")).values())
        except UnicodeDecodeError as error:
            raise Problem("bad-request", "the body is not UTF-8") from error
    if media not in {"application/json", ""}:
        raise Problem("media-type", f"send application/json or {CSV}")
    try:
        many = tasks.InvitationsIn.model_validate_json(body)
    except ValidationError as error:
        found = [{**e, "loc": ("body", *e["loc"])} for e in error.errors()]
        raise RequestValidationError(found) from error
    return with_refs(one.fields_of_task() for one in many.invitations)


Many = Annotated[list[dict[str, Any]], Depends(_many)]


@router.operation("POST", "/tasks", "invite", books=True, unversioned=NEW, status=201)
def invite_a_patient(
    desk: Planner, given: given_shapes.OneInvitationIn, key: Key
) -> tasks.InvitationOut:
    """Invite a patient to choose; where nothing can be promised, say what is short."""
    (answer,) = desk.invite_many([given.fields_of_task()], idempotency_key=key)
    return tasks.InvitationOut.of(answer)


@router.operation(
    "POST",
    "/tasks/plan",
    "plan invitations",
    unversioned="changes nothing",
    openapi_extra=MANY,
)
def plan_many_invitations(desk: Planner, many: Many) -> given_shapes.PlanOut:
    """Say what inviting many would come to, one by one; nothing is sent."""
    return given_shapes.PlanOut.of(desk.plan_invitations(many))


@router.operation(
    "POST",
    "/tasks/bulk",
    "invite",
    books=True,
    unversioned=NEW,
    openapi_extra=MANY,
    status=201,
)
def invite_many_patients(
    desk: Planner,
    many: Many,
    key: Key,
    up_to: Annotated[int | None, Query(ge=1, description="The first so many only.")] = None,
    partly: Annotated[bool, Query(description="Send whom it can; the others stay drafts.")] = False,
) -> tasks.InvitationsOut:
    """Send what was planned, as a whole or the first so many: all of it, or (409) nothing.

    Whoever has no `ref` gets one made of what is said: sent again they are not invited again.
    """
    found = desk.invite_many(many[:up_to], all_or_nothing=not partly, idempotency_key=key)
    return tasks.InvitationsOut(invitations=[tasks.InvitationOut.of(one) for one in found])


@router.operation("GET", "/checks", "staff list")
def choices_to_check(desk: Planner, after: Next = "", limit: Limit = 50) -> shapes.ChecksOut:
    """Give the choices that wait for a check, oldest first."""
    found = [shapes.ToCheckOut.of(one) for one in desk.choices_to_check(after, limit)]
    return shapes.ChecksOut(checks=found, next=found[-1].case if len(found) == limit else "")


@router.operation("POST", TASK + "/check", "check", changes=True)
def check_a_choice(
    desk: Planner,
    task: Id,
    given: given_shapes.VerdictIn,
    key: MaybeKey,
    version: Version,
    response: Response,
) -> tasks.SentTaskOut:
    """Confirm a choice, or refuse it: then the task is with staff, with a place."""
    checked = desk.check(
        task,
        confirm=given.confirm,
        reason=given.reason,
        version=version,
        idempotency_key=key,
    )
    return told_task(checked, response)


@router.operation("POST", TASK + "/undo", "undo", changes=True)
def undo_a_choice(
    desk: Planner,
    task: Id,
    given: given_shapes.WhyIn,
    key: MaybeKey,
    version: Version,
    response: Response,
) -> tasks.SentTaskOut:
    """Take a time back before its letter has gone."""
    undone = desk.undo(task, reason=given.reason, version=version, idempotency_key=key)
    return told_task(undone, response)


@router.operation("POST", TASK + "/take", "hand to staff", changes=True)
def take_a_task(
    desk: Planner,
    task: Id,
    given: patient.ReasonIn,
    key: MaybeKey,
    version: Version,
    response: Response,
) -> tasks.SentTaskOut:
    """Take a task over from the patient; it keeps its place."""
    return told_task(desk.take(task, given.reason, version, idempotency_key=key), response)


@router.operation("POST", TASK + "/reopen", "reopen", books=True, changes=True)
def reopen_a_task(
    desk: Planner,
    task: Id,
    given: given_shapes.ReopenIn,
    key: Key,
    version: Version,
    response: Response,
) -> tasks.SentTaskOut:
    """Let the patient choose again, until a new due date if need be."""
    opened = desk.reopen(task, given.reason, given.due, version, idempotency_key=key)
    return told_task(opened, response)


@router.operation("POST", TASK + "/keep-waiting", "keep waiting", changes=True)
def keep_a_task_waiting(
    desk: Planner,
    task: Id,
    given: given_shapes.WhyIn,
    key: MaybeKey,
    version: Version,
    response: Response,
) -> tasks.SentTaskOut:
    """Say that the fallback shall not happen on the last valid day."""
    waiting = desk.keep_waiting(task, given.reason, version, idempotency_key=key)
    return told_task(waiting, response)


@router.operation("GET", TASK + "/offers", "list offers")
def offers_for_a_patient(
    desk: Planner, task: Id, asked: Annotated[patient.OffersAsked, Query()]
) -> patient.OffersOut:
    """Give the times that a patient can choose from: the best, or by time."""
    found = desk.offers(task, asked.limit, asked.wishes(), asked.since())
    return patient.OffersOut.of(found, clinics_of(desk).__getitem__)


@router.operation("POST", TASK + "/choice", "choose", books=True, changes=True, status=201)
def choose_for_a_patient(
    desk: Planner,
    task: Id,
    choice: patient.ChoiceIn,
    key: Key,
    version: Version,
    response: Response,
) -> visits.VisitOut:
    """Book an offered time for a patient who asks for it, by phone say."""
    visit = desk.choose(task, choice.start, choice.pool, version, idempotency_key=key)
    return told_visit(visit, response)


@router.operation("POST", TASK + "/assignment", "assign", books=True, changes=True)
def assign_a_time(
    desk: Planner,
    task: Id,
    given: given_shapes.AssignmentIn,
    key: Key,
    version: Version,
    response: Response,
) -> tasks.SentTaskOut:
    """Book a time of staff's own choice for a task that they have."""
    assigned = desk.assign(
        task,
        start=given.start,
        resources=given_resources(given.resources),
        pool=given.pool,
        reason=given.reason,
        override=given.override,
        version=version,
        idempotency_key=key,
    )
    return told_task(assigned, response)


@router.operation("GET", "/inbox", "staff list")
def inbox(
    desk: Planner,
    kind: Annotated[list[CaseKind] | None, Query(max_length=20)] = None,
    after: Next = "",
    limit: Limit = 50,
) -> shapes.InboxOut:
    """Give what waits for a person, oldest first; of some kinds if asked for them."""
    found = [shapes.CaseOut.of(case) for case in desk.staff_list(kind or (), after, limit)]
    return shapes.InboxOut(cases=found, next=found[-1].id if len(found) == limit else "")


@router.operation("POST", "/inbox/{case}/close", "close case", changes=True)
def close_a_case(
    desk: Planner,
    case: Id,
    given: patient.ReasonIn,
    key: MaybeKey,
    version: Version,
    response: Response,
) -> shapes.CaseOut:
    """Take off the list what somebody has seen to; its `version` is its ETag."""
    closed = desk.close_case(case, given.reason, version, idempotency_key=key)
    tag(response, closed.version)
    return shapes.CaseOut.of(closed)
