"""Hand to staff, and reopen: what staff do with tasks that need a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from timevalg.booking.acting import Act, clinic_of, require
from timevalg.booking.attempts import settle
from timevalg.booking.claiming import claim
from timevalg.booking.opening import tell_to_choose
from timevalg.booking.ports import Ports
from timevalg.booking.reliving import (
    find_place,
    give_back,
    live_appointment,
    lose,
    renewed_place,
)
from timevalg.booking.running import glance
from timevalg.booking.terms import require_to_come
from timevalg.booking.use_cases import use_case
from timevalg.model.errors import InvalidInput, NotServable
from timevalg.model.principal import Principal
from timevalg.model.records import CaseKind
from timevalg.model.task import Task
from timevalg.model.time import instant, local_date
from timevalg.solver.picture import Picture
from timevalg.solver.places import Certificate, own_place
from timevalg.solver.shortage import shortage


@use_case("reopen")
def reopen(
    ports: Ports,
    principal: Principal,
    key: str,
    reason: str = "",
    due: date | None = None,
    version: int | None = None,
) -> Task:
    """Let the patient choose again from a task that staff had.

    Parameters
    ----------
    due : date or None
        A new due date; needed where the old one has passed.
    version : int or None
        Of the task, as it was read; None = any.

    Raises
    ------
    InvalidInput
        If the due date has passed, or the new one is no date of the task's life.
    NotServable
        If there is no place that is still valid on the day after the new due date.
    """

    def find(picture: Picture) -> tuple[Task, Certificate]:
        task = glance(ports, principal, "reopen", lambda act: act.task(key, version))
        require(task, "reopen")
        renewed = _renewed(picture, task, due)
        picture = picture.with_task(renewed)
        certificate = renewed_place(picture, renewed)
        if certificate is None:
            raise NotServable(task.id, shortage(picture, renewed, picture.now))
        return renewed, certificate

    def body(act: Act, picture: Picture, found: tuple[Task, Certificate]) -> Task:
        renewed, certificate = found
        task = act.task(key, version)
        require(task, "reopen")
        claim(act, picture.with_task(renewed), certificate, None)
        act.close(kind=CaseKind.CAPACITY_LOSS, task=key)
        opened = act.advance(task, "reopen", due=renewed.due, staff_may_wait=False)
        at = instant(opened.after_due, 0, clinic_of(picture, opened).timezone)
        act.work("fall due", opened.id, opened.clinic, at, f"due:{opened.version}")
        tell_to_choose(act, opened)
        return opened

    return settle(ports, principal, "reopen", find, body, reason=reason)


def _renewed(picture: Picture, task: Task, due: date | None) -> Task:
    until = due or task.due
    require_to_come(until, local_date(picture.now, clinic_of(picture, task).timezone))
    try:
        return replace(task, due=until)
    except ValueError as error:
        raise InvalidInput.single("due", str(error)) from error


@use_case("hand to staff")
def hand_to_staff(
    ports: Ports, principal: Principal, key: str, reason: str = "", version: int | None = None
) -> Task:
    """Take a task over from the patient (also one that was declined); it keeps or gets a place."""

    def find(picture: Picture) -> Certificate | None:
        task = picture.tasks.get(key)
        if task is None or own_place(picture, task) is not None:
            return None
        return find_place(picture, task)

    def body(act: Act, picture: Picture, certificate: Certificate | None) -> Task:
        task = act.task(key, version)
        require(task, "hand to staff")
        if live_appointment(act, task) is not None:
            return give_back(act, picture, task, certificate, "hand to staff")
        if certificate is not None:
            claim(act, picture, certificate, None)
            act.close(kind=CaseKind.CAPACITY_LOSS, task=key)
        moved = act.advance(task, "hand to staff")
        if certificate is None and not act.unit.sessions.find(task=task.id):
            lose(act, moved, "no valid place is left for a task taken up by staff")
        return moved

    return settle(ports, principal, "hand to staff", find, body, reason=reason)
