"""What a patient can do, and what the hospital can do in the patient's stead."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from timevalg.booking import (
    attend,
    cancel,
    change,
    choose,
    export,
    feed,
    hold,
    invite,
    look,
    mine,
    none_suits,
    prepare,
    represent,
)
from timevalg.booking import decline as declining
from timevalg.booking.invite import Invitation
from timevalg.booking.ports import Ports
from timevalg.letters.calendar_entry import calendar_entry
from timevalg.model.appointment import Appointment, Preparation
from timevalg.model.errors import InvalidInput
from timevalg.model.principal import Principal
from timevalg.model.records import AuditEntry, Letter
from timevalg.model.representation import Representation, Withholding
from timevalg.model.session import Assignment, Session
from timevalg.model.states import TaskState
from timevalg.model.task import Task
from timevalg.solver.offers import Offer, Offers
from timevalg.solver.wishes import NOTHING, Wishes

T = TypeVar("T")


@dataclass(frozen=True)
class View:
    """What patients, planners and record systems all can do, each with what is theirs."""

    ports: Ports
    principal: Principal

    def once(self, idempotency_key: str | None) -> Ports:
        """Give the ports for one call; with a key, the same call again has the same answer.

        A key belongs to whoever acts, and to one call: with other arguments it is refused
        (`KeyReused`), and while the call is being done (`InFlight`). Answers are kept for 24 hours
        at least; a call that failed may be tried again with its key.
        """
        return self.ports if idempotency_key is None else replace(self.ports, key=idempotency_key)

    def tasks(
        self, states: Collection[TaskState] = (), after: str = "", limit: int = mine.MOST
    ) -> list[Task]:
        """Give a page of tasks, those after an id."""
        return mine.list_tasks(self.ports, self.principal, states, after, limit)

    def appointments(self, after: str = "", limit: int = mine.MOST) -> list[Appointment]:
        """Give a page of appointments, those after an id."""
        return mine.list_appointments(self.ports, self.principal, after, limit)

    def tasks_of(self, referral: str) -> list[Task]:
        """Give the tasks of a referral."""
        return mine.list_tasks(self.ports, self.principal, referral=referral)

    def task(self, key: str) -> Task:
        """Give a task."""
        return feed.read_task(self.ports, self.principal, key)

    def appointment(self, key: str) -> Appointment:
        """Give an appointment by id or by the record system's ref."""
        return feed.read_appointment(self.ports, self.principal, key)

    def appointment_of(self, task: Task | str) -> Appointment | None:
        """Give a task's newest appointment, if it has one."""
        return feed.appointment_of(self.ports, self.principal, key_of(task))

    def preparations(self, appointment: Appointment | str) -> list[Preparation]:
        """Give what must be done before a visit."""
        return feed.preparations_of(self.ports, self.principal, key_of(appointment))

    def letters(self, appointment: Appointment | str) -> list[Letter]:
        """Give the letters about a visit."""
        return feed.letters_of(self.ports, self.principal, key_of(appointment))

    def my_letters(self, after: str = "", limit: int = mine.MOST) -> list[Letter]:
        """Give a page of letters, those after an id."""
        return mine.list_letters(self.ports, self.principal, after, limit)

    def letter(self, key: str) -> Letter:
        """Give a letter."""
        return feed.read_letter(self.ports, self.principal, key)

    def calendar_entry(self, appointment: Appointment | str, language: str = "nb") -> str:
        """Give a visit as an iCalendar file: when and where, not why."""
        visit = self.appointment(key_of(appointment))
        picture = self.ports.pictures.current(self.principal.organisation)
        clinic = picture.index.organisation.clinic(visit.clinic)
        return calendar_entry(visit, clinic, language, picture.now)

    def offers(
        self,
        task: Task | str,
        limit: int = look.LIMIT,
        wishes: Wishes = NOTHING,
        since: look.Since = None,
    ) -> Offers:
        """Give the best safe offers for a task, those first that the patient would like.

        With a start and a pool as `since`: those after it, in order of time.
        """
        return look.list_offers(self.ports, self.principal, key_of(task), limit, wishes, since)

    def offers_to_change(
        self,
        visit: Appointment | str,
        limit: int = look.LIMIT,
        wishes: Wishes = NOTHING,
        since: look.Since = None,
    ) -> Offers:
        """Give the best safe offers to move a visit to, as `offers` does."""
        return look.list_offers_to_change(
            self.ports, self.principal, key_of(visit), limit, wishes, since
        )

    def hold(
        self,
        task: Task | str,
        offer: Offer | datetime,
        pool: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Session:
        """Hold a time for some minutes."""
        start, pool, shown = shown_in(offer, pool)
        return hold.hold(
            self.once(idempotency_key), self.principal, key_of(task), start, pool, shown
        )

    def renew(self, held: Session, *, idempotency_key: str | None = None) -> Session:
        """Hold a time for some minutes more."""
        return hold.renew_hold(
            self.once(idempotency_key), self.principal, held.task or "", held.start, held.pool
        )

    def choose(
        self,
        task: Task | str,
        offer: Offer | datetime,
        pool: str | None = None,
        version: int | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Appointment:
        """Choose a time, held or not."""
        start, pool, shown = shown_in(offer, pool)
        return choose.choose(
            self.once(idempotency_key), self.principal, key_of(task), start, pool, version, shown
        )

    def none_suits(
        self,
        task: Task | str,
        when_i_can: str = "",
        version: int | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Task:
        """Say that no offer suits, and when one would."""
        return none_suits.none_suits(
            self.once(idempotency_key), self.principal, key_of(task), when_i_can, version
        )

    def decline(
        self,
        task: Task | str,
        reason: str = "",
        version: int | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Task:
        """Say that the visit is no longer needed."""
        return declining.decline(
            self.once(idempotency_key), self.principal, key_of(task), reason, version
        )

    def change(
        self,
        appointment: Appointment | str,
        offer: Offer | datetime,
        pool: str | None = None,
        version: int | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Appointment:
        """Move a visit to another offered time."""
        start, pool, shown = shown_in(offer, pool)
        return change.change(
            self.once(idempotency_key),
            self.principal,
            key_of(appointment),
            start,
            pool,
            version,
            shown=shown,
        )

    def cancel(
        self,
        appointment: Appointment | str,
        reason: str = "",
        version: int | None = None,
        by: str = "",
        *,
        idempotency_key: str | None = None,
    ) -> Appointment:
        """Cancel a visit."""
        return cancel.cancel(
            self.once(idempotency_key), self.principal, key_of(appointment), reason, version, by
        )

    def representations(self, patient: str) -> list[Representation]:
        """Give who may act, or might, for a patient, those that have ended too."""
        return represent.list_representations(self.ports, self.principal, patient)

    def withhold(
        self, thing: Task | Appointment, *, withheld: bool = True, reason: str = ""
    ) -> Withholding:
        """Decide whether representatives see a task with its visits, or a visit without one."""
        kind = "task" if isinstance(thing, Task) else "appointment"
        return represent.withhold(self.ports, self.principal, kind, thing.id, withheld, reason)

    def complete(
        self,
        preparation: Preparation | str,
        answer: str = "",
        version: int | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Preparation:
        """Note that a preparation is done."""
        return prepare.complete_preparation(
            self.once(idempotency_key), self.principal, key_of(preparation), answer, version
        )


@dataclass(frozen=True)
class PatientView(View):
    """What a patient can do."""

    def access_log(self, limit: int = mine.MOST, after: str = "") -> list[AuditEntry]:
        """Tell who has looked at the patient's data or changed it, newest first."""
        return mine.read_access_log(self.ports, self.principal, limit, after)

    def export(self) -> dict[str, Any]:
        """Give everything that is kept about the patient, as JSON has it."""
        return export.export_own(self.ports, self.principal)

    def ask(
        self,
        task: Task | str,
        version: int | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Invitation:
        """Ask for a time, where the patient asks first."""
        ports = self.once(idempotency_key)
        return invite.ask_for_time(ports, self.principal, key_of(task), version)

    def acknowledge(
        self,
        appointment: Appointment | str,
        version: int | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Appointment:
        """Say "I am coming"."""
        ports = self.once(idempotency_key)
        return attend.acknowledge(ports, self.principal, key_of(appointment), version)


def key_of(thing: Any) -> str:
    """Give the id of a value, or the id itself."""
    return thing if isinstance(thing, str) else str(thing.id)


def made(make: Callable[[], T]) -> T:
    """Make a value of what was given.

    Raises
    ------
    InvalidInput
        If there is no such value, or no such field.
    """
    try:
        return make()
    except (TypeError, ValueError) as error:
        raise InvalidInput.single("", str(error)) from error


def shown_in(
    offer: Offer | datetime, pool: str | None
) -> tuple[datetime, str | None, Assignment | None]:
    """Give the start, the pool and the resources of an offer, or what is given in its stead."""
    if isinstance(offer, Offer):
        return offer.start, offer.pool, offer.session.resources
    return offer, pool, None
