"""All rows of an organisation as one transaction sees them, and what lies around a session."""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TypeVar

from timevalg.booking.unit_of_work import StoredClaim, UnitOfWork
from timevalg.clinic import read_sources
from timevalg.model.appointment import Appointment
from timevalg.model.clinic import Organisation
from timevalg.model.contents import Source
from timevalg.model.records import Letter, Publication, StaffCase, Work
from timevalg.model.session import Session, SessionKind
from timevalg.model.states import LetterState, WorkState
from timevalg.model.task import Task

UNDONE = (WorkState.WAITING, WorkState.LEASED, WorkState.PARKED)

K = TypeVar("K")
V = TypeVar("V")
Told = tuple[int, str]
"""The version and the state that an event tells."""


@dataclass(frozen=True)
class Chart:
    """Everything the checks look at.

    Attributes
    ----------
    claims : tuple
        As they are stored, by subject and start.
    cases : tuple of StaffCase
        The open ones.
    work : tuple of Work
        What is not done.
    told : mapping
        What the feed told last of each (subject, id): version and state.
    """

    now: datetime
    publications: tuple[Publication, ...]
    sessions: Mapping[str, Session]
    claims: tuple[StoredClaim, ...]
    tasks: Mapping[str, Task]
    appointments: Mapping[str, Appointment]
    cases: tuple[StaffCase, ...]
    work: tuple[Work, ...]
    letters: tuple[Letter, ...]
    told: Mapping[tuple[str, str], Told]

    @classmethod
    def read(cls, unit: UnitOfWork) -> Chart:
        """Read everything in the unit's transaction."""
        return cls(
            unit.now(),
            tuple(sorted(unit.publications.find(order="version"), key=_published_at)),
            {s.id: s for s in unit.sessions.find()},
            tuple(unit.sessions.stored()),
            {t.id: t for t in unit.tasks.find()},
            {a.id: a for a in unit.appointments.find()},
            tuple(unit.cases.find(closed_at=None)),
            tuple(unit.work.find(state=UNDONE)),
            tuple(unit.letters.find(state=(LetterState.PENDING, LetterState.SENDING))),
            _told(unit),
        )

    @cached_property
    def organisation(self) -> Organisation:
        """The organisation by the files in force."""
        sources = {p.clinic: p.source for p in self.publications}
        return read_sources(sources).organisation if sources else Organisation("")

    def organisations(self) -> Iterator[Organisation]:
        """Give the organisation as each publication left it, in their order."""
        sources: dict[str, Source] = {}
        for publication in self.publications:
            sources[publication.clinic] = publication.source
            yield read_sources(sources).organisation

    @cached_property
    def published_at(self) -> Mapping[str, datetime]:
        """When each clinic's file in force was published."""
        return {p.clinic: p.published_at for p in self.publications}

    @cached_property
    def by_task(self) -> Mapping[str, list[Session]]:
        """The sessions of each task."""
        return _grouped((s.task, s) for s in self.sessions.values())

    @cached_property
    def visits_of(self) -> Mapping[str, list[Appointment]]:
        """The appointments of each task."""
        return _grouped((a.task, a) for a in self.appointments.values())

    @cached_property
    def visit_by_session(self) -> Mapping[str, list[Appointment]]:
        """The appointments that say that a session is theirs."""
        return _grouped((a.session, a) for a in self.appointments.values())

    @cached_property
    def counted(self) -> Mapping[tuple[str, str, date], list[Session]]:
        """The sessions that count in quotas: by clinic, pool and local date."""
        zones = {c.id: c.timezone for c in self.organisation.clinics.values()}
        return _grouped(
            ((s.clinic, s.pool, s.local_date(zones[s.clinic])), s)
            for s in self.sessions.values()
            if s.pool is not None and s.clinic in zones and s.kind is not SessionKind.BLOCK
        )

    def around(self, session: Session) -> list[Session]:
        """Give every other session that shares time with it, or a quota's period."""
        found: dict[str, Session] = {}
        for claim in session.claims():
            starts, taken, longest = self._taken.get(claim.subject, ([], [], timedelta()))
            first = bisect.bisect_left(starts, claim.span.start - longest)
            for number in range(first, bisect.bisect_left(starts, claim.span.end)):
                found[taken[number].id] = taken[number]
        clinic = self.organisation.clinics.get(session.clinic)
        if clinic is not None:
            day = session.local_date(clinic.timezone)
            for quota in clinic.quotas:
                if session.pool in quota.pools:
                    period = [quota.period(day)]
                    if quota.per == "week":
                        period = [period[0] + timedelta(days=n) for n in range(7)]
                    for pool in quota.pools:
                        for on in period:
                            others = self.counted.get((clinic.id, pool, on), ())
                            found |= {s.id: s for s in others}
        found.pop(session.id, None)
        return list(found.values())

    @cached_property
    def _taken(self) -> Mapping[str, tuple[list[datetime], list[Session], timedelta]]:
        """For each subject the starts in order, whose they are, and the longest span."""
        rows = _grouped((c.subject, (c, s)) for s in self.sessions.values() for c in s.claims())
        ordered = {}
        for subject, taken in rows.items():
            taken.sort(key=lambda row: row[0].span.start)
            longest = max(c.span.end - c.span.start for c, _ in taken)
            ordered[subject] = ([c.span.start for c, _ in taken], [s for _, s in taken], longest)
        return ordered


def _published_at(publication: Publication) -> datetime:
    return publication.published_at


def _grouped(pairs: Iterable[tuple[K | None, V]]) -> dict[K, list[V]]:
    groups: dict[K, list[V]] = defaultdict(list)
    for key, value in pairs:
        if key is not None:
            groups[key].append(value)
    return groups


def _told(unit: UnitOfWork) -> dict[tuple[str, str], Told]:
    told: dict[tuple[str, str], Told] = {}
    for subject, key, version, new in unit.events.told():
        if "state" in new and version >= told.get((subject, key), (0, ""))[0]:
            told[subject, key] = version, str(new["state"])
    return told
