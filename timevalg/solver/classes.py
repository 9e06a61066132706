"""Feasible starts sorted into classes that every term of the ranking but earliness judges alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from timevalg.model.session import Assignment
from timevalg.solver.ask import Ask
from timevalg.solver.assign import assign_from
from timevalg.solver.frame import Frame
from timevalg.solver.index import Index
from timevalg.solver.look import Look
from timevalg.solver.masks import Variant
from timevalg.solver.plan import PoolPlan
from timevalg.solver.search import feasible
from timevalg.solver.terms import Facts, demand, facts, levels, tidiness
from timevalg.solver.wishes import SAME, Staffing, Wishes, kept, staffings


@dataclass(frozen=True)
class Class:
    """Starts of one pool with the same parts.

    Attributes
    ----------
    bits : int
        The starts, in the frame's cells; never empty.
    parts : mapping
        Term → part; `earliness` left out.
    staffing : Staffing
        How clinicians are chosen so that the parts come true.
    """

    plan: PoolPlan
    frame: Frame
    bits: int
    parts: Mapping[str, float]
    staffing: Staffing
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

    def assign(self, cell: int) -> Assignment:
        """Give the assignment at one of the starts, those first who leave no useless gap."""
        names = self.known.able(self.variant, self.staffing.only, cell)
        return assign_from(self.plan, names) or {}


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
    for staffing, served in _staffed(known, variant, look, wishes, bits):
        for good, liked in levels(soft, served).items():
            for tidy, clean in tidiness(known, liked).items():
                if clean:
                    out.append((staffing, good, tidy, clean))
    wanted, rivals = demand(known, look, bits)
    roles = len(look.pool.service.roles)
    return [
        Class(
            look.pool,
            look.frame,
            clean & many,
            _parts(wishes, staffing, good, tidy / roles, 1 - count / rivals),
            staffing,
            known,
            variant,
        )
        for staffing, good, tidy, clean in out
        for count, many in wanted.items()
        if clean & many
    ]


def _parts(
    wishes: Wishes, staffing: Staffing, good: int, tidy: float, unwanted: float
) -> dict[str, float]:
    parts: dict[str, float] = {}
    if wishes.soft:
        parts["wishes"] = (good + staffing.kept) / len(wishes.soft)
    if SAME in wishes.given:
        parts["same_clinician"] = float(staffing.same)
    parts["gaps"] = tidy
    parts["scarcity"] = unwanted
    return parts


def _staffed(
    known: Facts, variant: Variant, look: Look, wishes: Wishes, among: int
) -> list[tuple[Staffing, int]]:
    """Share out starts among the ways to choose clinicians, those worth most first."""
    weights = look.pool.pool.weights
    a_wish = weights.get("wishes", 0.0) / max(1, len(wishes.soft))
    same = weights.get("same_clinician", 0.0)
    ways = list(staffings(wishes, look.pool, look.only))
    ways.sort(key=lambda way: -(way.kept * a_wish + way.same * same))
    out = []
    for way in ways:
        served = among & known.served(variant, way.only)
        if served:
            out.append((way, served))
            among &= ~served
    return out
