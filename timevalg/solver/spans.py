"""When a resource could work for a pool: hours, absences, closed days; no bookings.

Rule 5 of docs/clinic-file.md without what is taken: inside the union of its hours that serve the
pool, not away, not busy, on days that are neither holiday nor closed. A borrowed resource must be
available where it belongs, whatever pools its hours there are for, and here.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from zoneinfo import ZoneInfo

from timevalg.model.clinic import Clinic, Organisation
from timevalg.model.resource import Resource
from timevalg.model.roster import WorkingHours
from timevalg.solver.bits import fill
from timevalg.solver.frame import Frame, LocalDays

Rows = tuple[tuple[int | None, int], ...]
"""For each value of `release`: the starts of the openings that have it, whether released or not."""

EVERY_POOL = ""
"""Stands for a pool where a resource's hours make no difference between pools."""


class Calendar:
    """Availability of an organisation's resources in one frame; remembers what it has worked out.

    Parameters
    ----------
    organisation : Organisation
    frame : Frame

    Attributes
    ----------
    openings : dict
        (clinic, pool, extra) → `Rows`; filled by `timevalg.solver.opening`.
    """

    def __init__(self, organisation: Organisation, frame: Frame) -> None:
        self.organisation, self.frame = organisation, frame
        self._days: dict[str, LocalDays] = {}
        self._open: dict[str, int] = {}
        self._free: dict[tuple[str, str, str], int] = {}
        self._alike: dict[int, int] = {}  # resources with the same hours share one bitmap
        self.openings: dict[tuple[str, str, int], Rows] = {}

    def days(self, zone: ZoneInfo) -> LocalDays:
        """Give a zone's local days in the frame."""
        found = self._days.get(zone.key)
        if found is None:
            found = self._days[zone.key] = LocalDays(zone, self.frame)
        return found

    def open_days(self, clinic: Clinic) -> int:
        """Give the whole local days that are neither holiday nor closed."""
        found = self._open.get(clinic.id)
        if found is None:
            days = self.days(clinic.timezone)
            found = days.dates(days.first, days.last)
            for i in range((days.last - days.first).days + 1):
                day = days.first + timedelta(days=i)
                if clinic.is_closed(day):
                    found &= ~days.dates(day, day)
            self._open[clinic.id] = found
        return found

    def free(self, clinic: Clinic, resource: Resource, pool: str) -> int:
        """Give the cells in which the clinic's resource could work for one of its pools.

        Returns
        -------
        int
            Bits of the frame's cells.
        """
        known = self._free
        found = known.get((clinic.id, resource.id, EVERY_POOL))
        if found is None:
            which = pool if _told_apart(clinic, resource) else EVERY_POOL
            found = known.get((clinic.id, resource.id, which))
            if found is None:
                bits = self._here(clinic, resource, pool)
                found = self._alike.setdefault(bits, bits)
                known[clinic.id, resource.id, which] = found
        return found

    def _here(self, clinic: Clinic, resource: Resource, pool: str) -> int:
        rows = _rows(clinic, resource)
        if resource.owner is None:
            return self._own(clinic, resource, _serving(rows or (), pool))
        owner = self.organisation.clinics.get(resource.owner)
        there = None if owner is None else owner.resources.get(resource.id)
        if owner is None or there is None:
            return 0
        bits = self._own(owner, there, _rows(owner, there) or ())
        if rows is not None:
            bits &= self._hours(clinic, _serving(rows, pool))
        return bits & self.open_days(clinic) & ~self._absent(clinic, resource)

    def _own(self, clinic: Clinic, resource: Resource, rows: Iterable[WorkingHours]) -> int:
        bits = self._hours(clinic, rows) & self.open_days(clinic)
        absent = self._absent(clinic, resource)
        return bits & ~absent if absent else bits

    def _hours(self, clinic: Clinic, rows: Iterable[WorkingHours]) -> int:
        days = self.days(clinic.timezone)
        bits = 0
        for row in rows:
            bits |= days.bits(row)
        return bits

    def _absent(self, clinic: Clinic, resource: Resource) -> int:
        days = self.days(clinic.timezone)
        spans = [self.frame.range(s) for s in resource.busy]
        spans += [self.frame.range(a.span) for a in resource.away if a.span is not None]
        bits = fill(spans, self.frame.size)
        for absence in resource.away:
            if absence.hours is not None:
                bits |= days.bits(absence.hours)
        return bits


def _rows(clinic: Clinic, resource: Resource) -> tuple[WorkingHours, ...] | None:
    """Give the hours that hold for a resource; None = a borrowed one is not narrowed."""
    if resource.hours is None and resource.owner is None:
        return clinic.hours
    return resource.hours


def _serving(rows: Iterable[WorkingHours], pool: str) -> list[WorkingHours]:
    return [row for row in rows if row.pools is None or pool in row.pools]


def _told_apart(clinic: Clinic, resource: Resource) -> bool:
    return any(row.pools is not None for row in _rows(clinic, resource) or ())
