"""Starts counted in steps of the raster: short bitmaps where all starts are on one raster.

A visit of 45 minutes takes two steps of 30: where every start is on the raster, nobody can begin
in what is left of the second.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from math import gcd

from timevalg.solver.bits import lowest
from timevalg.solver.plan import Plan
from timevalg.solver.window import Window


@dataclass(frozen=True)
class Raster:
    """Steps that all starts are on.

    Attributes
    ----------
    unit : int
        Cells a step.
    rest : int
        The first cell, counted from 1970, that is on it.
    """

    unit: int = 1
    rest: int = 0

    @classmethod
    def of(cls, plan: Plan, windows: Collection[Window]) -> Raster:
        """Give the widest steps that all starts of some windows are on, and all roles begin on."""
        unit = gcd(*plan.rasters)
        known = next((w for w in windows if w.domain), None)
        if known is not None and not any(cell % unit for cell in plan.role_starts):
            found = cls(unit, (known.frame.offset + lowest(known.domain)) % unit)
            if all(map(found.fits, windows)):
                return found
        return cls()

    def fits(self, window: Window) -> bool:
        """Tell whether all starts of a pool are on it."""
        on = _comb(window.frame.size, self.unit, self.rest - window.frame.offset)
        return not window.domain & ~on

    def squeezed(self, bits: int, offset: int) -> int:
        """Give those starts that are on it, a bit a step, from the first step of a frame on."""
        first = (self.rest - offset) % self.unit
        return _squeezed(bits >> first, self.unit) if self.unit > 1 else bits

    def first(self, offset: int) -> int:
        """Give the number, counted from 1970, of the first step at or after a cell."""
        return -(-(offset - self.rest) // self.unit)

    def step(self, cell: int) -> int | None:
        """Give the number of the step at which a cell is, both counted from 1970."""
        number, beyond = divmod(cell - self.rest, self.unit)
        return None if beyond else number


@lru_cache(maxsize=4096)
def _squeezed(bits: int, unit: int) -> int:
    return int(format(bits, "b")[-1::-unit][::-1], 2)


@lru_cache(maxsize=64)
def _comb(size: int, unit: int, rest: int) -> int:
    """Give the cells below a size that are `rest` beyond a multiple of `unit`, and a few above."""
    times = -(-size // unit)
    return ((1 << times * unit) - 1) // ((1 << unit) - 1) << rest % unit
