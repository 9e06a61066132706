"""Amend: other terms for an invitation whose time is not booked; re-admitted, or refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from timevalg.booking.acting import Act, clinic_of
from timevalg.booking.attempts import settle
from timevalg.booking.claiming import claim
from timevalg.booking.letter_facts import SHOWN
from timevalg.booking.opening import open_if_time, tell_to_choose
from timevalg.booking.ports import Ports
from timevalg.booking.reliving import renewed_place
from timevalg.booking.running import glance
from timevalg.booking.terms import TERMS, require_terms, require_to_come
from timevalg.booking.use_cases import use_case
from timevalg.model import codec
from timevalg.model.errors import IllegalMove, InvalidInput, NotServable, TimeTaken
from timevalg.model.principal import Principal
from timevalg.model.records import CaseKind
from timevalg.model.states import LIVE, LetterState, TaskState
from timevalg.model.task import Task
from timevalg.model.time import instant, local_date
from timevalg.solver.picture import Picture
from timevalg.solver.places import Certificate, own_place
from timevalg.solver.shortage import shortage

Found = tuple[Task, Task, Certificate | None]
"""The task as it was and as it shall be, and its place then."""


@use_case("amend")
def amend(
    ports: Ports,
    principal: Principal,
    key: str,
    changes: Mapping[str, Any],
    version: int | None = None,
    reason: str = "",
) -> Task:
    """Change the terms of a draft, or of a live task if it has a valid place by the new ones.

    With no new terms, a task that has lost its place gets one if there is any by now.

    The place stays where it is as long as the new terms allow that. A changed due date moves the
    work of falling due; a patient who may choose already is told of another due date or service.
    A letter that has not left and shows other terms than these is stopped, and written anew.

    Parameters
    ----------
    changes : mapping
        Field of `TERMS` → its new value.
    version : int or None
        The task's version as the caller knows it; None = whatever it is.

    Raises
    ------
    NotServable
        With the shortage, if there is no place by the new terms; nothing is changed then.
    InvalidInput
        If there is no such term, or the terms contradict each other or the calendar.
    IllegalMove
        If the task's time is booked, or it has come to its end.
    TimeTaken
        If others were quicker each time.
    StaleVersion, NotFound, NotAllowed
    """

    def find(picture: Picture) -> Found:
        task = glance(ports, principal, "amend", lambda act: act.task(key, version))
        amended = _amended(picture, task, changes)
        if not amended.is_live or (amended == task and own_place(picture, task) is not None):
            return task, amended, None
        picture = picture.with_task(amended)
        certificate = renewed_place(picture, amended)
        if certificate is None:
            raise NotServable(task.id, shortage(picture, amended, picture.now))
        return task, amended, certificate

    def body(act: Act, picture: Picture, found: Found) -> Task:
        planned, amended, certificate = found
        task = act.task(key, version)
        if task != planned:
            raise TimeTaken(f"task {key} has changed meanwhile; its place")
        if certificate is not None:
            claim(act, picture.with_task(amended), certificate, None)
            act.close(kind=CaseKind.CAPACITY_LOSS, task=key)
        if amended == task:
            return task
        saved = act.unit.tasks.save(amended)
        old, new = _changed(task, saved)
        act.event(
            "task.amended", "task", saved.clinic, key, saved.version, task=saved, old=old, new=new
        )
        return _follow(act, picture, saved, new) if saved.is_live else saved

    return settle(ports, principal, "amend", find, body, reason=reason)


def _amended(picture: Picture, task: Task, changes: Mapping[str, Any]) -> Task:
    if task.state is not TaskState.DRAFT and task.state not in LIVE:
        hint = "only what nobody has chosen yet is amended; move the visit, or undo it first"
        raise IllegalMove("task", task.id, task.state, "amend", hint)
    unknown = [name for name in changes if name not in TERMS]
    if unknown:
        raise InvalidInput.single(unknown[0], f"is no term; there are {', '.join(TERMS)}")
    try:
        amended = replace(task, **changes)
    except (TypeError, ValueError) as error:
        raise InvalidInput.single("terms", str(error)) from error
    clinic = clinic_of(picture, task)
    require_terms(clinic, amended, picture.index.organisation.grid, changes)
    today = local_date(picture.now, clinic.timezone)
    if amended.opens != task.opens and task.state not in {TaskState.DRAFT, TaskState.SCHEDULED}:
        raise InvalidInput.single("opens", f"it has been open since {task.opens}")
    if amended.due != task.due and task.is_live:
        if task.due < today:
            raise InvalidInput.single("due", f"{task.due} has passed; reopen it with a new one")
        require_to_come(amended.due, today)
    return amended


def _changed(old: Task, new: Task) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give the terms that differ, as plain data: before and after."""
    names = [name for name in TERMS if getattr(old, name) != getattr(new, name)]
    was, now = (
        json.loads(codec.dump({name: getattr(task, name) for name in names})) for task in (old, new)
    )
    return was, now


def _follow(act: Act, picture: Picture, task: Task, new: Mapping[str, Any]) -> Task:
    """Write the work that other terms bring with them."""
    clinic = clinic_of(picture, task)
    if "due" in new:
        due = instant(task.after_due, 0, clinic.timezone)
        act.work("fall due", task.id, task.clinic, due, f"due:{task.version}")
    if "opens" in new:
        opens = instant(task.opens, 0, clinic.timezone)
        act.work("open", task.id, task.clinic, opens, f"opens:{task.version}")
        return open_if_time(act, clinic, task)
    if task.state is TaskState.OPEN and _is_to_tell(act, task, new):
        tell_to_choose(act, task)
    return task


def _is_to_tell(act: Act, task: Task, new: Mapping[str, Any]) -> bool:
    """Tell whether the patient is told anew: of what matters, or for a letter that is stopped."""
    if not new.keys().isdisjoint({"due", "pools"}):
        return True
    waiting = {LetterState.PENDING, LetterState.SENDING}
    return not new.keys().isdisjoint(SHOWN) and bool(
        act.unit.letters.count(task=task.id, kind="choice", state=waiting)
    )
