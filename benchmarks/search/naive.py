"""The loop that everybody writes first: every start, every resource, every booking of its day."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from benchmarks.search.cases import CLINICIAN, ROOM, Case
from benchmarks.search.peers import Answer, repeated
from timevalg.model.service import Role
from timevalg.model.time import Span


def answer(case: Case, rounds: int) -> Answer:
    """Search the case for visits of two roles."""
    starts = case.starts()
    hours = {name: _by_day(spans) for name, spans in case.shifts.items()}
    taken = {name: _by_day(spans) for name, spans in case.taken.items()}
    kinds = {
        role: [r.id for r in case.clinic.resources.values() if r.kind is role.kind]
        for role in (CLINICIAN, ROOM)
    }

    def can(name: str, role: Role, start: datetime) -> bool:
        begins = start + timedelta(minutes=role.start)
        ends = begins + timedelta(minutes=role.length)
        day = start.date()
        at_work = any(s.start <= begins and ends <= s.end for s in hours[name].get(day, ()))
        return at_work and not any(
            s.start < ends and begins < s.end for s in taken[name].get(day, ())
        )

    def search() -> list[datetime]:
        return [
            start
            for start in starts
            if all(any(can(name, role, start) for name in kinds[role]) for role in kinds)
        ]

    return repeated(search, rounds)


def _by_day(spans: list[Span]) -> dict[date, list[Span]]:
    days: dict[date, list[Span]] = {}
    for span in spans:
        days.setdefault(span.start.date(), []).append(span)
    return days
