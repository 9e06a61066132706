"""Export: everything that is kept about one patient, as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from timevalg.booking.acting import Act
from timevalg.booking.own import require_whole
from timevalg.booking.patients import ids_of, surviving
from timevalg.booking.ports import Ports
from timevalg.booking.running import run
from timevalg.booking.use_cases import use_case
from timevalg.model import codec
from timevalg.model.errors import NotFound
from timevalg.model.principal import Principal

FORMAT = 1


@use_case("export own", keyed=False)
def export_own(ports: Ports, principal: Principal) -> dict[str, Any]:
    """Give a patient all data on themself."""
    return run(ports, principal, "export own", lambda act: _all(act, principal.patient or ""))


@use_case("export patient", keyed=False)
def export_patient(ports: Ports, principal: Principal, patient: str) -> dict[str, Any]:
    """Give all data on a patient, by whatever ids they were known, as JSON has it.

    Raises
    ------
    NotFound
        If there is nothing on them here.
    """
    require_whole(principal, "export patient")
    return run(ports, principal, "export patient", lambda act: _all(act, patient))


def _all(act: Act, patient: str) -> dict[str, Any]:
    unit = act.unit
    known = surviving(unit, patient)
    ids = frozenset(ids_of(unit, known.id))
    tasks, visits = unit.tasks.find(patient=ids), unit.appointments.find(patient=ids)
    of_these = {"task": {t.id for t in tasks}, "appointment": {v.id for v in visits}}
    entries = unit.audit.find(order="time", patient=ids)
    patients = unit.patients.find(id=ids)
    if not (tasks or visits or entries or patients):
        raise NotFound("patient", patient)
    act.audit("export", known.id, known.id)
    letters = unit.letters.find(order="created_at", patient=ids)
    prepared = unit.preparations.find(order="due", appointment=of_these["appointment"])
    cases = unit.cases.find(task=of_these["task"])
    cases += unit.cases.find(appointment=of_these["appointment"])
    told = [("letter", letter.id) for letter in letters]
    told += [("preparation", p.id) for p in prepared] + [("patient", key) for key in ids]
    told += [(name, key) for name, keys in of_these.items() for key in keys]
    events = [e for kind, key in told for e in unit.events.of(kind, key, above=-1)]
    found = {
        "format": FORMAT,
        "organisation": unit.organisation,
        "exported_at": unit.now(),
        "patient": known.id,
        "patients": patients,
        "tasks": tasks,
        "appointments": visits,
        "preparations": prepared,
        "letters": letters,
        "cases": _once(cases),
        "representations": unit.representations.find(order="starts", patient=ids),
        "withholdings": unit.withholdings.find(patient=ids),
        "events": sorted(_once(events), key=lambda e: (e.time, e.id)),
        "access": entries,
    }
    exported: dict[str, Any] = json.loads(codec.dump(found))
    return exported


def _once(rows: Iterable[Any]) -> list[Any]:
    return list({row.id: row for row in rows}.values())
