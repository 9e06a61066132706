"""Answers to calls with idempotency keys, in SQL and in memory; they are forgotten in time."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import Delete, delete

from timevalg.booking.unit_of_work import Between
from timevalg.model.records import Answer
from timevalg.store.kinds import ANSWERS
from timevalg.store.memory_rows import Journal, MemoryRecords
from timevalg.store.records import SqlRecords
from timevalg.store.statements import condition
from timevalg.store.tables import TABLES

if TYPE_CHECKING:
    from timevalg.store.unit import SqlUnit


class SqlAnswers(SqlRecords[Answer]):
    """Those of one organisation in a database."""

    def __init__(self, unit: SqlUnit) -> None:
        super().__init__(unit, ANSWERS)

    def forget(self, before: datetime) -> int:
        """Delete those given before an instant."""
        return self._unit.execute(_forgotten(), answered_at_below=before).rowcount


class MemoryAnswers(MemoryRecords[Answer]):
    """Those of one organisation in memory."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(journal, ANSWERS)

    def forget(self, before: datetime) -> int:
        """Delete those given before an instant."""
        old = self.find(answered_at=Between(high=before))
        for answer in old:
            self._journal.drop(self.rows, answer.id)
        return len(old)


@cache
def _forgotten() -> Delete:
    table = TABLES[ANSWERS.table]
    return delete(table).where(condition(table, ("answered_at", "below")))
