"""What the search knows of an organisation before anybody has booked anything.

Worked out once for each organisation and shared by all its indexes: which resources fit which
roles, which roles compete for resources, and the calendars of the frames in use.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import count

from timevalg.model.clinic import Clinic, Organisation
from timevalg.model.pool import Pool, Quota
from timevalg.model.resource import Resource
from timevalg.model.service import Service
from timevalg.model.time import MINUTES_A_DAY
from timevalg.solver.frame import EPOCH_DAY, Frame
from timevalg.solver.memory import remember
from timevalg.solver.spans import Calendar

PoolKey = tuple[str, str]
"""Clinic id, pool id."""

_ALIGN = 4
_FRAMES = 8


@dataclass(frozen=True)
class Group:
    """A `together` of roles, by their numbers, with the rows that the pool can use."""

    roles: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Cluster:
    """Roles that compete for resources or are tied by `together`; clusters share nothing."""

    roles: tuple[int, ...]
    groups: tuple[Group, ...]

    @property
    def loose(self) -> tuple[int, ...]:
        """The roles that no group ties."""
        tied = {r for g in self.groups for r in g.roles}
        return tuple(r for r in self.roles if r not in tied)


@dataclass(frozen=True, eq=False)
class PoolPlan:
    """One pool with everything about it that never changes.

    Attributes
    ----------
    candidates : tuple of tuple of Resource
        For each role of the service, in the order of the file.
    roles_of : dict
        Resource id → numbers of the roles it fits.
    together, each : tuple of (int, Quota)
        The quotas that count the pool, with their number in the clinic.
    """

    key: PoolKey
    clinic: Clinic
    pool: Pool
    service: Service
    candidates: tuple[tuple[Resource, ...], ...]
    roles_of: dict[str, tuple[int, ...]]
    clusters: tuple[Cluster, ...]
    together: tuple[tuple[int, Quota], ...]
    each: tuple[tuple[int, Quota], ...]

    @classmethod
    def of(cls, clinic: Clinic, pool: Pool) -> PoolPlan:
        """Work out a pool's plan."""
        service = clinic.services[pool.service]
        candidates = tuple(clinic.candidates(pool, role) for role in service.roles)
        roles_of: dict[str, tuple[int, ...]] = {}
        for number, fitting in enumerate(candidates):
            for resource in fitting:
                roles_of[resource.id] = (*roles_of.get(resource.id, ()), number)
        quotas = [(n, q) for n, q in enumerate(clinic.quotas) if pool.id in q.pools]
        return cls(
            (clinic.id, pool.id),
            clinic,
            pool,
            service,
            candidates,
            roles_of,
            _clusters(service, roles_of),
            tuple((n, q) for n, q in quotas if q.each is None),
            tuple((n, q) for n, q in quotas if q.each is not None),
        )

    @cached_property
    def simple(self) -> bool:
        """Whether every role takes one resource and none can serve two roles."""
        alone = all(len(c.roles) == 1 and not c.groups for c in self.clusters)
        return alone and all(role.count == 1 for role in self.service.roles)

    @cached_property
    def reach(self) -> int:
        """Days around a visit's date that its roles may touch, `extra` left out."""
        return 2 + max((abs(r.start) + r.length for r in self.service.roles), default=0) // (
            MINUTES_A_DAY
        )


class Plan:
    """An organisation's pools and calendars, worked out when first asked for.

    Parameters
    ----------
    organisation : Organisation
    """

    def __init__(self, organisation: Organisation) -> None:
        self.organisation = organisation
        self.grid = organisation.grid
        self._pools: dict[PoolKey, PoolPlan] = {}
        self._calendars: dict[Frame, Calendar] = {}
        self._sites: dict[tuple[PoolKey, Frame, int], int] = {}
        self._numbers = count(1)
        self._by_freedom: dict[PoolKey, tuple[tuple[str, ...], ...]] = {}

    def pool(self, clinic: str, pool: str) -> PoolPlan:
        """Give a pool's plan.

        Raises
        ------
        NotFound
            If there is no such clinic or pool.
        """
        found = self._pools.get((clinic, pool))
        if found is None:
            here = self.organisation.clinic(clinic)
            found = self._pools[clinic, pool] = PoolPlan.of(here, here.pool(pool))
        return found

    def frame(self, plan: PoolPlan, today: date, first: date, last: date, extra: int) -> Frame:
        """Give the frame for visits between two local dates.

        It depends on `today` and the pool's horizon alone wherever that reaches, so that one
        frame serves everybody for some days.
        """
        reach = plan.reach + extra // MINUTES_A_DAY
        base = (today.toordinal() - EPOCH_DAY) // _ALIGN * _ALIGN - 2
        days = plan.pool.horizon + _ALIGN + 5
        early = first.toordinal() - EPOCH_DAY - reach
        late = last.toordinal() - EPOCH_DAY + reach + 1
        if early < base or early > base + days:
            base = early // 32 * 32
        if late > base + days:
            days = -(-(late - base) // 32) * 32
        return Frame(base, days, self.grid)

    def site(self, pool: PoolKey, frame: Frame, extra: int) -> int:
        """Give the number of a pool in a frame with so many extra minutes."""
        return self._sites.setdefault((pool, frame, extra), next(self._numbers))

    def calendar(self, frame: Frame) -> Calendar:
        """Give the calendar of a frame; only the frames last used are kept."""
        found = self._calendars.get(frame)
        if found is None:
            calendar = Calendar(self.organisation, frame)
            found = remember(self._calendars, frame, calendar, _FRAMES)
        return found

    @cached_property
    def pools_of(self) -> dict[str, tuple[PoolKey, ...]]:
        """Resource id → the pools for which it fits a role."""
        out: dict[str, list[PoolKey]] = {}
        for clinic in self.organisation.clinics.values():
            for pool in clinic.pools.values():
                for resource in self.pool(clinic.id, pool.id).roles_of:
                    out.setdefault(resource, []).append((clinic.id, pool.id))
        return {resource: tuple(keys) for resource, keys in out.items()}

    @cached_property
    def rasters(self) -> frozenset[int]:
        """The rasters of all pools, in cells."""
        return frozenset(p.pool.raster // self.grid for p in self._every_pool())

    @cached_property
    def role_starts(self) -> frozenset[int]:
        """How long after the visit's start roles begin, in cells."""
        roles = (role for p in self._every_pool() for role in p.service.roles)
        return frozenset(role.start // self.grid for role in roles)

    def _every_pool(self) -> list[PoolPlan]:
        return [self.pool(key, p) for key, c in self.organisation.clinics.items() for p in c.pools]

    def by_freedom(self, plan: PoolPlan) -> tuple[tuple[str, ...], ...]:
        """Give for each role who fits it, those first who fit the fewest pools."""
        found = self._by_freedom.get(plan.key)
        if found is None:
            found = self._by_freedom[plan.key] = tuple(
                tuple(sorted((r.id for r in fitting), key=lambda name: len(self.pools_of[name])))
                for fitting in plan.candidates
            )
        return found

    @cached_property
    def counts(self) -> bool:
        """Whether any clinic has a quota."""
        return any(clinic.quotas for clinic in self.organisation.clinics.values())

    @cached_property
    def quotas_of(self) -> dict[PoolKey, tuple[tuple[int, Quota], ...]]:
        """Pool → the quotas that count it."""
        return {
            (clinic.id, pool): tuple((n, q) for n, q in enumerate(clinic.quotas) if pool in q.pools)
            for clinic in self.organisation.clinics.values()
            for pool in clinic.pools
        }


def _clusters(service: Service, roles_of: dict[str, tuple[int, ...]]) -> tuple[Cluster, ...]:
    number = {role.id: i for i, role in enumerate(service.roles)}
    tied = [tuple(number[r] for r in t.roles) for t in service.together]
    label = list(range(len(service.roles)))
    for linked in (*roles_of.values(), *tied):
        first = label[linked[0]]
        for other in linked[1:]:
            old = label[other]
            label = [first if x == old else x for x in label]
    groups = [
        Group(roles, tuple(row for row in t.allowed if _usable(row, roles, roles_of)))
        for roles, t in zip(tied, service.together, strict=True)
    ]
    return tuple(
        Cluster(
            tuple(i for i, x in enumerate(label) if x == name),
            tuple(g for g in groups if label[g.roles[0]] == name),
        )
        for name in dict.fromkeys(label)
    )


def _usable(
    row: tuple[str, ...], roles: tuple[int, ...], roles_of: dict[str, tuple[int, ...]]
) -> bool:
    fits = all(role in roles_of.get(name, ()) for name, role in zip(row, roles, strict=True))
    return fits and len(set(row)) == len(row)
