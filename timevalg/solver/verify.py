"""The independent verifier: the seven rules once more, on instants, for one start.

Shares no code with the search, so that neither can hide the other's mistakes. Every booking
transaction asks it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from timevalg.model.clinic import Clinic, Organisation
from timevalg.model.pool import Pool
from timevalg.model.resource import Resource
from timevalg.model.roster import WorkingHours
from timevalg.model.service import Role, Service
from timevalg.model.session import Assignment, Session, SessionKind
from timevalg.model.task import Task
from timevalg.model.time import Span, instant
from timevalg.solver.ask import Ask

_DAY = timedelta(days=1)
_FULL_DAY = 1440


def broken(
    organisation: Organisation,
    sessions: Iterable[Session],
    ask: Ask,
    start: datetime,
    resources: Assignment,
) -> tuple[str, ...]:
    """Say which rules a start with these resources breaks.

    Parameters
    ----------
    sessions : iterable of Session
        All others that might matter: those that share time with the visit, and those in the
        quotas' periods. The ask's `ignore` holds here too.
    start : datetime
        With an offset.
    resources : mapping
        Role id → ids of the resources that would serve it.

    Returns
    -------
    tuple of str
        One sentence a broken rule, or resource that breaks it, beginning with the rule's name;
        empty = feasible.
    """
    visit = _Visit.of(organisation, sessions, ask, start.astimezone(UTC), resources)
    found = (
        ("opening", [visit.opening()]),
        ("closed", [visit.closed()]),
        ("window", [visit.window()]),
        ("preparation", [visit.preparation()]),
        ("resources", visit.resources()),
        ("quota", [visit.quota()]),
        ("patient", [visit.patient()]),
    )
    told = (f"{name}: {fault}" for name, faults in found for fault in faults if fault)
    return tuple(dict.fromkeys(told))


def absent(organisation: Organisation, session: Session) -> tuple[str, ...]:
    """Say which resources of a booked session are not there at its time, one sentence each.

    They are away, busy, off duty, or where they belong is closed. What else takes them, and every
    other rule, is not looked at.
    """
    clinic = organisation.clinic(session.clinic)
    faults = []
    for name, span in session.spans.items():
        resource = clinic.resources.get(name)
        if resource is None:
            faults.append(f"{name} is not in {clinic.id} any more")
            continue
        fault = _unavailable(clinic, resource, span.start, span.end, session.pool)
        owner = organisation.clinics.get(resource.owner or "")
        if not fault and owner is not None and name in owner.resources:
            fault = _unavailable(owner, owner.resources[name], span.start, span.end, None)
        faults.append(fault)
    return tuple(dict.fromkeys(f for f in faults if f))


@dataclass(frozen=True)
class _Visit:
    """One visit as it would be; each rule gives what is wrong with it."""

    organisation: Organisation
    clinic: Clinic
    pool: Pool
    service: Service
    task: Task | None
    ask: Ask
    start: datetime
    end: datetime
    day: date
    today: date
    chosen: Assignment
    others: tuple[Session, ...]

    @classmethod
    def of(
        cls,
        organisation: Organisation,
        sessions: Iterable[Session],
        ask: Ask,
        start: datetime,
        chosen: Assignment,
    ) -> _Visit:
        clinic = organisation.clinic(ask.clinic)
        pool = clinic.pool(ask.pool)
        service = clinic.services[pool.service]
        minutes = service.length + (ask.task.extra if ask.task else 0)
        return cls(
            organisation,
            clinic,
            pool,
            service,
            ask.task,
            ask,
            start,
            start + timedelta(minutes=minutes),
            start.astimezone(clinic.timezone).date(),
            ask.today or ask.now.astimezone(clinic.timezone).date(),
            chosen,
            tuple(s for s in sessions if s.id not in ask.ignore and _takes_time(s, ask)),
        )

    def opening(self) -> str:
        zone, day = self.clinic.timezone, self.day
        if self.task is not None and self.pool.id not in self.task.pools:
            return f"{self.pool.id} is no pool of task {self.task.id}"
        inside = False
        for row in self.pool.open:
            if not row.covers(day):
                continue
            if row.release is not None and (day - self.today).days > row.release:
                continue
            if not instant(day, row.start, zone) <= self.start:
                continue
            if not self.end <= instant(day, row.end, zone):
                continue
            inside = inside or any(
                minute >= row.start and (minute - row.start) % self.pool.raster == 0
                for minute in self._wall_minutes()
            )
        if not inside:
            return f"{self._told()} is no start of an opening of {self.pool.id}"
        if self.task is not None and self.task.times:
            for hours in self.task.times:
                for on in (day - _DAY, day, day + _DAY):
                    if (
                        hours.covers(on)
                        and instant(on, hours.start, zone) <= self.start
                        and self.end <= instant(on, hours.end, zone)
                    ):
                        return ""
            return f"{self._told()} is in none of the times that suit task {self.task.id}"
        return ""

    def _wall_minutes(self) -> Iterator[int]:
        """Give the wall-clock minutes of the day that mean this instant: one, or two in spring."""
        zone = self.clinic.timezone
        local = self.start.astimezone(zone)
        shown = local.hour * 60 + local.minute
        change = (local.utcoffset() or timedelta()) - (
            (self.start - _DAY).astimezone(zone).utcoffset() or timedelta()
        )
        skipped = shown - int(change.total_seconds()) // 60
        for minute in {shown, skipped}:
            if 0 <= minute < _FULL_DAY and instant(self.day, minute, zone) == self.start:
                yield minute

    def closed(self) -> str:
        if self.clinic.is_closed(self.day):
            return f"{self.clinic.id} is closed on {self.day}"
        if self.clinic.planned_until is not None and self.day > self.clinic.planned_until:
            return f"{self.day} is after {self.clinic.planned_until}, to which it is planned"
        return ""

    def window(self) -> str:
        ask, pool, day = self.ask, self.pool, self.day
        if self.start <= ask.now:
            return f"{self._told()} is not after now"
        first = [self.today + timedelta(days=pool.notice)]
        if ask.earliest_from is not None or ask.notice is not None:
            notice = pool.notice if ask.notice is None else ask.notice
            first.append((ask.earliest_from or self.today) + timedelta(days=notice))
        last = [self.today + timedelta(days=pool.horizon)]
        first += [ask.not_before] if ask.not_before is not None else []
        last += [ask.not_after] if ask.not_after is not None else []
        if self.task is not None:
            first += [self.task.not_before] if self.task.not_before is not None else []
            last.append(self.task.not_after)
        if not max(first) <= day <= min(last):
            return f"{day} is outside {max(first)} … {min(last)}"
        return ""

    def preparation(self) -> str:
        rules = {p.id: p for p in self.service.preparations}
        done = self.ask.done
        if self.task is not None:
            rules.update((p.id, p) for p in self.task.preparations)
            done |= self.task.done
        since = max(self.today, self.ask.earliest_from or self.today)
        for rule in rules.values():
            if rule.limits and rule.id not in done:
                for days in (rule.due, rule.start):
                    if days is not None and (self.day - since).days < days:
                        return f"{rule.id} needs {days} days before {self.day}, from {since}"
        return ""

    def resources(self) -> Iterator[str]:
        roles = {role.id: role for role in self.service.roles}
        for name, given in self.chosen.items():
            if given and name not in roles:
                yield f"{self.service.id} has no role {name}"
        used: dict[str, None] = {}
        for role in roles.values():
            names = self.chosen.get(role.id, ())
            if len(names) != role.count:
                yield f"{role.id} needs {role.count}, not {len(names)}"
            for name in names:
                if name in used:
                    yield f"{name} is used twice"
                elif fault := self._unfit(role, name) or self._unfree(role, name):
                    yield fault
                used[name] = None
        for group in self.service.together:
            row = tuple(name for role in group.roles for name in self.chosen.get(role, ())[:1])
            if len(row) == len(group.roles) and row not in group.allowed:
                yield f"{' and '.join(row)} do not go together"
        yield from self._at_quota(used)

    def _unfit(self, role: Role, name: str) -> str:
        resource = self.clinic.resources.get(name)
        if resource is None or (
            self.pool.resources is not None and name not in self.pool.resources
        ):
            return f"{name} does not serve {self.pool.id}"
        if resource.kind != role.kind or not role.skills <= resource.skills:
            return f"{name} cannot be {role.id}"
        only = None if self.task is None else self.task.only.get(role.id)
        if only is not None and name not in only and resource.group not in only:
            return f"{name} is not among those named for {role.id}"
        return ""

    def _unfree(self, role: Role, name: str) -> str:
        begins = self.start + timedelta(minutes=role.start)
        minutes = role.length + (self.task.extra if self.task else 0)
        ends = begins + timedelta(minutes=minutes)
        resource = self.clinic.resources[name]
        fault = _unavailable(self.clinic, resource, begins, ends, self.pool.id)
        if not fault and resource.owner is not None:
            owner = self.organisation.clinics.get(resource.owner)
            there = owner.resources.get(name) if owner is not None else None
            if owner is None or there is None:
                return f"{name} is not known where it belongs"
            fault = _unavailable(owner, there, begins, ends, None)
        if fault:
            return fault
        for other in self.others:
            span = other.spans.get(name)
            if span is not None and span.start < ends and begins < span.end:
                return f"{name} is taken by {other.kind} {other.id}"
        return ""

    def _at_quota(self, used: Iterable[str]) -> Iterator[str]:
        known = [self.clinic.resources[name] for name in used if name in self.clinic.resources]
        for quota in self.clinic.quotas:
            if quota.each is None or self.pool.id not in quota.pools:
                continue
            for resource in known:
                if resource.kind != quota.each:
                    continue
                count = self._counted(quota.pools, quota.per, resource.id)
                if count >= quota.max:
                    yield f"{resource.id} has {count} of {quota.max} visits a {quota.per}"

    def quota(self) -> str:
        for quota in self.clinic.quotas:
            if quota.each is None and self.pool.id in quota.pools:
                count = self._counted(quota.pools, quota.per, None)
                if count >= quota.max:
                    pools = ", ".join(sorted(quota.pools))
                    return f"{pools} have {count} of {quota.max} visits a {quota.per}"
        return ""

    def _counted(self, pools: frozenset[str], per: str, resource: str | None) -> int:
        count = 0
        for other in self.others:
            if other.kind is SessionKind.BLOCK or other.clinic != self.clinic.id:
                continue
            if other.pool not in pools or (resource is not None and resource not in other.spans):
                continue
            day = other.start.astimezone(self.clinic.timezone).date()
            same = day == self.day
            if per == "week":
                same = day.isocalendar()[:2] == self.day.isocalendar()[:2]
            count += same
        return count

    def patient(self) -> str:
        if self.task is None:
            return ""
        for other in self.others:
            if other.patient == self.task.patient:
                ends = other.start + timedelta(minutes=other.length)
                if other.start < self.end and self.start < ends:
                    return f"the patient has {other.kind} {other.id} at that time"
        return ""

    def _told(self) -> str:
        return f"{self.start.astimezone(self.clinic.timezone):%Y-%m-%dT%H:%M%z}"


def _unavailable(
    clinic: Clinic, resource: Resource, begins: datetime, ends: datetime, pool: str | None
) -> str:
    zone = clinic.timezone
    day, last = begins.astimezone(zone).date(), ends.astimezone(zone).date()
    days = []
    while day <= last:
        days.append(day)
        if clinic.is_closed(day) and _meet(_whole(day, zone), begins, ends):
            return f"{clinic.id} is closed on {day}"
        day += _DAY
    rows = resource.hours
    if rows is None and resource.owner is None:
        rows = clinic.hours
    if rows is not None and not _covered(rows, pool, days, zone, begins, ends):
        return f"{resource.id} does not work all of the time"
    for span in resource.busy:
        if span.start < ends and begins < span.end:
            return f"{resource.id} is busy"
    for absence in resource.away:
        if absence.span is not None and _meet(absence.span, begins, ends):
            return f"{resource.id} is away"
        if absence.hours is not None:
            for on in days:
                if absence.hours.covers(on):
                    away = absence.hours.span(on, zone)
                    if away is not None and _meet(away, begins, ends):
                        return f"{resource.id} is away"
    return ""


def _takes_time(session: Session, ask: Ask) -> bool:
    if session.kind is SessionKind.PLACE:
        return ask.count_places
    if session.kind is SessionKind.HOLD and session.until is not None and ask.now >= session.until:
        return ask.count_places and session.is_place
    return True


def _whole(day: date, zone: ZoneInfo) -> Span:
    return Span(instant(day, 0, zone), instant(day, _FULL_DAY, zone))


def _meet(span: Span, begins: datetime, ends: datetime) -> bool:
    return span.start < ends and begins < span.end


def _covered(
    rows: Iterable[WorkingHours],
    pool: str | None,
    days: list[date],
    zone: ZoneInfo,
    begins: datetime,
    ends: datetime,
) -> bool:
    """Tell whether the union of the hours that serve the pool covers all of a time."""
    parts = []
    for row in rows:
        if pool is not None and row.pools is not None and pool not in row.pools:
            continue
        for day in days:
            if row.covers(day):
                parts.append((instant(day, row.start, zone), instant(day, row.end, zone)))
    reached = begins
    for starts, stops in sorted(parts):
        if starts <= reached < stops:
            reached = stops
    return reached >= ends
