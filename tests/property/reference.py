"""The rules, word by word and slowly: every date, every opening, every k, every assignment.

Shares no code with `timevalg.solver`: only the model's values and `Ask`, which is the question.
Works in instants; nothing here knows of cells or bitmaps.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from timevalg.model.clinic import Clinic, Organisation
from timevalg.model.resource import Resource
from timevalg.model.roster import Hours
from timevalg.model.session import Session, SessionKind
from timevalg.solver.ask import Ask

Range = tuple[datetime, datetime]
DAY = timedelta(days=1)


@functools.cache
def minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


@functools.lru_cache(100_000)
def at(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """The instant of a wall-clock time: skipped ones move by the gap, repeated: the first."""
    wall = datetime(day.year, day.month, day.day) + minutes(minute)  # noqa: DTZ001 - wall clock
    return wall.replace(tzinfo=zone).astimezone(UTC)


def days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += DAY


def ranges(hours: Iterable[Hours], first: date, last: date, zone: ZoneInfo) -> list[Range]:
    out = []
    for row in hours:
        for day in days(first, last):
            if row.covers(day):
                a, b = at(day, row.start, zone), at(day, row.end, zone)
                if a < b:
                    out.append((a, b))
    return out


def covered(span: Range, by: list[Range]) -> bool:
    reached = span[0]
    while reached < span[1]:
        further = [b for a, b in by if a <= reached < b]
        if not further:
            return False
        reached = max(further)
    return True


def touches(span: Range, others: Iterable[Range]) -> bool:
    return any(a < span[1] and span[0] < b for a, b in others)


class Reference:
    """One organisation with its sessions, and one question."""

    def __init__(self, organisation: Organisation, sessions: Iterable[Session], ask: Ask) -> None:
        self.organisation, self.ask = organisation, ask
        self.clinic = organisation.clinic(ask.clinic)
        self.zone = self.clinic.timezone
        self.pool = self.clinic.pools[ask.pool]
        self.service = self.clinic.services[self.pool.service]
        self.task = ask.task
        self.extra = self.task.extra if self.task else 0
        self.today = ask.today or ask.now.astimezone(self.zone).date()
        self.last = self.today + self.pool.horizon * DAY
        self.sessions = [s for s in sessions if s.id not in ask.ignore and self.counts(s)]
        self._free: dict[str, tuple[list[list[Range]], list[Range]]] = {}

    def counts(self, session: Session) -> bool:
        if session.kind is SessionKind.PLACE:
            return self.ask.count_places
        if session.until is not None and self.ask.now >= session.until:
            return self.ask.count_places and session.is_place
        return True

    # -- 1 opening ---------------------------------------------------------------------------

    def opening(self) -> set[datetime]:
        length = minutes(self.service.length + self.extra)
        found = set()
        for day in days(self.today - DAY, self.last + DAY):
            for row in self.pool.open:
                if not row.covers(day):
                    continue
                if row.release is not None and (day - self.today).days > row.release:
                    continue
                a, b = at(day, row.start, self.zone), at(day, row.end, self.zone)
                for minute in range(row.start, 1440, self.pool.raster):
                    t = at(day, minute, self.zone)
                    if a <= t and t + length <= b:
                        found.add(t)
        if self.task is not None and self.task.times:
            times = ranges(self.task.times, self.today - 2 * DAY, self.last + 2 * DAY, self.zone)
            found = {t for t in found if any(a <= t and t + length <= b for a, b in times)}
        return found

    # -- 2 closed ----------------------------------------------------------------------------

    def closed(self, t: datetime) -> bool:
        day = t.astimezone(self.zone).date()
        planned = self.clinic.planned_until
        return not self.clinic.is_closed(day) and (planned is None or day <= planned)

    # -- 3 window ----------------------------------------------------------------------------

    def window(self, t: datetime) -> bool:
        day = t.astimezone(self.zone).date()
        ok = t > self.ask.now
        ok = ok and self.today + self.pool.notice * DAY <= day <= self.last
        if self.ask.earliest_from is not None or self.ask.notice is not None:
            notice = self.pool.notice if self.ask.notice is None else self.ask.notice
            ok = ok and (self.ask.earliest_from or self.today) + notice * DAY <= day
        if self.task is not None:
            ok = ok and (self.task.not_before or day) <= day <= self.task.not_after
        return ok and (self.ask.not_before or day) <= day <= (self.ask.not_after or day)

    # -- 4 preparation -----------------------------------------------------------------------

    def preparation(self, t: datetime) -> bool:
        day = t.astimezone(self.zone).date()
        rules = {p.id: p for p in self.service.preparations}
        done = set(self.ask.done)
        if self.task is not None:
            rules.update({p.id: p for p in self.task.preparations})
            done |= self.task.done
        for rule in rules.values():
            if not rule.limits or rule.id in done:
                continue
            for before in (rule.due, rule.start):
                for today in (self.today, self.ask.earliest_from):
                    if before is not None and today is not None and day - before * DAY < today:
                        return False
        return True

    # -- 5 resources -------------------------------------------------------------------------

    def closures(self, clinic: Clinic) -> list[Range]:
        return [
            (at(day, 0, clinic.timezone), at(day, 1440, clinic.timezone))
            for day in days(self.today - 4 * DAY, self.last + 4 * DAY)
            if clinic.is_closed(day)
        ]

    def absences(self, resource: Resource, clinic: Clinic) -> list[Range]:
        out = [(b.start, b.end) for b in resource.busy]
        for absence in resource.away:
            if absence.span is not None:
                out.append((absence.span.start, absence.span.end))
            if absence.hours is not None:
                out += ranges(
                    [absence.hours], self.today - 4 * DAY, self.last + 4 * DAY, clinic.timezone
                )
        return out

    def hours(self, resource: Resource, clinic: Clinic, everything: bool) -> list[Range] | None:
        rows = resource.hours
        if rows is None and resource.owner is not None:
            return None
        if rows is None:
            rows = clinic.hours
        serving = [r for r in rows if everything or r.pools is None or self.pool.id in r.pools]
        return ranges(serving, self.today - 4 * DAY, self.last + 4 * DAY, clinic.timezone)

    def calendar(self, resource: Resource) -> tuple[list[list[Range]], list[Range]]:
        """Ranges that must each cover a claim, and ranges that a claim must not touch."""
        if resource.id in self._free:
            return self._free[resource.id]
        here = self.hours(resource, self.clinic, False)
        inside = [] if here is None else [here]
        outside = self.absences(resource, self.clinic) + self.closures(self.clinic)
        if resource.owner is not None:
            owner = self.organisation.clinics[resource.owner]
            there = owner.resources[resource.id]
            inside.append(self.hours(there, owner, True) or [])
            outside += self.absences(there, owner) + self.closures(owner)
        for session in self.sessions:
            if resource.id in session.spans:
                span = session.spans[resource.id]
                outside.append((span.start, span.end))
        self._free[resource.id] = inside, outside
        return inside, outside

    def free(self, resource: Resource, span: Range) -> bool:
        inside, outside = self.calendar(resource)
        return all(covered(span, r) for r in inside) and not touches(span, outside)

    def below_each(self, resource: Resource, t: datetime) -> bool:
        for quota in self.clinic.quotas:
            if quota.each == resource.kind and self.pool.id in quota.pools:
                period = quota.period(t.astimezone(self.zone).date())
                taken = [
                    s
                    for s in self.quota_sessions(quota.pools)
                    if resource.id in s.spans and quota.period(s.local_date(self.zone)) == period
                ]
                if len(taken) >= quota.max:
                    return False
        return True

    def fitting(self, t: datetime) -> list[list[str]]:
        """For each role copy, the resources that could serve it."""
        out = []
        only = self.task.only if self.task is not None else {}
        for role in self.service.roles:
            span = (
                t + minutes(role.start),
                t + minutes(role.start + role.length + self.extra),
            )
            names = []
            for r in self.clinic.resources.values():
                if self.pool.resources is not None and r.id not in self.pool.resources:
                    continue
                if r.kind != role.kind or not role.skills <= r.skills:
                    continue
                if role.id in only and r.id not in only[role.id]:
                    continue
                if self.free(r, span) and self.below_each(r, t):
                    names.append(r.id)
            out += [names] * role.count
        return out

    def copies(self) -> list[str]:
        return [role.id for role in self.service.roles for _ in range(role.count)]

    def all_assignments(self, t: datetime) -> Iterator[dict[str, tuple[str, ...]]]:
        copies, fitting = self.copies(), self.fitting(t)

        def give(i: int, chosen: list[str]) -> Iterator[list[str]]:
            if i == len(copies):
                yield list(chosen)
                return
            for name in fitting[i]:
                if name not in chosen:
                    chosen.append(name)
                    yield from give(i + 1, chosen)
                    chosen.pop()

        for chosen in give(0, []):
            by_role: dict[str, tuple[str, ...]] = {}
            for role, name in zip(copies, chosen, strict=True):
                by_role[role] = (*by_role.get(role, ()), name)
            if all(
                tuple(by_role[r][0] for r in group.roles) in group.allowed
                for group in self.service.together
            ):
                yield by_role

    def resources(self, t: datetime) -> bool:
        return next(self.all_assignments(t), None) is not None

    # -- 6 quota -----------------------------------------------------------------------------

    def quota_sessions(self, pools: frozenset[str]) -> list[Session]:
        return [
            s
            for s in self.sessions
            if s.kind is not SessionKind.BLOCK and s.clinic == self.clinic.id and s.pool in pools
        ]

    def quota(self, t: datetime) -> bool:
        for quota in self.clinic.quotas:
            if quota.each is None and self.pool.id in quota.pools:
                period = quota.period(t.astimezone(self.zone).date())
                taken = [
                    s
                    for s in self.quota_sessions(quota.pools)
                    if quota.period(s.local_date(self.zone)) == period
                ]
                if len(taken) >= quota.max:
                    return False
        return True

    # -- 7 patient ---------------------------------------------------------------------------

    def patient(self, t: datetime) -> bool:
        if self.task is None:
            return True
        visit = (t, t + minutes(self.service.length + self.extra))
        return not touches(
            visit,
            [
                (s.start, s.start + minutes(s.length))
                for s in self.sessions
                if s.patient == self.task.patient
            ],
        )

    def starts(self) -> set[datetime]:
        return set(self.each())

    def each(self) -> Iterator[datetime]:
        """Every start, in no order, as far as it is asked for."""
        for t in self.opening():
            if (
                self.closed(t)
                and self.window(t)
                and self.preparation(t)
                and self.quota(t)
                and self.patient(t)
                and self.resources(t)
            ):
                yield t
