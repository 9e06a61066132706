"""What waits for a person: exceptions, and choices to check; page by page, oldest first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from timevalg.booking.access import allow, scope_of
from timevalg.booking.acting import Act
from timevalg.booking.ports import Ports
from timevalg.booking.running import run
from timevalg.booking.unit_of_work import Between
from timevalg.booking.use_cases import use_case
from timevalg.booking.versions import require_version
from timevalg.model.appointment import Appointment
from timevalg.model.errors import IllegalMove
from timevalg.model.principal import Principal
from timevalg.model.records import CaseKind, StaffCase
from timevalg.model.states import AppointmentState
from timevalg.model.task import Task

MOST = 200
"""Things on a page at most."""
SETTLED_BY_DOING = frozenset({CaseKind.CAPACITY_LOSS, CaseKind.CHECK_WANTED})
"""Cases that stand as long as what they speak of does."""


@dataclass(frozen=True)
class ToCheck:
    """A choice that waits for a check."""

    case: StaffCase
    task: Task
    visit: Appointment | None


@use_case("staff list")
def staff_list(
    ports: Ports,
    principal: Principal,
    kinds: Collection[str] = (),
    after: str = "",
    limit: int | None = None,
) -> list[StaffCase]:
    """Give what waits for a person, oldest first; lost places alone, whom it harms most first.

    Parameters
    ----------
    kinds : collection of str
        Only these; empty = all.
    after : str
        The last id of the page before.
    limit : int or None
        How many at most; None = all of them.
    """
    scope_of("staff list", principal)

    def body(act: Act) -> list[StaffCase]:
        act.audit("staff list", principal.organisation)
        return _open_cases(act, kinds, after)[:limit]

    return run(ports, principal, "staff list", body)


def choices_to_check(
    ports: Ports, principal: Principal, after: str = "", limit: int = MOST
) -> list[ToCheck]:
    """Give a page of the choices that wait for a check, oldest first."""
    scope_of("staff list", principal)

    def body(act: Act) -> list[ToCheck]:
        cases = _open_cases(act, {CaseKind.CHECK_WANTED}, after)[: max(1, min(limit, MOST))]
        keys = frozenset(c.task for c in cases if c.task)
        tasks = {t.id: t for t in act.unit.tasks.find(id=keys)} if keys else {}
        booked: dict[str, Any] = {"task": keys, "state": AppointmentState.BOOKED}
        visits = {v.task: v for v in act.unit.appointments.find(**booked)} if keys else {}
        for task in tasks.values():
            act.audit("task", task.id, task.patient)
        return [ToCheck(c, tasks[c.task], visits.get(c.task)) for c in cases if c.task in tasks]

    return run(ports, principal, "staff list", body)


@use_case("close case")
def close_case(
    ports: Ports, principal: Principal, key: str, reason: str = "", version: int | None = None
) -> StaffCase:
    """Take something off the staff list that somebody has seen to.

    Raises
    ------
    StaleVersion
        If what it says is not what was read.
    IllegalMove
        If it is closed already, or stands as long as what it speaks of.
    """

    def body(act: Act) -> StaffCase:
        act.unit.lock([f"c:{key}"])
        case = act.unit.cases.get(key)
        allow(act.verb, principal, kind="case", key=key, clinic=case.clinic)
        require_version(act.unit, case, version)
        if case.closed_at is not None:
            raise IllegalMove("case", key, "closed", act.verb)
        if case.kind in SETTLED_BY_DOING:
            raise IllegalMove("case", key, case.kind, act.verb, "it closes when that is settled")
        act.audit("case", key)
        closed = act.unit.cases.save(replace(case, closed_at=act.unit.now()))
        act.event("staff.closed", "case", case.clinic, key, closed.version, new={"kind": case.kind})
        return closed

    return run(ports, principal, "close case", body, reason=reason)


def _losses(act: Act, after: str) -> list[StaffCase]:
    """Give the capacity losses by priority, then deadline."""
    mine: dict[str, Any] = {}
    if act.principal.clinics is not None:
        mine = {"clinic": act.principal.clinics}
    found = act.unit.cases.find(kind=CaseKind.CAPACITY_LOSS, closed_at=None, **mine)
    last = [act.unit.cases.get(after)] if after else []
    keys = frozenset(c.task for c in (*found, *last) if c.task)
    tasks = {t.id: t for t in act.unit.tasks.find(id=keys)} if keys else {}

    def urgency(case: StaffCase) -> tuple[tuple[int, date], str]:
        task = tasks.get(case.task or "")
        return (task.urgency if task is not None else (6, date.max)), case.id

    since = [urgency(case) for case in last]
    return [c for c in sorted(found, key=urgency) if not since or urgency(c) > since[0]]


def _open_cases(act: Act, kinds: Collection[str], after: str) -> list[StaffCase]:
    if set(kinds) == {CaseKind.CAPACITY_LOSS}:
        return _losses(act, after)
    criteria: dict[str, Any] = {"kind": frozenset(kinds)} if kinds else {}
    if act.principal.clinics is not None:
        criteria["clinic"] = act.principal.clinics
    since = act.unit.cases.get(after).created_at if after else None
    found = act.unit.cases.find(
        order="created_at", closed_at=None, created_at=Between(since), **criteria
    )
    return [c for c in found if since is None or (c.created_at, c.id) > (since, after)]
