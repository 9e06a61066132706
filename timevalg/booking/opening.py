"""Open: from its start date on, the patient may choose."""

from __future__ import annotations

from datetime import datetime

from timevalg.booking.acting import Act, clinic_of
from timevalg.booking.ports import Ports
from timevalg.booking.running import picture_of, run
from timevalg.booking.use_cases import use_case
from timevalg.model.clinic import Clinic
from timevalg.model.principal import Principal
from timevalg.model.records import CaseKind
from timevalg.model.states import TaskState
from timevalg.model.task import Mode, Task
from timevalg.model.time import local_date


@use_case("open")
def open_task(ports: Ports, principal: Principal, key: str) -> Task:
    """Open a scheduled task whose start date has come; do nothing if it has moved on.

    A task of mode ``allot`` goes on to staff, who set the time.
    """
    picture = picture_of(ports, principal)

    def body(act: Act) -> Task:
        task = act.task(key)
        return open_if_time(act, clinic_of(picture, task), task)

    return run(ports, principal, "open", body)


def open_if_time(act: Act, clinic: Clinic, task: Task, *, stored: bool = True) -> Task:
    """Open the task if it is scheduled and its start date has come.

    Parameters
    ----------
    stored : bool
        See `Act.advance`. One whose time the hospital sets must be: it is put before staff.
    """
    if not is_to_open(clinic, task, act.unit.now()):
        return task
    opened = act.advance(task, "open", stored=stored)
    if opened.mode is Mode.ALLOT:
        act.case(CaseKind.TO_ALLOT, clinic.id, "you set the time of this visit", task=task.id)
        return act.advance(opened, "hand to staff")
    tell_to_choose(act, opened)
    return opened


def is_to_open(clinic: Clinic, task: Task, now: datetime) -> bool:
    """Tell whether the task is scheduled and its start date has come."""
    today = local_date(now, clinic.timezone)
    return task.state is TaskState.SCHEDULED and today >= task.opens


def tell_to_choose(act: Act, task: Task) -> None:
    """Write the work of the letter that asks the patient to choose (again)."""
    if task.letters:
        act.work("letter", task.id, task.clinic, act.unit.now(), f"choice:{task.version}")
