"""List what is a patient's, or what a clinic has, page by page."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from timevalg.booking.access import Scope, scope_of
from timevalg.booking.acting import Act
from timevalg.booking.patients import ids_of, surviving
from timevalg.booking.ports import Ports
from timevalg.booking.represented import thread_of, withheld_from
from timevalg.booking.running import run
from timevalg.booking.unit_of_work import Between, Records
from timevalg.booking.use_cases import use_case
from timevalg.model.appointment import Appointment
from timevalg.model.errors import NotFound
from timevalg.model.principal import Principal
from timevalg.model.records import AuditEntry, Letter
from timevalg.model.states import TaskState
from timevalg.model.task import Task

MOST = 200
"""Things on a page at most."""


@use_case("list tasks")
def list_tasks(
    ports: Ports,
    principal: Principal,
    states: Collection[TaskState] = (),
    after: str = "",
    limit: int = MOST,
    **criteria: Any,
) -> list[Task]:
    """Give a page of the tasks that are the principal's to see, in order of id.

    Parameters
    ----------
    states : collection of TaskState
        Only those in one of these; empty = all.
    after : str
        The last id of the page before.
    """
    criteria |= {"state": frozenset(states)} if states else {}
    return _page(
        ports, principal, "list tasks", "task", lambda a: a.unit.tasks, criteria, after, limit
    )


@use_case("list appointments")
def list_appointments(
    ports: Ports, principal: Principal, after: str = "", limit: int = MOST, **criteria: Any
) -> list[Appointment]:
    """Give a page of the appointments that are the principal's to see, in order of id."""
    return _page(
        ports,
        principal,
        "list appointments",
        "appointment",
        lambda a: a.unit.appointments,
        criteria,
        after,
        limit,
    )


@use_case("list letters")
def list_letters(
    ports: Ports, principal: Principal, after: str = "", limit: int = MOST
) -> list[Letter]:
    """Give a page of the letters that are the principal's to see, in order of id."""
    return _page(
        ports, principal, "list letters", "letter", lambda a: a.unit.letters, {}, after, limit
    )


@use_case("read access log")
def read_access_log(
    ports: Ports, principal: Principal, limit: int = MOST, after: str = ""
) -> list[AuditEntry]:
    """Tell a patient who has looked at their data or changed it, newest first.

    A representative from whom something is withheld is told of their own acts alone.

    Parameters
    ----------
    after : str
        The last id of the page before.
    """

    def body(act: Act) -> list[AuditEntry]:
        patient = principal.patient
        if patient is None:
            raise NotFound("access log", "")
        act.audit("access log", patient, patient)
        only: dict[str, Any] = {"patient": frozenset(ids_of(act.unit, patient))}
        if not withheld_from(act.unit, principal).nothing:
            only["principal"] = principal.id
        size = max(1, min(limit, MOST))
        if not after:
            return act.unit.audit.find(order="-time", limit=size, **only)
        last = next(iter(act.unit.audit.find(id=after, **only)), None)
        if last is None:
            raise NotFound("entry", after)
        then = Between(last.time, last.time + timedelta(microseconds=1))
        same = [e for e in act.unit.audit.find(order="id", time=then, **only) if e.id > last.id]
        older = act.unit.audit.find(order="-time", limit=size, time=Between(high=last.time), **only)
        return [*same, *older][:size]

    scope_of("read access log", principal)
    return run(ports, principal, "read access log", body)


def _page(
    ports: Ports,
    principal: Principal,
    verb: str,
    kind: str,
    records: Any,
    criteria: dict[str, Any],
    after: str,
    limit: int,
) -> list[Any]:
    scope = scope_of(verb, principal)
    wanted = dict(criteria)
    if principal.clinics is not None:
        wanted["clinic"] = principal.clinics

    def body(act: Act) -> list[Any]:
        rows: Records[Any] = records(act)
        if scope is Scope.OWN:
            wanted["patient"] = surviving(act.unit, principal.patient or "").id
        act.audit(f"{kind} list", principal.patient or principal.organisation, principal.patient)
        hidden = withheld_from(act.unit, principal)
        size, shown, last = max(1, min(limit, MOST)), list[Any](), after
        while len(shown) < size:
            found = [
                r for r in rows.find(limit=size + 1, id=Between(last), **wanted) if r.id != last
            ]
            shown += [row for row in found if not hidden.hides(thread_of(row))]
            if len(found) < size:
                break
            last = found[-1].id
        return shown[:size]

    return run(ports, principal, verb, body)
