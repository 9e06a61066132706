"""A clinic as planners describe it, and the organisation whose clinics share resources."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from timevalg.model.errors import InvalidInput, NotFound
from timevalg.model.pool import Pool, Quota
from timevalg.model.resource import Resource
from timevalg.model.roster import WorkingHours
from timevalg.model.service import Role, Service
from timevalg.model.text import Text


@dataclass(frozen=True)
class Closure:
    """Whole local days, both ends included, on which the clinic is closed."""

    first: date
    last: date
    reason: str = ""


@dataclass(frozen=True)
class VisitPlace:
    """Where patients come."""

    name: Text
    room: str = ""


@dataclass(frozen=True, eq=False)
class Clinic:
    """One clinic: everything its planners say, and nothing that patients do.

    Attributes
    ----------
    cell : int
        Minutes; lengths, offsets and rasters are multiples of it.
    holidays : frozenset of date
        The clinic is closed then.
    planned_until : date or None
        Nothing later is offered.
    contact : Text or None
        How patients reach the clinic, as letters tell it: a telephone number, and when.
    resources, services, pools : mapping
        By id, in the order of the file.
    """

    id: str
    organisation: str
    name: Text
    timezone: ZoneInfo
    cell: int = 5
    holidays: frozenset[date] = frozenset()
    closed: tuple[Closure, ...] = ()
    planned_until: date | None = None
    hours: tuple[WorkingHours, ...] = ()
    place: VisitPlace | None = None
    contact: Text | None = None
    resources: Mapping[str, Resource] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    pools: Mapping[str, Pool] = field(default_factory=dict)
    quotas: tuple[Quota, ...] = ()

    def is_closed(self, day: date) -> bool:
        """Tell whether the local date is a holiday or lies in a closure."""
        return day in self.holidays or any(c.first <= day <= c.last for c in self.closed)

    def working_days_before(self, day: date, count: int) -> date:
        """Give the `count`-th working day (Monday–Friday, open) before a local date."""
        for _ in range(3660):
            if count == 0:
                return day
            day -= timedelta(days=1)
            if day.weekday() < 5 and not self.is_closed(day):
                count -= 1
        return day

    def pool(self, pool: str) -> Pool:
        """Give a pool by id.

        Raises
        ------
        NotFound
            If the clinic has no such pool.
        """
        if pool not in self.pools:
            raise NotFound("pool", pool)
        return self.pools[pool]

    def service_of(self, pool: str) -> Service:
        """Give the service that a pool opens."""
        return self.services[self.pool(pool).service]

    def candidates(self, pool: Pool, role: Role) -> tuple[Resource, ...]:
        """Give the pool's resources that fit the role, in the order of the file."""
        return tuple(
            r
            for r in self.resources.values()
            if role.fits(r) and (pool.resources is None or r.id in pool.resources)
        )

    def members(self, name: str) -> tuple[str, ...]:
        """Give the ids meant by a resource's name: itself, or all members of a capacity."""
        if name in self.resources:
            return (name,)
        return tuple(r.id for r in self.resources.values() if r.group == name)


@dataclass(frozen=True, eq=False)
class Organisation:
    """The tenant: its clinics, whose resources have ids unique among them."""

    id: str
    clinics: Mapping[str, Clinic] = field(default_factory=dict)

    def clinic(self, clinic: str) -> Clinic:
        """Give a clinic by id.

        Raises
        ------
        NotFound
            If the organisation has no such clinic.
        """
        if clinic not in self.clinics:
            raise NotFound("clinic", clinic)
        return self.clinics[clinic]

    def clinic_of_pool(self, pool: str) -> Clinic:
        """Give the clinic that has a pool of this id.

        Raises
        ------
        NotFound
            If there is none.
        InvalidInput
            If several have one.
        """
        found = [c for c in self.clinics.values() if pool in c.pools]
        if not found:
            raise NotFound("pool", pool)
        if len(found) > 1:
            names = ", ".join(c.id for c in found)
            raise InvalidInput.single("pools", f"pool {pool!r} is in {names}; name the clinic too")
        return found[0]

    @cached_property
    def grid(self) -> int:
        """Minutes of the common cell: it divides every clinic's cell and every offset in use."""
        steps = [60]
        for clinic in self.clinics.values():
            steps.append(clinic.cell)
            for year in (2025, 2026):
                for month in range(1, 13):
                    offset = datetime(year, month, 1, tzinfo=UTC).astimezone(clinic.timezone)
                    steps.append(int((offset.utcoffset() or timedelta()).total_seconds()) // 60)
        return math.gcd(*steps)
