"""Who fills the time of a kind of resources, and where else each could be: seats to be weighed.

Of each visit one role is looked at. Those whose place is one of their seats are looked at; whoever
stands by older rules, or could have a visit without that kind, is left out.

Time is counted in steps of the raster (`timevalg.solver.raster`), from the first of all sites on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from timevalg.model.resource import Kind
from timevalg.solver.aside import ANYHOW, Aside, Site
from timevalg.solver.bits import raised, shifted
from timevalg.solver.board import Board
from timevalg.solver.diary import Entry
from timevalg.solver.overflow import Filled, Seats, Where
from timevalg.solver.stretches import Sort, Steps, Stretches, parted

Rows = Mapping[Hashable, Mapping[str, int]]
"""Site → place → the starts at which it could be, in the site's steps."""
MOVES = 2
"""Who cannot move aside in so many moves is looked at, however many they are."""
LONG = 4
"""Steps beyond which nothing is gained by weighing the steps of a visit one by one."""


@dataclass(frozen=True)
class Way:
    """A way to weigh visits: what they take together is at most what there is, in each.

    Attributes
    ----------
    single : bool
        Each step of time by itself: it is told where in a stretch somebody could be, and not
        whether a visit fits into what is left.
    beyond : int
        A visit is worth the steps that it takes beyond so many: short ones are left out.
    """

    single: bool = False
    beyond: int = 0

    def tells(self, longest: int) -> bool:
        """Tell whether it is worth a try where no visit takes more than so many steps."""
        return longest <= LONG if self.single else longest > 2 * self.beyond


@dataclass(frozen=True)
class Bench:
    """Where the visits of one site could take a resource of the kind.

    Attributes
    ----------
    by : int
        The step of the site's first.
    length, worth : int
        Steps that one takes, and what it keeps others from.
    begins : dict
        Resource id → the steps at which a seat begins.
    """

    by: int
    length: int
    worth: int
    begins: Mapping[str, int]


class Filling:
    """One kind of resources.

    Parameters
    ----------
    rows : mapping
        Those to be looked at: site → place → starts. They may become fewer, see `narrow`.
    moves : int
        In how many moves none of them can move aside.
    ways : sequence of Way

    Attributes
    ----------
    filled : list of Filled
        Everybody as weighed in each way.
    """

    def __init__(
        self,
        board: Board,
        aside: Aside,
        kind: Kind,
        rows: Rows,
        moves: int = MOVES,
        ways: Sequence[Way] = (Way(),),
    ) -> None:
        self._board, self._aside, self._rows = board, aside, rows
        raster, sites = aside.roster.raster, aside.sites
        roles = {key: _role(sites[key], kind) for key in rows}
        known = {key: role for key, role in roles.items() if role is not None and rows[key]}
        self._base = min((raster.first(sites[k].window.frame.offset) for k in known), default=0)
        self._benches = {key: self._bench(sites[key], role) for key, role in known.items()}
        names = dict.fromkeys(name for of_one in self._benches.values() for name in of_one.begins)
        every = set[str]().union(*rows.values()) - could_do_without(roles, rows)
        taken: dict[str, tuple[str, Entry]] = {}
        for name in names:
            left = aside.left(name, moves)
            taken.update((place, (name, left[place])) for place in every.intersection(left))
        self._least: dict[str, tuple[int, int]] = {}
        self._at: dict[str, tuple[str, int]] = {}
        for key, bench in self._benches.items():
            takes = bench.length, bench.worth
            for place, steps in rows[key].items():
                if place not in taken:
                    continue
                before = self._least.get(place)
                self._least[place] = takes if before is None else least(before, takes)
                name, (start, end, _) = taken[place]
                step = raster.step(start)
                if step is not None and raster.first(end) - step == bench.length:
                    here, seats = step - self._base, bench.begins.get(name, 0)
                    if here >= 0 and seats >> here & 1 and steps >> here - bench.by & 1:
                        self._at[place] = name, here
        longest = max((bench.length for bench in self._benches.values()), default=0)
        self._ways = [way for way in ways if way.tells(longest)]
        self._seats = [self._seats_of(way) for way in self._ways]
        self.filled = [self._weighed(*pair) for pair in zip(self._ways, self._seats, strict=True)]

    def narrowed(self) -> Iterator[tuple[Hashable, dict[str, int]]]:
        """Give the starts that others leave, of those who have fewer of them: by site and place.

        Nobody else can be in time that is full of tasks which have nowhere else to be.
        """
        for filled in self.filled:
            full, inside = filled.confined()
            for key, bench in self._benches.items() if full else ():
                left = dict(bench.begins)
                for name, bits in filled.shut(full, left, bench.length):
                    left[name] &= ~bits
                free = shifted(reduce(or_, left.values(), 0), bench.by)
                row = self._rows[key].items()
                yield key, {p: s & free for p, s in row if s & ~free and p not in inside}

    def narrow(self, key: Hashable, less: Mapping[str, int]) -> None:
        """Weigh some with fewer starts at a site; nothing has been asked of `filled` before."""
        for way, seats in zip(self._ways, self._seats, strict=True):
            if key in seats:
                stuck, length = seats[key].stuck, self._benches[key].length
                for place in less.keys() & stuck.keys():
                    stuck[place] = raised(less[place], length) if way.single else less[place]

    def _bench(self, site: Site, role: int) -> Bench:
        raster, window = self._aside.roster.raster, site.window
        offset, ground = window.frame.offset, self._aside.ground(site, ANYHOW)
        by, reach = self._board.sight(window, False).reach[role]
        by, length = raster.first(offset) + by // raster.unit - self._base, reach // raster.unit + 1
        of_pool = window.pool.pool.raster // window.frame.grid // raster.unit
        steps = self._aside.steps(site, ANYHOW)
        begins = {
            name: shifted(could, -by)
            for name, bits in ground.masks[role].items()
            if (could := raster.squeezed(bits, offset) & steps)
        }
        return Bench(by, length, -(-length // of_pool) * of_pool, begins)

    def _seats_of(self, way: Way) -> dict[Hashable, Seats]:
        """Give every seat that some of each site could have if no other had a place."""
        seats = {}
        for key, bench in self._benches.items():
            stuck = {place: s for place, s in self._rows[key].items() if place in self._at}
            some = shifted(reduce(or_, stuck.values(), 0), -bench.by)
            begins = {n: could for n, bits in bench.begins.items() if (could := bits & some)}
            length, worth = bench.length, max(0, bench.worth - way.beyond)
            if way.single:
                begins = {name: raised(bits, length) for name, bits in begins.items()}
                stuck = {place: raised(steps, length) for place, steps in stuck.items()}
                length = worth = 1
            if stuck:
                seats[key] = Seats(bench.by, length, worth, begins, stuck)
        return seats

    def _weighed(self, way: Way, seats: Mapping[Hashable, Seats]) -> Filled:
        sorts = defaultdict[str, list[Sort]](list)
        for of_site in seats.values():
            for name, begins in of_site.begins.items():
                sorts[name].append((begins, of_site.length, of_site.worth))
        every: dict[str, Stretches] = {}
        for name, of_one in sorts.items():
            size = max(begins.bit_length() for begins, _, _ in of_one)
            every[name] = Steps(size) if way.single else parted(tuple(of_one))
        staying: dict[str, Mapping[Where, int]] = {}
        for place, (name, step) in self._at.items():
            length, worth = self._least[place]
            if way.single:
                steps = range(step, step + length)
                staying[place] = {(name, every[name].number(at)): 1 for at in steps}
            elif worth > way.beyond:
                staying[place] = {(name, every[name].number(step)): worth - way.beyond}
        return Filled(self._base, list(seats.values()), every, staying)


def least(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    """Give the least that somebody could take who has a choice: length and worth."""
    return min(one[0], other[0]), min(one[1], other[1])


def could_do_without(roles: Mapping[Hashable, int | None], rows: Rows) -> set[str]:
    """Give those who could have a visit at a site that does not take the kind."""
    return {place for key, role in roles.items() if role is None for place in rows[key]}


def _role(site: Site, kind: Kind) -> int | None:
    """Give the number of the first role of a kind that takes one resource."""
    for number, role in enumerate(site.window.pool.service.roles):
        if role.kind is kind and role.count == 1:
            return number
    return None
