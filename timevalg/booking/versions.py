"""Compare and swap: whoever changes a thing says which version of it they have read."""

from __future__ import annotations

from timevalg.booking.ports import UnitOfWork
from timevalg.model.appointment import Appointment, Preparation
from timevalg.model.errors import StaleVersion
from timevalg.model.task import Task


def require_version(
    unit: UnitOfWork, thing: Task | Appointment | Preparation, version: int | None
) -> None:
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
    kind = type(thing).__name__.lower()
    changes = unit.events.of(kind, thing.id, above=version)
    raise StaleVersion(kind, thing.id, version, thing.version, thing.state, changes)
