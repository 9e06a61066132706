"""The three logs in memory."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeVar

from timevalg.booking.unit_of_work import Between
from timevalg.model.records import AuditEntry, Depth, Event, Work
from timevalg.model.states import WorkState
from timevalg.store.cursor import position
from timevalg.store.kinds import AUDIT, EVENTS, WORK
from timevalg.store.logs import OUTCOME
from timevalg.store.memory_rows import Journal, MemoryRecords
from timevalg.store.records import changed
from timevalg.store.session_events import SUBJECT

T = TypeVar("T")


class MemoryEvents:
    """Facts in commit order: there is one writer at a time."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._records = MemoryRecords(journal, EVENTS)

    def add(self, event: Event) -> None:
        """Append."""
        self._records.add(event)

    def add_all(self, events: Iterable[Event]) -> None:
        """Append many."""
        self._records.add_all(events)

    def remove(self, keys: Collection[str]) -> int:
        """Delete some by id; their places stay taken, by nothing, as numbers of a sequence do."""
        gone = self._records.rows.keys() & set(keys)
        for key in gone:
            was = self._records.rows[key]
            self._journal.put(self._records.rows, key, _nothing(was))
        return len(gone)

    def read(self, after: str = "", limit: int = 500, internal: bool = False) -> list[Event]:
        """Give events after a cursor, none skipped; those of sessions only if `internal`."""
        hidden = {GONE} if internal else {GONE, SUBJECT}
        return [e for e in _after(self._records, after) if e.subject not in hidden][:limit]

    def of(self, subject: str, key: str, *, above: int) -> list[Event]:
        """Give what happened to a thing after a version of it, in order of its versions."""
        later = Between(above + 1)
        return self._records.find(order="version", subject=subject, key=key, version=later)

    def place_of(self, key: str) -> str | None:
        """Give where an event stands."""
        ids = list(self._records.rows)
        found = self._records.rows.get(key)
        return None if found is None or found.subject == GONE else f"0.{ids.index(key) + 1}"

    def told(self) -> Iterator[tuple[str, str, int, Mapping[str, Any]]]:
        """Give what events of tasks and appointments told."""
        for event in self._records.rows.values():
            if event.subject in {"task", "appointment"}:
                yield event.subject, event.key, event.version, event.new or {}

    def last(self) -> str:
        """Give the cursor of the last event."""
        return f"0.{len(self._records.rows)}" if self._records.rows else ""


GONE = "gone"
"""The subject of what stands in the place of an event that was deleted."""


def _nothing(was: Event) -> Event:
    return Event(was.id, "", was.time, was.organisation, "", GONE, "", 0, "", "")


def _after(records: MemoryRecords[T], after: str) -> list[T]:
    """Give the rows after a cursor, each with its own: rows are in the order of insertion."""
    _, last = position(after)
    rows = list(records.rows.values())
    return [changed(rows[i], cursor=f"0.{i + 1}") for i in range(max(last, 0), len(rows))]


class MemoryWork:
    """What is to be done, with leases and fencing tokens."""

    def __init__(self, journal: Journal) -> None:
        self._records = MemoryRecords(journal, WORK)

    def add(self, work: Work) -> bool:
        """Append unless work with this effect is there."""
        if self._records.find(effect=work.effect):
            return False
        self._records.add(work)
        return True

    def add_all(self, works: Iterable[Work]) -> None:
        """Append many, but for those whose effect is there."""
        for work in works:
            self.add(work)

    def remove(self, keys: Collection[str]) -> int:
        """Delete some by id."""
        return self._records.remove(keys)

    def get(self, key: str) -> Work:
        """Give one by id."""
        return self._records.get(key)

    def find(
        self, *, order: str = "due_at", limit: int | None = None, **criteria: Any
    ) -> list[Work]:
        """Give those that meet all criteria."""
        return self._records.find(order=order, limit=limit, **criteria)

    def due(
        self,
        now: datetime,
        limit: int,
        kinds: Collection[str] | None = None,
        clinic: str | None = None,
    ) -> list[Work]:
        """Give work that can be taken, oldest first."""
        wanted: dict[str, Any] = {} if kinds is None else {"kind": kinds}
        wanted |= {} if clinic is None else {"clinic": clinic}
        return [work for work in self.find(**wanted) if _is_free(work, now)][:limit]

    def depths(self, now: datetime) -> list[Depth]:
        """Give how much is due and not done, for each kind, clinic and state."""
        groups: dict[tuple[str, str, WorkState], list[Work]] = defaultdict(list)
        for work in self.find():
            if work.due_at <= now and work.state not in {WorkState.DONE, WorkState.DROPPED}:
                groups[work.kind, work.clinic, work.state].append(work)
        return [
            Depth(*group, len(of), of[0].due_at, max(work.attempts for work in of))
            for group, of in sorted(groups.items())
        ]

    def lease(
        self, keys: Collection[str], now: datetime, until: datetime, owner: str
    ) -> list[Work]:
        """Take what is free of some work, raise its fence and count the attempt."""
        return [
            self._records.save(
                dataclasses.replace(
                    work,
                    state=WorkState.LEASED,
                    owner=owner,
                    leased_until=until,
                    fence=work.fence + 1,
                    attempts=work.attempts + 1,
                )
            )
            for work in self.find(id=list(keys))
            if _is_free(work, now)
        ]

    def finish(self, work: Work) -> bool:
        """Store the outcome unless someone has taken the work since, or finished it."""
        return self._store(work, held=True)

    def finish_all(self, works: Collection[Work]) -> bool:
        """Finish many at once; False if not all were still the holder's."""
        return all([self.finish(work) for work in works])

    def settle(self, work: Work) -> bool:
        """Store an operator's verdict on work that nobody holds; False if somebody does."""
        return self._store(work, held=False)

    def _store(self, work: Work, held: bool) -> bool:
        stored = self._records.rows.get(work.id)
        if stored is None or stored.fence != work.fence:
            return False
        if (stored.state is WorkState.LEASED) is not held:
            return False
        outcome = {name: getattr(work, name) for name in OUTCOME}
        self._records.save(dataclasses.replace(stored, **outcome))
        return True


def _is_free(work: Work, now: datetime) -> bool:
    if work.state is WorkState.LEASED:
        late = work.leased_until is not None and work.leased_until <= now
    else:
        late = work.state is WorkState.WAITING
    return late and work.due_at <= now


class MemoryAudit:
    """Who looked at and changed what."""

    def __init__(self, journal: Journal) -> None:
        self._records = MemoryRecords(journal, AUDIT)

    def read(self, after: str = "", limit: int = 500) -> list[AuditEntry]:
        """Give entries after a cursor in the order of the log, none skipped."""
        return _after(self._records, after)[:limit]

    def add(self, entry: AuditEntry) -> None:
        """Append."""
        self._records.add(entry)

    def add_all(self, entries: Iterable[AuditEntry]) -> None:
        """Append many."""
        self._records.add_all(entries)

    def find(
        self, *, order: str = "time", limit: int | None = None, **criteria: Any
    ) -> list[AuditEntry]:
        """Give those that meet all criteria."""
        return self._records.find(order=order, limit=limit, **criteria)
