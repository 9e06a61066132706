"""The ranking's terms as bitmaps: which starts keep the calendar tidy, which ones others need.

What follows from a pool's masks alone is remembered with them, so a warm look costs no bit of it
again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from weakref import WeakKeyDictionary

from timevalg.solver.ask import Ask
from timevalg.solver.bits import at_least, runs
from timevalg.solver.diary import Diary, Tidy, entry_of
from timevalg.solver.fits import Fits
from timevalg.solver.look import Look
from timevalg.solver.masks import Only, Variant
from timevalg.solver.memory import remember
from timevalg.solver.plan import Plan, PoolPlan
from timevalg.solver.search import feasible
from timevalg.solver.wishes import Seat

Levels = dict[int, int]
"""Level → the starts that have it; together all starts, none twice."""

_STAFFINGS = 32
_TIDY = 16


class Facts:
    """What ranking needs to know of a pool's masks.

    Parameters
    ----------
    look : Look
    variant : Variant
        The look's. Not kept: it is what these facts are remembered by, and would never be let go.
    """

    def __init__(self, look: Look, variant: Variant) -> None:
        self.rivals = rivals(look.index.plan, look.pool)
        self._served: dict[Only, int] = {}
        self._allowed: dict[Only, Sequence[Fits]] = {}
        self._tidy = [
            {name: _tidy(look, role, name) for name in of_role.masks}
            for role, of_role in enumerate(variant.fits)
        ]
        self.tidy_roles = [
            at_least(
                [tidy[name][0] & bits for name, bits in fits.masks.items()],
                role.count,
                variant.domain,
            )
            for tidy, fits, role in zip(
                self._tidy, variant.fits, look.pool.service.roles, strict=True
            )
        ]

    def served(self, variant: Variant, only: Only, seat: Seat | None = None) -> int:
        """Give the starts at which all roles can be served, by those allowed, the seat's one too.

        Whoever has a seat may serve no other role; so wherever they are free and all can be
        served without them, they can also take the place of another in theirs.
        """
        found = self._served.get(only)
        if found is None:
            found = remember(self._served, only, variant.served(only), _STAFFINGS)
        return found if seat is None else found & variant.fits[seat[0]].masks[seat[1]]

    def able(self, variant: Variant, only: Only, cell: int) -> list[list[str]]:
        """Give for each role who could serve it at a start, who leaves no useless gap first."""
        allowed = self._allowed.get(only)
        if allowed is None:
            allowed = remember(self._allowed, only, variant.allowed(only), _STAFFINGS)
        byte, bit = cell >> 3, 1 << (cell & 7)
        out = []
        for fits, tidy in zip(allowed, self._tidy, strict=True):
            first: list[str] = []
            rest: list[str] = []
            for name in fits.at(cell):
                data = tidy[name][1]
                (first if len(data) > byte and data[byte] & bit else rest).append(name)
            out.append(first + rest)
        return out


_FACTS: WeakKeyDictionary[Variant, Facts] = WeakKeyDictionary()


def facts(look: Look, variant: Variant) -> Facts:
    """Give the facts about a look's masks, remembered as long as these live."""
    found = _FACTS.get(variant)
    if found is None:
        found = _FACTS[variant] = Facts(look, variant)
    return found


def tidiness(known: Facts, among: int) -> Levels:
    """Sort starts by the number of roles that leave no useless gap."""
    return levels(known.tidy_roles, among)


def demand(known: Facts, look: Look, among: int) -> tuple[Levels, int]:
    """Sort starts by the number of pools whose patients could use their time; and count the pools.

    The pools are those of the clinic that share a resource with this one, itself included, asked
    for anybody: a patient with no particulars, who has done no preparation.
    """
    ask, masks = look.ask, []
    for other in known.rivals:
        asked = Ask(ask.clinic, other, ask.now, count_places=ask.count_places, today=ask.today)
        starts = feasible(look.index, asked)
        length = look.index.plan.pool(ask.clinic, other).service.length
        cells = -(-length // look.frame.grid)
        bits, by = starts.bits, starts.frame.offset - look.frame.offset
        # A start s of theirs shares time with a start t of ours if t − theirs < s < t + ours.
        reached = _spread(bits, look.window.length + cells - 1)
        by -= look.window.length - 1
        masks.append(reached << by if by >= 0 else reached >> -by)
    return levels(masks, among), len(masks)


def levels(masks: Iterable[int], among: int) -> Levels:
    """Sort starts by the number of masks that have them."""
    out: Levels = {0: among}
    for mask in masks:
        new: Levels = {}
        for level, bits in out.items():
            up = bits & mask
            if up:
                new[level + 1] = new.get(level + 1, 0) | up
            if up != bits:
                new[level] = new.get(level, 0) | bits ^ up
        out = new
    return out


def rivals(plan: Plan, pool: PoolPlan) -> tuple[str, ...]:
    """Give the pools of the clinic that share a resource with a pool, itself included."""
    clinic, own = pool.key
    keys = {key for resource in pool.roles_of for key in plan.pools_of.get(resource, ())}
    return tuple(sorted({other for where, other in keys if where == clinic} | {own}))


def _tidy(look: Look, number: int, name: str) -> Tidy:
    """Give the starts from which a role leaves a resource no remnant shorter than the role itself.

    In a free stretch of n cells the role, k cells long, has n − k + 1 starts in a row. Its start
    leaves nothing before it if it is the first of them, enough if k others precede it; likewise
    after it.
    """
    diary = look.index.diary(name)
    own = [s for s in look.ignored if name in s.spans]
    if own:
        diary = diary.without([(entry_of(s, name, look.frame.grid), s) for s in own])
    if diary.holds:
        return _tidy_in(look, number, name, diary)
    places = look.ask.count_places
    key = (name, look.pool.key, number, look.frame, look.window.extra, places)
    found = diary.tidy.get(key)
    if found is None:
        found = remember(diary.tidy, key, _tidy_in(look, number, name, diary), _TIDY)
    return found


def _tidy_in(look: Look, number: int, name: str, diary: Diary) -> Tidy:
    role = look.pool.service.roles[number]
    grid = look.frame.grid
    clinic = look.pool.clinic
    free = look.window.calendar.free(clinic, clinic.resources[name], look.pool.pool.id)
    free &= ~diary.taken(look.frame, look.ask.now, look.ask.count_places)
    length = -(-(role.length + look.window.extra) // grid)
    starts = runs(free, length)
    again = runs(starts, length + 1)
    before = starts & ~(starts << 1) | again << length
    after = starts & ~(starts >> 1) | again
    tidy = before & after
    by = role.start // grid
    tidy = tidy >> by if by >= 0 else tidy << -by
    return tidy, tidy.to_bytes((tidy.bit_length() + 7) >> 3, "little")


def _spread(bits: int, count: int) -> int:
    """Give each bit and the `count` − 1 above it."""
    have = 1
    while have < count:
        step = min(have, count - have)
        bits |= bits << step
        have += step
    return bits
