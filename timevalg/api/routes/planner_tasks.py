"""Invitations as planners see them: one or many, choices to check, what waits for a person."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from timevalg.api.problems import Problem
from timevalg.api.routes.planner_clinics import Planner, clinics_of
from timevalg.api.schemas import desk as shapes
from timevalg.api.schemas import patient, system
from timevalg.api.schemas import planner_tasks as given_shapes
from timevalg.api.schemas.given import After, Id
from timevalg.api.surface import Key, MaybeKey, Surface, Version, tag
from timevalg.library.invitation_file import read_invitations
from timevalg.model.states import TaskState
from timevalg.model.task import Task

router = Surface(prefix="/v1/planner", tags=["planner"])

Limit = Annotated[int, Query(ge=1, le=100)]
Next = Annotated[After, Query(description="`next` of the page before.")]
TASK = "/tasks/{task}"
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
            return read_invitations(body.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise Problem("bad-request", "the body is not UTF-8") from error
    if media not in {"application/json", ""}:
        raise Problem("media-type", f"send application/json or {CSV}")
    try:
        many = system.InvitationsIn.model_validate_json(body)
    except ValidationError as error:
        found = [{**e, "loc": ("body", *e["loc"])} for e in error.errors()]
        raise RequestValidationError(found) from error
    return [one.fields_of_task() for one in many.invitations]


Many = Annotated[list[dict[str, Any]], Depends(_many)]


def _task(task: Task, response: Response) -> system.SentTaskOut:
    tag(response, task.version)
    return system.SentTaskOut.of(task)


@router.operation("GET", "/tasks", "list tasks")
def clinic_tasks(
    desk: Planner,
    state: Annotated[list[TaskState] | None, Query(max_length=11)] = None,
    after: Next = "",
    limit: Limit = 50,
) -> system.SentTasksOut:
    """Give the choice tasks, those in some states if asked for them."""
    found = [system.SentTaskOut.of(task) for task in desk.tasks(state or (), after, limit)]
    return system.SentTasksOut(tasks=found, next=found[-1].id if len(found) == limit else "")


@router.operation("POST", "/tasks", "invite", books=True, status=201)
def invite_a_patient(
    desk: Planner, given: given_shapes.OneInvitationIn, key: Key
) -> system.InvitationOut:
    """Invite a patient to choose; where nothing can be promised, say what is short."""
    (answer,) = desk.invite_many([given.fields_of_task()], idempotency_key=key)
    return system.InvitationOut.of(answer)


@router.operation("POST", "/tasks/plan", "plan invitations", openapi_extra=MANY)
def plan_many_invitations(desk: Planner, many: Many) -> given_shapes.PlanOut:
    """Say what inviting many would come to, by line; nothing is sent."""
    return given_shapes.PlanOut.of(desk.plan_invitations(many))


@router.operation("POST", "/tasks/bulk", "invite", books=True, openapi_extra=MANY, status=201)
def invite_many_patients(
    desk: Planner,
    many: Many,
    key: Key,
    up_to: Annotated[int | None, Query(ge=1, description="The first so many only.")] = None,
    partly: Annotated[bool, Query(description="Send whom it can; the others stay drafts.")] = False,
) -> system.InvitationsOut:
    """Send what was planned, as a whole or up to a line: all of it, or (409) nothing."""
    found = desk.invite_many(many[:up_to], all_or_nothing=not partly, idempotency_key=key)
    return system.InvitationsOut(invitations=[system.InvitationOut.of(one) for one in found])


@router.operation("GET", TASK, "read")
def clinic_task(desk: Planner, task: Id, response: Response) -> system.SentTaskOut:
    """Give a choice task."""
    return _task(desk.task(task), response)


@router.operation("POST", TASK + "/amend", "amend", books=True, changes=True)
def amend_an_invitation(
    desk: Planner, task: Id, given: system.TermsIn, key: Key, version: Version, response: Response
) -> system.SentTaskOut:
    """Change the terms of an invitation, if it has a place by the new ones."""
    changes = given.changes()
    amended = desk.amend(task, version=version, reason=given.reason, idempotency_key=key, **changes)
    return _task(amended, response)


@router.operation("POST", TASK + "/withdraw", "withdraw", changes=True)
def withdraw_an_invitation(
    desk: Planner,
    task: Id,
    given: system.WithdrawIn,
    key: MaybeKey,
    version: Version,
    response: Response,
) -> system.SentTaskOut:
    """Withdraw an invitation; a visit that was booked is cancelled."""
    (gone,) = desk.withdraw(
        task=task,
        letters=given.letters,
        reason=given.reason,
        version=version,
        idempotency_key=key,
    )
    return _task(gone, response)


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
) -> system.SentTaskOut:
    """Confirm a choice, or refuse it: then the task is with staff, with a place."""
    checked = desk.check(
        task,
        confirm=given.confirm,
        reason=given.reason,
        version=version,
        idempotency_key=key,
    )
    return _task(checked, response)


@router.operation("POST", TASK + "/undo", "undo", changes=True)
def undo_a_choice(
    desk: Planner,
    task: Id,
    given: given_shapes.WhyIn,
    key: MaybeKey,
    version: Version,
    response: Response,
) -> system.SentTaskOut:
    """Take a time back before its letter has gone."""
    undone = desk.undo(task, reason=given.reason, version=version, idempotency_key=key)
    return _task(undone, response)


@router.operation("POST", TASK + "/take", "hand to staff", changes=True)
def take_a_task(
    desk: Planner,
    task: Id,
    given: patient.ReasonIn,
    key: MaybeKey,
    version: Version,
    response: Response,
) -> system.SentTaskOut:
    """Take a task over from the patient; it keeps its place."""
    return _task(desk.take(task, given.reason, version, idempotency_key=key), response)


@router.operation("POST", TASK + "/reopen", "reopen", books=True, changes=True)
def reopen_a_task(
    desk: Planner,
    task: Id,
    given: given_shapes.ReopenIn,
    key: Key,
    version: Version,
    response: Response,
) -> system.SentTaskOut:
    """Let the patient choose again, until a new due date if need be."""
    opened = desk.reopen(task, given.reason, given.due, version, idempotency_key=key)
    return _task(opened, response)


@router.operation("POST", TASK + "/keep-waiting", "keep waiting", changes=True)
def keep_a_task_waiting(
    desk: Planner,
    task: Id,
    given: given_shapes.WhyIn,
    key: MaybeKey,
    version: Version,
    response: Response,
) -> system.SentTaskOut:
    """Say that the fallback shall not happen on the last valid day."""
    waiting = desk.keep_waiting(task, given.reason, version, idempotency_key=key)
    return _task(waiting, response)


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
) -> system.VisitOut:
    """Book an offered time for a patient who asks for it, by phone say."""
    visit = desk.choose(task, choice.start, choice.pool, version, idempotency_key=key)
    tag(response, visit.version)
    return system.VisitOut.of(visit)


@router.operation("POST", TASK + "/assignment", "assign", books=True, changes=True)
def assign_a_time(
    desk: Planner,
    task: Id,
    given: given_shapes.AssignmentIn,
    key: Key,
    version: Version,
    response: Response,
) -> system.SentTaskOut:
    """Book a time of staff's own choice for a task that they have."""
    assigned = desk.assign(
        task,
        start=given.start,
        resources=system.given_resources(given.resources),
        pool=given.pool,
        reason=given.reason,
        override=given.override,
        version=version,
        idempotency_key=key,
    )
    return _task(assigned, response)


@router.operation("GET", "/inbox", "staff list")
def inbox(
    desk: Planner,
    kind: Annotated[list[Id] | None, Query(max_length=20)] = None,
    after: Next = "",
    limit: Limit = 50,
) -> shapes.InboxOut:
    """Give what waits for a person, oldest first; of some kinds if asked for them."""
    found = [shapes.CaseOut.of(case) for case in desk.staff_list(kind or (), after, limit)]
    return shapes.InboxOut(cases=found, next=found[-1].id if len(found) == limit else "")


@router.operation("POST", "/inbox/{case}/close", "close case")
def close_a_case(desk: Planner, case: Id, given: patient.ReasonIn, key: MaybeKey) -> shapes.CaseOut:
    """Take off the list what somebody has seen to."""
    return shapes.CaseOut.of(desk.close_case(case, given.reason, idempotency_key=key))
