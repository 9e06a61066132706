"""Everything that takes time in an organisation, ready to be searched.

A pure value: a change gives a new index that shares nearly all of the old one, at a cost that
depends on the change alone. What it remembers between searches (masks, calendars) follows from
what it holds and is invisible from outside. It never decides: the booking transaction does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from timevalg.model.clinic import Clinic, Organisation
from timevalg.model.pool import Quota
from timevalg.model.session import Session, SessionKind
from timevalg.model.time import Span, local_date
from timevalg.solver.diary import Diary, Entry, Fixed, entry_of
from timevalg.solver.masks import Block, Cell, News
from timevalg.solver.plan import Plan, PoolKey
from timevalg.solver.tally import QuotaKey, Tally
from timevalg.solver.trie import Trie
from timevalg.solver.window import Windows

_KINDS = {True: frozenset(SessionKind), False: frozenset(SessionKind) - {SessionKind.PLACE}}
"""Whether places count → what counts."""


class Index:
    """The sessions of an organisation.

    Attributes
    ----------
    organisation : Organisation
    sessions : mapping
        All sessions by id.
    plan : Plan
        What is known of the organisation before anybody has booked.
    windows, cells : Windows, Trie
        Remembered answers: rules 1 to 4, and masks by pool. No part of the value.
    """

    __slots__ = (
        "_by_patient",
        "_by_task",
        "_diaries",
        "_nothing",
        "_tallies",
        "cells",
        "plan",
        "sessions",
        "windows",
    )

    sessions: Trie[str, Session]
    plan: Plan
    windows: Windows
    cells: Trie[PoolKey, Cell]
    _diaries: Trie[str, Diary]
    _tallies: Trie[QuotaKey, Tally]
    _by_task: Trie[str, tuple[Session, ...]]
    _by_patient: Trie[str, tuple[Session, ...]]
    _nothing: Diary

    @classmethod
    def of(
        cls,
        organisation: Organisation,
        sessions: Iterable[Session] = (),
        taken: Mapping[str, Iterable[Span]] | None = None,
    ) -> Index:
        """Make the index of an organisation with its sessions.

        Parameters
        ----------
        sessions : iterable of Session
            A later one replaces one of the same id.
        taken : mapping or None
            Resource id → spans that are taken for good beside them, nobody says by whom (a record
            system's calendar). Kept as bits: 13 bytes a day, however many they are. They count in
            no quota, belong to no patient, and no change takes them away.
        """
        taken = taken or {}
        index = cls()
        index.plan = Plan(organisation)
        index.windows = Windows(index.plan)
        per_day = 24 * 60 // index.plan.grid
        index._nothing = Diary.empty(per_day)
        index.sessions = Trie.of({s.id: s for s in sessions})
        index.cells = Trie()
        tasks: dict[str, tuple[Session, ...]] = {}
        patients: dict[str, tuple[Session, ...]] = {}
        for session in index.sessions.values():
            if session.task is not None:
                tasks[session.task] = (*tasks.get(session.task, ()), session)
            if session.patient is not None:
                patients[session.patient] = (*patients.get(session.patient, ()), session)
        index._by_task, index._by_patient = Trie.of(tasks), Trie.of(patients)
        counted: dict[QuotaKey, list[tuple[date, Session]]] = {}
        counted_each: dict[str, dict[QuotaKey, list[tuple[date, Session]]]] = {}
        for session in index.sessions.values():
            for key, quota, period in index._quotas(session):
                if quota.each is None:
                    counted.setdefault(key, []).append((period, session))
                else:
                    for resource in index._counted_resources(session, quota):
                        counted_each.setdefault(resource, {}).setdefault(key, []).append(
                            (period, session)
                        )
        index._tallies = Trie.of(
            {key: index._tally(key).changed(rows, ()) for key, rows in counted.items()}
        )
        claims = _by_resource(index.sessions.values(), index.plan.grid)
        diaries = {}
        for resource in dict.fromkeys((*claims, *taken)):
            fixed = Fixed.of(taken[resource], per_day) if resource in taken else None
            diary = Diary.of(claims.get(resource, ()), per_day, fixed)
            if resource in counted_each:
                diary.tallies = {
                    key: index._tally(key).changed(of_key, ())
                    for key, of_key in counted_each[resource].items()
                }
            diaries[resource] = diary
        index._diaries = Trie.of(diaries)
        return index

    @property
    def organisation(self) -> Organisation:
        """Whose sessions these are."""
        return self.plan.organisation

    def apply(self, added: Iterable[Session] = (), removed: Iterable[str] = ()) -> Index:
        """Give the index after some sessions came and went.

        Parameters
        ----------
        added : iterable of Session
            One whose id is there already takes its place.
        removed : iterable of str
            Ids; unknown ones are passed over.
        """
        come = {s.id: s for s in added}
        gone = {name: self.sessions[name] for name in (*removed, *come) if name in self.sessions}
        if not come and not gone:
            return self
        new = Index()
        new.plan, new.windows, new._nothing = self.plan, self.windows, self._nothing
        new._tallies, new._diaries = self._tallies, self._diaries
        new.sessions = self.sessions
        for name in gone:
            if name not in come:
                new.sessions = new.sessions.without(name)
        for name, session in come.items():
            new.sessions = new.sessions.set(name, session)
        new._by_task = _regrouped(
            self._by_task,
            [(s.task, s) for s in come.values() if s.task is not None],
            [(s.task, s) for s in gone.values() if s.task is not None],
        )
        new._by_patient = _regrouped(
            self._by_patient,
            [(s.patient, s) for s in come.values() if s.patient is not None],
            [(s.patient, s) for s in gone.values() if s.patient is not None],
        )
        each = new._count(come.values(), gone.values()) if self.plan.counts else {}
        grid = self.plan.grid
        plus = _by_resource(come.values(), grid)
        minus = _by_resource(gone.values(), grid) if gone else {}
        touched = plus.keys() | minus.keys()
        for resource in touched:
            old = self.diary(resource)
            tallies = {**old.tallies, **each[resource]} if resource in each else old.tallies
            diary = old.changed(plus.get(resource, ()), minus.get(resource, ()), tallies)
            new._diaries = new._diaries.set(resource, diary)
        new.cells = self.cells
        pools = {key for resource in touched for key in self.plan.pools_of.get(resource, ())}
        if not pools:
            return new
        news = {places: _news(plus, minus, places) for places in (True, False)}
        anew = dict.fromkeys(news, (frozenset(touched), ()))
        for key in pools:
            cell = self.cells.get(key)
            if cell is not None:
                cell = cell.changed(anew if self.plan.pool(*key).each else news)
                new.cells = new.cells.set(key, cell)
        return new

    def by_task(self, task: str) -> tuple[Session, ...]:
        """Give the sessions of a task."""
        found: tuple[Session, ...] = self._by_task.get(task, ())
        return found

    def by_patient(self, patient: str) -> tuple[Session, ...]:
        """Give the sessions of a patient, in any clinic."""
        found: tuple[Session, ...] = self._by_patient.get(patient, ())
        return found

    def diary(self, resource: str) -> Diary:
        """Give what is taken of a resource."""
        found: Diary = self._diaries.get(resource, self._nothing)
        return found

    def tally(self, clinic: str, number: int) -> Tally | None:
        """Give what a `together` quota counts; None = nothing yet."""
        found: Tally | None = self._tallies.get((clinic, number))
        return found

    def touching(self, session: Session) -> list[Session]:
        """Give the other sessions that share time with one: on a resource, or of its patient.

        Expired holds are among them: who asks knows the instant.
        """
        found = set()
        for resource in session.spans:
            start, end, _ = entry_of(session, resource, self.plan.grid)
            found |= self.diary(resource).touching(start, end)
        if session.patient is not None:
            visit = session.visit
            found |= {s.id for s in self.by_patient(session.patient) if s.visit.overlaps(visit)}
        found.discard(session.id)
        return [self.sessions[name] for name in sorted(found)]

    def counted(self, clinic: Clinic, quota: Quota, session: Session) -> list[tuple[Session, ...]]:
        """Give the other sessions that a quota counts in the session's period.

        Returns
        -------
        list of tuple of Session
            One tuple; for an `each` quota one for every resource of the session that it counts.
            Holds, places and expired holds are among them.
        """
        number = next(n for n, q in enumerate(clinic.quotas) if q is quota or q == quota)
        key, period = (clinic.id, number), quota.period(session.local_date(clinic.timezone))
        tallies: list[Tally | None]
        if quota.each is None:
            tallies = [self._tallies.get(key)]
        else:
            tallies = [
                self.diary(resource).tallies.get(key)
                for resource in self._counted_resources(session, quota)
            ]
        return [
            tuple(s for s in tally.periods.get(period, ()) if s.id != session.id)
            if tally is not None
            else ()
            for tally in tallies
        ]

    def without_masks(self) -> Index:
        """Give the same index with its bitmaps but without remembered masks (for measuring)."""
        bare = Index()
        for name in self.__slots__:
            setattr(bare, name, getattr(self, name))
        bare.cells = Trie()
        return bare

    def counted_in(self, session: Session) -> Mapping[QuotaKey, date]:
        """Give the quotas that count a session, with its period in each."""
        return {key: period for key, _, period in self._quotas(session)}

    def counted_at(self, clinic: str, pool: str, start: datetime) -> Mapping[QuotaKey, date]:
        """Give the quotas that would count a visit in a pool, with its period in each."""
        return {key: period for key, _, period in self._quotas_at(clinic, pool, start)}

    def _quotas(self, session: Session) -> list[tuple[QuotaKey, Quota, date]]:
        if session.pool is None or session.kind is SessionKind.BLOCK:
            return []
        return self._quotas_at(session.clinic, session.pool, session.start)

    def _quotas_at(
        self, clinic: str, pool: str, start: datetime
    ) -> list[tuple[QuotaKey, Quota, date]]:
        quotas = self.plan.quotas_of.get((clinic, pool), ())
        if not quotas:
            return []
        day = local_date(start, self.organisation.clinics[clinic].timezone)
        return [((clinic, n), q, q.period(day)) for n, q in quotas]

    def _counted_resources(self, session: Session, quota: Quota) -> list[str]:
        here = self.organisation.clinics[session.clinic].resources
        return [r for r in session.spans if r in here and here[r].kind == quota.each]

    def _tally(self, key: QuotaKey) -> Tally:
        return Tally(self.organisation.clinics[key[0]].quotas[key[1]].max, {})

    def _count(
        self, come: Iterable[Session], gone: Iterable[Session]
    ) -> dict[str, dict[QuotaKey, Tally]]:
        """Bring the tallies of quotas up to date; gives those that count each resource."""
        each: dict[str, dict[QuotaKey, Tally]] = {}
        for sessions, leaving in ((gone, True), (come, False)):
            for session in sessions:
                for key, quota, period in self._quotas(session):
                    row = [(period, session)]
                    change = ((), row) if leaving else (row, ())
                    if quota.each is None:
                        old = self._tallies.get(key) or self._tally(key)
                        self._tallies = self._tallies.set(key, old.changed(*change))
                        continue
                    for resource in self._counted_resources(session, quota):
                        known = each.setdefault(resource, {})
                        tally = known.get(key) or self.diary(resource).tallies.get(key)
                        known[key] = (tally or self._tally(key)).changed(*change)
        return each


def _by_resource(sessions: Iterable[Session], grid: int) -> dict[str, list[tuple[Entry, Session]]]:
    """Give what sessions claim of each resource, with the session."""
    claims: dict[str, list[tuple[Entry, Session]]] = {}
    for session in sessions:
        for resource in session.spans:
            claims.setdefault(resource, []).append((entry_of(session, resource, grid), session))
    return claims


def _news(
    plus: Mapping[str, list[tuple[Entry, Session]]],
    minus: Mapping[str, list[tuple[Entry, Session]]],
    places: bool,
) -> News:
    """Tell the resources to look at again from those on which bookings and places came.

    Parameters
    ----------
    places : bool
        Whether places count; else it is as if none had come or gone.
    """
    counted = _KINDS[places]
    stale = {name for name, claims in minus.items() if any(s.kind in counted for _, s in claims)}
    blocks: list[Block] = []
    for resource, claims in plus.items():
        if resource in stale:
            continue
        for (start, end, _), session in claims:
            if session.kind is SessionKind.HOLD:
                stale.add(resource)
            elif session.kind in counted:
                blocks.append((resource, start, end))
    return frozenset(stale), tuple(blocks)


def _regrouped(
    groups: Trie[str, tuple[Session, ...]],
    come: Iterable[tuple[str, Session]],
    gone: Iterable[tuple[str, Session]],
) -> Trie[str, tuple[Session, ...]]:
    for name, session in gone:
        left = tuple(s for s in groups.get(name, ()) if s.id != session.id)
        groups = groups.set(name, left) if left else groups.without(name)
    for name, session in come:
        groups = groups.set(name, (*groups.get(name, ()), session))
    return groups
