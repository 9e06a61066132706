"""What a pool's search remembers: for each role and resource, the starts at which it could serve.

A variant is for one frame, one `extra`, places counted or not. When something changes (a booking,
a hold that expires, sessions that one asker does not count), only the resources concerned are
looked at again, and only the starts at which their answer differs are matched again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from timevalg.solver.bits import stretch
from timevalg.solver.fits import Fits
from timevalg.solver.frame import Frame
from timevalg.solver.match import servable
from timevalg.solver.memory import remember
from timevalg.solver.plan import PoolPlan

VariantKey = tuple[Frame, int, bool]
"""Frame, extra minutes, whether places count."""

Only = frozenset[tuple[str, tuple[str, ...]]]
"""Role id → allowed resources, as a set of pairs; empty = any."""

_ANY: Only = frozenset()
Block = tuple[str, int, int]
"""A booking or a place that came: its resource, first and end cell counted from 1970.

All it can do is take starts away.
"""
News = tuple[frozenset[str], tuple[Block, ...]]
"""Resources to look at again, and what came on others."""

ALWAYS = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
Steady = tuple[datetime, datetime]
"""Since and until when nothing changes by the clock alone."""
_VARIANTS, _RESULTS, _BLOCKS = 8, 8, 64


@dataclass(slots=True, weakref_slot=True, eq=False)
class Variant:
    """Masks that are right for a while.

    Attributes
    ----------
    fits : tuple of Fits
        For each role.
    domain : int
        Starts that some opening gives on an open day; answers are among them.
    holds : mapping
        Id of a resource with holds → since and until when the same of them have not expired.
    since, until : datetime
        The instants for which the masks are right: since <= now < until.
    results : dict
        `only` → the starts at which all roles can be served.
    """

    plan: PoolPlan
    fits: tuple[Fits, ...]
    domain: int
    holds: Mapping[str, Steady]
    since: datetime
    until: datetime
    results: dict[Only, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        plan: PoolPlan,
        fits: tuple[Fits, ...],
        domain: int,
        holds: Mapping[str, Steady],
        results: dict[Only, int] | None = None,
    ) -> Variant:
        """Make a variant that is right while no hold expires."""
        since = max((since for since, _ in holds.values()), default=ALWAYS[0])
        until = min((until for _, until in holds.values()), default=ALWAYS[1])
        return cls(plan, fits, domain, holds, since, until, results or {})

    def allowed(self, only: Only) -> Sequence[Fits]:
        """Give the fits of the resources that `only` leaves."""
        fits = list(self.fits)
        for name, allowed in only:
            for number, role in enumerate(self.plan.service.roles):
                if role.id == name:
                    fits[number] = fits[number].among(
                        {
                            resource.id
                            for resource in self.plan.candidates[number]
                            if resource.id in allowed or resource.group in allowed
                        }
                    )
        return fits

    def served(self, only: Only) -> int:
        """Give the starts at which all roles can be served (rule 5)."""
        found = self.results.get(only)
        if found is None:
            found = remember(self.results, only, self.match(only, self.domain), _RESULTS)
        return found

    def match(self, only: Only, among: int) -> int:
        """Give the starts among some at which all roles can be served, worked out now."""
        counts = [role.count for role in self.plan.service.roles]
        return servable(self.plan.clusters, counts, self.allowed(only), among)

    def patched(
        self,
        resources: Collection[str],
        fit: Callable[[int, str], int],
        holds: Callable[[str], Steady | None],
    ) -> Variant:
        """Give the variant with some resources looked at again.

        Parameters
        ----------
        fit : callable
            Role number, resource id → starts, as they are now.
        holds : callable
            Resource id → since and until when the same of its holds have not expired; None: it
            has none.
        """
        new: dict[int, dict[str, int]] = {}
        changed = 0
        ends = dict(self.holds)
        for name in resources:
            mine = holds(name)
            if mine:
                ends[name] = mine
            else:
                ends.pop(name, None)
            for role in self.plan.roles_of.get(name, ()):
                now_fits = fit(role, name)
                differs = (self.fits[role].masks[name] ^ now_fits) & self.domain
                if differs:
                    new.setdefault(role, {})[name] = now_fits
                    changed |= differs
        result = Variant.of(self.plan, self._with(new), self.domain, ends)
        self._carry(result, changed)
        return result

    def blocked(self, blocks: Iterable[Block], key: VariantKey) -> Variant:
        """Give the variant after some bookings and places came.

        Only starts whose time a block touches are lost, and no others can change.
        """
        frame, extra, _ = key
        offset, grid, roles = frame.offset, frame.grid, self.plan.service.roles
        new: dict[int, dict[str, int]] = {}
        changed = 0
        for name, start, end in blocks:
            for number in self.plan.roles_of.get(name, ()):
                role = roles[number]
                by = offset + role.start // grid
                reach = -(-(role.length + extra) // grid) - 1
                of_role = new.get(number, {})
                fits = of_role.get(name, self.fits[number].masks[name])
                lost = fits & stretch(start - by - reach, end - by)
                if lost:
                    new[number] = {**of_role, name: fits ^ lost}
                    changed |= lost
        result = Variant(
            self.plan, self._with(new), self.domain, self.holds, self.since, self.until
        )
        self._carry(result, changed & self.domain)
        return result

    def _with(self, new: Mapping[int, Mapping[str, int]]) -> tuple[Fits, ...]:
        """Give the fits with some masks replaced: role → resource → starts."""
        if self.plan.simple and _ANY in self.results:
            for role in new:
                self.fits[role].union()  # made once, then handed on from change to change
        fits = list(self.fits)
        for role, masks in new.items():
            fits[role] = fits[role].changed(masks)
        return tuple(fits)

    def _carry(self, result: Variant, changed: int) -> None:
        """Fill in a changed variant's results from what is known; `changed` = starts to match."""
        for only, served in list(self.results.items()):
            if not changed:
                result.results[only] = served
            elif not only and self.plan.simple:
                result.results[only] = result.any_of_each()
            else:
                result.results[only] = served & ~changed | result.match(only, changed)

    def any_of_each(self) -> int:
        """Give what `match` gives for a simple pool, from unions kept through changes."""
        bits = self.domain
        for of_role in self.fits:
            bits &= of_role.union()
        return bits


class Known(NamedTuple):
    """A variant with what has changed since it was made.

    Attributes
    ----------
    stale : frozenset of str
        Resources to look at again.
    blocks : tuple of Block
        What came on others.
    """

    variant: Variant
    stale: frozenset[str] = frozenset()
    blocks: tuple[Block, ...] = ()

    def later(self, stale: frozenset[str], blocks: tuple[Block, ...]) -> Known:
        """Give it after more has changed."""
        stale |= self.stale
        blocks = (*self.blocks, *blocks)
        if len(blocks) > _BLOCKS:
            return Known(self.variant, stale.union(b[0] for b in blocks))
        return Known(self.variant, stale, blocks)


class Cell:
    """A pool's variants, each with what changed since it was made."""

    __slots__ = ("_variants",)

    def __init__(self, variants: dict[VariantKey, Known] | None = None) -> None:
        self._variants = variants or {}

    def get(self, key: VariantKey) -> tuple[Variant, frozenset[str]] | None:
        """Give a variant and the resources to look at again."""
        known = self._variants.get(key)
        if known is None:
            return None
        variant, stale, blocks = known
        if blocks:
            variant = variant.blocked(blocks, key)
            self._variants[key] = Known(variant, stale)
        return variant, stale

    def put(self, key: VariantKey, variant: Variant) -> None:
        """Remember a variant that is right now."""
        remember(self._variants, key, Known(variant), _VARIANTS)

    def changed(self, news: Mapping[bool, News]) -> Cell:
        """Give the cell after some resources have changed.

        Parameters
        ----------
        news : mapping
            Whether places count → what is new then.
        """
        later = {}
        for key, known in list(self._variants.items()):
            stale, blocks = news[key[2]]
            later[key] = known.later(stale, blocks) if stale or blocks else known
        return Cell(later)
