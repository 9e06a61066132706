"""Cancel: the time is free at once; the task stays confirmed."""

from __future__ import annotations

from timevalg.booking.access import may_see
from timevalg.booking.acting import Act
from timevalg.booking.attempts import settle
from timevalg.booking.change import PATIENTS
from timevalg.booking.claiming import release, release_all
from timevalg.booking.ports import Ports
from timevalg.booking.reliving import find_place, give_back
from timevalg.booking.running import glance, run
from timevalg.booking.told import tell_cancelled
from timevalg.booking.use_cases import use_case
from timevalg.booking.versions import require_number
from timevalg.booking.visits import booking_of, last_instant, void_preparations
from timevalg.model.appointment import Appointment
from timevalg.model.clinic import Clinic
from timevalg.model.errors import IllegalMove, InvalidInput
from timevalg.model.principal import Principal
from timevalg.model.records import CaseKind
from timevalg.model.states import TaskState, target
from timevalg.model.task import Task
from timevalg.solver.picture import Picture
from timevalg.solver.places import Certificate

Found = tuple[Task | None, Certificate | None]


@use_case("cancel")
def cancel(
    ports: Ports,
    principal: Principal,
    appointment: str,
    reason: str = "",
    version: int | None = None,
    by: str = "",
) -> Appointment:
    """Cancel a visit.

    A confirmed task stays so. A time that was not confirmed yet goes back, and its task to staff.
    A patient who knows of the visit gets a letter, unless it was their own wish.

    Parameters
    ----------
    by : str
        On whose wish, where that is not the principal's own (``patient``).

    Raises
    ------
    IllegalMove
        If patients may not cancel it, or may no longer.
    """

    def find(picture: Picture) -> Found:
        visit = glance(
            ports, principal, "cancel", lambda act: act.appointment(appointment, version)
        )
        task = picture.tasks.get(visit.task or "")
        if task is None or task.state not in {TaskState.CHOSEN, TaskState.ASSIGNED}:
            return task, None
        return task, find_place(picture, task)

    def body(act: Act, picture: Picture, found: Found) -> Appointment:
        visit = act.appointment(appointment, version)
        task = act.unit.tasks.get(visit.task) if visit.task else None
        clinic = picture.index.organisation.clinics.get(visit.clinic)
        if principal.role in PATIENTS and clinic is not None:
            require_cancellable(act, clinic, visit)
        target("appointment", visit.id, visit.state, "cancel")
        patients_wish = principal.role in PATIENTS or by == "patient"
        if task is not None and task.state in {TaskState.CHOSEN, TaskState.ASSIGNED}:
            verb = "hand to staff" if task.state is TaskState.CHOSEN else "undo"
            act.case(
                CaseKind.CANCELLED,
                task.clinic,
                reason or "cancelled before it was confirmed",
                task=task.id,
            )
            give_back(act, picture, task, found[1], verb, letter=not patients_wish)
            return act.unit.appointments.get(visit.id)
        return cancel_visit(act, visit, task, letter=not patients_wish)

    return settle(ports, principal, "cancel", find, body, reason=reason, wish=by)


def cancel_visit(act: Act, visit: Appointment, task: Task | None, *, letter: bool) -> Appointment:
    """Free the visit's time, call its preparations off, and tell a patient who knows of it."""
    release(act, booking_of(act, visit))
    void_preparations(act, visit)
    act.close(kind=CaseKind.CONFLICT, appointment=visit.id)
    cancelled = act.save(visit, "appointment.cancelled", "cancel", session=None)
    if letter:
        tell_cancelled(act, visit, task)
    return cancelled


def require_cancellable(act: Act, clinic: Clinic, visit: Appointment) -> None:
    """Refuse what the pool's policy does not allow patients.

    Raises
    ------
    IllegalMove
    """
    pool = clinic.pools.get(visit.pool or "")
    until = last_instant(clinic, pool.cancel if pool is not None else None, visit)
    hint = ""
    if until is None:
        hint = "this kind of visit is cancelled by the clinic; call them"
    elif act.unit.now() >= until:
        hint = f"it could be cancelled until {until.astimezone(clinic.timezone):%Y-%m-%d %H:%M}"
    if hint:
        raise IllegalMove("appointment", visit.id, visit.state, "cancel", hint)


@use_case("withdraw")
def withdraw(
    ports: Ports,
    principal: Principal,
    *,
    task: str | None = None,
    referral: str | None = None,
    letters: bool = True,
    reason: str = "",
    version: int | None = None,
) -> list[Task]:
    """Withdraw a task, or all tasks of a referral that are theirs; booked visits are cancelled.

    Parameters
    ----------
    letters : bool
        Whether the patient is told of cancelled visits.
    version : int or None
        Of the task as it was read, or of a referral's tasks: the sum of theirs; None = any.

    Returns
    -------
    list of Task
        As they are now. A task whose patient has had the letter stays confirmed, its visit
        cancelled.
    """

    def body(act: Act) -> list[Task]:
        if task is not None:
            return [withdraw_task(act, act.task(task, version), letters=letters)]
        of_referral = act.unit.tasks.find(referral=referral)
        found = [act.task(t.id) for t in of_referral if may_see(principal, t.clinic)]
        require_number("referral", referral or "", sum(t.version for t in found), version)
        return [
            t if t.state is TaskState.DECLINED else withdraw_task(act, t, letters=letters)
            for t in found
        ]

    if (task is None) == (referral is None):
        raise InvalidInput.single("task", "give either a task or a referral")
    return run(ports, principal, "withdraw", body, reason=reason)


def withdraw_task(act: Act, task: Task, *, letters: bool) -> Task:
    """Withdraw a task with what it has; one whose patient has had the letter stays confirmed."""
    for visit in act.unit.appointments.find(task=task.id, state="booked"):
        told = visit.lettered_at is not None
        cancel_visit(act, visit, task, letter=letters)
        if told and task.state is TaskState.CONFIRMED:
            return task
        task = act.advance(task, "undo")
    if task.state in {TaskState.CONFIRMED, TaskState.WITHDRAWN}:
        return task
    release_all(act, task)
    return act.advance(task, "withdraw")
