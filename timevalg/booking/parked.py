"""Work in the eyes of an operator: what there is, what failed, and what becomes of that."""

from __future__ import annotations

from dataclasses import replace

from timevalg.booking.access import allow, scope_of
from timevalg.booking.acting import Act
from timevalg.booking.ports import Ports
from timevalg.booking.running import run
from timevalg.booking.tell_systems import stop_delivery
from timevalg.booking.unit_of_work import UnitOfWork
from timevalg.booking.use_cases import use_case
from timevalg.model.errors import Conflict
from timevalg.model.principal import Principal
from timevalg.model.records import CaseKind, Depth, Work
from timevalg.model.states import WorkState, target


def report_parked(
    ports: Ports, unit: UnitOfWork, principal: Principal, work: Work, why: str
) -> None:
    """Put parked work on the staff list; the sort of its error only, which names nobody."""
    reason = f"{work.kind} {work.id} was given up after {work.attempts} attempts"
    detail = {"work": work.id, "kind": work.kind, "error": why.split(":")[0]}
    act = Act(ports, unit, principal, "do work")
    act.case(CaseKind.WORK_PARKED, work.clinic, reason, detail=detail)
    act.log.write(unit)


@use_case("look at work", keyed=False)
def depths(ports: Ports, principal: Principal) -> list[Depth]:
    """Give how much is due and not done, for each kind, clinic and state."""
    scope_of("look at work", principal)
    found = ports.store.run(
        principal.organisation, lambda unit: unit.work.depths(unit.now()), write=False
    )
    return [d for d in found if principal.clinics is None or d.clinic in principal.clinics]


def list_work(
    ports: Ports, principal: Principal, state: WorkState = WorkState.PARKED, limit: int = 100
) -> list[Work]:
    """Give work in a state, that due first at the beginning."""
    scope_of("look at work", principal)
    found = ports.store.run(
        principal.organisation,
        lambda unit: unit.work.find(state=state, limit=limit),
        write=False,
    )
    return [w for w in found if principal.clinics is None or w.clinic in principal.clinics]


def show_work(ports: Ports, principal: Principal, key: str) -> Work:
    """Give one piece of work, with its last error."""
    return run(ports, principal, "look at work", lambda act: _work(act, key))


@use_case("settle work", keyed=False)
def retry_work(ports: Ports, principal: Principal, key: str, reason: str = "") -> Work:
    """Have parked work done again, with all its attempts.

    Raises
    ------
    IllegalMove, Conflict, NotFound
    """

    def body(act: Act) -> Work:
        return _settle(act, _work(act, key), "retry", due_at=act.unit.now(), attempts=0)

    return run(ports, principal, "settle work", body, reason=reason)


def drop_work(ports: Ports, principal: Principal, key: str, reason: str) -> Work:
    """Say that work shall never be done; it stays where it can be looked at.

    Raises
    ------
    IllegalMove, Conflict, NotFound
    """

    def body(act: Act) -> Work:
        work = _work(act, key)
        dropped = _settle(
            act, work, "drop", done_at=act.unit.now(), error=f"{work.error}; dropped: {reason}"
        )
        if work.kind == "deliver":
            stop_delivery(act, work.entity)
        return dropped

    return run(ports, principal, "settle work", body, reason=reason)


def _work(act: Act, key: str) -> Work:
    work = act.unit.work.get(key)
    allow(act.verb, act.principal, kind="work", key=key, clinic=work.clinic)
    act.audit("work", key)
    return work


def _settle(act: Act, work: Work, verb: str, **changes: object) -> Work:
    state = WorkState(target("work", work.id, work.state, verb))
    settled = replace(work, state=state, **changes)  # type: ignore[arg-type]  # fields by name
    if not act.unit.work.settle(settled):
        raise Conflict(f"work {work.id} is in a worker's hands; look at it again")
    waiting = act.unit.cases.find(kind=CaseKind.WORK_PARKED, closed_at=None)
    about = frozenset(case.id for case in waiting if case.detail.get("work") == work.id)
    if about:
        act.close(id=about)
    return settled
