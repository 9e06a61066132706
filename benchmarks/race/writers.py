"""One writer: a process that books through the project's own use case.

A booking is `timevalg.booking.choose.choose`. It looks at the process's picture and then runs one
transaction: the plan (a certificate from the picture), locks, checks, claims, the task's move, the
appointment, events, audit, work. `Planner` stops the use case at the point where it would begin
that transaction and keeps it; racing then runs the kept transactions, untouched, on the store. So
what is timed is all of the transaction, plan and retries included, and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from benchmarks.race.hospital import Job
from timevalg.booking.choose import choose
from timevalg.booking.ports import Ports
from timevalg.booking.unit_of_work import Store, UnitOfWork
from timevalg.channels.sink import Sink
from timevalg.model.errors import Busy, TimeTaken
from timevalg.model.principal import Principal, RoleName
from timevalg.solver.picture import Picture
from timevalg.wiring import ports_on

R = TypeVar("R")
Body = Callable[[UnitOfWork], Any]

BOOKED, TAKEN, BUSY = "booked", "taken", "busy"


@dataclass(frozen=True)
class Attempt:
    """What came of one try.

    Attributes
    ----------
    began, ended : float
        Seconds of ``time.monotonic``, which all processes of a machine share.
    retries : int
        How often the store ran the transaction again.
    """

    began: float
    ended: float
    outcome: str
    retries: int = 0


class _Kept(Exception):
    """The use case has come to its transaction."""

    def __init__(self, body: Body) -> None:
        super().__init__()
        self.body = body


class _Until:
    """A store that only reads: what would write is handed out instead."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def run(self, organisation: str, body: Callable[[UnitOfWork], R], *, write: bool = True) -> R:
        if write:
            raise _Kept(body)
        return self._store.run(organisation, body, write=False)

    def organisations(self) -> list[str]:
        return self._store.organisations()

    def close(self) -> None:
        self._store.close()


class _Still:
    """A picture that does not change."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture

    def current(self, organisation: str) -> Picture:
        return self._picture


class Planner:
    """Brings bookings to the point where their transaction would begin."""

    def __init__(self, store: Store, organisation: str) -> None:
        self._organisation = organisation
        ports = ports_on(store, Sink())
        still = _Still(ports.pictures.current(organisation))
        self._ports: Ports = replace(ports, store=_Until(store), pictures=still)

    def body(self, job: Job) -> Body:
        """Give the transaction that books a job's time.

        Raises
        ------
        TimeTaken
            If the picture has no such time.
        """
        try:
            book(self._ports, self._organisation, job)
        except _Kept as kept:
            return kept.body
        raise AssertionError(f"booking {job} needed no transaction")


def book(ports: Ports, organisation: str, job: Job) -> Any:
    """Book as the patient, with everything that belongs to it."""
    patient = Principal(job.patient, RoleName.PATIENT, organisation, patient=job.patient)
    return choose(ports, patient, job.task, job.start, job.pool)


def attempt(store: Store, organisation: str, body: Body) -> Attempt:
    """Run one transaction and take its time."""
    runs = 0

    def counted(unit: UnitOfWork) -> None:
        nonlocal runs
        runs += 1
        body(unit)

    began, outcome = time.monotonic(), BOOKED
    try:
        store.run(organisation, counted)
    except TimeTaken:
        outcome = TAKEN
    except Busy:
        outcome = BUSY
    return Attempt(began, time.monotonic(), outcome, max(0, runs - 1))


def whole(ports: Ports, organisation: str, job: Job) -> Attempt:
    """Do the whole use case, planning included, and take its time."""
    began, outcome = time.monotonic(), BOOKED
    try:
        book(ports, organisation, job)
    except TimeTaken:
        outcome = TAKEN
    except Busy:
        outcome = BUSY
    return Attempt(began, time.monotonic(), outcome)
