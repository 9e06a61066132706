"""Idempotency keys: whoever asks again with the same key gets the answer they were given.

The answer is kept in the transaction of the change. So a call that failed left nothing and may be
tried again, and one whose reply was lost is answered from what it left. Between the two, a second
call meets one that has begun and not ended: it is refused in the process that has begun it, and by
a lock on PostgreSQL; on SQLite it waits its turn to write, and finds the answer. The transaction
looks for an answer before it does anything; use cases that plan before their transaction begins
are not even called where there is one.
"""

from __future__ import annotations

import hashlib
import inspect
import typing
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import Any

from timevalg.booking.ports import Once, Ports
from timevalg.booking.standing import require_standing
from timevalg.booking.unit_of_work import UnitOfWork
from timevalg.model import codec
from timevalg.model.errors import InFlight, InvalidInput, KeyReused, TimevalgError
from timevalg.model.principal import Principal
from timevalg.model.records import Answer, Work

KEPT = timedelta(hours=24)
"""How long an answer is kept at least."""
LONGEST = 255
"""Characters of a key."""


class Known(Exception):
    """Leaves a transaction whose answer was given before; not for callers of use cases."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.id)
        self.answer = answer


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
    """
    given = tuple(tuple(g) if isinstance(g, Iterator) else g for g in given)
    once = _once(ports.key or "", principal, verb, function, given, named)
    here, mine = (principal.organisation, once.id), object()
    if ports.in_flight.setdefault(here, mine) is not mine:
        raise InFlight(verb)
    try:
        if look_first and (known := _known(ports, principal, once)):
            return codec.load(once.answer, known.value)
        try:
            return function(replace(ports, key=None, once=once), principal, *given, **named)
        except Known as found:
            return codec.load(once.answer, found.answer.value)
        except TimevalgError:  # perhaps because another process has just done it
            if known := _known(ports, principal, once):
                return codec.load(once.answer, known.value)
            raise
    finally:
        del ports.in_flight[here]


def begin_all(unit: UnitOfWork, calls: Collection[Once]) -> frozenset[str]:
    """Keep others with the same keys out as `begin` does; gives those answered before, by id.

    Raises
    ------
    InFlight
        If another is in.
    """
    if not calls:
        return frozenset()
    if not unit.try_lock(*(f"k:{once.id}" for once in calls)):
        raise InFlight(next(iter(calls)).verb)
    found = unit.answers.find(id=frozenset(once.id for once in calls))
    return frozenset(answer.id for answer in found)


def begin(unit: UnitOfWork, once: Once) -> None:
    """Keep others with the same key out to the end of the transaction.

    Raises
    ------
    InFlight
        If another is in.
    Known
        If another has been.
    KeyReused
        If that was another call.
    """
    if not unit.try_lock(f"k:{once.id}"):
        raise InFlight(once.verb)
    if known := _answer(unit, once):
        raise Known(known)


def keep(unit: UnitOfWork, answers: Mapping[Once, Any], key: str) -> None:
    """Keep answers, with the work of forgetting the day's answers (one for all of them)."""
    now = unit.now()
    for once, answer in answers.items():
        said = codec.dump(answer)
        unit.answers.add(Answer(once.id, unit.organisation, once.verb, once.payload, said, now))
    day = now.date()
    due = datetime.combine(day + timedelta(days=1), time(), UTC) + KEPT
    kind = "forget answers"
    effect = f"{kind}:{day}"
    unit.work.add_all([Work(key, unit.organisation, "", kind, str(day), due, effect)])


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
        return _answer(unit, once)

    return ports.store.run(principal.organisation, look, write=False)


def _answer(unit: UnitOfWork, once: Once) -> Answer | None:
    found = unit.answers.find(id=once.id)
    if found and found[0].payload != once.payload:
        raise KeyReused(found[0].verb)
    return found[0] if found else None
