"""A verb in one transaction of its own: rights first, the logs last."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from timevalg.booking.access import scope_of
from timevalg.booking.acting import Act
from timevalg.booking.once import begin, keep
from timevalg.booking.ports import Ports
from timevalg.booking.standing import require_standing
from timevalg.booking.unit_of_work import UnitOfWork
from timevalg.model.appointment import Appointment
from timevalg.model.errors import LeaseLost
from timevalg.model.principal import Principal
from timevalg.model.records import CaseKind, Patient, Work
from timevalg.model.states import WorkState
from timevalg.model.task import Task
from timevalg.solver.picture import Picture

R = TypeVar("R")

Seen = Task | Appointment | Patient
_KINDS = {Task: "task", Appointment: "appointment", Patient: "patient"}

REGAIN = "regain places"


def run(
    ports: Ports,
    principal: Principal,
    verb: str,
    body: Callable[[Act], R],
    *,
    reason: str = "",
    wish: str = "",
) -> R:
    """Do a verb in one transaction of its own.

    Work in hand is marked as done, and the answer to an idempotency key kept, in the same
    transaction.

    Raises
    ------
    NotAllowed
        If the principal's role has no right to the verb at all.
    LeaseLost
        If another worker has taken the work in hand; nothing is changed then.
    InFlight
        If another call with the same idempotency key has begun and not ended.
    """
    scope_of(verb, principal)

    def transaction(unit: UnitOfWork) -> R:
        require_standing(unit, principal, verb)
        if ports.once is not None:
            begin(unit, ports.once)
        act = Act(ports, unit, principal, verb, reason, wish)
        result = body(act)
        write_down(act)
        if ports.in_hand is not None:
            finish(act, ports.in_hand)
        if ports.once is not None:
            keep(unit, {ports.once: result}, ports.keys.new("work"))
        return result

    return ports.store.run(principal.organisation, transaction)


def write_down(act: Act) -> None:
    """Write what an act leaves for the logs: whoever is without a place is looked at again."""
    if act.log.freed and act.unit.cases.count(kind=CaseKind.CAPACITY_LOSS, closed_at=None):
        regain_later(act, timedelta(minutes=1))
    act.log.write(act.unit)


def regain_later(act: Act, every: timedelta) -> None:
    """Have those who have lost their places looked at again, at the next full minute or day.

    Whatever comes back before that is seen then; so it need not be done more often.
    """
    at = act.unit.now() + every
    at -= (at - datetime.min.replace(tzinfo=at.tzinfo)) % every
    act.work(REGAIN, act.unit.organisation, "", at, at.isoformat())


def finish(act: Act, work: Work) -> None:
    """Mark work as done.

    Raises
    ------
    LeaseLost
        If another worker has taken it.
    """
    now = act.unit.now()
    done = replace(work, state=WorkState.DONE, done_at=now, leased_until=None, error="")
    if not act.unit.work.finish(done):
        raise LeaseLost(work.id)


def glance(ports: Ports, principal: Principal, verb: str, body: Callable[[Act], R]) -> R:
    """Read what a verb is about before planning it, by the same rights; leaves no trace."""
    scope_of(verb, principal)

    def transaction(unit: UnitOfWork) -> R:
        require_standing(unit, principal, verb)
        return body(Act(ports, unit, principal, verb, planning=True))

    return ports.store.run(principal.organisation, transaction, write=False)


def note_looks(ports: Ports, principal: Principal, verb: str, seen: Iterable[Seen]) -> None:
    """Write down who looked at what was only read, before the answer leaves."""
    things = list(seen)

    def body(act: Act) -> None:
        for thing in things:
            patient = thing.id if isinstance(thing, Patient) else thing.patient
            act.audit(_KINDS[type(thing)], thing.id, patient)

    if things:
        run(ports, principal, verb, body)


def picture_of(ports: Ports, principal: Principal) -> Picture:
    """Give the present picture of the principal's organisation."""
    picture = ports.pictures.current(principal.organisation)
    ports.saw(picture)
    return picture
