"""Idempotency keys: whoever asks again with the same key gets the answer they were given.

The transaction looks for an answer before it does anything (`once`); use cases that plan before
their transaction begins are not even called where there is one. A call that meets one that has
begun in this process and not ended is refused.

To be given an answer again is to look at what it is about: nobody sees so what has been withheld
from them since, and it is written down.
"""

from __future__ import annotations

import hashlib
import inspect
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any

from timevalg.booking.access import allow
from timevalg.booking.acting import Act
from timevalg.booking.gathered import Gathered
from timevalg.booking.once import Known, answer_to
from timevalg.booking.patients import require_not_of_others, surviving
from timevalg.booking.ports import Once, Ports
from timevalg.booking.running import Seen, glance, note_looks
from timevalg.booking.standing import require_standing
from timevalg.booking.unit_of_work import UnitOfWork
from timevalg.model import codec
from timevalg.model.appointment import Appointment, Preparation
from timevalg.model.errors import InFlight, InvalidInput, TimevalgError
from timevalg.model.principal import Principal
from timevalg.model.records import Answer, Letter, Patient, StaffCase
from timevalg.model.representation import Representation
from timevalg.model.session import Session
from timevalg.model.task import Task

LONGEST = 255
"""Characters of a key."""


def answer_once(
    ports: Ports,
    principal: Principal,
    verb: str,
    function: Callable[..., Any],
    *given: Any,
    look_first: bool,
    **named: Any,
) -> Any:
    """Do a use case, or give the answer that this principal had with the key before.

    Parameters
    ----------
    look_first : bool
        Whether to look for the answer before the use case begins.

    Raises
    ------
    KeyReused
        If the key belongs to another call.
    InFlight
        If the same call has begun and not ended.
    InvalidInput
        If it is no key.
    NotFound
        If what the answer is about is not theirs to see any more.
    """
    given = tuple(tuple(g) if isinstance(g, Iterator) else g for g in given)
    once = _once(ports.key or "", principal, verb, function, given, named)
    here, mine = (principal.organisation, once.id), object()
    if ports.in_flight.setdefault(here, mine) is not mine:
        raise InFlight(verb)
    try:
        if look_first and (known := _known(ports, principal, once)):
            return _again(ports, principal, once, known)
        try:
            return function(replace(ports, key=None, once=once), principal, *given, **named)
        except Known as found:
            return _again(ports, principal, once, found.answer)
        except TimevalgError:  # perhaps because another process has just done it
            if known := _known(ports, principal, once):
                return _again(ports, principal, once, known)
            raise
    finally:
        del ports.in_flight[here]


def _once(
    key: str,
    principal: Principal,
    verb: str,
    function: Callable[..., Any],
    given: tuple[Any, ...],
    named: dict[str, Any],
) -> Once:
    if not 1 <= len(key) <= LONGEST or not key.isprintable():
        why = f"{len(key)} characters; give 1 to {LONGEST}, all printable"
        raise InvalidInput.single("idempotency_key", why)
    signature, answer = _shape(function)
    call = signature.bind(None, None, *given, **named)
    call.apply_defaults()
    asked = dict(list(call.arguments.items())[2:])
    who = "\0".join((principal.role, principal.id, key))
    return Once(
        hashlib.sha256(who.encode()).hexdigest(),
        verb,
        codec.digest([verb, principal.patient, asked]),
        answer,
    )


@cache
def _shape(function: Callable[..., Any]) -> tuple[inspect.Signature, Any]:
    """Give what a use case takes, and the type of what it gives."""
    return inspect.signature(function), typing.get_type_hints(function)["return"]


def _known(ports: Ports, principal: Principal, once: Once) -> Answer | None:
    """Look for an answer, for whoever may still ask."""

    def look(unit: UnitOfWork) -> Answer | None:
        require_standing(unit, principal, once.verb)
        return answer_to(unit, once)

    return ports.store.run(principal.organisation, look, write=False)


def _again(ports: Ports, principal: Principal, once: Once, given: Answer) -> Any:
    """Give an answer again, to whoever may see now what it is about, and write down that they did.

    Raises
    ------
    NotFound
    """
    answer = codec.load(once.answer, given.value)
    shown = list(_shown(answer))

    def look(act: Act) -> list[Seen | None]:
        ahead = Gathered(act.unit).unit
        ahead.tasks.find(id=frozenset(one.id for one in shown if isinstance(one, Task)))
        at_once = replace(act, unit=ahead)
        return [LOOKS[type(one)](at_once, one) for one in shown]

    seen = glance(ports, principal, once.verb, look)
    note_looks(ports, principal, "read", filter(None, seen))
    return answer


def _shown(answer: Any) -> Iterator[Any]:
    """Give what an answer shows of patients, wherever it stands in it."""
    if type(answer) in LOOKS:
        yield answer
        return
    within: Iterable[Any] = ()
    if isinstance(answer, Mapping):
        within = answer.values()
    elif isinstance(answer, list | tuple | Set):
        within = answer
    elif is_dataclass(answer):
        within = (getattr(answer, field.name) for field in fields(answer))
    for one in within:
        yield from _shown(one)


def _patient(act: Act, key: str) -> Patient:
    patient = surviving(act.unit, key)
    require_not_of_others(act.unit, act.principal.clinics, patient.id)
    return patient


def _about(act: Act, case: StaffCase) -> Seen | None:
    allow(act.verb, act.principal, kind="case", key=case.id, clinic=case.clinic)
    if case.task is not None:
        return act.task(case.task)
    return act.appointment(case.appointment) if case.appointment is not None else None


LOOKS: Mapping[type, Callable[[Act, Any], Seen | None]] = {
    Task: lambda act, task: act.task(task.id),
    Appointment: lambda act, visit: act.appointment(visit.id),
    Preparation: lambda act, preparation: act.appointment(preparation.appointment),
    Letter: lambda act, letter: (
        act.appointment(letter.appointment) if letter.appointment else act.task(letter.task)
    ),
    Session: lambda act, hold: act.task(hold.task) if hold.task else None,
    Patient: lambda act, patient: _patient(act, patient.id),
    StaffCase: lambda act, case: _about(act, case),
    Representation: lambda act, bond: _patient(act, bond.patient),
}
"""How to look at what an answer shows of patients, by its type."""
