"""Figures counted over plain dicts, as the databases count them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from timevalg.booking.unit_of_work import Between
from timevalg.model.appointment import Appointment
from timevalg.model.figures import Counted, Period, waited
from timevalg.model.records import CaseKind, Event
from timevalg.model.session import Assignment

if TYPE_CHECKING:
    from timevalg.store.memory import MemoryUnit

Freed = tuple[str, datetime, int, Assignment]
"""Clinic, start, minutes and resources of a visit that is not there any more."""
_STAFF = frozenset({"planner", "secretary", "clinician"})


class MemoryTallies:
    """The counts of one organisation."""

    def __init__(self, unit: MemoryUnit) -> None:
        self._unit = unit

    def count(self, period: Period, touches: Collection[str]) -> list[Counted]:
        """Count everything of `timevalg.model.figures.MEASURES`, by clinic."""
        found: Counter[tuple[str, str]] = Counter()
        for rows in (
            self._visits(period),
            self._invited(period),
            self._deadlines(period),
            self._touches(period, touches),
            self._stranded(period),
        ):
            found.update(rows)
        counted = [Counted(clinic, name, n) for (clinic, name), n in found.items() if n]
        return counted + list(self._waited(period)) + list(self._freed(period))

    def _started(self, period: Period) -> list[Appointment]:
        span = Between(period.since, period.until)
        return [v for v in self._unit.appointments.find(start=span) if v.patient is not None]

    def _visits(self, period: Period) -> Iterator[tuple[str, str]]:
        for visit in self._started(period):
            if visit.state != "cancelled":
                yield visit.clinic, "visits"
            if visit.state in {"arrived", "fulfilled"}:
                yield visit.clinic, "attended"
            if visit.state == "no-show":
                yield visit.clinic, "no_shows"
            if visit.lettered_at is None:
                continue
            yield visit.clinic, "lettered"
            told = [
                e.version
                for e in self._unit.events.of("appointment", visit.id, above=0)
                if e.type == "appointment.lettered"
            ]
            movers = {_is_patients(e) for e in self._moves(visit) if told and e.version > min(told)}
            if movers:
                yield visit.clinic, "moved"
            for by_patient in movers:
                yield visit.clinic, f"moved_by_{'patient' if by_patient else 'hospital'}"

    def _moves(self, visit: Appointment) -> list[Event]:
        return [
            e
            for e in self._unit.events.of("appointment", visit.id, above=0)
            if e.type == "appointment.changed"
            and (e.old or {}).get("start") != (e.new or {}).get("start")
        ]

    def _invited(self, period: Period) -> Iterator[tuple[str, str]]:
        span = Between(period.first, period.last + timedelta(days=1))
        for task in self._unit.tasks.find(due=span):
            if task.state != "draft" and task.mode != "allot":
                yield task.clinic, "invited"
                if self._unit.appointments.count(task=task.id, origin="chosen"):
                    yield task.clinic, "chosen"

    def _waited(self, period: Period) -> Iterator[Counted]:
        for visit in self._started(period):
            if visit.task is None or visit.state == "cancelled":
                continue
            task, day = self._unit.tasks.get(visit.task), _day(visit)
            yield from waited(visit.clinic, (day - task.opens).days, 1, day > task.not_after)

    def _deadlines(self, period: Period) -> Iterator[tuple[str, str]]:
        span = Between(period.first, period.last + timedelta(days=1))
        for task in self._unit.tasks.find(deadline=span):
            if task.state in {"draft", "withdrawn", "declined"} or task.deadline is None:
                continue
            yield task.clinic, "with_deadline"
            visits = self._unit.appointments.find(task=task.id)
            days = [_day(v) for v in visits if v.state != "cancelled"]
            in_time = any(day <= task.deadline for day in days)
            if not in_time and (days or task.deadline < period.today):
                yield task.clinic, "deadline_breaches"

    def _touches(self, period: Period, touches: Collection[str]) -> Iterator[tuple[str, str]]:
        span = Between(period.since, period.until)
        for entry in self._unit.audit.find(time=span, role=_STAFF, verb=frozenset(touches)):
            if entry.subject == "task":
                found: list[str] = [t.clinic for t in self._unit.tasks.find(id=entry.key)]
            elif entry.subject == "appointment":
                found = [a.clinic for a in self._unit.appointments.find(id=entry.key)]
            else:
                found = []
            yield from ((clinic, "touches") for clinic in found)

    def _stranded(self, period: Period) -> Iterator[tuple[str, str]]:
        cases = self._unit.cases.find(kind=CaseKind.CAPACITY_LOSS)
        inside = {(c.clinic, c.task) for c in cases if period.since <= c.created_at < period.until}
        now = {(c.clinic, c.task) for c in cases if c.closed_at is None}
        yield from ((clinic, "stranded") for clinic, _ in inside)
        yield from ((clinic, "stranded_now") for clinic, _ in now)

    def _freed(self, period: Period) -> Iterator[Counted]:
        lost: defaultdict[tuple[str, str], timedelta] = defaultdict(timedelta)
        refilled: defaultdict[tuple[str, str], timedelta] = defaultdict(timedelta)
        bookings = self._unit.sessions.find(kind="booking")
        for clinic, start, minutes, resources in self._gone(period):
            end = start + timedelta(minutes=minutes)
            for name in (name for names in resources.values() for name in names):
                lost[clinic, name] += end - start
                for booking in bookings:
                    span = booking.spans.get(name)
                    if span is not None and span.start < end and span.end > start:
                        refilled[clinic, name] += min(end, span.end) - max(start, span.start)
        for (clinic, name), time in lost.items():
            back = refilled[clinic, name]
            yield Counted(clinic, "lost_minutes", time // timedelta(minutes=1), name)
            yield Counted(clinic, "refilled_minutes", back // timedelta(minutes=1), name)

    def _gone(self, period: Period) -> Iterator[Freed]:
        for visit in self._started(period):
            if visit.state in {"cancelled", "no-show"}:
                yield visit.clinic, visit.start, visit.length, visit.resources
        for visit in self._unit.appointments.find(moves=Between(1)):
            for event in self._moves(visit) if visit.patient is not None else ():
                old = event.old or {}
                start = datetime.fromisoformat(old["start"])
                if period.since <= start < period.until:
                    yield event.clinic, start, old["length"], old["resources"]


def _is_patients(event: Event) -> bool:
    return event.origin in {"patient", "representative"} or event.by == "patient"


def _day(visit: Appointment) -> date:
    return date.fromisoformat(visit.wall[:10])
