"""Answers to calls with idempotency keys: kept in the transaction of the change, and found there.

So a call that failed left nothing and may be tried again, and one whose reply was lost is answered
from what it left (`again`). Between the two, a second call meets one that has begun and not ended:
a lock keeps it out on PostgreSQL; on SQLite it waits its turn to write, and finds the answer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

from timevalg.booking.ports import Once
from timevalg.booking.unit_of_work import UnitOfWork
from timevalg.model import codec
from timevalg.model.errors import InFlight, KeyReused
from timevalg.model.records import Answer, Work

KEPT = timedelta(hours=24)
"""How long an answer is kept at least."""


class Known(Exception):
    """Leaves a transaction whose answer was given before; not for callers of use cases."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.id)
        self.answer = answer


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
    if known := answer_to(unit, once):
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


def answer_to(unit: UnitOfWork, once: Once) -> Answer | None:
    """Give the answer that the call has had.

    Raises
    ------
    KeyReused
        If the key belongs to another call.
    """
    found = unit.answers.find(id=once.id)
    if found and found[0].payload != once.payload:
        raise KeyReused(found[0].verb)
    return found[0] if found else None
