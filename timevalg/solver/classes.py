"""Feasible starts sorted into classes that every term of the ranking but earliness judges alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from timevalg.model.session import Assignment
from timevalg.solver.ask import Ask
from timevalg.solver.assign import assign_from
from timevalg.solver.frame import Frame
from timevalg.solver.index import Index
from timevalg.solver.look import Look
from timevalg.solver.masks import Only, Variant
from timevalg.solver.plan import PoolPlan
from timevalg.solver.search import feasible
from timevalg.solver.terms import Facts, demand, facts, levels, tidiness
from timevalg.solver.wishes import Seat, Staffing, Wishes, kept, staffings


@dataclass(frozen=True)
class Way:
    """How clinicians are chosen, and the parts that come true with it.

    Attributes
    ----------
    ask : Ask
        What was asked, a task's for those alone who keep the wishes that the parts count.
    only : frozenset
        Role → who may serve it.
    parts : mapping
        Term → part; `earliness` left out.
    seat : (int, str) or None
        A role's number, and who must be among the several that serve it.
    """

    ask: Ask
    only: Only
    parts: Mapping[str, float]
    seat: Seat | None = None


@dataclass(frozen=True)
class Class:
    """Starts of one pool with the same parts.

    Attributes
    ----------
    bits : int
        The starts, in the frame's cells; never empty.
    way_list : tuple of Way
        The way that is worth most at these starts, then those worth less, served or not.
    """

    plan: PoolPlan
    frame: Frame
    bits: int
    way_list: tuple[Way, ...]
    known: Facts
    variant: Variant

    @property
    def clinic(self) -> str:
        """The clinic's id."""
        return self.plan.key[0]

    @property
    def pool(self) -> str:
        """The pool's id."""
        return self.plan.key[1]

    @property
    def offset(self) -> int:
        """Cell of bit 0, counted from 1970."""
        return self.frame.offset

    @property
    def weights(self) -> Mapping[str, float]:
        """The pool's weights of the terms."""
        return self.plan.pool.weights

    @property
    def way(self) -> Way:
        """The way that the starts are ranked by."""
        return self.way_list[0]

    def others(self, cell: int) -> Iterator[Way]:
        """Give the ways that are worth less and can serve one of the starts too."""
        for way in self.way_list[1:]:
            if self.known.served(self.variant, way.only, way.seat) >> cell & 1:
                yield way

    def assign(self, cell: int, way: Way) -> Assignment:
        """Give the assignment at one of the starts, those first who leave no useless gap."""
        able = self.known.able(self.variant, way.only, cell)
        if way.seat is not None:
            # In no other role, so that one of the assignments with them is the first of all.
            role, name = way.seat
            able[role] = [name, *(other for other in able[role] if other != name)]
        return assign_from(self.plan, able) or {}

    def keeps(self, way: Way, resources: Assignment) -> bool:
        """Tell whether an assignment that a way's ask allows has its seat taken as it should."""
        if way.seat is None:
            return True
        role, name = way.seat
        return name in resources[self.plan.service.roles[role].id]


def classes(index: Index, ask: Ask, wishes: Wishes) -> list[Class]:
    """Sort the feasible starts of an ask that keep every must.

    Each start goes with the staffing that is worth most by the pool's weights.
    """
    bits = feasible(index, ask).bits
    if not bits:
        return []
    look = Look(index, ask)
    by_wish = kept(wishes, look.window)
    for name, mask in by_wish.items():
        if name in wishes.must:
            bits &= mask
    if not bits:
        return []
    variant = look.variant()
    known = facts(look, variant)
    soft = [mask for name, mask in by_wish.items() if name not in wishes.must]
    out = []
    for ways, served in _staffed(known, variant, look, wishes, bits):
        for good, liked in levels(soft, served).items():
            for tidy, clean in tidiness(known, liked).items():
                if clean:
                    out.append((ways, good, tidy, clean))
    asks = {way.only: _narrowed(look, way.only) for ways, *_ in out for way in ways}
    wanted, rivals = demand(known, look, bits)
    roles = len(look.pool.service.roles)
    return [
        Class(
            look.pool,
            look.frame,
            clean & many,
            tuple(
                Way(
                    asks[way.only],
                    way.only,
                    _parts(wishes, way, good, tidy / roles, 1 - count / rivals),
                    way.seat,
                )
                for way in ways
            ),
            known,
            variant,
        )
        for ways, good, tidy, clean in out
        for count, many in wanted.items()
        if clean & many
    ]


def _narrowed(look: Look, only: Only) -> Ask:
    task = look.ask.task
    if task is None or only == look.only:
        return look.ask
    return replace(look.ask, task=replace(task, only=dict(only)))


def _parts(
    wishes: Wishes, staffing: Staffing, good: int, tidy: float, unwanted: float
) -> dict[str, float]:
    parts: dict[str, float] = {}
    if wishes.soft:
        parts["wishes"] = (good + staffing.kept) / len(wishes.soft)
    if wishes.clinicians:
        parts["same_clinician"] = float(staffing.same)
    parts["gaps"] = tidy
    parts["scarcity"] = unwanted
    return parts


def _staffed(
    known: Facts, variant: Variant, look: Look, wishes: Wishes, among: int
) -> list[tuple[list[Staffing], int]]:
    """Share out starts among the ways to choose clinicians, those worth most first.

    Each share comes with the ways from its own on.
    """
    weights = look.pool.pool.weights
    a_wish = weights.get("wishes", 0.0) / max(1, len(wishes.soft))
    same = weights.get("same_clinician", 0.0)
    ways = list(staffings(wishes, look.pool, look.only))
    ways.sort(key=lambda way: -(way.kept * a_wish + way.same * same))
    out = []
    for number, way in enumerate(ways):
        served = among & known.served(variant, way.only, way.seat)
        if served:
            out.append((ways[number:], served))
            among &= ~served
    return out
