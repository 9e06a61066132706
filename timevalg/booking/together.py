"""Pieces of work done in one transaction: their rows are read, and what follows written, at once.

One that fails undoes all of them; whoever asked then does each alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import Event
from typing import TypeVar

from timevalg.booking.gathered import Gathered
from timevalg.booking.ports import Pictures, Ports
from timevalg.booking.running import picture_of
from timevalg.booking.unit_of_work import UnitOfWork
from timevalg.model.principal import Principal
from timevalg.model.records import Work
from timevalg.solver.picture import Picture

R = TypeVar("R")


def do_in_one(
    ports: Ports,
    principal: Principal,
    works: Sequence[Work],
    do: Callable[[Ports, Principal, Work], object],
) -> None:
    """Do pieces of work, each by a use case that is one transaction, in one for all of them."""
    picture = picture_of(ports, principal)

    def body(unit: UnitOfWork) -> None:
        gathered = read_ahead(unit, works)
        inside = replace(
            ports, store=Inside(gathered.unit), pictures=_Picture(ports.pictures, picture)
        )
        for work in works:
            do(replace(inside, in_hand=work), principal, work)
        gathered.write()

    ports.store.run(principal.organisation, body)


def read_ahead(unit: UnitOfWork, works: Sequence[Work]) -> Gathered:
    """Lock the tasks that pieces of work are about, and read what they will ask for."""
    gathered = Gathered(unit)
    at_once = gathered.unit
    about = frozenset(work.entity for work in works)
    letters = at_once.letters.find(id=about)
    visits = about.union(p.appointment for p in at_once.preparations.find(id=about))
    visits = visits.union(x.appointment for x in letters if x.appointment)
    appointments = at_once.appointments.find(id=visits)
    tasks = {x.task for x in letters if x.task} | {x.task for x in appointments if x.task}
    tasks |= {task.id for task in at_once.tasks.find(id=about)}
    alone = {f"a:{visit.id}" for visit in appointments if visit.task is None}
    at_once.lock({f"t:{task}" for task in tasks} | alone)
    patients = {x.patient for x in at_once.letters.find(id=about)}
    patients |= {x.patient for x in at_once.tasks.find(id=tasks)}
    patients |= {x.patient for x in at_once.appointments.find(id=visits) if x.patient}
    at_once.patients.find(id=patients)
    return gathered


@dataclass(frozen=True)
class Inside:
    """A store whose every transaction is a part of one that is open."""

    unit: UnitOfWork

    def run(self, organisation: str, body: Callable[[UnitOfWork], R], *, write: bool = True) -> R:
        """Do it in that transaction."""
        return body(self.unit)

    def organisations(self) -> list[str]:
        """Give its own."""
        return [self.unit.organisation]

    def listen(self, heard: Callable[[], None], stop: Event) -> None:
        """Hear nothing: there is nothing to be told before the end."""

    def close(self) -> None:
        """Leave it open."""


@dataclass(frozen=True)
class _Picture:
    """The picture as it was before the transaction; what has overtaken it is noticed as ever."""

    pictures: Pictures
    picture: Picture

    def current(self, organisation: str, unit: UnitOfWork | None = None) -> Picture:
        return self.picture

    def within(self, unit: UnitOfWork) -> Picture:
        return self.pictures.within(unit)
