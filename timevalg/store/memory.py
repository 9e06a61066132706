"""The store on plain dicts: for tests and for trying things out; nothing outlives the process."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import TypeVar

from timevalg.booking.unit_of_work import (
    Answers,
    AuditLog,
    Clock,
    EventLog,
    Publications,
    Records,
    Sessions,
    Tallies,
    UnitOfWork,
    WorkLog,
)
from timevalg.model.appointment import Appointment, Preparation
from timevalg.model.outgoing import Delivery, Subscription
from timevalg.model.records import (
    AuditSeal,
    Letter,
    Ownership,
    Patient,
    StaffCase,
    Verification,
)
from timevalg.model.representation import Representation, Withholding
from timevalg.model.right import Right, Unit
from timevalg.model.task import Task
from timevalg.store import kinds
from timevalg.store.alone import Alone
from timevalg.store.answers import MemoryAnswers
from timevalg.store.memory_figures import MemoryTallies
from timevalg.store.memory_logs import MemoryAudit, MemoryEvents, MemoryWork
from timevalg.store.memory_rows import Journal, MemoryRecords, Shelf
from timevalg.store.memory_sessions import MemorySessions
from timevalg.store.publications import MemoryPublications
from timevalg.store.wakes import Wakes

R = TypeVar("R")


class MemoryUnit:
    """One transaction in one organisation."""

    def __init__(self, journal: Journal, clock: Clock | None) -> None:
        self.organisation = journal.organisation
        self._clock = clock
        self._now: datetime | None = None
        self.tasks: Records[Task] = MemoryRecords(journal, kinds.TASKS)
        self.appointments: Records[Appointment] = MemoryRecords(journal, kinds.APPOINTMENTS)
        self.preparations: Records[Preparation] = MemoryRecords(journal, kinds.PREPARATIONS)
        self.letters: Records[Letter] = MemoryRecords(journal, kinds.LETTERS)
        self.patients: Records[Patient] = MemoryRecords(journal, kinds.PATIENTS)
        self.ownerships: Records[Ownership] = MemoryRecords(journal, kinds.OWNERSHIPS)
        self.cases: Records[StaffCase] = MemoryRecords(journal, kinds.CASES)
        self.publications: Publications = MemoryPublications(journal)
        self.seals: Records[AuditSeal] = MemoryRecords(journal, kinds.SEALS)
        self.subscriptions: Records[Subscription] = MemoryRecords(journal, kinds.SUBSCRIPTIONS)
        self.deliveries: Records[Delivery] = MemoryRecords(journal, kinds.DELIVERIES)
        self.units: Records[Unit] = MemoryRecords(journal, kinds.UNITS)
        self.rights: Records[Right] = MemoryRecords(journal, kinds.RIGHTS)
        self.verifications: Records[Verification] = MemoryRecords(journal, kinds.VERIFICATIONS)
        self.representations: Records[Representation] = MemoryRecords(
            journal, kinds.REPRESENTATIONS
        )
        self.withholdings: Records[Withholding] = MemoryRecords(journal, kinds.WITHHOLDINGS)
        events = MemoryEvents(journal)
        self.events: EventLog = events
        self.sessions: Sessions = MemorySessions(self, journal, events)
        self.work: WorkLog = MemoryWork(journal)
        self.answers: Answers = MemoryAnswers(journal)
        self.audit: AuditLog = MemoryAudit(journal)
        self.tallies: Tallies = MemoryTallies(self)

    def now(self) -> datetime:
        """Give the clock's instant, read once and again after each `lock`."""
        if self._now is None:
            self._now = self._clock.now(self) if self._clock else datetime.now(UTC)
        return self._now

    def lock(self, keys: Collection[str], *, whole: bool = False) -> None:
        """Do nothing: whoever is in a unit of work has everything."""
        self._now = None

    def try_lock(self, *keys: str) -> bool:
        """Give True: there is nobody else."""
        return True


class Memory:
    """Keeps everything in this process, under the rules of the databases.

    Parameters
    ----------
    clock : Clock, optional
        Instead of the machine's own.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock
        self._shelves: dict[str, Shelf] = defaultdict(Shelf)
        self._lock = threading.Lock()
        self._alone = Alone()
        self._wakes = Wakes()

    def run(self, organisation: str, body: Callable[[UnitOfWork], R], *, write: bool = True) -> R:
        """Run `body`; whatever it raises, nothing of what it did stays."""
        with self._alone.held(), self._lock:
            journal = Journal(self._shelves[organisation], organisation, write)
            try:
                result = body(MemoryUnit(journal, self._clock))
                if journal.failure is not None:
                    raise journal.failure
            except BaseException:
                journal.undo()
                raise
        if write:
            self._wakes.rouse()
        return result

    def organisations(self) -> list[str]:
        """Give the organisations that have published a clinic."""
        table = kinds.PUBLICATIONS.table
        with self._alone.held(), self._lock:
            return sorted(name for name, shelf in self._shelves.items() if shelf.rows[table])

    def listen(self, heard: Callable[[], None], stop: threading.Event) -> None:
        """Call `heard` after every unit of work that wrote, until `stop` is set."""
        self._wakes.listen(heard, stop)

    def close(self) -> None:
        """Forget everything."""
        self._shelves.clear()
