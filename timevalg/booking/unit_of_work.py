"""The unit of work: what use cases read and write in a transaction, as Protocols owned here.

Stores answer them for memory, SQLite and PostgreSQL alike (``tests/contract``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Event as Flag
from typing import Any, NamedTuple, Protocol, TypeVar

from timevalg.model.appointment import Appointment, Preparation
from timevalg.model.figures import Counted, Period
from timevalg.model.outgoing import Delivery, Subscription
from timevalg.model.records import (
    Answer,
    AuditEntry,
    AuditSeal,
    Depth,
    Event,
    Letter,
    Ownership,
    Patient,
    Publication,
    StaffCase,
    Verification,
    Work,
)
from timevalg.model.representation import Representation, Withholding
from timevalg.model.right import Right, Unit
from timevalg.model.session import Claim, Session
from timevalg.model.task import Task

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Between:
    """A criterion: at least `low` and below `high`; None leaves that side open."""

    low: Any = None
    high: Any = None


class Records(Protocol[T]):
    """Rows of one kind, all of one organisation.

    Criteria are names of fields with a value (equal), a collection other than a string (any of
    them), a `Between`, or None (is not set).
    """

    def get(self, key: str) -> T:
        """Give one by id; `NotFound` if there is none."""
        ...

    def find(self, *, order: str = "id", limit: int | None = None, **criteria: Any) -> list[T]:
        """Give those that meet all criteria, in order of a field (``-field`` = descending)."""
        ...

    def count(self, **criteria: Any) -> int:
        """Count those that meet all criteria."""
        ...

    def add(self, value: T) -> None:
        """Insert; `Conflict` if the id or a unique field (a ref) is there already."""
        ...

    def add_all(self, values: Iterable[T]) -> None:
        """Insert many at once."""
        ...

    def save(self, value: T) -> T:
        """Update if the stored version is the value's (where the kind has versions).

        Gives the value with the next version; raises `StaleVersion` where it has changed.
        """
        ...

    def remove(self, keys: Collection[str]) -> int:
        """Delete some by id; gives how many there were."""
        ...

    def save_all(self, values: Iterable[T], before: Mapping[str, T] | None = None) -> None:
        """Save many at once, each id once.

        Parameters
        ----------
        before : mapping of str to T
            By id, as they were read, where that is known: only what differs need be written.
        """
        ...


class Publications(Records[Publication], Protocol):
    """Clinic files: every version that was published."""

    def newest(self) -> dict[str, Publication]:
        """Give the newest of every clinic, by clinic; those before it are not read."""
        ...


class StoredClaim(NamedTuple):
    """A claim as the database has it, whatever its session says."""

    session: str
    subject: str
    start: datetime
    end: datetime


class Sessions(Protocol):
    """Sessions and their claims: the one place where time is taken and given back.

    Each change also writes an internal event (``session.claimed`` or ``session.released``) that
    tells the index which session to look at again; it carries the key alone.
    """

    def get(self, key: str) -> Session:
        """Give one by id; `NotFound` if there is none."""
        ...

    def find(self, **criteria: Any) -> list[Session]:
        """Give those that meet all criteria: id, kind, clinic, pool, task, patient, start."""
        ...

    def touching(self, claims: Iterable[Claim], *also: Mapping[str, Any]) -> list[Session]:
        """Give every session with a claim that overlaps one of these.

        Parameters
        ----------
        also : mapping
            Criteria as for `find`: who meets all of one of them is given too.
        """
        ...

    def expired(self, now: datetime) -> list[Session]:
        """Give the holds that have expired."""
        ...

    def stored(self) -> list[StoredClaim]:
        """Give every claim as it is stored, by subject and start, to be examined."""
        ...

    def claim(self, sessions: Iterable[Session]) -> None:
        """Insert sessions with their claims; `TimeTaken` if any overlaps one that is there."""
        ...

    def release(self, keys: Collection[str]) -> int:
        """Delete sessions with their claims; gives how many there were."""
        ...


class EventLog(Protocol):
    """Facts in commit order."""

    def add(self, event: Event) -> None:
        """Append."""
        ...

    def add_all(self, events: Iterable[Event]) -> None:
        """Append many at once."""
        ...

    def read(self, after: str = "", limit: int = 500, internal: bool = False) -> list[Event]:
        """Give events after a cursor, none skipped; those of sessions only if `internal`.

        With ``internal`` the visible events above the oldest running transaction come too (again
        and again until that one ends): the reader applies them idempotently by id.
        """
        ...

    def of(self, subject: str, key: str, *, above: int) -> list[Event]:
        """Give what happened to a thing after a version of it, in order of its versions."""
        ...

    def place_of(self, key: str) -> str | None:
        """Give where an event stands, to be read after; None if it is not there."""
        ...

    def told(self) -> Iterable[tuple[str, str, int, Mapping[str, Any]]]:
        """Give subject, key, version and new facts of all events of tasks and appointments."""
        ...

    def last(self) -> str:
        """Give the cursor after which a reader that has read everything goes on."""
        ...

    def remove(self, keys: Collection[str]) -> int:
        """Delete some by id; gives how many there were."""
        ...


class WorkLog(Protocol):
    """What is to be done, with leases by the Clock port."""

    def add(self, work: Work) -> bool:
        """Append; False (and nothing) if work with this effect key is there already."""
        ...

    def add_all(self, works: Iterable[Work]) -> None:
        """Append many at once, but for those whose effect key is there already."""
        ...

    def get(self, key: str) -> Work:
        """Give one by id."""
        ...

    def find(
        self, *, order: str = "due_at", limit: int | None = None, **criteria: Any
    ) -> list[Work]:
        """Give those that meet all criteria."""
        ...

    def due(
        self,
        now: datetime,
        limit: int,
        kinds: Collection[str] | None = None,
        clinic: str | None = None,
    ) -> list[Work]:
        """Give work that is due and that nobody has (or has had too long), oldest first."""
        ...

    def depths(self, now: datetime) -> list[Depth]:
        """Give how much is due and not done, for each kind, clinic and state."""
        ...

    def lease(
        self, keys: Collection[str], now: datetime, until: datetime, owner: str
    ) -> list[Work]:
        """Take work that is due: raises its fence, counts the attempt; gives what was free."""
        ...

    def finish(self, work: Work) -> bool:
        """Store the outcome if the fencing token is still the holder's; else False."""
        ...

    def finish_all(self, works: Collection[Work]) -> bool:
        """Finish many at once; False if not all were still the holder's."""
        ...

    def settle(self, work: Work) -> bool:
        """Store an operator's verdict on work that nobody holds; False if somebody does."""
        ...

    def remove(self, keys: Collection[str]) -> int:
        """Delete some by id; gives how many there were."""
        ...


class Answers(Protocol):
    """What calls with idempotency keys were answered."""

    def find(self, **criteria: Any) -> list[Answer]:
        """Give those that meet all criteria."""
        ...

    def add(self, value: Answer) -> None:
        """Keep one; `Conflict` if there is one with its id."""
        ...

    def forget(self, before: datetime) -> int:
        """Delete those given before an instant; gives how many there were."""
        ...


class AuditLog(Protocol):
    """Who looked at and changed what; append-only, in an order that stays."""

    def read(self, after: str = "", limit: int = 500) -> list[AuditEntry]:
        """Give entries after a cursor, none skipped; those that can get no more before them."""
        ...

    def add(self, entry: AuditEntry) -> None:
        """Append."""
        ...

    def add_all(self, entries: Iterable[AuditEntry]) -> None:
        """Append many at once."""
        ...

    def find(
        self, *, order: str = "time", limit: int | None = None, **criteria: Any
    ) -> list[AuditEntry]:
        """Give those that meet all criteria."""
        ...


class Tallies(Protocol):
    """Figures, counted where the rows are."""

    def count(self, period: Period, touches: Collection[str]) -> list[Counted]:
        """Count everything of `timevalg.model.figures.MEASURES`, by clinic; nothing = 0.

        Parameters
        ----------
        touches : collection of str
            Verbs of the audit log that count as touches where staff do them.
        """
        ...


class UnitOfWork(Protocol):
    """One transaction in one organisation; everything in it happens or nothing does."""

    organisation: str
    tasks: Records[Task]
    appointments: Records[Appointment]
    preparations: Records[Preparation]
    letters: Records[Letter]
    patients: Records[Patient]
    ownerships: Records[Ownership]
    cases: Records[StaffCase]
    publications: Publications
    subscriptions: Records[Subscription]
    deliveries: Records[Delivery]
    units: Records[Unit]
    rights: Records[Right]
    verifications: Records[Verification]
    representations: Records[Representation]
    withholdings: Records[Withholding]
    sessions: Sessions
    events: EventLog
    work: WorkLog
    answers: Answers
    audit: AuditLog
    tallies: Tallies
    seals: Records[AuditSeal]

    def now(self) -> datetime:
        """Give the Clock port's instant: the database's ``clock_timestamp()`` in production."""
        ...

    def lock(self, keys: Collection[str], *, whole: bool = False) -> None:
        """Take the locks, sorted, the organisation's shared (`whole`: exclusive) before them.

        Held to the end of the transaction. `Busy` after 3 seconds.
        """
        ...

    def try_lock(self, *keys: str) -> bool:
        """Take locks to the end of the transaction; False if another holds one of them.

        Where there is one writer at a time nobody else can hold it.
        """
        ...


class Clock(Protocol):
    """Tells the time to units of work; a store without one reads its database's own."""

    def now(self, unit: UnitOfWork) -> datetime:
        """Give the instant, in UTC."""
        ...


class Store(Protocol):
    """Where everything is kept."""

    def run(self, organisation: str, body: Callable[[UnitOfWork], R], *, write: bool = True) -> R:
        """Run `body` in one transaction and commit; repeat it where the database asks for that.

        Without `write` the body only reads, all of it from one snapshot. Not from inside another
        body. What the database has refused cannot be swallowed: it is raised again at the end.
        """
        ...

    def organisations(self) -> list[str]:
        """Give the organisations that have published a clinic."""
        ...

    def listen(self, heard: Callable[[], None], stop: Flag) -> None:
        """Call `heard` whenever work that is due may have been written, until `stop` is set.

        A hint, no promise: what is not heard (the database was away) must be found by looking.
        """
        ...

    def close(self) -> None:
        """Let go of all connections."""
        ...
