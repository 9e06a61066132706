"""Sessions and their claims in memory: the claims of a subject are a sorted list."""

from __future__ import annotations

import bisect
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from timevalg.booking.unit_of_work import StoredClaim
from timevalg.model.session import Claim, Session
from timevalg.model.time import Span
from timevalg.store.columns import FIRST_INSTANT, LAST_INSTANT, microseconds
from timevalg.store.kinds import SESSIONS
from timevalg.store.memory_logs import MemoryEvents
from timevalg.store.memory_rows import Journal, MemoryRecords
from timevalg.store.refusals import NO_OVERLAP
from timevalg.store.session_events import claimed, released

if TYPE_CHECKING:
    from timevalg.store.memory import MemoryUnit


class MemorySessions:
    """The sessions of one organisation."""

    def __init__(self, unit: MemoryUnit, journal: Journal, events: MemoryEvents) -> None:
        self._unit, self._journal, self._events = unit, journal, events
        self._records = MemoryRecords(journal, SESSIONS)

    def get(self, key: str) -> Session:
        """Give one by id."""
        return self._records.get(key)

    def find(self, **criteria: Any) -> list[Session]:
        """Give those that meet all criteria, in order of start and id."""
        return self._records.find(order="start", **criteria)

    def touching(self, claims: Iterable[Claim], *also: Mapping[str, Any]) -> list[Session]:
        """Give every session with a claim that overlaps one of these, or that meets criteria."""
        keys = {key for claim in claims for key in self._overlapping(claim.subject, claim.span)}
        keys |= {session.id for criteria in also for session in self.find(**criteria)}
        return sorted(map(self.get, keys), key=lambda session: (session.start, session.id))

    def expired(self, now: datetime) -> list[Session]:
        """Give the holds that have expired."""
        return [session for session in self.find() if not session.is_live(now)]

    def stored(self) -> list[StoredClaim]:
        """Give every claim as it is stored."""
        rows = sorted(self._journal.shelf.claims.items())
        return [StoredClaim(key, subject, *span) for subject, r in rows for *span, key in r]

    def claim(self, new: Iterable[Session]) -> None:
        """Insert sessions with their claims and write their events."""
        new = list(new)
        for session in new:
            self._records.add(session)
            for claim in session.claims():
                self._take(claim.subject, claim.span, session.id)
        self._events.add_all(claimed(self._unit, new))

    def release(self, keys: Collection[str]) -> int:
        """Delete sessions with their claims and write their events."""
        gone = [self.get(key) for key in set(keys) if key in self._records.rows]
        for session in gone:
            self._journal.drop(self._records.rows, session.id)
            for claim in session.claims():
                row = (claim.span.start, claim.span.end, session.id)
                self._journal.give_back(claim.subject, row)
        facts = sorted((s.id, s.clinic, s.task) for s in gone)
        self._events.add_all(released(self._unit, facts))
        return len(gone)

    def _take(self, subject: str, span: Span, key: str) -> None:
        if self._overlapping(subject, span):
            self._journal.refuse(NO_OVERLAP)
        if microseconds(span.start) < FIRST_INSTANT or microseconds(span.end) > LAST_INSTANT:
            self._journal.refuse("ck_claims_bounds")
        if len(subject) < 3:
            self._journal.refuse("ck_claims_subject")
        self._journal.take(subject, (span.start, span.end, key))

    def _overlapping(self, subject: str, span: Span) -> list[str]:
        rows = self._journal.shelf.claims.get(subject, [])
        first = bisect.bisect_left(rows, span.end, key=lambda row: row[0])
        found = []
        for _, end, key in reversed(rows[:first]):
            if end <= span.start:
                break
            found.append(key)
        return found
