"""The terms of an invitation, held against the clinic and the calendar.

What a task's own fields must keep among each other is in `timevalg.model.task.Task`. A clinic
file's tasks are held against the same rules where they stand, line by line.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date

from timevalg.model.clinic import Clinic
from timevalg.model.errors import INPUT, InvalidInput, Problem
from timevalg.model.task import Task
from timevalg.model.time import MINUTES_A_DAY, YEARS

TERMS = (
    "opens",
    "due",
    "not_before",
    "not_after",
    "deadline",
    "pools",
    "only",
    "times",
    "extra",
    "preparations",
    "done",
    "priority",
)
"""The fields of a task that may be amended."""
SAID = (*TERMS, "patient", "clinic", "ref", "referral", "mode", "letters")
"""The fields of a task that whoever invites may say."""
_NO_YEAR = f"{{}} is not in the years {YEARS[0]} to {YEARS[-1]}"
_DAYS = ("opens", "due", "not_before", "not_after", "deadline")


def require_terms(clinic: Clinic, task: Task, grid: int, among: Collection[str] = SAID) -> None:
    """Refuse terms that the clinic cannot keep, or that would say less than they seem to.

    Parameters
    ----------
    grid : int
        Minutes of the organisation's grid.
    among : collection of str
        The fields that are asked about: what was right once may have ceased to be so since.

    Raises
    ------
    NotFound
        If it has no such pool.
    InvalidInput
        Naming all that is wrong.
    """
    for pool in task.pools:
        clinic.pool(pool)
    wrong = [
        Problem(INPUT, None, key, message)
        for key, message in _wrong(clinic, task, grid)
        if key.partition(".")[0] in among
    ]
    if wrong:
        raise InvalidInput(wrong)


def require_to_come(due: date, today: date) -> None:
    """Refuse a due date on which nobody can choose any more.

    Raises
    ------
    InvalidInput
    """
    if due.year not in YEARS:
        raise InvalidInput.single("due", _NO_YEAR.format(due))
    if due < today:
        raise InvalidInput.single("due", f"{due} has passed; give a later day")


def _wrong(clinic: Clinic, task: Task, grid: int) -> Iterator[tuple[str, str]]:
    for name in _DAYS:
        day = getattr(task, name)
        if day is not None and day.year not in YEARS:
            yield name, _NO_YEAR.format(day)
    if task.extra > MINUTES_A_DAY:
        yield "extra", f"{task.extra} minutes are more than a day"
    elif task.extra % grid:
        yield "extra", f"{task.extra} is no multiple of the clinic's {grid} minutes"
    services = [clinic.service_of(pool) for pool in task.pools]
    roles = dict.fromkeys(role.id for service in services for role in service.roles)
    for role, names in task.only.items():
        if role not in roles:
            yield f"only.{role}", f"the task's services have no such role, but {', '.join(roles)}"
        for name in names:
            if name not in clinic.resources:
                yield f"only.{role}", f"{clinic.id} has no resource {name!r}"
    known = {rule.id for service in services for rule in task.preparation_rules(service)}
    for name in sorted(task.done - known):
        there = ", ".join(sorted(known)) or "none"
        yield "done", f"there is no preparation {name!r} for the task, but {there}"
