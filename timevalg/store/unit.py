"""One transaction on a SQL database, as the use cases see it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any
from weakref import proxy

from sqlalchemy import Connection, CursorResult, Executable

from timevalg.booking.unit_of_work import (
    Answers,
    AuditLog,
    Clock,
    EventLog,
    Publications,
    Records,
    Sessions,
    Tallies,
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
from timevalg.store.answers import SqlAnswers
from timevalg.store.dialect import Dialect
from timevalg.store.figures import SqlTallies
from timevalg.store.logs import SqlAudit, SqlEvents, SqlWork
from timevalg.store.publications import SqlPublications
from timevalg.store.records import SqlRecords
from timevalg.store.sessions import SqlSessions


class SqlUnit:
    """The ports of one organisation on one connection inside one transaction."""

    def __init__(
        self,
        connection: Connection,
        dialect: Dialect,
        organisation: str,
        clock: Clock | None,
        write: bool,
    ) -> None:
        self._connection, self.dialect = connection, dialect
        self.organisation, self.write = organisation, write
        self.writing = dialect.writing(connection)
        self._clock = clock
        self._now: datetime | None = None
        self._has_all = False
        self.rouses = False
        """Whether it has written work that is due."""
        me: SqlUnit = proxy(self)  # else each unit would stay until garbage is sought
        self.tasks: Records[Task] = SqlRecords(me, kinds.TASKS)
        self.appointments: Records[Appointment] = SqlRecords(me, kinds.APPOINTMENTS)
        self.preparations: Records[Preparation] = SqlRecords(me, kinds.PREPARATIONS)
        self.letters: Records[Letter] = SqlRecords(me, kinds.LETTERS)
        self.patients: Records[Patient] = SqlRecords(me, kinds.PATIENTS)
        self.ownerships: Records[Ownership] = SqlRecords(me, kinds.OWNERSHIPS)
        self.cases: Records[StaffCase] = SqlRecords(me, kinds.CASES)
        self.publications: Publications = SqlPublications(me)
        self.seals: Records[AuditSeal] = SqlRecords(me, kinds.SEALS)
        self.subscriptions: Records[Subscription] = SqlRecords(me, kinds.SUBSCRIPTIONS)
        self.deliveries: Records[Delivery] = SqlRecords(me, kinds.DELIVERIES)
        self.units: Records[Unit] = SqlRecords(me, kinds.UNITS)
        self.rights: Records[Right] = SqlRecords(me, kinds.RIGHTS)
        self.verifications: Records[Verification] = SqlRecords(me, kinds.VERIFICATIONS)
        self.representations: Records[Representation] = SqlRecords(me, kinds.REPRESENTATIONS)
        self.withholdings: Records[Withholding] = SqlRecords(me, kinds.WITHHOLDINGS)
        events = SqlEvents(me)
        self.events: EventLog = events
        self.sessions: Sessions = SqlSessions(me, events)
        self.work: WorkLog = SqlWork(me)
        self.answers: Answers = SqlAnswers(me)
        self.audit: AuditLog = SqlAudit(me)
        self.tallies: Tallies = SqlTallies(me)

    @property
    def connection(self) -> Connection:
        """The connection itself; the database has by then what was inserted."""
        self.writing.finish()
        return self._connection

    def execute(self, statement: Executable, **parameters: Any) -> CursorResult[Any]:
        """Execute a statement of `statements.condition` on the rows of this organisation."""
        self.writing.before(statement)
        parameters["organisation_equal"] = self.organisation
        return self._connection.execute(statement, parameters)

    def execute_many(self, statement: Executable, rows: Iterable[Mapping[str, Any]]) -> int:
        """Execute a statement for each row of parameters; gives how many rows it found."""
        self.writing.before(statement)
        mine = [{**row, "organisation_equal": self.organisation} for row in rows]
        return self._connection.execute(statement, mine).rowcount

    def now(self) -> datetime:
        """Give the clock's instant, read once and again after each `lock`."""
        if self._now is None:
            clock = self._clock
            self._now = clock.now(self) if clock else self.dialect.now(self._connection)
        return self._now

    def lock(self, keys: Collection[str], *, whole: bool = False) -> None:
        """Take the locks in a statement of their own; what is read after them is current."""
        self._now = None
        if not self._has_all:  # who has the organisation's lock exclusive has them all
            after = self.dialect.lock(self._connection, self.organisation, keys, whole)
            self._now = None if self._clock else after
        self._has_all |= whole

    def try_lock(self, *keys: str) -> bool:
        """Take locks unless another transaction holds one of them."""
        return self.dialect.try_lock(self._connection, self.organisation, keys)
