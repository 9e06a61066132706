"""Clinic files as they would be in force: completed by what is published, and beside the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from timevalg.clinic.files import Written, from_sources
from timevalg.clinic.sharing import clinic_id
from timevalg.model.contents import Source

STAY = ("resources", "services", "pools", "quotas", "busy")
"""Sections that stay as published where a file leaves them out; ``[]`` empties them.

Those about patients are not: the bookings that a file lists are taken in once, and stand in the
store whatever later files say. ``clinic`` is in every file, and is what the file says.
"""


def beside(files: Sequence[Written], published: Mapping[str, Source]) -> list[Written]:
    """Give the files of all clinics: those published that are not given anew, and those given.

    Parameters
    ----------
    files : sequence of Written
        As they were given; they are left as they are.
    published : mapping
        Clinic id → its file in force.
    """
    given = {clinic_id(f.document): f for f in files}
    others = {name: source for name, source in published.items() if name not in given}
    whole = [completed(f, published.get(clinic_id(f.document) or "")) for f in files]
    return [*from_sources(others), *whole]


def completed(file: Written, published: Source | None) -> Written:
    """Give a clinic's file with the sections that it leaves out as they are published.

    So do the calendars that these resources name, but for those that are given anew: with the
    file, or lying beside it.
    """
    if published is None or not isinstance(file.document, dict):
        return file
    old, new = published.document, file.document
    kept = {name: old[name] for name in STAY if name in old and name not in new}
    calendars = file.calendars
    if "resources" in kept:
        calendars = {**published.calendars, **file.lying_beside(old), **calendars}
    document = {**new, **kept}
    return replace(file, document=document, calendars=calendars, kept=frozenset(kept))
