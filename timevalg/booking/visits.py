"""What a visit brings with it: the appointment, its preparations, and the work that follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from timevalg.booking.acting import Act, facts
from timevalg.model.appointment import Appointment, Origin, Preparation, Told
from timevalg.model.clinic import Clinic
from timevalg.model.pool import ChangePolicy
from timevalg.model.reminders import reminders
from timevalg.model.service import PreparationRule
from timevalg.model.session import Session
from timevalg.model.states import PreparationState, target
from timevalg.model.task import Task
from timevalg.model.time import instant, local_date

MORNING = 8 * 60
"""Minute of the local day at which things due that day are done."""

OPEN_PREPARATIONS = frozenset(
    {PreparationState.PLANNED, PreparationState.STARTED, PreparationState.OVERDUE}
)


def times_of(session: Session, clinic: Clinic) -> dict[str, Any]:
    """Give the fields of an appointment that a session decides."""
    return {
        "session": session.id,
        "start": session.start,
        "wall": session.start.astimezone(clinic.timezone).replace(tzinfo=None).isoformat(),
        "zone": clinic.timezone.key,
        "length": session.length,
        "resources": dict(session.resources),
        "pool": session.pool,
        "service": session.service,
    }


def make_appointment(
    act: Act, clinic: Clinic, session: Session, origin: Origin, task: Task | None, **more: Any
) -> Appointment:
    """Store the appointment of a booking, with its event and its preparations."""
    fields = {"id": act.ports.keys.new("appointment")} | times_of(session, clinic) | more
    now = act.unit.now()
    appointment = Appointment(
        organisation=act.unit.organisation,
        clinic=clinic.id,
        origin=origin,
        patient=session.patient,
        task=task.id if task else None,
        created_at=now,
        **fields,
    )
    if origin is Origin.CHOSEN:
        appointment = as_chosen(appointment, clinic, now)
    act.unit.appointments.add(appointment)
    _plan(act, clinic, appointment, task, {})
    act.event(
        f"appointment.{origin}",
        "appointment",
        clinic.id,
        appointment.id,
        appointment.version,
        task=task,
        appointment=appointment,
        new=facts(appointment),
    )
    return appointment


def as_chosen(visit: Appointment, clinic: Clinic, now: datetime) -> Appointment:
    """Note that the patient has chosen a visit as it is."""
    return replace(visit, chosen=Told.of(visit, clinic.services[visit.service], now))


def plan_preparations(
    act: Act, clinic: Clinic, appointment: Appointment, task: Task | None
) -> None:
    """Give a moved visit's preparations their new dates."""
    known = {p.rule: p for p in act.unit.preparations.find(appointment=appointment.id)}
    _plan(act, clinic, appointment, task, known)


def _plan(
    act: Act,
    clinic: Clinic,
    appointment: Appointment,
    task: Task | None,
    known: Mapping[str, Preparation],
) -> None:
    if appointment.start <= act.unit.now():
        return  # it is over, in a calendar that is taken in
    today = local_date(act.unit.now(), clinic.timezone)
    visit = local_date(appointment.start, clinic.timezone)
    for rule in preparation_rules(clinic, appointment, task):
        start, due = rule.dates(visit, today)
        old = known.get(rule.id)
        if old is None:
            done = task is not None and rule.id in task.done
            state = PreparationState.DONE if done else PreparationState.PLANNED
            old = Preparation(
                id=act.ports.keys.new("preparation"),
                organisation=act.unit.organisation,
                clinic=clinic.id,
                appointment=appointment.id,
                rule=rule.id,
                name=dict(rule.name.words),
                kind=rule.kind,
                by=rule.by,
                due=due,
                start=start,
                state=state,
            )
            act.unit.preparations.add(old)
        elif old.state in OPEN_PREPARATIONS:
            state = PreparationState(target("preparation", old.id, old.state, "plan anew"))
            old = act.unit.preparations.save(_dated(old, start, due, state))
        if old.state in OPEN_PREPARATIONS:
            follow_at(act, clinic, old)
    remind_at(act, clinic, appointment)


def preparation_rules(
    clinic: Clinic, appointment: Appointment, task: Task | None
) -> tuple[PreparationRule, ...]:
    """Give the rules that apply to a visit: the service's, and the task's own."""
    service = clinic.services.get(appointment.service)
    if service is None:
        return ()
    return task.preparation_rules(service) if task else service.preparations


def follow_at(act: Act, clinic: Clinic, preparation: Preparation) -> None:
    """Write the work of starting it, and of missing it."""
    days = [(preparation.start, "start")] if preparation.start else []
    for day, what in [*days, (preparation.due + timedelta(days=1), "due")]:
        at = instant(day, MORNING, clinic.timezone)
        act.work("preparation", preparation.id, clinic.id, at, f"{what}:{preparation.version}")


def remind_at(act: Act, clinic: Clinic, appointment: Appointment) -> None:
    """Write the work of reminding the patient of a visit, for each day that is still to come."""
    if appointment.patient is None:
        return
    for day, moment in reminders(clinic, appointment.start):
        if moment > act.unit.now():
            act.work("remind", appointment.id, clinic.id, moment, f"{appointment.moves}:{day}")


def void_preparations(act: Act, appointment: Appointment) -> None:
    """Call off what is not done yet."""
    for p in act.unit.preparations.find(appointment=appointment.id, state=OPEN_PREPARATIONS):
        state = PreparationState(target("preparation", p.id, p.state, "void"))
        act.unit.preparations.save(_dated(p, p.start, p.due, state))


def last_instant(
    clinic: Clinic, policy: ChangePolicy | None, appointment: Appointment
) -> datetime | None:
    """Give the instant before which a patient may change or cancel; None = never.

    It is 23:59 local on the `until`-th working day before the visit.
    """
    if policy is None:
        return None
    visit = local_date(appointment.start, clinic.timezone)
    day = clinic.working_days_before(visit, policy.until)
    wall = datetime.combine(day, time(23, 59), clinic.timezone)
    return min(wall.astimezone(UTC), appointment.start)


def booking_of(act: Act, appointment: Appointment) -> Iterable[Session]:
    """Give the session that takes the appointment's time, if it still does."""
    return act.unit.sessions.find(id=appointment.session) if appointment.session else []


def _dated(
    preparation: Preparation, start: date | None, due: date, state: PreparationState
) -> Preparation:
    return replace(preparation, start=start, due=due, state=state)
