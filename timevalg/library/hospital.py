"""What record systems and the people at the desk both can do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from timevalg.booking import (
    amend,
    answer,
    attend,
    cancel,
    change,
    clinic_files,
    feed,
    invite,
    publish,
    replan,
    represent,
    reserves,
    settle_offers,
    whatif,
)
from timevalg.booking.invite import Invitation, InvitationPlan
from timevalg.booking.publish import Published
from timevalg.booking.replan import Rebooked, Replanned
from timevalg.booking.represent import Bond
from timevalg.booking.whatif import Forecast
from timevalg.clinic import Written, from_sources, read_files
from timevalg.library.invitations import as_said, values_of
from timevalg.library.patient import View, key_of, made
from timevalg.model.appointment import Appointment
from timevalg.model.contents import Source
from timevalg.model.errors import InvalidInput
from timevalg.model.records import Patient, Publication
from timevalg.model.representation import Basis, Representation
from timevalg.model.session import Assignment
from timevalg.model.task import Task
from timevalg.solver.reserves import Reserves
from timevalg.solver.settle_offers import SettledOffers
from timevalg.solver.wishes import NOTHING, Wishes

Files = str | Path | Mapping[str, Source]
"""A clinic file or a folder of them on disk, or what such files say, by clinic."""


@dataclass(frozen=True)
class Hospital(View):
    """What record systems and planners have in common."""

    def publish(
        self,
        files: Files,
        *,
        version: int | None = None,
        idempotency_key: str | None = None,
    ) -> Published:
        """Publish a clinic file or a folder of them; gives what it changes and whom it affects.

        Clinics that the files do not name stay as they are, and so do the sections that a file
        leaves out; ``[]`` empties one.

        Parameters
        ----------
        version : int or None
            Of all clinic files together (`clinics`), as they were read; None = any.
        """
        ports = self.once(idempotency_key)
        return publish.publish(ports, self.principal, _written(files), version)

    def what_if(self, files: Files) -> Forecast:
        """Say what publishing a file would do to places, visits and open tasks; writes nothing."""
        return whatif.what_if(self.ports, self.principal, _written(files))

    def clinics(self) -> list[Publication]:
        """Give the files in force; there have been `clinics_version` of all of them."""
        return clinic_files.list_clinics(self.ports, self.principal)

    def clinics_version(self) -> int:
        """Give the version of all clinic files together, for `publish`."""
        return clinic_files.version_in_force(self.ports, self.principal)

    def replan(self, clinic: str | None = None) -> Replanned:
        """Say which visits cannot stand (somebody is away), and what would harm least."""
        return replan.replan(self.ports, self.principal, clinic)

    def rebook(
        self,
        appointment: Appointment | str,
        *,
        due: date | None = None,
        reason: str = "",
        version: int | None = None,
        idempotency_key: str | None = None,
    ) -> Rebooked:
        """Accept what `replan` proposes for a visit; `move` it for anything else."""
        ports, key = self.once(idempotency_key), key_of(appointment)
        return replan.rebook(ports, self.principal, key, due, reason, version)

    def register(
        self,
        patient: str,
        *,
        name: str = "",
        language: str = "nb",
        email: str | None = None,
        phone: str | None = None,
        identity: str | None = None,
        birth: date | None = None,
        confidential: bool | None = None,
        version: int | None = None,
        idempotency_key: str | None = None,
    ) -> Patient:
        """Say who a patient is, what they are called in letters, and where those may go.

        Parameters
        ----------
        identity : str or None
            National identity number, D-number or help number; synthetic ones only where the
            organisation is marked for verification. Once given, it stays.
        confidential : bool or None
            Whether they live at a confidential address; None = as it was.
        version : int or None
            As it was read, 0 where nothing is known yet; None = whatever is.
        """
        value = Patient(
            patient,
            self.principal.organisation,
            language,
            name,
            email,
            phone,
            identity,
            birth=birth,
        )
        ports = self.once(idempotency_key)
        return feed.register_patient(ports, self.principal, value, confidential, version)

    def patient_with(self, identity: str | None = None, *, patient: str | None = None) -> Patient:
        """Give the patient with an identity number, or whom an id means now."""
        return feed.find_patient(self.ports, self.principal, identity, key=patient)

    def represent(
        self,
        patient: str,
        identity: str,
        basis: Basis | str,
        *,
        reason: str = "",
        idempotency_key: str | None = None,
        **more: Any,
    ) -> Representation:
        """Register that somebody may act for a patient, by the number of their identity.

        Parameters
        ----------
        basis : Basis or str
            ``parent`` | ``guardian`` | ``attorney``.
        **more
            ``starts``, ``ends`` (both included), ``shares_address`` and ``consents`` of a parent,
            ``areas`` of a power of attorney.
        """
        bond = made(lambda: Bond(patient, identity, Basis(basis), **more))
        ports = self.once(idempotency_key)
        return represent.register_representation(ports, self.principal, bond, reason)

    def end_representation(
        self, representation: Representation | str, reason: str = "", version: int | None = None
    ) -> Representation:
        """End a representation now."""
        key = key_of(representation)
        return represent.end_representation(self.ports, self.principal, key, reason, version)

    def invite(
        self,
        *,
        patient: str,
        pools: Sequence[str],
        opens: date,
        due: date,
        not_after: date | None = None,
        deadline: date | None = None,
        clinic: str | None = None,
        idempotency_key: str | None = None,
        **more: Any,
    ) -> Invitation:
        """Invite one patient to choose; gives ``.task``, or the ``.shortage``.

        Parameters
        ----------
        pools : sequence of str
            Any of which will do.
        opens, due : date
            The patient may choose from 00:00 on the one to 23:59 on the other.
        not_after, deadline : date
            At least one; the visit is at latest then.
        **more
            Further fields of `timevalg.model.task.Task`: ``ref``, ``referral``, ``not_before``,
            ``priority``, ``only``, ``times``, ``extra``, ``mode``, ``letters`` …
        """
        return self.invite_many(
            [
                {
                    "patient": patient,
                    "pools": pools,
                    "opens": opens,
                    "due": due,
                    "not_after": not_after,
                    "deadline": deadline,
                    "clinic": clinic,
                    **more,
                }
            ],
            idempotency_key=idempotency_key,
        )[0]

    def invite_many(
        self,
        invitations: InvitationPlan | Iterable[Mapping[str, Any]],
        *,
        all_or_nothing: bool = False,
        idempotency_key: str | None = None,
    ) -> list[Invitation]:
        """Invite many at once, planned together; fields as in `invite`.

        Parameters
        ----------
        invitations : InvitationPlan or iterable of mapping
            A plan is made anew, and its tasks keep their ids: sent twice it is as sent once.
        all_or_nothing : bool
            Send nothing unless all can be served (`NotServable` names the first that cannot).
            Otherwise whoever can be served is sent, and the others stay drafts.
        """
        ports, tasks = self.once(idempotency_key), self._tasks(invitations)
        return invite.invite(ports, self.principal, tasks, all_or_nothing)

    def plan_invitations(self, invitations: Iterable[Mapping[str, Any]]) -> InvitationPlan:
        """Say who of many could be served, and what is short for the others; sends nothing."""
        tasks = self._tasks(invitations)
        return invite.plan_invitations(self.ports, self.principal, tasks)

    def _tasks(self, invitations: InvitationPlan | Iterable[Mapping[str, Any]]) -> list[Task]:
        if isinstance(invitations, InvitationPlan):
            return [planned.task for planned in invitations.invitations]
        organisation = self.ports.pictures.current(self.principal.organisation).index.organisation

        def read(fields: Mapping[str, Any]) -> Task:
            given = as_said(fields)
            if given["clinic"] is None:
                given["clinic"] = organisation.clinic_of_pool(given["pools"][0]).id
            return _task(id="", organisation=organisation.id, **given)

        return InvalidInput.each("invitations", invitations, read)

    def settle_offers(
        self, task: Task | str, limit: int | None = None, wishes: Wishes = NOTHING
    ) -> SettledOffers:
        """Give all safe offers of a task, with as much time as it takes (seconds)."""
        return settle_offers.settle_offers(self.ports, self.principal, key_of(task), limit, wishes)

    def reserves(self) -> Reserves:
        """Give the place of every live task, and what is missing where there is none."""
        return reserves.list_reserves(self.ports, self.principal)

    def amend(
        self,
        task: Task | str,
        *,
        version: int | None = None,
        reason: str = "",
        idempotency_key: str | None = None,
        **changes: Any,
    ) -> Task:
        """Change the terms of a draft or a live task, if it has a place by the new ones.

        Parameters
        ----------
        **changes
            ``due``, ``not_before``, ``not_after``, ``deadline``, ``pools``, ``only``, ``times``,
            ``extra``, ``preparations``, ``done``, ``priority``; ``opens`` before it has opened.
        """
        ports = self.once(idempotency_key)
        key, values = key_of(task), values_of(changes)
        return amend.amend(ports, self.principal, key, values, version, reason)

    def move(
        self,
        appointment: Appointment | str,
        *,
        start: datetime,
        resources: Assignment | None = None,
        reason: str = "",
        version: int | None = None,
        override: bool = False,
        idempotency_key: str | None = None,
    ) -> Appointment:
        """Move a visit, as the hospital."""
        return change.move(
            self.once(idempotency_key),
            self.principal,
            key_of(appointment),
            start,
            resources,
            reason,
            version,
            override,
        )

    def withdraw(
        self,
        *,
        task: str | None = None,
        referral: str | None = None,
        letters: bool = True,
        reason: str = "",
        version: int | None = None,
        idempotency_key: str | None = None,
    ) -> list[Task]:
        """Withdraw a task, or all tasks of a referral (their version: the sum of the tasks')."""
        return cancel.withdraw(
            self.once(idempotency_key),
            self.principal,
            task=task,
            referral=referral,
            letters=letters,
            reason=reason,
            version=version,
        )

    def refuse(
        self,
        appointment: Appointment | str,
        *,
        reason: str,
        version: int | None = None,
        idempotency_key: str | None = None,
    ) -> Task:
        """Refuse a choice; the task opens again."""
        return answer.refuse(
            self.once(idempotency_key), self.principal, key_of(appointment), reason, version
        )

    def arrive(
        self,
        appointment: Appointment | str,
        version: int | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Appointment:
        """Note that the patient is here."""
        ports = self.once(idempotency_key)
        return attend.arrive(ports, self.principal, key_of(appointment), version)

    def fulfil(
        self,
        appointment: Appointment | str,
        version: int | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Appointment:
        """Note that the visit has taken place."""
        ports = self.once(idempotency_key)
        return attend.fulfil(ports, self.principal, key_of(appointment), version)

    def no_show(
        self,
        appointment: Appointment | str,
        version: int | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Appointment:
        """Note that the patient did not come."""
        ports = self.once(idempotency_key)
        return attend.no_show(ports, self.principal, key_of(appointment), version)


def _written(files: Files) -> list[Written]:
    if not isinstance(files, Mapping):
        return read_files(Path(files))
    for clinic, source in files.items():
        if not isinstance(source, Source):
            what = f"is {type(source).__name__}, not Source; give Source(document, calendars)"
            raise InvalidInput.single(clinic, what)
    return from_sources(files)


def _task(**fields: Any) -> Task:
    return made(lambda: Task(**{k: v for k, v in fields.items() if v is not None}))
