"""What fills the time of a kind of resources, and how much of it could be elsewhere.

Those who cannot move aside are seated anew in thought, all at once, wherever rules and bookings
let them; a visit may even be in parts. What a stretch holds flows off along the seats of those who
are there into stretches that have room, those in between staying as full as they are: a flow that
is as large as it can be once no way is left. Patients and quotas are not asked.

Source: L. R. Ford and D. R. Fulkerson, "Maximal flow through a network", 1956.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import or_

from timevalg.solver.bits import cells, lowest, shifted, stretch
from timevalg.solver.stretches import Stretches

Where = tuple[str, int]
"""Resource id, number of the stretch."""
Step = tuple[Where, str, Where]
"""From where somebody's place goes, whose, and to where."""


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
    stuck : dict
        Place → where it could be, in the site's steps.
    """

    by: int
    length: int
    worth: int
    begins: dict[str, int]
    stuck: dict[str, int]


class Filled:
    """The stretches of a kind of resources with what is there.

    Parameters
    ----------
    base : int
        The step from which they count.
    seats : sequence of Seats
        Those of each site.
    every : mapping
        Resource id → its stretches.
    staying : mapping
        Place → where it is, a part of it or all, and what that is worth.
    """

    def __init__(
        self,
        base: int,
        seats: Sequence[Seats],
        every: Mapping[str, Stretches],
        staying: Mapping[str, Mapping[Where, int]],
    ) -> None:
        self.base, self._seats, self._every, self._staying = base, seats, every, staying
        self._there: defaultdict[Where, int] = defaultdict(int)
        self._inside: defaultdict[Where, dict[str, int]] = defaultdict(dict)
        for place, parts in staying.items():
            for where, worth in parts.items():
                self._there[where] += worth
                self._inside[where][place] = worth
        self._sites: dict[str, list[int]] = {place: [] for place in staying}
        for number, of_site in enumerate(seats):
            for place in of_site.stuck.keys() & staying.keys():
                self._sites[place].append(number)
        self._rooms: dict[Where, int] = {}
        self._goes: dict[Where, int] = {}
        self._most: dict[Where, int] = {}

    def takes(self, name: str, start: int, end: int) -> bool:
        """Tell whether a claim of some steps drives out more than could be elsewhere."""
        every = self._every.get(name)
        if every is None:
            return False
        number = every.number(start)
        while number < len(every) and every.starts[number] < end:
            where = name, number
            too_much = every[number].loss(start, end, self._there[where]) - self._room(where)
            if too_much > 0 and not self.lets_go(where, too_much):
                return True
            number += 1
        return False

    def lets_go(self, where: Where, much: int) -> bool:
        """Tell whether so much of what is in a stretch could be elsewhere."""
        if much <= self._goes.get(where, 0):
            return True
        if much > self._most.get(where, much):
            return False
        left, moved = much, list[tuple[list[Step], int]]()
        while left and (way := self._way_out(where, left, at_first=not moved)):
            parts = [self._inside[here][place] for here, place, _ in way]
            part = min(left, self._room(way[0][2]), *parts)
            self._flow(way, part)
            moved.append((way, part))
            left -= part
        for way, part in reversed(moved):
            self._flow(way, -part)
        if left:
            self._most[where] = min(much - 1, self._most.get(where, much))
        else:
            self._goes[where] = much
        return not left

    def _flow(self, way: Sequence[Step], much: int) -> None:
        for here, place, there in way:
            self._inside[here][place] -= much
            self._inside[there][place] = self._inside[there].get(place, 0) + much
        self._rooms[way[0][2]] -= much

    def _way_out(self, where: Where, much: int, *, at_first: bool) -> list[Step]:
        """Find who could go where so that a stretch holds less.

        Parameters
        ----------
        much : int
            How much has to go: if there is less room wherever ways lead, none is given.
        at_first : bool
            Nothing has been moved: what is found is true of all that was looked at.

        Returns
        -------
        list of Step
            The one into a stretch with room first; empty if there is none.
        """
        unseen = dict.fromkeys(self._every, -1)
        unseen[where[0]] &= ~self._every[where[0]].inside(where[1])
        levels, way, in_reach = [[where]], list[Step](), 0
        while levels[-1]:
            levels.append([])
            for there in self._next(levels[-2], unseen):
                room = self._room(there)
                if room > 0:
                    way = way or self._back(levels[:-1], there)
                    in_reach += room
                    if in_reach >= much:
                        return way
                levels[-1].append(there)
        if at_first:
            in_reach += max(0, self._room(where))
            for seen in (w for level in levels for w in level):
                self._most[seen] = min(in_reach, self._most.get(seen, in_reach))
        return []

    def _next(self, level: Sequence[Where], unseen: dict[str, int]) -> Iterator[Where]:
        """Give what has not been seen of where those in some stretches could be."""
        could = [0] * len(self._seats)
        for here in level:
            for place, worth in self._inside[here].items():
                for number in self._sites[place] if worth else ():
                    could[number] |= self._seats[number].stuck[place]
        for of_site, steps in zip(self._seats, could, strict=True):
            steps = shifted(steps, -of_site.by)
            for name, begins in of_site.begins.items() if steps else ():
                left = unseen[name]
                if bits := steps & begins & left:
                    every = self._every[name]
                    while bits:
                        number = every.number(lowest(bits))
                        left &= ~every.inside(number)
                        bits &= left
                        unseen[name] = left
                        yield name, number

    def _back(self, levels: Sequence[Sequence[Where]], there: Where) -> list[Step]:
        """Give the steps that lead through some levels to a stretch."""
        way: list[Step] = []
        for level in reversed(levels):
            name, number = there
            inside = self._every[name].inside(number)
            seats = [
                (s.stuck, shifted(s.begins[name] & inside, s.by))
                for s in self._seats
                if name in s.begins
            ]
            here, place = next(
                (here, place)
                for here in level
                for place, worth in self._inside[here].items()
                if worth and any(stuck.get(place, 0) & steps for stuck, steps in seats)
            )
            way.append((here, place, there))
            there = here
        return way

    def _room(self, where: Where) -> int:
        found = self._rooms.get(where)
        if found is None:
            name, number = where
            found = self._rooms[where] = self._every[name].room(number, self._there[where])
        return found

    def confined(self) -> tuple[set[Where], set[str]]:
        """Find time that is full of those who have nowhere to be but in such time.

        Returns
        -------
        set of Where, set of str
            Stretches, and the places that keep them full, wherever they are in them.
        """
        full, shut = self._full
        inside = {place for place, parts in self._staying.items() if parts.keys() <= full}
        while True:
            for of_site in self._seats:
                free = reduce(or_, (b & ~shut.get(n, 0) for n, b in of_site.begins.items()), 0)
                if free := shifted(free, of_site.by):
                    inside -= {p for p, steps in of_site.stuck.items() if steps & free}
            left = {where for place in inside for where in self._staying[place]}
            left = {where for where in left & full if self._inside[where].keys() <= inside}
            if left == full:
                return full, inside
            full, shut = left, self._bits(left)
            inside = {place for place in inside if self._staying[place].keys() <= full}

    @cached_property
    def _full(self) -> tuple[set[Where], dict[str, int]]:
        """The stretches that have no room, and their steps."""
        full = {where for where in self._inside if self._room(where) <= 0}
        return full, self._bits(full)

    def _bits(self, several: Collection[Where]) -> dict[str, int]:
        bits: dict[str, int] = {}
        for name, number in several:
            bits[name] = bits.get(name, 0) | self._every[name].inside(number)
        return bits

    def shut(
        self, full: Collection[Where], begins: Mapping[str, int], length: int
    ) -> Iterator[tuple[str, int]]:
        """Give the seats that would take of what full stretches hold.

        Parameters
        ----------
        begins : mapping
            Resource id → the steps at which seats begin.
        length : int
            Steps that each takes.

        Yields
        ------
        str, int
            Resource id, and some of its steps.
        """
        for name, number in full:
            of_one, there = self._every[name][number], self._there[name, number]
            bits = begins.get(name, 0) & stretch(of_one.start - length + 1, of_one.end)
            if not bits:
                continue
            if not of_one.is_packed(there):
                for step in cells(bits):
                    if of_one.loss(step, step + length, there) <= 0:
                        bits ^= 1 << step
            yield name, bits
