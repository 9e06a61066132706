"""What a hospital's record system can do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from timevalg.booking import (
    answer,
    calendar_import,
    deceased,
    feed,
    merge,
    sync,
    tell_systems,
)
from timevalg.booking.calendar_import import Imported, Rejected
from timevalg.booking.sync import CalendarRow, Synced
from timevalg.library.calendar_file import read_calendar
from timevalg.library.hospital import Hospital
from timevalg.library.patient import key_of
from timevalg.model.appointment import Appointment
from timevalg.model.outgoing import Subscription
from timevalg.model.records import Event, Patient


@dataclass(frozen=True)
class RecordSystem(Hospital):
    """What a hospital's record system can do."""

    def sync(
        self, rows: Iterable[CalendarRow], window: tuple[datetime, datetime] | None = None
    ) -> Synced:
        """Take in the record system's calendar."""
        return sync.sync(self.ports, self.principal, rows, window)

    def merge(
        self,
        old: str,
        into: str,
        *,
        reason: str = "",
        version: int | None = None,
        idempotency_key: str | None = None,
    ) -> Patient:
        """Say that two patients are one; gives the one that is left, whose version it is."""
        return merge.merge(self.once(idempotency_key), self.principal, old, into, reason, version)

    def deceased(
        self,
        patient: str,
        *,
        reason: str = "",
        version: int | None = None,
        idempotency_key: str | None = None,
    ) -> Patient:
        """Say that a patient has died: all is withdrawn, and no letter is written any more."""
        ports = self.once(idempotency_key)
        return deceased.deceased(ports, self.principal, patient, reason, version)

    def import_calendar(
        self,
        lines: Iterable[str],
        *,
        form: str = "jsonl",
        reject: Callable[[Rejected], None] = lambda rejected: None,
    ) -> Imported:
        """Take in a whole calendar as a stream; stopped half-way, it is simply done again.

        Parameters
        ----------
        lines : iterable of str
            An open file, as `timevalg.library.calendar_file` describes it.
        form : str
            ``jsonl`` or ``csv``.
        reject : callable
            Told of each row that is not taken in, with its line and the reason.
        """
        rows = read_calendar(lines, form)
        return calendar_import.import_calendar(self.ports, self.principal, rows, reject)

    def events(self, after: str = "", limit: int = 500) -> list[Event]:
        """Give what happened after a cursor, in commit order, none skipped, at least once."""
        return feed.read_events(self.ports, self.principal, after, limit)

    def subscribe(
        self,
        url: str,
        secret: str,
        events: Sequence[str] = (),
        *,
        deduplicates: bool = True,
        after: str | None = None,
    ) -> Subscription:
        """Have events sent to an address, signed with the key that workers know as `secret`."""
        return tell_systems.subscribe(
            self.ports, self.principal, url, secret, events, deduplicates=deduplicates, after=after
        )

    def subscriptions(self) -> list[Subscription]:
        """Give the receivers that get events now."""
        return tell_systems.list_subscriptions(self.ports, self.principal)

    def end_subscription(self, subscription: Subscription | str) -> Subscription:
        """Have no more events sent; what has not left is stopped."""
        key = subscription if isinstance(subscription, str) else subscription.id
        return tell_systems.end_subscription(self.ports, self.principal, key)

    def accept(
        self,
        appointment: Appointment | str,
        *,
        ref: str | None = None,
        version: int | None = None,
        idempotency_key: str | None = None,
    ) -> Appointment:
        """Accept a choice; the visit gets the record system's own id."""
        return answer.accept(
            self.once(idempotency_key), self.principal, key_of(appointment), ref, version
        )
