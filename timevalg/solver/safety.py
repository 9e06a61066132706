"""Safe offers: whether a start can be claimed so that every other live task keeps a place.

One `Settling` serves one look: what is found out about one candidate (who could move, masks, the
windows of displaced tasks) serves the next.

Source: docs/clinic-file.md, "Reserves and safe offers".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

from timevalg.model.resource import Kind
from timevalg.model.session import SessionKind
from timevalg.model.task import Task
from timevalg.solver.aside import ANYHOW
from timevalg.solver.ask import Ask
from timevalg.solver.board import Board
from timevalg.solver.certificates import Certificate
from timevalg.solver.full import Full
from timevalg.solver.given_up import GivenUp
from timevalg.solver.picture import Picture
from timevalg.solver.places import certificate
from timevalg.solver.recall import recall
from timevalg.solver.repair import ASSIGNMENTS, CHAIN, Budget, Chain, Repair, ways
from timevalg.solver.spot import Scope, Spot
from timevalg.solver.together import DEPTH, Together

STEPS = 80
"""Steps spent on one start; see `Budget`."""
STEPS_A_LOOK = 1_000
"""Steps that all starts of a look have together."""
STEPS_A_CHOICE = 3_000
"""Steps spent on the one start that is held or chosen."""
STEPS_JOINTLY = 200
"""Steps spent on it on moves that only fit together; see `Together`."""
WAYS = 3
"""Ways to claim a start for which moves are sought that only fit together."""


class Unsafe:
    """Proof that nobody can claim a start without leaving somebody else without a place."""


UNSAFE = Unsafe()


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
        For all candidates together; default what one may cost.
    thorough : bool
        Whether those are moved too of whom it is not seen how; see `Repair`.
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
        thorough: bool = False,
    ) -> None:
        self._task, self._key, self._kind, self._until = task, key, kind, until
        self.board = board = Board(replace(picture.with_task(task), now=now))
        self.organisation = picture.index.organisation
        self._given_up = GivenUp.of(picture, task, ignore)
        for session in self._given_up.sessions:
            board.give(board.seen(session))
        for place in self._given_up.places:
            board.take(Spot.of(place, picture.index.plan.grid))
        self._depths = [*range(CHAIN + 2), *([ANYHOW] if thorough else [])]
        self._repair = Repair(board, budget or Budget(STEPS_A_CHOICE), thorough=thorough)
        self._together = Together(self._repair)
        self._full = Full(board, self._repair.aside)
        self._scopes: dict[object, tuple[Scope, int]] = {}

    def settle(
        self,
        ask: Ask,
        start: datetime,
        clinicians: frozenset[str] | None = None,
        *,
        steps: int = STEPS,
    ) -> Certificate | Unsafe | None:
        """Find a way to claim a start that leaves every other live task a place.

        Parameters
        ----------
        clinicians : frozenset of str or None
            Only assignments in which the patient meets just these.
        steps : int
            Of the budget, at most.

        Returns
        -------
        Certificate, Unsafe or None
            None = not settled: perhaps unsafe, perhaps only not found.
        """
        where = self._where(ask, start, clinicians)
        if where is None:
            return None
        scope, cell = where
        if self._full.proven(scope, cell, kinds=0):
            return None if clinicians else UNSAFE
        with self._repair.within(steps):
            found = self._find(scope, cell, clinicians)
        if found is None and clinicians is None and self._full.proven(scope, cell):
            return UNSAFE
        return found

    def is_unsafe(self, ask: Ask, start: datetime) -> bool:
        """Tell whether a start that `settle` has left open is proven unsafe by all that is known.

        What that takes is found out once for all starts; it costs as much as several of them.
        """
        where = self._where(ask, start, None)
        return where is not None and self._full.proven_narrowly(*where)

    def settle_jointly(
        self,
        ask: Ask,
        start: datetime,
        clinicians: frozenset[str] | None = None,
        *,
        depth: int = DEPTH,
        steps: int = STEPS,
    ) -> Certificate | None:
        """Find a way that takes moves which only fit together, where `settle` has found none.

        Parameters
        ----------
        clinicians, steps :
            See `settle`.
        depth : int
            How many others may have to go for each who is displaced, one because of the other.
        """
        where = self._where(ask, start, clinicians)
        if where is None:
            return None
        with self._repair.within(steps):
            ways = list(islice(self._spots(*where, clinicians, ANYHOW), 2 * WAYS))
            ways.sort(key=lambda way: len(way[1]))
            for spot, displaced in ways[:WAYS]:
                found = self._finish(*where, spot, displaced, depth, self._together)
                if found is not None:
                    return found
        return None

    def _where(
        self, ask: Ask, start: datetime, clinicians: frozenset[str] | None
    ) -> tuple[Scope, int] | None:
        """Give the scope and the cell of a start; None if more than places stand in its way."""
        scope, possible = self._scope(ask)
        cell, rest = divmod(start - scope.frame.origin, timedelta(minutes=scope.frame.grid))
        if rest or cell < 0 or not possible >> cell & 1:
            return None
        return (scope if clinicians is None else scope.among(clinicians)), cell

    def _find(
        self, scope: Scope, cell: int, clinicians: frozenset[str] | None
    ) -> Certificate | None:
        aside = self._repair.aside
        for moves in self._depths:
            if moves == 1 and aside.is_fresh and self._repair.budget.left > 0:
                found = self._at_once(scope, cell, clinicians)
                if found is not None:
                    return found
            if moves == 2 and self._full.proven(scope, cell, kinds=1):
                return None
            if moves and self._repair.budget.left <= 0:
                return None
            if not aside.starts(scope, moves) >> cell & 1:
                continue
            for spot, displaced in self._spots(scope, cell, clinicians, moves):
                depth = CHAIN if moves == ANYHOW else max(0, moves - 1)
                found = self._finish(scope, cell, spot, displaced, depth, self._repair)
                if found is not None:
                    return found
                if self._repair.budget.left <= 0:
                    return None
        return None

    def _at_once(
        self, scope: Scope, cell: int, clinicians: frozenset[str] | None
    ) -> Certificate | None:
        """Try to move those displaced to free spots, before it is found out who can move at all."""
        for spot, displaced in self._spots(scope, cell, clinicians, ANYHOW):
            found = self._finish(scope, cell, spot, displaced, 0, self._repair)
            if found is not None or self._repair.budget.left <= 0:
                return found
        return None

    def _spots(
        self, scope: Scope, cell: int, clinicians: frozenset[str] | None, moves: int
    ) -> Iterator[tuple[Spot, list[Spot]]]:
        """Give ways to claim a start with whom they displace, those first that displace nobody."""
        board, service = self.board, scope.pool.service
        for resources in islice(ways(self._repair.aside.able, scope, cell, moves), ASSIGNMENTS):
            if clinicians is None or clinicians == {
                name
                for role in service.roles
                if role.kind is Kind.CLINICIAN
                for name in resources[role.id]
            }:
                spot = Spot.at(scope, cell, resources, self._key, self._kind, self._until)
                displaced = board.in_the_way(spot, stays=self._repair.stays)
                if displaced is not None:
                    yield spot, displaced

    def _finish(
        self,
        scope: Scope,
        cell: int,
        spot: Spot,
        displaced: list[Spot],
        depth: int,
        by: Repair | Together,
    ) -> Certificate | None:
        """Seat the displaced, and give a hold a place: the held time if valid, else another."""
        board, task = self.board, self._task
        if self._kind is not SessionKind.HOLD or not task.is_live:
            chain = by.make_room(spot, displaced, depth)
            return None if chain is None else self._certificate(chain)
        start = scope.frame.offset + cell
        resources = spot.session(self.organisation).resources
        serves = any(
            own.pool is scope.pool
            and board.allows(own, start - own.frame.offset, resources, places=False)
            for own in board.scopes(task)
        )
        chain = by.make_room(spot, displaced, depth, () if serves else (task,))
        if chain is None:
            return None
        found = self._certificate(chain)
        if serves:
            first = replace(found.claim, is_place=True)
            return replace(found, claims=(first, *found.claims[1:]))
        return found

    def _certificate(self, chain: Chain) -> Certificate:
        claims, moves = chain.claims(self.board), chain.moves(self.board)
        found = certificate(self.organisation, claims, (), moves)
        return self._given_up.certificate(found.claims, found.displaced, found.moved)

    def _scope(self, ask: Ask) -> tuple[Scope, int]:
        """Give where the asker may be, and the starts that nothing but places of others fills."""
        only = () if ask.task is None else tuple(sorted(ask.task.only.items()))
        found = self._scopes.get((ask.pool, only))
        if found is None:
            scope = self.board.scope(ask)
            found = self._scopes[ask.pool, only] = scope, self.board.starts(scope, places=False)
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
    for steps in (STEPS, STEPS_A_CHOICE):  # thoroughly only where it takes that
        thorough = steps > STEPS
        settling = Settling(
            picture, task, now, ask.ignore, key=key, kind=kind, until=until, thorough=thorough
        )
        found = settling.settle(ask, start, clinicians, steps=steps)
        if found is None and not thorough:
            found = settling.settle_jointly(ask, start, clinicians, steps=STEPS_JOINTLY)
        if isinstance(found, Certificate):
            return found
        if found is UNSAFE:
            break
    return recall(picture, task, ask, start, key=key, kind=kind, until=until, clinicians=clinicians)
