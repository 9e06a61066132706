"""Spots: one way to seat one task, counted in cells and light enough to make thousands of."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from copy import copy
from datetime import datetime

from timevalg.model.clinic import Organisation
from timevalg.model.resource import Kind
from timevalg.model.session import Assignment, Session, SessionKind
from timevalg.solver.ask import Ask
from timevalg.solver.assign import session_for
from timevalg.solver.diary import Entry, entry_of
from timevalg.solver.frame import end_cell, first_cell
from timevalg.solver.plan import PoolKey
from timevalg.solver.window import Window


class Scope:
    """Where a visit may be in one pool, whatever is taken: rules 1 to 4, and who is named.

    Parameters
    ----------
    window : Window
    ask : Ask
        Whose visit it would be; its `ignore` is for the board to see to.
    now : datetime
        Starts are after it.
    names : sequence of sequence of str
        For each role the resources that may serve it, in the order in which to try them.
    who : hashable
        Tells `names` apart; None = everybody who fits.

    Attributes
    ----------
    bits : int
        Starts, in the cells of the window's frame.
    site : hashable
        The same for all with the same pool, frame, `extra` and names.
    """

    __slots__ = ("ask", "bits", "frame", "names", "pool", "site", "window")

    def __init__(
        self,
        window: Window,
        ask: Ask,
        now: datetime,
        names: Sequence[Sequence[str]],
        who: Hashable = None,
    ) -> None:
        self.window, self.ask, self.names = window, ask, names
        self.site: Hashable = window.site if who is None else (window.site, who)
        self.pool, self.frame = window.pool, window.frame
        self.bits = window.starts
        if window.first <= window.today:
            self.bits &= -1 << max(0, self.frame.cell(now) + 1)

    def among(self, clinicians: frozenset[str]) -> Scope:
        """Give the same where the patient meets none but these."""
        new = copy(self)
        new.names = [
            [n for n in of_role if n in clinicians] if role.kind is Kind.CLINICIAN else of_role
            for role, of_role in zip(self.pool.service.roles, self.names, strict=True)
        ]
        new.site = self.window.site, tuple(map(tuple, new.names))
        return new


class Spot:
    """A start with resources: a session that is there, or one that could be.

    Attributes
    ----------
    id : str
        Of the session.
    task, patient : str or None
        Ids.
    start, end : int
        Cells of the visit, counted from 1970.
    entries : dict
        Resource id → what is taken of it.
    """

    __slots__ = ("_made", "_scope", "end", "entries", "id", "kind", "patient", "start", "task")

    def __init__(
        self,
        id: str,
        kind: SessionKind,
        task: str | None,
        patient: str | None,
        start: int,
        end: int,
        entries: dict[str, Entry],
    ) -> None:
        self.id, self.kind, self.task, self.patient = id, kind, task, patient
        self.start, self.end, self.entries = start, end, entries
        self._made: Session | None = None
        self._scope: tuple[Scope, Assignment, datetime | None] | None = None

    @classmethod
    def at(
        cls,
        scope: Scope,
        cell: int,
        resources: Assignment,
        id: str,
        kind: SessionKind = SessionKind.PLACE,
        until: datetime | None = None,
    ) -> Spot:
        """Give the spot at a cell of a scope's frame."""
        ask, grid, plan = scope.ask, scope.frame.grid, scope.pool
        start, extra = scope.frame.offset + cell, ask.extra
        entries = {}
        for role in plan.service.roles:
            begin = start + role.start // grid
            entry = begin, begin - (-(role.length + extra) // grid), id
            for name in resources[role.id]:
                entries[name] = entry
        task = None if ask.task is None else ask.task.id
        new = cls(id, kind, task, ask.patient, start, start + scope.window.length, entries)
        new._scope = scope, resources, until
        return new

    @classmethod
    def of(cls, session: Session, grid: int) -> Spot:
        """Give the spot of a session that is there."""
        new = cls(
            session.id,
            session.kind,
            session.task,
            session.patient,
            first_cell(session.start, grid),
            end_cell(session.visit.end, grid),
            {name: entry_of(session, name, grid) for name in session.spans},
        )
        new._made = session
        return new

    def clashes(self, other: Spot) -> bool:
        """Tell whether the two cannot both be: a resource or a patient would be in both."""
        mine, theirs = self.entries, other.entries
        for name, (start, end, _) in mine.items():
            there = theirs.get(name)
            if there is not None and there[0] < end and start < there[1]:
                return True
        return (
            self.patient is not None
            and self.patient == other.patient
            and self.start < other.end
            and other.start < self.end
        )

    def same(self, other: Spot) -> bool:
        """Tell whether another is the same place of the same task."""
        return (self.id, self.kind, self.start, self.entries) == (
            other.id,
            other.kind,
            other.start,
            other.entries,
        )

    @property
    def at_pool(self) -> tuple[PoolKey, datetime] | None:
        """The pool and the instant of one that could be; None for a session that is there."""
        if self._scope is None:
            return None
        scope = self._scope[0]
        return scope.pool.key, scope.frame.moment(self.start - scope.frame.offset)

    def session(self, organisation: Organisation) -> Session:
        """Give the session."""
        if self._made is None and self._scope is not None:
            scope, resources, until = self._scope
            moment = scope.frame.moment(self.start - scope.frame.offset)
            self._made = session_for(
                organisation, scope.ask, moment, resources, id=self.id, kind=self.kind, until=until
            )
        if self._made is None:
            raise ValueError(f"spot {self.id} is of no session and of no scope")
        return self._made
