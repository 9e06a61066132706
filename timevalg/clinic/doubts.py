"""What loads but deserves a look: one function a doubt, listed in `DOUBTS`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from timevalg.clinic.finding import Finding, shown
from timevalg.model.clinic import Clinic
from timevalg.model.contents import FileBooking
from timevalg.model.pool import Pool
from timevalg.model.resource import Resource
from timevalg.model.service import Role
from timevalg.model.task import Task

MAX_DOUBTS = 1000

Doubt = tuple[str, Finding]
"""Clinic id, and what is doubtful in its file."""


@dataclass(frozen=True)
class Loaded:
    """All that was loaded."""

    clinics: Sequence[Clinic]
    bookings: Sequence[FileBooking]
    tasks: Sequence[Task]

    def places(self) -> Iterator[tuple[FileBooking, int]]:
        """Give the bookings with their positions in their files."""
        count: dict[str, int] = {}
        for booking in self.bookings:
            clinic = booking.session.clinic
            yield booking, count.setdefault(clinic, 0)
            count[clinic] += 1


def roles_have_enough_resources(loaded: Loaded) -> Iterator[Doubt]:
    """Nothing is offered where a role has too few resources that fit."""
    for clinic in loaded.clinics:
        for at, pool in enumerate(clinic.pools.values()):
            for role in clinic.services[pool.service].roles:
                few = _too_few(role, list(clinic.candidates(pool, role)))
                if few:
                    yield clinic.id, Finding(("pools", at), f"{few}: nothing is offered")


def tasks_leave_enough_resources(loaded: Loaded) -> Iterator[Doubt]:
    """A task's `only` leaves enough resources in one of its pools at least."""
    clinics = {c.id: c for c in loaded.clinics}
    count: dict[str, int] = {}
    for task in loaded.tasks:
        at = count.setdefault(task.clinic, 0)
        count[task.clinic] += 1
        if task.only:
            clinic = clinics[task.clinic]
            few = [_too_few_for(task, clinic, clinic.pools[pool]) for pool in task.pools]
            if all(few):
                message = f"{few[0]} with this task's `only`: nothing is offered"
                yield task.clinic, Finding(("tasks", at, "only"), message)


def bookings_do_not_overlap(loaded: Loaded) -> Iterator[Doubt]:
    """No resource and no patient is in two bookings at once."""
    claims: dict[str, list[tuple[datetime, datetime, str, str, int]]] = {}
    for booking, at in loaded.places():
        session = booking.session
        for claim in session.claims():
            claims.setdefault(claim.subject, []).append(
                (claim.span.start, claim.span.end, session.id, session.clinic, at)
            )
    for subject, taken in claims.items():
        taken.sort()
        latest = taken[0]
        for claimed in taken[1:]:
            if claimed[0] < latest[1]:
                who = f"{'patient' if subject[0] == 'p' else 'resource'} {shown(subject[2:])}"
                message = f"overlaps booking {shown(latest[2])} for {who}"
                yield claimed[3], Finding(("bookings", claimed[4]), message)
            if claimed[1] > latest[1]:
                latest = claimed


def bookings_agree_with_pools_and_tasks(loaded: Loaded) -> Iterator[Doubt]:
    """A booking's service is its pool's, and its patient its task's."""
    clinics = {c.id: c for c in loaded.clinics}
    patients = {task.id: task.patient for task in loaded.tasks}
    for booking, at in loaded.places():
        session = booking.session
        if session.pool is not None:
            service = clinics[session.clinic].pools[session.pool].service
            if service != session.service:
                message = f"{shown(session.pool)} opens {shown(service)}, not this service"
                yield session.clinic, Finding(("bookings", at, "pool"), message)
        patient = patients.get(session.task or "")
        if patient is not None and session.patient not in (None, patient):
            message = f"task {shown(session.task)} is for patient {shown(patient)}"
            yield session.clinic, Finding(("bookings", at, "task"), message)


DOUBTS: tuple[Callable[[Loaded], Iterator[Doubt]], ...] = (
    roles_have_enough_resources,
    tasks_leave_enough_resources,
    bookings_do_not_overlap,
    bookings_agree_with_pools_and_tasks,
)


def doubts(
    clinics: Sequence[Clinic], bookings: Sequence[FileBooking], tasks: Sequence[Task]
) -> list[Doubt]:
    """Give all doubts, or the first thousand."""
    loaded = Loaded(clinics, bookings, tasks)
    found: list[Doubt] = []
    for doubt in DOUBTS:
        for clinic, finding in doubt(loaded):
            found.append((clinic, finding))
            if len(found) >= MAX_DOUBTS:
                more = replace(finding, path=(), message=f"more than {MAX_DOUBTS} warnings")
                return [*found, (clinic, more)]
    return found


def _too_few(role: Role, fitting: Sequence[Resource]) -> str:
    if len(fitting) >= role.count:
        return ""
    have = "no resource fits" if not fitting else f"only {len(fitting)} of {role.count} fit"
    return f"{have} role {shown(role.id)}"


def _too_few_for(task: Task, clinic: Clinic, pool: Pool) -> str:
    for role in clinic.services[pool.service].roles:
        allowed = task.only.get(role.id)
        fitting = [r for r in clinic.candidates(pool, role) if allowed is None or r.id in allowed]
        few = _too_few(role, fitting)
        if few:
            return few
    return ""
