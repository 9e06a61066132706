"""A board: an index that planning may change and change back, at a few microseconds a move.

Only what a place needs is kept: diaries, quotas, and who is where. Whatever was not touched is the
index's own, masks included; what was touched lies over it. `mark` and `back` undo.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from timevalg.model.session import Assignment, Session, SessionKind
from timevalg.model.task import Task
from timevalg.solver.ask import Ask
from timevalg.solver.assign import assign_from
from timevalg.solver.bits import stretch
from timevalg.solver.certificates import is_movable, place_id
from timevalg.solver.diary import Diary
from timevalg.solver.index import Index
from timevalg.solver.journal import Journal, either
from timevalg.solver.look import Look
from timevalg.solver.picture import Picture
from timevalg.solver.quotas import Quotas
from timevalg.solver.sight import Column, Sight, blocked, served
from timevalg.solver.spot import Scope, Spot
from timevalg.solver.tally import counts
from timevalg.solver.window import Window


class Board:
    """Who is where, to be rearranged.

    Parameters
    ----------
    picture : Picture
        Where everybody is to begin with; it stays as it is.

    Attributes
    ----------
    tasks : mapping
        Whose places may move, by id.
    quotas : Quotas
        What they count.
    """

    def __init__(self, picture: Picture) -> None:
        self.index: Index = picture.index
        self.now = picture.now
        self.tasks: Mapping[str, Task] = picture.tasks
        self._grid = self.index.plan.grid
        self._journal = Journal()
        self._set = self._journal.put
        self._columns: dict[Hashable, Column] = {}
        self.quotas = Quotas(self.index, self.now, self._columns, self._journal)
        self._patients: dict[Hashable, tuple[Spot, ...]] = {}
        self._spots: dict[Hashable, Spot | None] = {}
        self._sights: dict[Hashable, Sight] = {}
        self._scopes: dict[str, tuple[Scope, ...]] = {}
        self._known: dict[str, Spot] = {}

    # -- coming and going --------------------------------------------------------------------

    def mark(self) -> int:
        """Give a mark to come back to."""
        return self._journal.mark()

    def back(self, mark: int) -> None:
        """Undo everything since a mark."""
        self._journal.back(mark)

    def changes(self, mark: int) -> tuple[list[Spot], list[Spot]]:
        """Give what went and what came since a mark, those that came and went again left out."""
        before = self._journal.before(self._spots, mark, self._spot_of_index)
        went = [spot for spot in before.values() if spot is not None]
        came = [spot for key in before if (spot := self._spots[key]) is not None]
        return went, came

    def take(self, spot: Spot) -> None:
        """Put a spot on the board."""
        self._change(spot, leaving=False)
        self._set(self._spots, spot.id, spot)
        if spot.patient is not None:
            self._set(self._patients, spot.patient, (*self.of_patient(spot.patient), spot))

    def give(self, spot: Spot) -> None:
        """Take a spot off the board."""
        self._change(spot, leaving=True)
        self._set(self._spots, spot.id, None)
        if spot.patient is not None:
            left = tuple(s for s in self.of_patient(spot.patient) if s.id != spot.id)
            self._set(self._patients, spot.patient, left)

    def _change(self, spot: Spot, *, leaving: bool) -> None:
        """Bring quotas, diaries and masks of the resources of a spot up to date."""
        place = spot.kind is SessionKind.PLACE
        tallies = self.quotas.change(spot, leaving=leaving)
        for name, entry in spot.entries.items():
            column = self._columns.get(name)
            diary = self.index.diary(name) if column is None else column.diary
            counted = tallies.get(name, diary.tallies)
            if place:
                places = diary.places.changed(*either((entry,), leaving=leaving))
                diary = diary.with_places(places, counted)
            else:
                claim = ((entry, spot.session(self.index.organisation)),)
                diary = diary.changed(*either(claim, leaving=leaving), counted)
            masks = {} if column is None else column.masks
            if not leaving:
                masks = blocked(masks, entry, place)
            elif place:
                masks = {key: bits for key, bits in masks.items() if not key[0].places}
            else:
                masks = {}
            self._set(self._columns, name, Column(diary, masks))

    # -- who is where ------------------------------------------------------------------------

    def spot(self, key: str) -> Spot | None:
        """Give what has an id, if it is on the board."""
        if key in self._spots:
            return self._spots[key]
        return self._spot_of_index(key)

    def of_patient(self, patient: str) -> tuple[Spot, ...]:
        """Give everything of a patient, in any clinic."""
        found = self._patients.get(patient)
        if found is None:
            found = tuple(self.seen(s) for s in self.index.by_patient(patient))
        return found

    def diary(self, resource: str) -> Diary:
        """Give what is taken of a resource."""
        column = self._columns.get(resource)
        return self.index.diary(resource) if column is None else column.diary

    def seen(self, session: Session) -> Spot:
        """Give the spot of a session of the index."""
        found = self._known.get(session.id)
        if found is None:
            found = self._known[session.id] = Spot.of(session, self._grid)
        return found

    def in_the_way(
        self,
        spot: Spot,
        *,
        anyway: bool = False,
        stays: Callable[[Spot], tuple[bool, int]] | None = None,
    ) -> list[Spot] | None:
        """Give the places that a spot would displace; None if something else is in its way.

        Those that share time with it, and as many as a quota has too many then. A hold gives way
        to nobody before it expires, be it a place as well.

        Parameters
        ----------
        anyway : bool
            Let the spot in whatever else is in its way.
        stays : callable or None
            Tells places apart: where a quota has too many, those go for which it gives least.
        """
        found: dict[str, Spot] = {}
        others: list[Spot] = []
        for name, (start, end, _) in spot.entries.items():
            diary = self.diary(name)
            for entry in sorted(diary.places.touching(start, end)):
                found[entry[2]] = self._must(entry[2])
            others += [self._must(key) for (a, b, key), _ in diary.holds if a < end and start < b]
        if spot.patient is not None:
            others += [
                other
                for other in self.of_patient(spot.patient)
                if other.start < spot.end and spot.start < other.end
            ]
        for other in others:
            session = other.session(self.index.organisation)
            if is_movable(session, self.now):
                found[other.id] = other
            elif not anyway and other.id != spot.id and counts(session, self.now, True):
                return None
        found.pop(spot.id, None)
        return self._over_quota(spot, found, anyway, stays)

    def crowding(self, spot: Spot) -> list[Spot]:
        """Give the holds, places as well, with which quotas have too many beside a spot on it."""
        found: dict[str, Spot] = {}
        for there, most in self.quotas.full(spot):
            others = [s for s in there if s.id != spot.id]
            holds = [s for s in others if s.is_place and s.id not in found]
            left = len(others) - sum(s.id in found for s in others)
            found |= {s.id: self._must(s.id) for s in holds[: max(0, left + 1 - most)]}
        return list(found.values())

    def without_place(self, hold: Spot) -> Spot:
        """Let a hold be no place any more; gives it as it is then."""
        self.give(hold)
        session = replace(hold.session(self.index.organisation), is_place=False)
        bare = Spot.of(session, self.index.plan.grid)
        self.take(bare)
        return bare

    # -- where something could be ------------------------------------------------------------

    def windows(self, task: Task) -> tuple[Window, ...]:
        """Give what rules 1 to 4 but for `t > now` leave of a task's place, one for each pool."""
        return self.index.windows.of_places(self.index, task, self.now)

    def scopes(self, task: Task) -> tuple[Scope, ...]:
        """Give where the task's place may be by rules 1 to 4, one for each pool."""
        found = self._scopes.get(task.id)
        if found is None or found[0].ask.task is not task:
            found = tuple(self.scope_of(w) for w in self.windows(task))
            self._scopes[task.id] = found
        return found

    def scope_of(self, window: Window) -> Scope:
        """Give what rules 1 to 4 leave of a window's own ask."""
        return self._scope(window, window.ask)

    def scope(self, ask: Ask) -> Scope:
        """Give what rules 1 to 4 leave of an ask."""
        return self._scope(self.index.windows.of(ask), ask)

    def starts(self, scope: Scope, *, places: bool = True) -> int:
        """Give the starts that are free, as bits of the scope's frame.

        Parameters
        ----------
        places : bool
            Whether places take time.
        """
        bits = self.ruled(scope, places=places)
        return self.served(scope.window, scope.names, bits, places=places) if bits else 0

    def ruled(self, scope: Scope, *, places: bool) -> int:
        """Give the starts that all rules but rule 5 leave."""
        bits = scope.bits
        for number, rule in scope.pool.together:
            if rule.max <= 0:
                return 0
            tally = self.quotas.tally((scope.pool.key[0], number))
            if bits and tally is not None:
                bits &= ~tally.mask(scope.window.days, rule, self.now, (), places)
        if bits and scope.ask.patient is not None:
            bits &= ~self._taken_of_patient(scope, places)
        return bits

    def served(
        self, window: Window, names: Sequence[Sequence[str]], among: int, *, places: bool = True
    ) -> int:
        """Give the starts among some at which all roles can be served (rule 5)."""
        sight = self.sight(window, places)
        masks = [self._masks(sight, role, of_role) for role, of_role in enumerate(names)]
        return served(window.pool, masks, among)

    def able(self, scope: Scope, role: int, cell: int, *, places: bool = True) -> Iterator[str]:
        """Give who could serve a role at a start, in the order in which to try them."""
        sight = self.sight(scope.window, places)
        for name in scope.names[role]:
            if self.mask(sight, role, name) >> cell & 1:
                yield name

    def assign(self, scope: Scope, cell: int) -> Assignment | None:
        """Give the first assignment at a start that displaces nobody."""
        roles = scope.pool.service.roles
        if not scope.pool.simple:
            return assign_from(
                scope.pool, [list(self.able(scope, n, cell)) for n in range(len(roles))]
            )
        out = {}
        for number, role in enumerate(roles):
            name = next(self.able(scope, number, cell), None)
            if name is None:
                return None
            out[role.id] = (name,)
        return out

    def latest(self, task: Task) -> Spot | None:
        """Give the latest spot for the task's place that displaces nobody."""
        best: tuple[int, Scope] | None = None
        for scope in self.scopes(task):
            bits = self.starts(scope)
            if bits:
                cell = scope.frame.offset + bits.bit_length() - 1
                if best is None or cell > best[0]:
                    best = cell, scope
        if best is None:
            return None
        scope = best[1]
        cell = best[0] - scope.frame.offset
        resources = self.assign(scope, cell)
        return None if resources is None else Spot.at(scope, cell, resources, place_id(task))

    def allows(
        self, scope: Scope, cell: int, resources: Assignment, *, places: bool = True
    ) -> bool:
        """Tell whether a start is free for just these resources, in whatever order."""
        if cell < 0 or not self.starts(scope, places=places) >> cell & 1:
            return False
        listed = [
            [
                n
                for n in self.able(scope, number, cell, places=places)
                if n in resources.get(role.id, ())
            ]
            for number, role in enumerate(scope.pool.service.roles)
        ]
        given = assign_from(scope.pool, listed)
        return given is not None and {k: set(v) for k, v in given.items()} == {
            k: set(v) for k, v in resources.items()
        }

    def sight(self, window: Window, places: bool) -> Sight:
        """Give the masks of the index under a window."""
        key = window.pool.key, window.frame, window.extra, places
        found = self._sights.get(key)
        if found is None:
            ask = window.ask
            bare = Ask(ask.clinic, ask.pool, self.now, ask.task, count_places=places)
            found = self._sights[key] = Sight(Look(self.index, bare, window=window), places)
        return found

    def mask(self, sight: Sight, role: int, name: str) -> int:
        """Give the starts at which a resource could serve a role."""
        column = self._columns.get(name)
        if column is None:
            return sight.masks[role][name]
        bits = column.masks.get((sight, role))
        if bits is None:
            bits = column.masks[sight, role] = sight.look.fit(role, name, column.diary)
        return bits

    def _masks(self, sight: Sight, role: int, names: Iterable[str]) -> Iterator[tuple[str, int]]:
        for name in names:
            yield name, self.mask(sight, role, name)

    # -- inside ------------------------------------------------------------------------------

    def _must(self, key: str) -> Spot:
        spot = self.spot(key)
        if spot is None:
            raise LookupError(f"nothing on the board is called {key}")
        return spot

    def _spot_of_index(self, key: Any) -> Spot | None:
        session = self.index.sessions.get(key)
        return None if session is None else self.seen(session)

    def _scope(self, window: Window, ask: Ask) -> Scope:
        names, who = self.index.plan.by_freedom(window.pool), None
        task = ask.task
        if task is not None and task.only:
            names = who = tuple(
                tuple(
                    r.id
                    for r in sorted(window.pool.candidates[n], key=lambda r: of_role.index(r.id))
                    if role.id not in task.only
                    or r.id in task.only[role.id]
                    or r.group in task.only[role.id]
                )
                for n, (role, of_role) in enumerate(
                    zip(window.pool.service.roles, names, strict=True)
                )
            )
        return Scope(window, ask, self.now, names, who)

    def _taken_of_patient(self, scope: Scope, places: bool) -> int:
        bits = 0
        offset = scope.frame.offset
        task = None if scope.ask.task is None else scope.ask.task.id
        for spot in self.of_patient(scope.ask.patient or ""):
            if spot.kind is SessionKind.PLACE and spot.task == task:
                continue
            if counts(spot.session(self.index.organisation), self.now, places):
                bits |= stretch(
                    spot.start - offset - scope.window.length + 1,
                    min(spot.end - offset, scope.frame.size),
                )
        return bits

    def _over_quota(
        self,
        spot: Spot,
        found: dict[str, Spot],
        anyway: bool,
        stays: Callable[[Spot], tuple[bool, int]] | None,
    ) -> list[Spot] | None:
        if self.index.plan.counts:
            for there, most in self.quotas.full(spot):
                standing = [s for s in there if s.id not in found and s.id != spot.id]
                over = len(standing) + 1 - most
                if over <= 0:
                    continue
                movable = [s for s in standing if is_movable(s, self.now)]
                if over > len(movable) and not anyway:
                    return None
                spots = [self._must(s.id) for s in movable]
                if stays is not None:
                    spots.sort(key=stays)
                found |= {s.id: s for s in spots[:over]}
        return list(found.values())
