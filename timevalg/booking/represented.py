"""Who may act for a patient at this moment, and what is withheld from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from timevalg.booking.patients import surviving
from timevalg.booking.unit_of_work import UnitOfWork
from timevalg.model.appointment import Appointment
from timevalg.model.errors import NotFound
from timevalg.model.principal import Principal, RoleName
from timevalg.model.records import Letter, Patient
from timevalg.model.representation import Basis, basis_of, is_withheld_by_age, may_act_alone
from timevalg.model.task import Task
from timevalg.model.time import local_date

ZONE = ZoneInfo("Europe/Oslo")
"""By whose calendar people are of age."""


def require_own(unit: UnitOfWork, principal: Principal) -> None:
    """Refuse whoever is not the patient in whose name they act, or is too young to.

    Raises
    ------
    NotFound
    """
    key = principal.patient or ""
    patient = surviving(unit, key)
    if principal.id not in {key, patient.person}:
        raise NotFound("patient", key)
    made = unit.representations.find(patient=patient.id)
    if not may_act_alone(patient.birth, made, today(unit)):
        raise NotFound("patient", key)


def require_representative(unit: UnitOfWork, principal: Principal) -> None:
    """Refuse whoever may not act for the patient today.

    Raises
    ------
    NotFound
    """
    key = principal.patient or ""
    if _basis(unit, principal, surviving(unit, key)) is None:
        raise NotFound("patient", key)


def _basis(unit: UnitOfWork, principal: Principal, patient: Patient) -> Basis | None:
    """Who lives at a confidential address themself represents nobody."""
    if unit.patients.count(person=principal.id, confidential=True):
        return None
    made = unit.representations.find(patient=patient.id)
    return basis_of(principal.id, patient.birth, patient.confidential, made, today(unit))


@dataclass(frozen=True)
class Withheld:
    """What a representative sees nothing of: all but the exceptions, or the exceptions alone."""

    by_age: bool
    exceptions: frozenset[str]

    def hides(self, thread: str) -> bool:
        """Tell whether a task or visit, by its thread, is withheld."""
        return (thread in self.exceptions) is not self.by_age

    @property
    def nothing(self) -> bool:
        """Whether there is nothing of the kind."""
        return not self.by_age and not self.exceptions


def withheld_from(unit: UnitOfWork, principal: Principal) -> Withheld:
    """Give what is withheld from a principal: something only from representatives."""
    if principal.role is not RoleName.REPRESENTATIVE:
        return Withheld(False, frozenset())
    patient = surviving(unit, principal.patient or "")
    basis = _basis(unit, principal, patient)
    by_age = is_withheld_by_age(basis, patient.birth, today(unit))
    decided = unit.withholdings.find(patient=patient.id, withheld=not by_age)
    return Withheld(by_age, frozenset(one.id for one in decided))


def require_shown(unit: UnitOfWork, principal: Principal, kind: str, key: str, thread: str) -> None:
    """Refuse a representative what is withheld from them.

    Raises
    ------
    NotFound
    """
    if withheld_from(unit, principal).hides(thread):
        raise NotFound(kind, key)


def thread_of(thing: Task | Appointment | Letter) -> str:
    """Give what a task, its visits and the letters about them have in common.

    Where there is no task: the visit alone.
    """
    if isinstance(thing, Task):
        return f"t:{thing.id}"
    visit = thing.appointment if isinstance(thing, Letter) else thing.id
    return f"t:{thing.task}" if thing.task else f"a:{visit}"


def today(unit: UnitOfWork) -> date:
    """Give the date by which ages are reckoned."""
    return local_date(unit.now(), ZONE)
