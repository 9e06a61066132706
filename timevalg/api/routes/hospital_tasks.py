"""Choice tasks, as planners and record systems see them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from timevalg.api.routes.verbs import (
    OF_TASK,
    TASK,
    Here,
    Limit,
    Next,
    Verbs,
    told_task,
)
from timevalg.api.schemas import tasks
from timevalg.api.schemas.given import Id
from timevalg.api.surface import Key, MaybeKey, Version
from timevalg.model.states import TaskState

VERBS = Verbs()


@VERBS.add(
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


@VERBS.add(
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


@VERBS.add(
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


@VERBS.add(
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
