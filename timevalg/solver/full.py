"""Proof that a start is unsafe: resources so full that whoever is there could not go elsewhere.

Looked at is less than there is: of each visit one role; no patients and no quotas. Those who cannot
move aside (`timevalg.solver.aside`) are seated anew in thought, all at once, wherever rules and
bookings let them. Their possible seats fall into stretches of one resource's time; a seat is worth
the time it takes, so that a stretch holds only so much. It is open if its places are worth less
than that, or if a task of one of its places has a seat in an open one. What is left is closed: the
tasks have no seat but in closed stretches and fill these to the brim, however they are arranged.
A claim that makes one of them hold less leaves somebody without a place. Which tasks are looked at
decides how much can be shown, not whether it is true.

Time is counted in steps of the raster (`timevalg.solver.raster`), from the first of all sites on.

Source: clinic-file.md, "Reserves and safe offers"; Hall's theorem, weighted.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, reduce
from operator import attrgetter, itemgetter, or_

from timevalg.model.resource import Kind
from timevalg.solver.aside import ANYHOW, Aside, Site
from timevalg.solver.bits import cells, raised, shifted, stretch
from timevalg.solver.board import Board
from timevalg.solver.spent import Spent
from timevalg.solver.spot import Scope

MOVES = 3
"""Who cannot move aside in so many moves is looked at."""

Sort = tuple[int, int, int]
"""Seats that are alike: where they begin, as bits; how long each is, and what it is worth."""
Where = tuple[str, int]
"""Resource id, number of the stretch."""


@dataclass(frozen=True)
class Stretch:
    """Time of one resource that no seat leaves.

    Attributes
    ----------
    start, end : int
        Steps.
    sorts : tuple of Sort
        Its seats, counted from its start.
    """

    start: int
    end: int
    sorts: tuple[Sort, ...]

    @cached_property
    def most(self) -> int:
        """What seats that it can hold side by side are worth at most."""
        return _most(self.sorts)

    def is_packed(self, there: int) -> bool:
        """Tell whether seats of some worth fill it to the last step."""
        return there >= self.end - self.start and all(
            worth <= long for _, long, worth in self.sorts
        )

    def is_full(self, there: int) -> bool:
        """Tell whether it holds no more than seats of some worth."""
        return self.is_packed(there) or there >= self.most

    def takes(self, start: int, end: int) -> bool:
        """Tell whether a claim of some steps would make it hold less."""
        return _most(self.sorts, start - self.start, end - self.start) < self.most


@dataclass(frozen=True)
class Closed:
    """The closed stretches of a kind of resources.

    Attributes
    ----------
    base : int
        The step from which they count.
    stretches : mapping
        Resource id → its stretches in order, each with its end and whether it is packed.
    """

    base: int
    stretches: Mapping[str, Sequence[tuple[int, Stretch, bool]]]

    def takes(self, name: str, start: int, end: int) -> bool:
        """Tell whether a claim of some steps would make a closed stretch hold less."""
        mine = self.stretches.get(name, ())
        number = bisect_right(mine, start, key=itemgetter(0))
        while number < len(mine) and mine[number][1].start < end:
            _, one, packed = mine[number]
            if packed or one.takes(start, end):
                return True
            number += 1
        return False


@dataclass
class Seats:
    """The seats of the tasks of one site.

    Attributes
    ----------
    by : int
        The step of the site's first.
    length, worth : int
        Steps that one takes, and what it is worth.
    begins : dict
        Resource id → the steps at which seats begin.
    stuck : list of (str, int)
        The places, and where they could be, in the site's steps.
    """

    by: int
    length: int
    worth: int
    begins: dict[str, int]
    stuck: list[tuple[str, int]]


class Full:
    """Proofs on one board, which stays as it is.

    Parameters
    ----------
    aside : Aside
        Who can move aside on it.
    """

    def __init__(self, board: Board, aside: Aside) -> None:
        self._board, self._aside = board, aside
        self._spent = Spent(board, aside)
        self._closed: dict[tuple[Kind, int], Closed] = {}

    @property
    def is_known(self) -> bool:
        """Whether it has been asked before, so that asking again costs little."""
        return bool(self._closed)

    def proven(self, scope: Scope, cell: int) -> bool:
        """Tell whether it is proven that a claim at the start would strand somebody."""
        if self._spent.forbids(scope, cell):
            return True
        sight, raster = self._board.sight(scope.window, False), self._aside.roster.raster
        for number, role in reversed(list(enumerate(scope.pool.service.roles))):
            closed = self._closed_by(role.kind)
            by, reach = sight.reach[number]
            first = scope.frame.offset + cell + by
            start = raster.first(first) - closed.base
            end = raster.first(first + reach + 1) - closed.base
            left = role.count
            for name in scope.names[number]:
                if left and self._board.mask(sight, number, name) >> cell & 1:
                    left -= not (
                        closed.takes(name, start, end)
                        or self._spent.forbids(scope, cell, number, name)
                    )
            if left:
                return True
        return False

    def _closed_by(self, kind: Kind) -> Closed:
        self._aside.find_moves(MOVES)
        key = kind, len(self._aside.resources)
        found = self._closed.get(key)
        if found is None:
            found = self._closed[key] = self._close(kind)
        return found

    def _close(self, kind: Kind) -> Closed:
        raster = self._aside.roster.raster
        sites = [site for site in self._aside.sites.values() if site.waiting]
        base = min((raster.first(s.window.frame.offset) for s in sites), default=0)
        seats, unknown = [], set[str]()
        for site in sites:
            role = _role(site, kind)
            if role is None:
                unknown |= {place for place, _ in site.waiting}
            else:
                seats.append(self._seats(site, role, base))
        every = {
            name: _parted(
                tuple((s.begins[name], s.length, s.worth) for s in seats if name in s.begins)
            )
            for name in dict.fromkeys(name for of_site in seats for name in of_site.begins)
        }
        staying = self._there(seats, base, unknown, every)
        there = {name: [0] * len(of_one) for name, of_one in every.items()}
        for (name, number), worth in staying.values():
            there[name][number] += worth
        opening = [
            (name, number)
            for name, of_one in every.items()
            for number, one in enumerate(of_one)
            if not one.is_full(there[name][number])
        ]
        opened = set(opening)
        while opening:
            places = _touching(seats, every, opening)
            going = [staying.pop(place)[0] for place in places if place in staying]
            opening = list(dict.fromkeys(where for where in going if where not in opened))
            opened.update(opening)
        return Closed(
            base,
            {
                name: [
                    (one.end, one, one.is_packed(there[name][number]))
                    for number, one in enumerate(of_one)
                    if (name, number) not in opened
                ]
                for name, of_one in every.items()
            },
        )

    def _seats(self, site: Site, number: int, base: int) -> Seats:
        """Give every seat that a site's tasks could have if no other had a place."""
        raster, window = self._aside.roster.raster, site.window
        offset, ground = window.frame.offset, self._aside.ground(site, ANYHOW)
        starts = reduce(or_, [steps for _, steps in site.waiting]) & self._aside.steps(site, ANYHOW)
        by, reach = self._board.sight(window, False).reach[number]
        by, length = raster.first(offset) + by // raster.unit - base, reach // raster.unit + 1
        of_pool = window.pool.pool.raster // window.frame.grid // raster.unit
        begins = {
            name: shifted(could, -by)
            for name, bits in ground.masks[number].items()
            if (could := raster.squeezed(bits, offset) & starts)
        }
        return Seats(by, length, -(-length // of_pool) * of_pool, begins, list(site.waiting))

    def _there(
        self,
        seats: Sequence[Seats],
        base: int,
        unknown: set[str],
        every: Mapping[str, Sequence[Stretch]],
    ) -> dict[str, tuple[Where, int]]:
        """Find those whose place is one of their seats: where it is, and its worth.

        Who stands by older rules is left out, and who has a site in which nothing is known of them.
        """
        raster, left = self._aside.roster.raster, self._aside.left
        entries = {e[2]: (name, e) for name in every for e in left(name, MOVES)}
        worths: dict[str, int] = {}
        at: dict[str, Where] = {}
        for of_site in seats:
            by, length, worth = of_site.by, of_site.length, of_site.worth
            for place, steps in of_site.stuck:
                worths[place] = min(worth, worths.get(place, worth))
                if place not in entries or place in unknown:
                    continue
                name, (start, end, _) = entries[place]
                step = raster.step(start)
                if step is None or raster.first(end) - step != length:
                    continue
                here = step - base - by
                if here >= 0 and steps >> here & of_site.begins.get(name, 0) >> here + by & 1:
                    at[place] = name, bisect_right(every[name], here + by, key=_END)
        return {place: (where, worths[place]) for place, where in at.items()}


_END = attrgetter("end")


def _role(site: Site, kind: Kind) -> int | None:
    """Give the number of the first role of a kind that takes one resource."""
    for number, role in enumerate(site.window.pool.service.roles):
        if role.kind is kind and role.count == 1:
            return number
    return None


def _touching(
    seats: Iterable[Seats], every: Mapping[str, Sequence[Stretch]], opening: Iterable[Where]
) -> list[str]:
    """Give those who have a seat in one of some stretches."""
    loose: dict[str, int] = {}
    for name, number in opening:
        one = every[name][number]
        loose[name] = loose.get(name, 0) | stretch(one.start, one.end)
    found = []
    for of_site in seats:
        touched = 0
        for name, steps in loose.items():
            touched |= steps & of_site.begins.get(name, 0)
        if touched:
            touched = shifted(touched, of_site.by)
            found += [place for place, steps in of_site.stuck if steps & touched]
    return found


@lru_cache(maxsize=1024)
def _parted(sorts: tuple[Sort, ...]) -> tuple[Stretch, ...]:
    """Part the seats of one resource into stretches."""
    cover = joined = 0
    for begins, length, _ in sorts:
        cover |= raised(begins, length)
        if length > 1:
            joined |= raised(begins << 1, length - 1)
    out = []
    for start, last in zip(cells(cover & ~joined), cells(cover & ~(joined >> 1)), strict=True):
        size = (1 << last + 1 - start) - 1
        inside = tuple(
            (here, length, worth)
            for begins, length, worth in sorts
            if (here := begins >> start & size)
        )
        out.append(Stretch(start, last + 1, inside))
    return tuple(out)


@lru_cache(maxsize=16_384)
def _most(sorts: tuple[Sort, ...], start: int = 0, end: int = 0) -> int:
    """Give what seats that can be had side by side, and beside a claim, are worth at most."""
    seats = sorted(
        (step + length, step, worth)
        for begins, length, worth in sorts
        for step in cells(begins)
        if step + length <= start or end <= step
    )
    ends, best = [0], [0]
    for stop, step, worth in seats:
        whole = best[bisect_right(ends, step) - 1] + worth
        if whole > best[-1]:
            ends.append(stop)
            best.append(whole)
    return best[-1]
