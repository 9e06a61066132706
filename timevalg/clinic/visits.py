"""Builds bookings, holds and tasks from their rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

from timevalg.clinic.build import hours, preparation
from timevalg.clinic.format import BookingRow, HoldRow, TaskRow
from timevalg.clinic.grid import outward, to_instant
from timevalg.clinic.names import Names
from timevalg.model.appointment import Origin
from timevalg.model.clinic import Clinic
from timevalg.model.contents import FileBooking
from timevalg.model.service import Service
from timevalg.model.session import Session, SessionKind, resource_spans
from timevalg.model.states import TaskState
from timevalg.model.task import Mode, Task
from timevalg.model.time import Span, local_date


def build_booking(
    row: BookingRow, clinic: Clinic, tasks: Mapping[str, TaskRow], grid: int
) -> FileBooking:
    """Build a booking; its task, if the file has it, may make it longer."""
    service = clinic.services[row.service]
    extra = _extra(tasks.get(row.task or ""))
    start = to_instant(row.start, clinic.timezone)
    resources = {role: tuple(names) for role, names in row.resources.items()}
    session = Session(
        id=row.id,
        kind=SessionKind.BOOKING,
        clinic=clinic.id,
        start=start,
        length=service.length + extra,
        service=row.service,
        pool=row.pool,
        task=row.task,
        patient=row.patient,
        resources=resources,
        spans=_spans(service, start, extra, resources, grid),
    )
    return FileBooking(session, Origin(row.origin), row.ref)


def build_hold(row: HoldRow, clinic: Clinic, tasks: Mapping[str, TaskRow], grid: int) -> Session:
    """Build a hold, named after its task."""
    service = clinic.service_of(row.pool)
    task = tasks.get(row.task)
    extra = _extra(task)
    start = to_instant(row.start, clinic.timezone)
    resources = {role: tuple(names) for role, names in row.resources.items()}
    return Session(
        id=f"hold-{row.task}",
        kind=SessionKind.HOLD,
        clinic=clinic.id,
        start=start,
        length=service.length + extra,
        service=service.id,
        pool=row.pool,
        task=row.task,
        patient=task.patient if task else None,
        resources=resources,
        spans=_spans(service, start, extra, resources, grid),
        until=to_instant(row.until, clinic.timezone),
    )


def _extra(task: TaskRow | None) -> int:
    return 0 if task is None else task.extra


def _spans(
    service: Service,
    start: datetime,
    extra: int,
    resources: Mapping[str, tuple[str, ...]],
    grid: int,
) -> dict[str, Span]:
    exact = resource_spans(service, start, extra, resources)
    rounded = {name: outward(span.start, span.end, grid) for name, span in exact.items()}
    return {name: span for name, span in rounded.items() if span is not None}


def build_task(
    row: TaskRow, clinic: Clinic, names: Names, booked: frozenset[str], now: datetime | None
) -> Task:
    """Build a task.

    Parameters
    ----------
    booked : frozenset of str
        Ids of the tasks that have a booking.
    now : datetime or None
        For the state, where the file does not say it; naive = the clinic's wall clock.
    """
    not_after = row.not_after or row.deadline
    assert not_after is not None
    if row.state is not None:
        state = TaskState(row.state)
    elif row.id in booked:
        state = TaskState.CONFIRMED
    else:
        state = state_by_dates(row.opens, row.due, now, clinic)
    return Task(
        id=row.id,
        organisation=clinic.organisation,
        clinic=clinic.id,
        patient=row.patient,
        pools=tuple(dict.fromkeys(row.pools)),
        opens=row.opens,
        due=row.due,
        not_after=not_after,
        not_before=row.not_before,
        deadline=row.deadline,
        ref=row.ref,
        mode=Mode(row.mode),
        priority=row.priority,
        only={
            role: tuple(dict.fromkeys(m for name in allowed for m in names.members(name)))
            for role, allowed in row.only.items()
        },
        times=tuple(map(hours, row.times)),
        extra=row.extra,
        preparations=tuple(map(preparation, row.preparations)),
        done=frozenset(row.done),
        state=state,
    )


def state_by_dates(opens: date, due: date, now: datetime | None, clinic: Clinic) -> TaskState:
    """Give the state of a task without appointment by its dates.

    Before `opens` it is scheduled, through `due` open, then overdue; scheduled too where no time
    is given.
    """
    if now is None:
        return TaskState.SCHEDULED
    moment = to_instant(now, clinic.timezone) if now.tzinfo is None else now.astimezone(UTC)
    today = local_date(moment, clinic.timezone)
    if today < opens:
        return TaskState.SCHEDULED
    return TaskState.OPEN if today <= due else TaskState.OVERDUE
