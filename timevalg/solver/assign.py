"""Who serves a visit: the assignments of resources to roles that rule 5 allows at one start."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from timevalg.model.clinic import Organisation
from timevalg.model.session import Assignment, Session, SessionKind, resource_spans
from timevalg.model.time import local_date
from timevalg.solver.ask import Ask
from timevalg.solver.fits import Able
from timevalg.solver.index import Index
from timevalg.solver.look import Look
from timevalg.solver.match import can_serve
from timevalg.solver.plan import Cluster, PoolPlan

_YEARS = 1971, 9000
"""Beyond these, calendars end and nobody works."""


def assignments(index: Index, ask: Ask, start: datetime) -> Iterator[Assignment]:
    """Give all different complete assignments at a start, lazily.

    Role by role in the service's order, each taking its resources in the order of the file; a
    choice that leaves the rest unservable is never entered. Only rule 5 is looked at: that the
    start keeps the other rules is for `feasible` to say.

    Parameters
    ----------
    start : datetime
        UTC, on the organisation's grid.
    """
    plan = index.plan.pool(ask.clinic, ask.pool)
    able = _able(index, ask, start)
    if not able:
        return
    counts = [role.count for role in plan.service.roles]
    if all(can_serve(c, counts, able, frozenset()) for c in plan.clusters):
        yield from _choices(plan, counts, able, 0, {})


def assign(index: Index, ask: Ask, start: datetime) -> Assignment | None:
    """Give the first assignment at a start; None if there is none."""
    return next(assignments(index, ask, start), None)


def assign_from(plan: PoolPlan, names: Sequence[Sequence[str]]) -> Assignment | None:
    """Give the first assignment of a pool's visit, told for each role who could serve it.

    Parameters
    ----------
    names : sequence of sequence of str
        For each role the ids of resources, those to be tried first in front.
    """
    return next(choices(plan, names), None)


def choices(plan: PoolPlan, names: Sequence[Sequence[str]]) -> Iterator[Assignment]:
    """Give all assignments of a pool's visit, told for each role who could serve it."""
    able: list[Able] = [Listed(of_role) for of_role in names]
    counts = [role.count for role in plan.service.roles]
    if all(can_serve(c, counts, able, frozenset()) for c in plan.clusters):
        yield from _choices(plan, counts, able, 0, {})


class Listed(Able):
    """Those who can serve a role at one start, known already.

    Parameters
    ----------
    names : sequence of str
    """

    __slots__ = ()

    def __init__(self, names: Sequence[str]) -> None:
        self._found = list(names)
        self._left = iter(())

    def __contains__(self, name: object) -> bool:
        return name in self._found


def allows(index: Index, ask: Ask, start: datetime, resources: Assignment) -> bool:
    """Tell whether rule 5 allows just these resources at a start, in whatever order."""
    plan = index.plan.pool(ask.clinic, ask.pool)
    able = _able(index, ask, start)
    numbers = {role.id: number for number, role in enumerate(plan.service.roles)}
    used = [name for names in resources.values() for name in names]
    if not able or len(set(used)) != len(used) or not resources.keys() <= numbers.keys():
        return False
    given = [resources.get(role.id, ()) for role in plan.service.roles]
    return all(
        len(names) == role.count and all(name in able[number] for name in names)
        for number, (role, names) in enumerate(zip(plan.service.roles, given, strict=True))
    ) and all(
        tuple(given[number][0] for number in group.roles) in group.rows
        for cluster in plan.clusters
        for group in cluster.groups
    )


def session_for(
    organisation: Organisation,
    ask: Ask,
    start: datetime,
    resources: Assignment,
    *,
    id: str,
    kind: SessionKind,
    until: datetime | None = None,
    is_place: bool = False,
) -> Session:
    """Make the session of a visit: what it takes, of whom, and whose it is."""
    service = organisation.clinic(ask.clinic).service_of(ask.pool)
    return Session(
        id=id,
        kind=kind,
        clinic=ask.clinic,
        start=start,
        length=service.length + ask.extra,
        service=service.id,
        pool=ask.pool,
        task=None if ask.task is None else ask.task.id,
        patient=ask.patient,
        resources=dict(resources),
        spans=resource_spans(service, start, ask.extra, resources),
        until=until,
        is_place=is_place,
    )


def _able(index: Index, ask: Ask, start: datetime) -> list[Able]:
    """Give for each role who could serve it at a start; nothing where no calendar reaches."""
    if not _YEARS[0] <= start.year <= _YEARS[1]:
        return []
    zone = index.organisation.clinic(ask.clinic).timezone
    look = Look(index, ask, (local_date(start, zone),))
    cell, rest = divmod(start - look.frame.origin, timedelta(minutes=look.frame.grid))
    if rest or not 0 <= cell < look.frame.size:
        return []
    return [Able(fits, cell) for fits in look.variant().allowed(look.only)]


def _choices(
    plan: PoolPlan,
    counts: list[int],
    able: list[Able],
    role: int,
    chosen: dict[int, tuple[str, ...]],
) -> Iterator[Assignment]:
    if role == len(counts):
        roles = plan.service.roles
        yield {roles[number].id: names for number, names in chosen.items()}
        return
    cluster = next(c for c in plan.clusters if role in c.roles)
    taken = {name for other in cluster.roles for name in chosen.get(other, ())}
    for names in _picks(able[role], counts[role], taken, 0):
        more = {**chosen, role: names}
        if len(cluster.roles) == 1 or _completable(cluster, counts, able, more):
            yield from _choices(plan, counts, able, role + 1, more)


def _picks(able: Able, count: int, taken: set[str], start: int) -> Iterator[tuple[str, ...]]:
    """Give the ways to take `count` of them, in order, without looking further than need be."""
    if count == 0:
        yield ()
        return
    number = start
    while (name := able.at(number)) is not None:
        number += 1
        if name not in taken:
            for rest in _picks(able, count - 1, taken, number):
                yield (name, *rest)


def _completable(
    cluster: Cluster,
    counts: list[int],
    able: list[Able],
    chosen: dict[int, tuple[str, ...]],
) -> bool:
    """Tell whether the cluster's other roles can still be served, each with its own resource."""
    fixed: list[Able | tuple[str, ...]] = [
        chosen.get(role, able[role]) for role in range(len(counts))
    ]
    return can_serve(cluster, counts, fixed, frozenset())
