"""Clinic files as they were published, in SQL and in memory: which of them are in force."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import Select, func, select

from timevalg.model.records import Publication
from timevalg.store.kinds import PUBLICATIONS
from timevalg.store.memory_rows import Journal, MemoryRecords
from timevalg.store.records import SqlRecords
from timevalg.store.statements import condition, found
from timevalg.store.tables import TABLES

if TYPE_CHECKING:
    from timevalg.store.unit import SqlUnit


class SqlPublications(SqlRecords[Publication]):
    """Those of one organisation in a database."""

    def __init__(self, unit: SqlUnit) -> None:
        super().__init__(unit, PUBLICATIONS)

    def newest(self) -> dict[str, Publication]:
        """Give the newest of every clinic; those before it are not read."""
        return {p.clinic: p for p in self.values(self._unit.execute(_newest()))}


class MemoryPublications(MemoryRecords[Publication]):
    """Those of one organisation in memory."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(journal, PUBLICATIONS)

    def newest(self) -> dict[str, Publication]:
        """Give the newest of every clinic."""
        return {p.clinic: p for p in self.find(order="version")}


@cache
def _newest() -> Select[tuple[object, ...]]:
    table = TABLES[PUBLICATIONS.table]
    last = select(table.c.clinic, func.max(table.c.version).label("version"))
    last_of = last.where(condition(table)).group_by(table.c.clinic).subquery()
    same = (table.c.clinic == last_of.c.clinic) & (table.c.version == last_of.c.version)
    return found(PUBLICATIONS, ()).join(last_of, same)
