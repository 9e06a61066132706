"""Resources: clinicians, rooms and equipment, with skills, hours and absences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from zoneinfo import ZoneInfo

from timevalg.model.roster import Hours, WorkingHours
from timevalg.model.text import Text
from timevalg.model.time import Span


class Kind(StrEnum):
    """What a resource is."""

    CLINICIAN = "clinician"
    ROOM = "room"
    EQUIPMENT = "equipment"


@dataclass(frozen=True)
class Absence:
    """Time away: one span, or recurring hours.

    Attributes
    ----------
    span : Span or None
        A single absence.
    hours : Hours or None
        A recurring one (teaching every Tuesday); exactly one of the two is given.
    reason : str
        Why, for planners; never shown to patients.
    """

    span: Span | None = None
    hours: Hours | None = None
    reason: str = ""

    def spans(self, first: date, last: date, zone: ZoneInfo) -> Iterator[Span]:
        """Give the absent time that may touch the local dates `first` … `last`."""
        if self.span is not None:
            yield self.span
        if self.hours is not None:
            yield from self.hours.spans(first, last, zone)


@dataclass(frozen=True)
class Resource:
    """One clinician, room or piece of equipment, as one clinic sees it.

    Attributes
    ----------
    id : str
        Unique in the organisation; members of a resource with capacity are ``chair/1`` …
    clinic : str
        The clinic whose file says this.
    owner : str or None
        The clinic that owns it, where that is another: hours here then only narrow the owner's.
    group : str or None
        ``chair`` for ``chair/1``.
    hours : tuple of WorkingHours or None
        None = the clinic's hours (for an owned resource), or no narrowing (for a borrowed one).
    busy : tuple of Span
        Taken without saying why: calendar events and busy rows of the file.
    """

    id: str
    kind: Kind
    clinic: str
    name: Text
    skills: frozenset[str] = frozenset()
    sex: str | None = None
    languages: tuple[str, ...] = ()
    owner: str | None = None
    group: str | None = None
    hours: tuple[WorkingHours, ...] | None = None
    away: tuple[Absence, ...] = ()
    busy: tuple[Span, ...] = ()
