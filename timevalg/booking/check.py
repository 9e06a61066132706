"""Check the choice: by rule, by staff, or by the record system; then confirm."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from timevalg.booking.acting import Act, clinic_of, require
from timevalg.booking.attempts import settle
from timevalg.booking.ports import Ports
from timevalg.booking.reliving import find_place, give_back, live_appointment
from timevalg.booking.unit_of_work import Between
from timevalg.booking.use_cases import use_case
from timevalg.booking.visits import MORNING
from timevalg.model.appointment import Appointment
from timevalg.model.clinic import Clinic
from timevalg.model.errors import IllegalMove, TimeTaken
from timevalg.model.pool import Pool
from timevalg.model.principal import Principal
from timevalg.model.records import CaseKind
from timevalg.model.states import AppointmentState, TaskState
from timevalg.model.task import Task
from timevalg.model.time import instant, local_date
from timevalg.solver.picture import Picture
from timevalg.solver.places import Certificate

SILENCE = 3
"""Working days after which a choice that the record system has not answered goes to staff."""


def preparations_in_time(act: Act, clinic: Clinic, task: Task, visit: Appointment) -> str | None:
    """Every preparation that limits can still be done by its date."""
    today = local_date(act.unit.now(), clinic.timezone)
    day = local_date(visit.start, clinic.timezone)
    for rule in task.preparation_rules(clinic.services[visit.service]):
        if rule.limits and rule.id not in task.done and day - timedelta(days=rule.lead) < today:
            return f"{rule.id} can no longer be done in time"
    return None


def within_deadline(act: Act, clinic: Clinic, task: Task, visit: Appointment) -> str | None:
    """The visit is not past the legal deadline."""
    day = local_date(visit.start, clinic.timezone)
    if task.deadline is not None and day > task.deadline:
        return f"{day} is past the deadline {task.deadline}"
    return None


def no_other_visit_that_day(act: Act, clinic: Clinic, task: Task, visit: Appointment) -> str | None:
    """The patient has no other visit in the organisation on the same day."""
    day = local_date(visit.start, clinic.timezone)
    span = Between(
        instant(day, 0, clinic.timezone), instant(day + timedelta(days=1), 0, clinic.timezone)
    )
    others = act.unit.appointments.find(
        patient=task.patient, start=span, state=AppointmentState.BOOKED
    )
    if any(a.id != visit.id for a in others):
        return f"the patient has another visit on {day}"
    return None


RULES: Mapping[str, Callable[[Act, Clinic, Task, Appointment], str | None]] = {
    "preparations": preparations_in_time,
    "deadline": within_deadline,
    "same-day": no_other_visit_that_day,
}
"""What ``check: auto`` looks at, by the name that ``check_rules`` uses."""


@use_case("check")
def check(
    ports: Ports,
    principal: Principal,
    key: str,
    verdict: bool | None = None,
    reason: str = "",
    version: int | None = None,
) -> Task:
    """Check a chosen or assigned time and confirm it, or hand it to staff.

    Parameters
    ----------
    verdict : bool or None
        Staff's (True = confirm, False = refuse); None = by the pool's policy: ``auto`` decides by
        its rules, ``manual`` waits for staff, ``record`` for the record system.
    version : int or None
        Of the task, as it was read; None = any.
    """
    is_refused = verdict is False  # most are not: a place is planned for who needs one

    def refusal(act: Act, picture: Picture, task: Task, visit: Appointment) -> str | None:
        """Say why the time is not confirmed; None = it is, or somebody else decides."""
        if verdict is not None:
            return None if verdict else reason or "refused by staff"
        clinic = clinic_of(picture, task)
        pool = clinic.pool(visit.pool or task.pools[0])
        return "; ".join(_broken(act, clinic, pool, task, visit)) or None

    def body(act: Act, picture: Picture, certificate: Certificate | None) -> Task:
        nonlocal is_refused
        task = act.task(key, version)
        appointment = live_appointment(act, task)
        if task.state not in {TaskState.CHOSEN, TaskState.ASSIGNED} or appointment is None:
            if verdict is None:
                return task  # decided already
            require(task, "confirm")
        if appointment is None:
            hint = "its appointment is under way or gone"
            raise IllegalMove("task", task.id, task.state, "confirm", hint)
        clinic = clinic_of(picture, task)
        pool = clinic.pool(appointment.pool or task.pools[0])
        why = refusal(act, picture, task, appointment)
        if why is not None:
            if not is_refused:
                is_refused = True
                raise TimeTaken("the time of a choice that nobody had looked at")
            verb = "hand to staff" if task.state is TaskState.CHOSEN else "undo"
            act.case(CaseKind.CHECK_REFUSED, task.clinic, why, task=task.id)
            return give_back(act, picture, task, certificate, verb)
        if verdict is None and pool.check != "auto":
            _wait(act, clinic, pool, task)
            return task
        return confirm(act, clinic, task, appointment)

    def find(picture: Picture) -> Certificate | None:
        task = picture.tasks.get(key)
        return find_place(picture, task) if task is not None and is_refused else None

    return settle(ports, principal, "check", find, body, reason=reason)


def confirm(
    act: Act, clinic: Clinic, task: Task, appointment: Appointment, *, accepted: bool = False
) -> Task:
    """Confirm the time; the letter follows by the pool's policy."""
    confirmed = act.advance(task, "confirm")
    act.event(
        "appointment.confirmed",
        "appointment",
        clinic.id,
        appointment.id,
        appointment.version,
        task=confirmed,
        appointment=appointment,
        new={"start": appointment.start.isoformat()},
    )
    tell(act, clinic, confirmed, appointment, accepted=accepted)
    return confirmed


def tell(act: Act, clinic: Clinic, task: Task, appointment: Appointment, *, accepted: bool) -> None:
    """See to the appointment's letter: at once, by staff, or when the record system accepts."""
    policy = clinic.pool(appointment.pool or task.pools[0]).letter
    if not task.letters or (policy == "record" and not accepted):
        return
    if policy == "manual":
        why = "a confirmed visit waits for you to write its letter"
        act.case(CaseKind.LETTER_WANTED, clinic.id, why, task=task.id, appointment=appointment.id)
        return
    act.work(
        "letter", appointment.id, clinic.id, act.unit.now(), f"appointment:{appointment.moves}"
    )


def _broken(
    act: Act, clinic: Clinic, pool: Pool, task: Task, appointment: Appointment
) -> list[str]:
    """Give what the automatic check finds; a time nobody chose was made by the rules."""
    if pool.check != "auto" or task.state is not TaskState.CHOSEN:
        return []
    verdicts = ((name, RULES[name](act, clinic, task, appointment)) for name in pool.check_rules)
    return [f"{name}: {why}" for name, why in verdicts if why]


def _wait(act: Act, clinic: Clinic, pool: Pool, task: Task) -> None:
    """Leave the decision to somebody else; silence of the record system goes to staff."""
    if pool.check == "manual":
        act.case(CaseKind.CHECK_WANTED, clinic.id, "a choice waits for your check", task=task.id)
        return
    until = silent_until(clinic, act.unit.now())
    act.work("silence", task.id, clinic.id, until, f"silent:{task.version}")


def silent_until(clinic: Clinic, now: datetime) -> datetime:
    """Give the morning after the last working day on which the record system may answer."""
    day, left = local_date(now, clinic.timezone), SILENCE
    for _ in range(3660):
        day += timedelta(days=1)
        left -= day.weekday() < 5 and not clinic.is_closed(day)
        if left <= 0:
            break
    return instant(day, MORNING, clinic.timezone)
