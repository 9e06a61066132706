"""Compare and swap: whoever changes a thing says which version of it they have read."""

from __future__ import annotations

from timevalg.booking.unit_of_work import UnitOfWork
from timevalg.model.appointment import Appointment, Preparation
from timevalg.model.errors import StaleVersion
from timevalg.model.records import Patient, StaffCase
from timevalg.model.representation import Representation
from timevalg.model.right import Right, Unit
from timevalg.model.task import Task

Versioned = Task | Appointment | Preparation | Patient | StaffCase | Representation | Right | Unit


def require_version(unit: UnitOfWork, thing: Versioned, version: int | None) -> None:
    """Refuse a version that is not the present one, with what has changed since.

    Parameters
    ----------
    version : int or None
        As the caller read it; None = whatever it is.

    Raises
    ------
    StaleVersion
    """
    if version is None or version == thing.version:
        return
    kind = "case" if isinstance(thing, StaffCase) else type(thing).__name__.lower()
    changes = unit.events.of(kind, thing.id, above=version)
    state = str(getattr(thing, "state", ""))
    raise StaleVersion(kind, thing.id, version, thing.version, state, changes)


def require_number(kind: str, key: str, present: int, version: int | None) -> None:
    """Refuse a version of several things together that is not the present one.

    Raises
    ------
    StaleVersion
    """
    if version is not None and version != present:
        raise StaleVersion(kind, key, version, present)
