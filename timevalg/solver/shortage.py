"""Why a task gets no valid place: which pools, roles and days are short."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from timevalg.model.clinic import Organisation
from timevalg.model.service import Service
from timevalg.model.task import Task
from timevalg.solver.ask import Ask
from timevalg.solver.index import Index
from timevalg.solver.picture import Picture
from timevalg.solver.search import feasible


@dataclass(frozen=True)
class Shortage:
    """What is missing for one task.

    Attributes
    ----------
    roles : tuple of str
        Roles that alone have no time in the window; empty if the rules leave no start at all, or
        if every role has time but never together.
    first, last : date
        The window looked at.
    minutes : int
        Length of the visit that found no room.
    starts : mapping
        What is left: ``rules`` = starts that a lone patient could have, ``free`` = those not
        taken by bookings. With some free, the places of others fill them.
    """

    roles: tuple[str, ...]
    first: date
    last: date
    minutes: int
    starts: Mapping[str, int]

    def __str__(self) -> str:
        window = f"between {self.first} and {self.last}"
        if not self.starts["rules"]:
            return f"the clinic's rules leave no start {window}"
        if self.roles:
            return f"no time for {', '.join(self.roles)} ({self.minutes} min) {window}"
        if self.starts["free"]:
            return f"all {self.starts['free']} free starts {window} are needed by others invited"
        return f"no start {window} at which all roles are free together"


def shortage(picture: Picture, task: Task, now: datetime) -> Shortage:
    """Name what is missing for a task that got no valid place."""
    organisation = picture.index.organisation
    clinic = organisation.clinic(task.clinic)
    empty = Picture(Index.of(organisation), picture.tasks, now)
    free = _count(picture, task, now)
    rules = _count(empty, task, now)
    short: list[str] = []
    for pool in task.pools if rules and not free else ():
        service = clinic.service_of(pool)
        for role in service.roles:
            alone = replace(service, roles=(role,), together=())
            index = Index.of(
                _with_service(organisation, task.clinic, alone), picture.index.sessions.values()
            )
            if not _count(replace(picture, index=index), replace(task, pools=(pool,)), now):
                short.append(role.id)
    notice = min(clinic.pool(p).fallback_notice for p in task.pools)
    first = max(task.after_due + timedelta(days=notice), task.not_before or date.min)
    minutes = max(clinic.service_of(p).length for p in task.pools) + task.extra
    return Shortage(
        tuple(dict.fromkeys(short)), first, task.not_after, minutes, {"rules": rules, "free": free}
    )


def _count(picture: Picture, task: Task, now: datetime) -> int:
    """Count the valid starts of a place that no booking or hold takes."""
    return sum(
        len(
            feasible(
                picture.index,
                replace(Ask.for_place(picture.index, task, pool, now), count_places=False),
            )
        )
        for pool in task.pools
    )


def _with_service(organisation: Organisation, clinic: str, service: Service) -> Organisation:
    old = organisation.clinic(clinic)
    new = replace(old, services={**old.services, service.id: service})
    return replace(organisation, clinics={**organisation.clinics, clinic: new})
