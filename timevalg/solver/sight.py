"""Who could serve which role when: the index's masks, and those of what a board has changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from timevalg.solver.bits import stretch
from timevalg.solver.diary import Diary, Entry
from timevalg.solver.fits import Fits
from timevalg.solver.look import Look
from timevalg.solver.match import servable
from timevalg.solver.plan import PoolPlan


class Sight:
    """One pool's masks in one frame, as the index has them: the ground that a board lies over.

    Attributes
    ----------
    masks : list of dict
        For each role: resource id → the starts at which it could serve.
    reach : list of (int, int)
        For each role: its first cell after the visit's start, and its last cell after that.
    """

    __slots__ = ("look", "masks", "places", "reach")

    def __init__(self, look: Look, places: bool) -> None:
        self.look, self.places = look, places
        self.masks = [fits.masks for fits in look.variant().fits]
        grid = look.frame.grid
        self.reach = [
            (role.start // grid, -(-(role.length + look.window.extra) // grid) - 1)
            for role in look.pool.service.roles
        ]


class Column:
    """What is taken of one resource, with the masks worked out from it so far."""

    __slots__ = ("diary", "masks")

    def __init__(self, diary: Diary, masks: dict[tuple[Sight, int], int]) -> None:
        self.diary, self.masks = diary, masks


def served(plan: PoolPlan, masks: Sequence[Iterable[tuple[str, int]]], among: int) -> int:
    """Give the starts among some at which all roles can be served (rule 5).

    Parameters
    ----------
    masks : sequence of iterable of (str, int)
        For each role who could serve it when; read no further than need be.
    """
    if not plan.simple:
        fits = [Fits(dict(of_role)) for of_role in masks]
        return servable(plan.clusters, [role.count for role in plan.service.roles], fits, among)
    for of_role in masks:
        left = among
        for _, bits in of_role:
            left ^= left & bits
            if not left:
                break
        among ^= left
    return among


def blocked(
    masks: dict[tuple[Sight, int], int], entry: Entry, place: bool
) -> dict[tuple[Sight, int], int]:
    """Give masks after something came; those that quotas for each resource count are dropped."""
    out = {}
    start, end, _ = entry
    for key, bits in masks.items():
        sight, role = key
        if place and not sight.places:
            out[key] = bits
        elif not sight.look.pool.each:
            by, reach = sight.reach[role]
            by += sight.look.frame.offset
            out[key] = bits ^ bits & stretch(start - by - reach, end - by)
    return out
