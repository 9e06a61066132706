"""Accept, refuse, silence: the record system's check of a choice."""

from __future__ import annotations

from timevalg.booking.acting import Act, clinic_of, require
from timevalg.booking.attempts import settle
from timevalg.booking.check import confirm, tell
from timevalg.booking.opening import tell_to_choose
from timevalg.booking.ports import Ports
from timevalg.booking.reliving import find_place, give_back
from timevalg.booking.running import glance, picture_of, run
from timevalg.booking.use_cases import use_case
from timevalg.booking.versions import require_version
from timevalg.model.appointment import Appointment
from timevalg.model.errors import IllegalMove
from timevalg.model.principal import Principal
from timevalg.model.records import CaseKind
from timevalg.model.states import AppointmentState, TaskState
from timevalg.model.task import Task
from timevalg.model.time import local_date
from timevalg.solver.picture import Picture
from timevalg.solver.places import Certificate


@use_case("accept")
def accept(
    ports: Ports,
    principal: Principal,
    appointment: str,
    ref: str | None = None,
    version: int | None = None,
) -> Appointment:
    """Accept a choice: the appointment gets the record system's own id and is confirmed.

    One that is confirmed already, by rule or by staff, only gets the id. Accepting what is
    accepted already, with the same ref, changes nothing.

    Raises
    ------
    StaleVersion, IllegalMove, NotFound, NotAllowed, Conflict
    """
    picture = picture_of(ports, principal)

    def body(act: Act) -> Appointment:
        found = act.appointment(appointment)
        if ref is not None and found.ref == ref and not _is_waiting(act, found):
            return found
        task = _standing(act, found, "accept", version)
        if task.state is not TaskState.CONFIRMED or found.ref not in {None, ref}:
            require(task, "confirm")
        saved = found
        if ref is not None:
            saved = act.save(found, "appointment.accepted", None, ref=ref)
        clinic = clinic_of(picture, task)
        if task.state is TaskState.CONFIRMED:
            tell(act, clinic, task, saved, accepted=True)
        else:
            confirm(act, clinic, task, saved, accepted=True)
        return saved

    return run(ports, principal, "accept", body)


def _is_waiting(act: Act, visit: Appointment) -> bool:
    """Tell whether a visit's task still waits to be confirmed."""
    if visit.task is None:
        return False
    return act.unit.tasks.get(visit.task).state in {TaskState.CHOSEN, TaskState.ASSIGNED}


def _standing(act: Act, visit: Appointment, verb: str, version: int | None) -> Task:
    """Give the task of a visit that still stands.

    Raises
    ------
    StaleVersion, IllegalMove
    """
    require_version(act.unit, visit, version)
    if visit.task is None:
        raise IllegalMove("appointment", visit.id, visit.state, verb, "it has no task")
    if visit.state is not AppointmentState.BOOKED:
        raise IllegalMove("appointment", visit.id, visit.state, verb)
    return act.unit.tasks.get(visit.task)


@use_case("refuse")
def refuse(
    ports: Ports,
    principal: Principal,
    appointment: str,
    reason: str,
    version: int | None = None,
) -> Task:
    """Refuse a choice: the task opens again for another one (overdue, if its due date is past).

    A time that nobody chose goes to staff instead.
    """

    def body(act: Act, picture: Picture, certificate: Certificate | None) -> Task:
        task = _standing(act, act.appointment(appointment), "refuse", version)
        past = local_date(act.unit.now(), clinic_of(picture, task).timezone) > task.due
        verb = "refuse overdue" if past else "refuse"
        if task.state is TaskState.ASSIGNED:
            verb = "undo"
        require(task, verb)
        task = give_back(act, picture, task, certificate, verb)
        if task.state is TaskState.OPEN:
            tell_to_choose(act, task)
        return task

    return settle(
        ports,
        principal,
        "refuse",
        lambda p: _place_after(ports, principal, p, appointment),
        body,
        reason=reason,
    )


def silence(ports: Ports, principal: Principal, key: str) -> Task:
    """Hand a choice to staff that the record system has left unanswered."""

    def body(act: Act, picture: Picture, certificate: Certificate | None) -> Task:
        task = act.task(key)
        if task.state not in {TaskState.CHOSEN, TaskState.ASSIGNED}:
            return task
        verb = "hand to staff" if task.state is TaskState.CHOSEN else "undo"
        act.case(
            CaseKind.NO_ANSWER, task.clinic, "the record system has not answered", task=task.id
        )
        return give_back(act, picture, task, certificate, verb)

    def find(picture: Picture) -> Certificate | None:
        task = picture.tasks.get(key)
        return find_place(picture, task) if task is not None else None

    return settle(ports, principal, "hand to staff", find, body)


def _place_after(
    ports: Ports, principal: Principal, picture: Picture, appointment: str
) -> Certificate | None:
    visit = glance(ports, principal, "refuse", lambda act: act.appointment(appointment))
    task = picture.tasks.get(visit.task or "")
    return find_place(picture, task) if task is not None else None
