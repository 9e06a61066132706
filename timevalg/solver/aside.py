"""Who could move aside, and where a visit could be if they did: bitmaps that guide repair.

Somebody can move aside in one move if there is a start of theirs that is free; in two if there is
one that is filled only by those who can in one; and so on. Whether the moves of several fit
together is not asked, nor are patients and quotas: so nobody is missing who could move aside, but
some are there who cannot. A start that needs anybody else's place is given up without trying a
single chain, and whatever is found out about one serves all others.

Everything is worked out when first asked for; the board stays as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property

from timevalg.solver.bits import fill, shifted, spread
from timevalg.solver.board import Board
from timevalg.solver.diary import Entry
from timevalg.solver.frame import Frame
from timevalg.solver.roster import Roster
from timevalg.solver.sight import served
from timevalg.solver.spot import Scope
from timevalg.solver.window import Window

ANYHOW = -1
"""In place of a number of moves: whoever has a place counts as able to move."""


@dataclass(frozen=True)
class Ground:
    """A site's masks, with only those counted who cannot move aside.

    Attributes
    ----------
    masks : list of dict
        For each role: resource id → the starts at which it could serve.
    bits : int
        The starts, on whatever day, at which all roles can be served.
    """

    masks: list[dict[str, int]]
    bits: int


@dataclass(eq=False)
class Site:
    """One pool in one frame, with those who look for a place in it.

    Attributes
    ----------
    window : Window
        Of one of them.
    names : sequence of sequence of str
        For each role the resources that may serve it.
    waiting : list of (str, int)
        The places of those for whom no moves have been found yet, and where they could be, in steps
        of the raster.
    grounds : list of Ground
        With nobody moving, with one move, with two …
    bare : Ground or None
        With no places.
    """

    window: Window
    names: Sequence[Sequence[str]]
    waiting: list[tuple[str, int]] = field(default_factory=list)
    grounds: list[Ground] = field(default_factory=list)
    bare: Ground | None = None


class Aside:
    """Who could move aside on one board.

    Parameters
    ----------
    board : Board

    Attributes
    ----------
    sites : dict
        Those asked for, and those that share a resource with one of these, and so on.
    resources : dict
        The names of theirs that have been looked at.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self.sites: dict[Hashable, Site] = {}
        self.resources: dict[str, None] = {}
        self._gathered = 0
        self._able: list[Set[str]] = [set()]
        self._known = 0
        self._left: dict[tuple[str, int], Mapping[str, Entry]] = {}
        self._cells_left: dict[tuple[str, int, Frame], int] = {}
        self._starts: dict[tuple[Scope, int], int] = {}

    @cached_property
    def roster(self) -> Roster:
        """Everybody who might have a place."""
        return Roster.of(self._board)

    @property
    def is_fresh(self) -> bool:
        """Whether nothing is known of moves yet."""
        return not self._known

    def starts(self, scope: Scope, moves: int) -> int:
        """Give the starts for which only those need move who might in so many moves.

        All rules are kept; with no moves nobody is displaced.
        """
        found = self._starts.get((scope, moves))
        if found is None:
            found = self._board.ruled(scope, places=not moves)
            if found:
                found &= self.ground(self._site(scope), moves).bits
            self._starts[scope, moves] = found
        return found

    def able(self, scope: Scope, role: int, cell: int, moves: int) -> list[str]:
        """Give who could serve a role at a start if only those move who might."""
        masks = self.ground(self._site(scope), moves).masks[role]
        one = 1 << cell
        return [name for name, bits in masks.items() if bits & one]

    def left(self, resource: str, moves: int) -> Mapping[str, Entry]:
        """Give the places on a resource that cannot be moved away in so many moves, by id."""
        if not moves:
            return self._board.diary(resource).places.by_id()
        found = self._left.get((resource, moves))
        if found is None:
            self.find_moves(moves)
            before = self.left(resource, moves - 1)
            stuck = frozenset(before).difference(self._able[moves])
            found = self._left[resource, moves] = {key: before[key] for key in stuck}
        return found

    def find_moves(self, moves: int) -> None:
        """Find out who can move aside in so many moves, one or more."""
        if len(self.sites) > self._gathered:
            self._gather()
            self._gathered = len(self.sites)
        while self._known < moves:
            sites = list(self.sites.values())
            steps = [self.steps(site, self._known) for site in sites]
            self._known += 1
            able = set()
            for site, free in zip(sites, steps, strict=True):
                able.update([place for place, mine in site.waiting if mine & free])
            for site in sites:
                site.waiting = [row for row in site.waiting if row[0] not in able]
            self._able.append(self._able[-1] | able)

    def _site(self, scope: Scope) -> Site:
        found = self.sites.get(scope.site)
        if found is None:
            found = self.sites[scope.site] = Site(scope.window, scope.names)
        return found

    def _gather(self) -> None:
        """Find all who hang together with the sites known, and who of them can move in one move.

        What was known of moves is void if there are any news.
        """
        board, seen, roster = self._board, self.resources, self.roster
        todo = [n for site in self.sites.values() for of_role in site.names for n in of_role]
        if all(name in seen for name in todo):
            return
        for known in (seen, self._left, self._cells_left):
            known.clear()
        self._known = 1
        self._starts = {key: bits for key, bits in self._starts.items() if not key[1]}
        for site in self.sites.values():
            del site.grounds[1:]
        while todo:
            name = todo.pop()
            if name in seen:
                continue
            seen[name] = None
            for key in roster.sites_of.get(name, ()):
                if key not in self.sites:
                    site = self._site(board.scope_of(roster.windows[key]))
                    todo += [n for of_role in site.names for n in of_role]
        stuck: Counter[str] = Counter()
        for key, site in self.sites.items():
            rows, steps = roster.rows.get(key, {}), self.steps(site, 0)
            site.waiting = [row for row in rows.items() if not row[1] & steps]
            stuck.update([place for place, _ in site.waiting])
        elsewhere = {place for place, times in stuck.items() if times < len(roster.sites[place])}
        self._able = [set(), roster.sites.keys() - (stuck.keys() - elsewhere)]
        for site in self.sites.values() if elsewhere else ():
            site.waiting = [row for row in site.waiting if row[0] not in elsewhere]

    def ground(self, site: Site, moves: int) -> Ground:
        """Give a site's masks with only those counted who cannot move in so many moves."""
        if moves > self._known:
            self.find_moves(moves)
        if moves == ANYHOW:
            if site.bare is None:
                site.bare = self._new_ground(site, ANYHOW)
            return site.bare
        while len(site.grounds) <= moves:
            site.grounds.append(self._new_ground(site, len(site.grounds)))
        return site.grounds[moves]

    def steps(self, site: Site, moves: int) -> int:
        """Give the starts at which all roles can be served then, in steps of the raster."""
        offset = site.window.frame.offset
        return self.roster.raster.squeezed(self.ground(site, moves).bits, offset)

    def _new_ground(self, site: Site, moves: int) -> Ground:
        board, window = self._board, site.window
        sight = board.sight(window, not moves)
        masks = []
        for role, (by, reach) in enumerate(sight.reach):
            of_role = {}
            for name in site.names[role]:
                able = board.mask(sight, role, name)
                if moves > 0 and able:
                    left = self._taken_by_left(name, moves, window.frame)
                    able ^= able & spread(shifted(left, by), reach)
                of_role[name] = able
            masks.append(of_role)
        return Ground(masks, served(window.pool, [m.items() for m in masks], window.domain))

    def _taken_by_left(self, resource: str, moves: int, frame: Frame) -> int:
        key = resource, moves, frame
        bits = self._cells_left.get(key)
        if bits is None:
            by = frame.offset
            ranges = [
                (start - by, end - by) for start, end, _ in self.left(resource, moves).values()
            ]
            bits = self._cells_left[key] = fill(ranges, frame.size)
        return bits
