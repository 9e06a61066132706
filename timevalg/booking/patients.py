"""Who a patient is: one may turn out to be another, and one may have died."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import Any

from timevalg.booking.unit_of_work import UnitOfWork
from timevalg.model.errors import IllegalMove, InvalidInput, NotFound, TimeTaken
from timevalg.model.identity_number import is_identity_number
from timevalg.model.records import Patient

NO_NAME = "is an identity number: give the record system's own id, and this as identity"


def known_patients(unit: UnitOfWork, keys: Iterable[str]) -> dict[str, Patient]:
    """Give, for each id, what we know of the patient it means now, by whatever id."""
    wanted = frozenset(keys)
    found: dict[str, Patient] = {}
    asked = wanted
    while asked:
        records = unit.patients.find(id=asked)
        found |= {p.id: p for p in records}
        asked = frozenset(p.merged_into for p in records if p.merged_into) - found.keys()
    out = {}
    for key in wanted:
        patient = found.get(key) or Patient(key, unit.organisation, version=0)
        while patient.merged_into is not None:
            patient = found[patient.merged_into]
        out[key] = patient
    return out


def surviving(unit: UnitOfWork, key: str) -> Patient:
    """Give what we know of the patient whom an id means now."""
    return known_patients(unit, [key])[key]


def ids_of(unit: UnitOfWork, key: str) -> Iterator[str]:
    """Give every id that means a patient by now, that one first."""
    wanted = {surviving(unit, key).id}
    while wanted:
        yield from sorted(wanted)
        wanted = {p.id for p in unit.patients.find(merged_into=frozenset(wanted))}


def require_living(unit: UnitOfWork, keys: Iterable[str], verb: str) -> None:
    """Refuse what cannot be done for a patient any more.

    Raises
    ------
    IllegalMove
        If a patient has died.
    TimeTaken
        If a patient is another by now: what was planned must be planned for that one.
    """
    for key, patient in known_patients(unit, keys).items():
        if patient.deceased_at is not None:
            raise IllegalMove("patient", patient.id, "deceased", verb)
        if patient.id != key:
            raise TimeTaken("the patient is known by another id by now; the time")


def keep(unit: UnitOfWork, patient: Patient) -> Patient:
    """Store what we know of a patient; gives it with its next version.

    Raises
    ------
    InvalidInput
        If a new one is named by an identity number.
    """
    if patient.version:
        return unit.patients.save(patient)
    require_pseudonymous(patient.id)
    patient = replace(patient, version=1)
    unit.patients.add(patient)
    return patient


def require_theirs(unit: UnitOfWork, clinics: Collection[str] | None, key: str) -> None:
    """Refuse those who act for some clinics only whoever is not a patient of these.

    Raises
    ------
    NotFound
    """
    if clinics is not None and not _is_patient(unit, key, clinic=clinics):
        raise NotFound("patient", key)


def require_not_of_others(unit: UnitOfWork, clinics: Collection[str] | None, key: str) -> None:
    """Refuse them whoever is a patient of other clinics alone; one of none is anybody's.

    Raises
    ------
    NotFound
    """
    if _is_patient(unit, key):
        require_theirs(unit, clinics, key)


def _is_patient(unit: UnitOfWork, key: str, **where: Any) -> bool:
    ids = frozenset(ids_of(unit, key))
    return any(kind.count(patient=ids, **where) for kind in (unit.tasks, unit.appointments))


def require_pseudonymous(key: str) -> None:
    """Refuse an identity number as the name of a patient: names stand in logs and addresses.

    Raises
    ------
    InvalidInput
    """
    if is_identity_number(key):
        raise InvalidInput.single("patient", NO_NAME)
