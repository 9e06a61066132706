"""Rule 5 for one start: which roles come up short, and why everybody of their kind cannot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import combinations

from timevalg.model.clinic import Clinic
from timevalg.model.resource import Resource
from timevalg.model.roster import WorkingHours
from timevalg.model.service import Role
from timevalg.model.session import Session, SessionKind, role_span
from timevalg.model.time import Span, day_span, joined, local_date
from timevalg.solver.match import can_serve
from timevalg.solver.plan import Cluster
from timevalg.solver.visit import Blocker, Visit

_DAY = timedelta(days=1)


def unable(visit: Visit) -> Iterator[Blocker]:
    """Say who is missing for a visit, role by role; nothing if everybody needed can be had."""
    roles = visit.service.roles
    reasons = [
        {
            resource.id: list(_unable(visit, role, resource))
            for resource in visit.clinic.resources.values()
            if resource.kind == role.kind
        }
        for role in roles
    ]
    able = [[name for name, why in of_role.items() if not why] for of_role in reasons]
    need = [role.count for role in roles]
    for cluster in visit.plan.clusters:
        if can_serve(cluster, need, able, frozenset()):
            continue
        short = _short(cluster.roles, need, able)
        for several in short:
            yield from _too_few(visit, several, need, able)
        if not short:
            yield from _not_together(visit, cluster, able)
        concerned = {number for several in short for number in several} or cluster.roles
        for number in cluster.roles:
            if number in concerned:
                for why in reasons[number].values():
                    yield from why


def _too_few(
    visit: Visit, several: Sequence[int], need: Sequence[int], able: Sequence[Sequence[str]]
) -> Iterator[Blocker]:
    roles = [visit.service.roles[number].id for number in several]
    counted = {
        "needs": sum(need[number] for number in several),
        "free": len({name for number in several for name in able[number]}),
    }
    if len(roles) > 1:
        yield visit.say("resources", "shared", roles=roles, **counted)
    else:
        yield visit.say("resources", "too_few", role=roles[0], **counted)


def _not_together(
    visit: Visit, cluster: Cluster, able: Sequence[Sequence[str]]
) -> Iterator[Blocker]:
    roles = visit.service.roles
    for group in cluster.groups:
        tied = [roles[number].id for number in group.roles]
        whole = sum(
            all(name in able[n] for n, name in zip(group.roles, row, strict=True))
            for row in group.rows
        )
        yield visit.say("resources", "together", roles=tied, free=whole)


def _unable(visit: Visit, role: Role, resource: Resource) -> Iterator[Blocker]:
    who = {"role": role.id, "resource": resource.id}
    unfit = list(_unfit(visit, role, resource))
    if unfit:
        yield from unfit
        return
    span = role_span(role, visit.start, visit.ask.extra)
    yield from _sessions(visit, resource.id, span, who)
    homes = [(visit.clinic, resource, visit.pool.id)]
    if resource.owner is not None:
        owner = visit.index.organisation.clinics.get(resource.owner)
        there = owner.resources.get(resource.id) if owner is not None else None
        if owner is None or there is None:
            yield visit.say("resources", "owner", **who)
        else:
            homes.append((owner, there, ""))
    said = set()
    for clinic, one, pool in homes:
        for blocker in _unavailable(visit, clinic, one, pool, span, who):
            key = (blocker.why, blocker.start, blocker.end)
            if key not in said:
                said.add(key)
                yield blocker
    yield from _each(visit, resource, who)


def _unfit(visit: Visit, role: Role, resource: Resource) -> Iterator[Blocker]:
    who = {"role": role.id, "resource": resource.id}
    missing = role.skills - resource.skills
    if missing:
        yield visit.say("resources", "skills", **who, skills=sorted(missing))
        return
    if visit.pool.resources is not None and resource.id not in visit.pool.resources:
        yield visit.say("resources", "pool", **who)
    only = visit.ask.task.only.get(role.id) if visit.ask.task is not None else None
    if only is not None and resource.id not in only and resource.group not in only:
        yield visit.say("resources", "only", **who, only=list(only))


def _sessions(visit: Visit, resource: str, span: Span, who: dict[str, str]) -> Iterator[Blocker]:
    probe = Session("", SessionKind.BLOCK, visit.clinic.id, visit.start, 1, spans={resource: span})
    found = [s for s in visit.index.touching(probe) if visit.counts(s)]
    for other in sorted(found, key=lambda s: (s.spans[resource].start, s.id)):
        there = other.spans[resource]
        if there.overlaps(span):
            yield visit.say(
                "resources",
                str(other.kind),
                **who,
                start=there.start,
                end=there.end,
                session=other.id,
            )


def _unavailable(
    visit: Visit, clinic: Clinic, resource: Resource, pool: str, span: Span, who: dict[str, str]
) -> Iterator[Blocker]:
    """Say when a resource is not at work; without a pool, all its hours count."""
    zone = clinic.timezone
    first, last = local_date(span.start, zone), local_date(span.end, zone)
    days = [first + i * _DAY for i in range((last - first).days + 1)]
    rows = resource.hours
    if rows is None and resource.owner is None:
        rows = clinic.hours
    if rows is not None:
        serving = [r for r in rows if not pool or r.pools is None or pool in r.pools]
        for gap in _gaps(serving, days, clinic, span):
            yield visit.say("resources", "hours", **who, start=gap.start, end=gap.end)
    for busy in resource.busy:
        if busy.overlaps(span):
            yield visit.say("resources", "busy", **who, start=busy.start, end=busy.end)
    for absence in resource.away:
        spans = [absence.span] if absence.span is not None else []
        if absence.hours is not None:
            spans += [s for day in days if (s := absence.hours.span(day, zone)) is not None]
        reason = {"reason": absence.reason} if absence.reason else {}
        for away in spans:
            if away.overlaps(span):
                yield visit.say(
                    "resources", "away", **who, start=away.start, end=away.end, **reason
                )
    for day in days:
        if clinic.is_closed(day) and day_span(day, day, zone).overlaps(span):
            yield from visit.closures("resources", clinic, day, **who)


def _each(visit: Visit, resource: Resource, who: dict[str, str]) -> Iterator[Blocker]:
    for number, quota in visit.plan.each:
        if quota.each == resource.kind:
            tally = visit.index.diary(resource.id).tallies.get((visit.clinic.id, number))
            there = tally.periods.get(quota.period(visit.day), ()) if tally else ()
            yield from visit.reached("resources", quota, there, who)


def _short(
    roles: Sequence[int], need: Sequence[int], able: Sequence[Sequence[str]]
) -> list[tuple[int, ...]]:
    """Give the smallest sets of roles that too few resources can serve (Hall)."""
    found: list[tuple[int, ...]] = []
    for size in range(1, len(roles) + 1):
        for several in combinations(roles, size):
            if any(set(smaller) <= set(several) for smaller in found):
                continue
            names = {name for number in several for name in able[number]}
            if len(names) < sum(need[number] for number in several):
                found.append(several)
    return found


def _gaps(
    rows: Sequence[WorkingHours], days: Sequence[date], clinic: Clinic, span: Span
) -> Iterator[Span]:
    """Give the parts of a span that the union of hours leaves uncovered."""
    spans = [s for row in rows for day in days if (s := row.span(day, clinic.timezone)) is not None]
    reached = span.start
    for part in joined(spans):
        if part.end <= reached:
            continue
        if part.start >= span.end:
            break
        if part.start > reached:
            yield Span(reached, part.start)
        reached = part.end
    if reached < span.end:
        yield Span(reached, span.end)
