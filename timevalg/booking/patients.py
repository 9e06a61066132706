"""Who a patient is: one may turn out to be another, and one may have died."""

from __future__ import annotations

from collections.abc import Iterable

from timevalg.booking.ports import UnitOfWork
from timevalg.model.errors import IllegalMove, TimeTaken
from timevalg.model.records import Patient


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
        patient = found.get(key) or Patient(key, unit.organisation)
        while patient.merged_into is not None:
            patient = found[patient.merged_into]
        out[key] = patient
    return out


def surviving(unit: UnitOfWork, key: str) -> Patient:
    """Give what we know of the patient whom an id means now."""
    return known_patients(unit, [key])[key]


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
    """Store what we know of a patient."""
    if unit.patients.find(id=patient.id):
        return unit.patients.save(patient)
    unit.patients.add(patient)
    return patient
