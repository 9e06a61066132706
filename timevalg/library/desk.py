"""What planners and secretaries can do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from timevalg.booking import block, check, due, own, take_up, undo, write
from timevalg.library.patient import key_of
from timevalg.library.planning import Planning
from timevalg.model.appointment import Appointment
from timevalg.model.records import Letter, Owner, Ownership
from timevalg.model.session import Assignment, Session
from timevalg.model.task import Task


@dataclass(frozen=True)
class Desk(Planning):
    """What planners and secretaries can do."""

    def check(
        self,
        task: Task | str,
        *,
        confirm: bool,
        reason: str = "",
        version: int | None = None,
        idempotency_key: str | None = None,
    ) -> Task:
        """Confirm a choice, or refuse it."""
        return check.check(
            self.once(idempotency_key), self.principal, key_of(task), confirm, reason, version
        )

    def undo(
        self,
        task: Task | str,
        *,
        reason: str,
        version: int | None = None,
        idempotency_key: str | None = None,
    ) -> Task:
        """Take a time back before its letter has gone."""
        return undo.undo(self.once(idempotency_key), self.principal, key_of(task), reason, version)

    def take(
        self,
        task: Task | str,
        reason: str = "",
        version: int | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Task:
        """Take a task over from the patient."""
        return take_up.hand_to_staff(
            self.once(idempotency_key), self.principal, key_of(task), reason, version
        )

    def reopen(
        self,
        task: Task | str,
        reason: str = "",
        due: date | None = None,
        version: int | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Task:
        """Let the patient choose again, until a new due date if need be."""
        ports = self.once(idempotency_key)
        return take_up.reopen(ports, self.principal, key_of(task), reason, due, version)

    def assign(
        self,
        task: Task | str,
        *,
        start: datetime,
        resources: Assignment,
        pool: str | None = None,
        reason: str = "",
        override: bool = False,
        version: int | None = None,
        idempotency_key: str | None = None,
    ) -> Task:
        """Book a time for a task that staff have."""
        return due.assign(
            self.once(idempotency_key),
            self.principal,
            key_of(task),
            start,
            resources,
            pool,
            reason,
            override,
            version,
        )

    def keep_waiting(
        self,
        task: Task | str,
        reason: str,
        version: int | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Task:
        """Say that the fallback shall not happen on the last valid day."""
        ports = self.once(idempotency_key)
        return due.keep_waiting(ports, self.principal, key_of(task), reason, version)

    def write_letter(
        self,
        visit: Appointment | str,
        kind: str = "appointment",
        version: int | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Letter | None:
        """Write a visit's letter, where the pool leaves that to staff; it is sent at once."""
        ports = self.once(idempotency_key)
        return write.write_letter(ports, self.principal, kind, key_of(visit), version)

    def block(
        self,
        clinic: str,
        resources: Iterable[str],
        start: datetime,
        end: datetime,
        *,
        reason: str,
        override: bool = False,
        idempotency_key: str | None = None,
    ) -> Session:
        """Take resources for a span; gives the block, whose id lifts it again."""
        return block.block(
            self.once(idempotency_key),
            self.principal,
            clinic,
            tuple(resources),
            start,
            end,
            reason,
            override,
        )

    def unblock(
        self, block_: Session | str, reason: str = "", *, idempotency_key: str | None = None
    ) -> Session:
        """Give a block's time back."""
        return block.unblock(self.once(idempotency_key), self.principal, key_of(block_), reason)

    def set_owner(
        self, owner: Owner | str, reason: str = "", *, idempotency_key: str | None = None
    ) -> Ownership:
        """Set who owns the organisation's appointments: ``record-system`` or ``timevalg``."""
        return own.set_owner(self.once(idempotency_key), self.principal, Owner(owner), reason)
