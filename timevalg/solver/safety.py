"""Safe offers: whether a start can be claimed so that every other live task keeps a place.

One `Settling` serves one look: what is found out about one candidate (who could move, masks, the
windows of displaced tasks) serves the next.

Source: clinic-file.md, "Reserves and safe offers".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

from timevalg.model.resource import Kind
from timevalg.model.session import SessionKind
from timevalg.model.task import Task
from timevalg.solver.ask import Ask
from timevalg.solver.assign import choices
from timevalg.solver.board import Board
from timevalg.solver.certificates import Certificate, as_place, is_place
from timevalg.solver.picture import Picture
from timevalg.solver.places import certificate
from timevalg.solver.recall import recall
from timevalg.solver.repair import ASSIGNMENTS, Budget, Chain, Lazy, Repair
from timevalg.solver.spot import Scope, Spot

CHAIN = 3
"""How many places may move in a row."""
STEPS = 200
"""Steps spent on one start at most; see `Budget`."""


class Settling:
    """One patient's look: candidates settled one after the other.

    Parameters
    ----------
    picture : Picture
        As it is, the task's own place, hold and (when changing) booking included.
    ignore : frozenset of str
        Ids of the sessions that the asker gives up.
    key : str
        Id of the session to make.
    kind : SessionKind
        A booking or a hold.
    until : datetime or None
        When it expires, for a hold.
    budget : Budget or None
        For all candidates together; default as much as is needed.
    """

    def __init__(
        self,
        picture: Picture,
        task: Task,
        now: datetime,
        ignore: frozenset[str],
        *,
        key: str,
        kind: SessionKind = SessionKind.BOOKING,
        until: datetime | None = None,
        budget: Budget | None = None,
    ) -> None:
        index = picture.index
        self._task, self._key, self._kind, self._until = task, key, kind, until
        self._budget = budget
        self.board = board = Board(replace(picture.with_task(task), now=now))
        self.organisation = index.organisation
        given_up = {s.id: s for s in index.by_task(task.id) if is_place(s)}
        given_up.update({k: index.sessions[k] for k in ignore if k in index.sessions})
        self._released = []
        for session in given_up.values():
            spot = board.seen(session)
            board.give(spot)
            other = picture.tasks.get(session.task or "")
            if session.is_place and session.task != task.id and other is not None:
                board.take(Spot.of(as_place(other, session), index.plan.grid))
            else:
                self._released.append(spot)
        self._root = board.mark()
        self._repair = Repair(board, Budget(STEPS))
        self._scopes: dict[str, tuple[Scope, int, int]] = {}

    def certificate(
        self, ask: Ask, start: datetime, clinicians: frozenset[str] | None = None
    ) -> Certificate | None:
        """Find a way to claim a start that leaves every other live task a place.

        Parameters
        ----------
        clinicians : frozenset of str or None
            Only assignments in which the patient meets just these.

        Returns
        -------
        Certificate or None
            None = not settled: perhaps unsafe, perhaps only not found.
        """
        scope, free, possible = self._scope(ask)
        cell, rest = divmod(start - scope.frame.origin, timedelta(minutes=scope.frame.grid))
        if rest or cell < 0 or not possible >> cell & 1:
            return None
        spots = Lazy(self._spots(scope, cell, clinicians, bool(free >> cell & 1)))
        steps = STEPS if self._budget is None else min(STEPS, self._budget.left)
        self._repair.budget = mine = Budget(steps)
        found = None
        for depth in range(CHAIN):
            for spot, displaced in spots:
                found = self._finish(scope, cell, spot, displaced, depth)
                if found is not None or mine.left < 0:
                    break
            if found is not None or mine.left < 0:
                break
        if self._budget is not None:
            self._budget.left -= steps - mine.left
        return found

    def _spots(
        self, scope: Scope, cell: int, clinicians: frozenset[str] | None, free: bool
    ) -> Iterator[tuple[Spot, list[Spot]]]:
        """Give ways to claim a start with whom they displace, those first that displace nobody."""
        board, roles = self.board, scope.pool.service.roles
        names = board.able(scope, cell)
        if not free:
            filled = board.able(scope, cell, places=False)
            names = [
                [*here, *(n for n in all_ if n not in here)]
                for here, all_ in zip(names, filled, strict=True)
            ]
        if clinicians is not None:
            names = [
                [n for n in of_role if n in clinicians] if role.kind is Kind.CLINICIAN else of_role
                for role, of_role in zip(roles, names, strict=True)
            ]
        for resources in islice(choices(scope.pool, names), ASSIGNMENTS):
            if clinicians is None or clinicians == {
                name for role in roles if role.kind is Kind.CLINICIAN for name in resources[role.id]
            }:
                spot = Spot.at(scope, cell, resources, self._key, self._kind, self._until)
                displaced = board.in_the_way(spot)
                if displaced is not None:
                    yield spot, displaced

    def _finish(
        self, scope: Scope, cell: int, spot: Spot, displaced: list[Spot], depth: int
    ) -> Certificate | None:
        """Seat the displaced, and give a hold a place: the held time if valid, else another."""
        board, task, repair = self.board, self._task, self._repair
        if self._kind is not SessionKind.HOLD or not task.is_live:
            chain = repair.make_room(spot, displaced, depth)
            return None if chain is None else self._certificate(chain)
        start = scope.frame.offset + cell
        resources = spot.session(self.organisation).resources
        serves = any(
            own.pool is scope.pool
            and board.allows(own, start - own.frame.offset, resources, places=False)
            for own in board.scopes(task)
        )
        chain = repair.make_room(spot, displaced, depth, () if serves else (task,))
        if chain is None:
            return None
        found = self._certificate(chain)
        if serves:
            first = replace(found.claim, is_place=True)
            return replace(found, claims=(first, *found.claims[1:]))
        return found

    def _certificate(self, chain: Chain) -> Certificate:
        self._repair.use(chain)
        found = certificate(self.board, 0, self._key, self._released)
        self.board.back(self._root)
        return found

    def _scope(self, ask: Ask) -> tuple[Scope, int, int]:
        """Give where the asker may be, the starts that displace nobody, and those that may."""
        found = self._scopes.get(ask.pool)
        if found is None or found[0].ask != ask:
            scope = self.board.scope(ask)
            starts = self.board.starts
            found = scope, starts(scope), starts(scope, places=False)
            self._scopes[ask.pool] = found
        return found


def safe(
    picture: Picture,
    task: Task,
    pool: str,
    start: datetime,
    now: datetime,
    *,
    kind: SessionKind = SessionKind.BOOKING,
    key: str,
    until: datetime | None = None,
    clinicians: frozenset[str] | None = None,
    ask: Ask | None = None,
) -> Certificate | None:
    """Find a way to claim one start that leaves every other live task a place.

    Parameters
    ----------
    ask : Ask or None
        The rules to search by, where they are not those of a patient's choice.

    Returns
    -------
    Certificate or None
        None = not settled: perhaps unsafe, perhaps only not found.
    """
    ask = ask or Ask.for_task(picture.index, task, pool, now, changing=True)
    settling = Settling(picture, task, now, ask.ignore, key=key, kind=kind, until=until)
    return settling.certificate(ask, start, clinicians) or recall(
        picture, task, ask, start, key=key, kind=kind, until=until, clinicians=clinicians
    )
