"""What every use case does around its rule: access, the log of who did what, the events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from timevalg.booking.access import allow
from timevalg.booking.patients import surviving
from timevalg.booking.ports import Ports
from timevalg.booking.represented import require_shown, thread_of
from timevalg.booking.unit_of_work import UnitOfWork
from timevalg.booking.versions import require_version
from timevalg.model.appointment import Appointment
from timevalg.model.clinic import Clinic
from timevalg.model.principal import Principal, RoleName
from timevalg.model.records import AuditEntry, CaseKind, Event, StaffCase, Work
from timevalg.model.states import AppointmentState, TaskState, target
from timevalg.model.task import Task
from timevalg.solver.picture import Picture

_SETTLING = frozenset(
    {
        TaskState.SCHEDULED,
        TaskState.OPEN,
        TaskState.CHOSEN,
        TaskState.ASSIGNED,
        TaskState.CONFIRMED,
        TaskState.WITHDRAWN,
    }
)
"""States that settle whatever staff had to look at, a lost place only where none is needed."""


@dataclass(frozen=True)
class Log:
    """What is to be written to the three logs at the end of a transaction, all at once.

    Attributes
    ----------
    freed : list of str
        Sessions whose time has come back: visits, blocks, and holds that have expired.
    """

    events: list[Event] = field(default_factory=list)
    works: list[Work] = field(default_factory=list)
    audit: list[AuditEntry] = field(default_factory=list)
    freed: list[str] = field(default_factory=list)

    def write(self, unit: UnitOfWork) -> None:
        """Write what is not written yet."""
        unit.audit.add_all(self.audit)
        unit.events.add_all(self.events)
        unit.work.add_all(self.works)
        for written in (self.audit, self.events, self.works):
            written.clear()


@dataclass(frozen=True)
class Act:
    """One verb being done by one principal in one transaction.

    Attributes
    ----------
    wish : str
        On whose wish, where that is not the principal's own.
    planning : bool
        Nothing is written yet, the log of who looked included: the doing follows.
    hurried : bool
        Others wait for it: what takes long is left to when it is done alone.
    log : Log
        Written when the verb is done.
    """

    ports: Ports
    unit: UnitOfWork
    principal: Principal
    verb: str
    reason: str = ""
    wish: str = ""
    planning: bool = False
    hurried: bool = False
    log: Log = field(default_factory=Log)

    # -- reading, with access ------------------------------------------------------------------

    def task(self, key: str, version: int | None = None) -> Task:
        """Give a task that the principal may use the verb on; note who asked.

        Raises
        ------
        NotFound, NotAllowed, StaleVersion
        """
        self._alone(f"t:{key}")
        task = self.unit.tasks.get(key)
        self._admit("task", task)
        require_version(self.unit, task, version)
        return task

    def appointment(self, key: str, version: int | None = None) -> Appointment:
        """Give an appointment by id or by the record system's ref; note who asked."""
        is_ref = self.principal.role is not RoleName.WORKER  # who knows visits by their ids
        found = self.unit.appointments.find(ref=key, limit=1) if is_ref else []
        appointment = found[0] if found else self.unit.appointments.get(key)
        if self._alone(thread_of(appointment)):
            appointment = self.unit.appointments.get(appointment.id)
        self._admit("appointment", appointment)
        require_version(self.unit, appointment, version)
        return appointment

    def _alone(self, key: str) -> bool:
        """Let acts on one task and its visit follow each other, from before the first write on.

        So the feed, which goes by transactions in the order in which they began to write, tells
        them in the order in which they happened. While planning nothing is locked.
        """
        if not self.planning:
            self.unit.lock([key])
        return not self.planning

    def _admit(self, kind: str, thing: Task | Appointment) -> None:
        who, key, patient = self.principal, thing.id, thing.patient
        if who.patient is not None and who.patient != patient:  # known by another id by now?
            who = replace(who, patient=surviving(self.unit, who.patient).id)
        allow(self.verb, who, kind=kind, key=key, clinic=thing.clinic, patient=patient)
        require_shown(self.unit, who, kind, key, thread_of(thing))
        if not self.planning:
            self.audit(kind, key, patient)

    def audit(self, kind: str, key: str, patient: str | None = None) -> None:
        """Write down who did this."""
        self.log.audit.append(
            AuditEntry(
                id=self.ports.keys.new("audit"),
                time=self.unit.now(),
                organisation=self.unit.organisation,
                principal=self.principal.id,
                role=self.principal.role,
                verb=self.verb,
                subject=kind,
                key=key,
                patient=patient,
                channel=self.principal.channel,
                reason=self.reason,
                address=self.principal.address or None,
            )
        )

    # -- changing, with events -----------------------------------------------------------------

    def advance(self, task: Task, verb: str, *, stored: bool = True, **changes: Any) -> Task:
        """Make a legal move of a task, with its event.

        Parameters
        ----------
        stored : bool
            False for a new task that the caller stores when it has made its moves.

        Raises
        ------
        IllegalMove
            If the state table has no such move.
        """
        state = TaskState(target("task", task.id, task.state, verb))
        moved = replace(task, state=state, **changes)
        moved = self.unit.tasks.save(moved) if stored else replace(moved, version=task.version + 1)
        self.event(
            f"task.{state}",
            "task",
            moved.clinic,
            moved.id,
            moved.version,
            task=moved,
            old=task_facts(task),
            new=task_facts(moved),
        )
        if stored and state in _SETTLING:
            self.close(task=task.id, but=CaseKind.CAPACITY_LOSS if moved.is_live else "")
        return moved

    def save(
        self, appointment: Appointment, type_: str, verb: str | None, **changes: Any
    ) -> Appointment:
        """Change an appointment by a legal move (None: facts only), with its one event."""
        state = appointment.state
        if verb is not None:
            state = AppointmentState(target("appointment", appointment.id, state, verb))
        saved = self.unit.appointments.save(replace(appointment, state=state, **changes))
        task = self.unit.tasks.get(saved.task) if saved.task else None
        self.event(
            type_,
            "appointment",
            saved.clinic,
            saved.id,
            saved.version,
            task=task,
            appointment=saved,
            old=facts(appointment),
            new=facts(saved),
        )
        return saved

    def event(
        self,
        type_: str,
        subject: str,
        clinic: str,
        key: str,
        version: int,
        *,
        task: Task | None = None,
        appointment: Appointment | None = None,
        old: Mapping[str, Any] | None = None,
        new: Mapping[str, Any] | None = None,
    ) -> None:
        """Write a fact for the index, record systems and webhooks.

        Its origin is the record system that caused it, by name, so that it can drop its own echo;
        else the role of whoever did.
        """
        who = self.principal
        refs: dict[str, str] = {}
        if task is not None:
            refs |= {k: v for k, v in (("task", task.ref), ("referral", task.referral)) if v}
        if appointment is not None and appointment.ref:
            refs["appointment"] = appointment.ref
        self.log.events.append(
            Event(
                id=self.ports.keys.new("event"),
                type=type_,
                time=self.unit.now(),
                organisation=self.unit.organisation,
                clinic=clinic,
                subject=subject,
                key=key,
                version=version,
                by=self.wish or who.id,
                channel=who.channel,
                reason=self.reason,
                origin=who.id if who.role is RoleName.SYSTEM else str(who.role),
                task=task.id if task else None,
                appointment=appointment.id if appointment else None,
                refs=refs,
                old=old,
                new=new,
            )
        )

    def work(self, kind: str, entity: str, clinic: str, due_at: datetime, effect: str) -> None:
        """Write down what is to be done, once for each effect."""
        self.log.works.append(
            Work(
                id=self.ports.keys.new("work"),
                organisation=self.unit.organisation,
                clinic=clinic,
                kind=kind,
                entity=entity,
                due_at=due_at,
                effect=f"{kind}:{entity}:{effect}",
            )
        )

    def close(self, *, but: str = "", **criteria: Any) -> None:
        """Take what is settled off the staff list, save for cases of the kind `but`."""
        settled = {c.id for c in self.unit.cases.find(closed_at=None, **criteria) if c.kind != but}
        if not settled:
            return
        self.unit.lock([f"c:{key}" for key in settled])  # staff may be closing one at this moment
        for case in self.unit.cases.find(id=frozenset(settled), closed_at=None):
            self.unit.cases.save(replace(case, closed_at=self.unit.now()))

    def case(
        self,
        kind: CaseKind,
        clinic: str,
        reason: str,
        *,
        task: str | None = None,
        appointment: str | None = None,
        ref: str | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> StaffCase:
        """Put something on the staff list."""
        case = StaffCase(
            id=self.ports.keys.new("case"),
            organisation=self.unit.organisation,
            clinic=clinic,
            kind=kind.value,
            created_at=self.unit.now(),
            reason=reason,
            task=task,
            appointment=appointment,
            ref=ref,
            detail=detail or {},
        )
        self.unit.cases.add(case)
        self.event(
            f"staff.{kind}",
            "case",
            clinic,
            case.id,
            1,
            task=self.unit.tasks.get(task) if task else None,
            appointment=self.unit.appointments.get(appointment) if appointment else None,
            new={"reason": reason, **({"ref": ref} if ref else {}), **(detail or {})},
        )
        return case


def clinic_of(picture: Picture, task: Task) -> Clinic:
    """Give the clinic that sent a task."""
    return picture.index.organisation.clinic(task.clinic)


def require(task: Task, verb: str) -> None:
    """Refuse a verb that the task's state has no move for."""
    target("task", task.id, task.state, verb)


def task_facts(task: Task) -> dict[str, Any]:
    """Give what an event says of a task."""
    return {"state": str(task.state), "due": task.due.isoformat()}


def facts(appointment: Appointment) -> dict[str, Any]:
    """Give what an event says of an appointment."""
    return {
        "state": str(appointment.state),
        "start": appointment.start.isoformat(),
        "length": appointment.length,
        "pool": appointment.pool,
        "service": appointment.service,
        "origin": str(appointment.origin),
        "resources": {role: list(ids) for role, ids in appointment.resources.items()},
    }
