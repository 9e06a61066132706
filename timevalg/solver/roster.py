"""Who could have a place, and at which starts: known from one look to the next.

Where somebody's place may be by rules 1 to 4 follows from the task alone, however often it moves.
So tasks are listed by site once, and a look holds what is free at a site against the starts of
everybody there in one go.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from timevalg.model.states import BOOKED_STATES
from timevalg.model.task import Task
from timevalg.solver.certificates import place_id, place_of
from timevalg.solver.masks import ALWAYS
from timevalg.solver.raster import Raster
from timevalg.solver.window import Window

if TYPE_CHECKING:
    from timevalg.solver.board import Board


@dataclass(frozen=True)
class Roster:
    """Tasks that have no time yet, by where their places could be.

    Attributes
    ----------
    since, until : datetime
        The instants for which the windows are right: since <= now < until.
    tasks : mapping
        Id → the task as it is listed, those with a time among them.
    sites : mapping
        Place → its sites.
    rows : mapping
        Site → place → the starts there, in steps of the raster.
    raster : Raster
        Steps in which starts are counted, from the first in a site's frame on.
    windows : mapping
        Site → the window of one of its tasks.
    sites_of : mapping
        Resource id → the sites that it may serve.
    """

    since: datetime = ALWAYS[0]
    until: datetime = ALWAYS[1]
    raster: Raster = field(default_factory=Raster)
    tasks: Mapping[str, Task] = field(default_factory=dict)
    sites: Mapping[str, Sequence[Hashable]] = field(default_factory=dict)
    rows: Mapping[Hashable, Mapping[str, int]] = field(default_factory=dict)
    windows: Mapping[Hashable, Window] = field(default_factory=dict)
    sites_of: Mapping[str, Sequence[Hashable]] = field(default_factory=dict)

    @classmethod
    def of(cls, board: Board) -> Roster:
        """Give the roster of a board's tasks: the last one, brought up to date."""
        windows = board.index.windows
        known = windows.roster
        if known is None or not known.since <= board.now < known.until:
            known = Roster()
        windows.roster = found = known._with_news(board)
        return found

    def _with_news(self, board: Board) -> Roster:
        tasks, known = board.tasks, self.tasks
        if tasks is known:
            return self
        news, gone = _changes(known, tasks)
        scopes = {task.id: board.scopes(task) for task in news if task.state not in BOOKED_STATES}
        new = {
            s.site: s for of_task in scopes.values() for s in of_task if s.site not in self.windows
        }
        windows = {**self.windows, **{site: scope.window for site, scope in new.items()}}
        raster = self.raster
        if not self.windows:
            raster = Raster.of(board.index.plan, windows.values())
        elif not all(map(raster.fits, windows.values())):
            return Roster()._with_news(board)
        sites_of = {name: list(of_one) for name, of_one in self.sites_of.items()}
        for site, scope in new.items():
            for name in dict.fromkeys(name for of_role in scope.names for name in of_role):
                sites_of.setdefault(name, []).append(site)
        sites, rows = dict(self.sites), dict(self.rows)
        copied: dict[Hashable, dict[str, int]] = {}

        def row(site: Hashable) -> dict[str, int]:
            if site not in copied:
                rows[site] = copied[site] = dict(rows.get(site, ()))
            return copied[site]

        for task in gone:
            for site in sites.pop(place_id(task), ()):
                del row(site)[place_id(task)]
        for key, of_task in scopes.items():
            place = place_of(key)
            sites[place] = tuple(scope.site for scope in of_task)
            for scope in of_task:
                window = scope.window
                row(scope.site)[place] = raster.squeezed(window.starts, window.frame.offset)
        every = [scope.window for of_task in scopes.values() for scope in of_task]
        since = max([self.since, *(window.since for window in every)])
        until = min([self.until, *(window.until for window in every)])
        return Roster(since, until, raster, tasks, sites, rows, windows, sites_of)


def _changes(known: Mapping[str, Task], tasks: Mapping[str, Task]) -> tuple[list[Task], list[Task]]:
    """Give the tasks that are there now only, and those that were there before only."""
    if len(tasks) == len(known):  # mostly one has changed, in its place: ten times as fast
        pairs = zip(tasks.values(), known.values(), strict=True)
        changed = [(new, old) for new, old in pairs if new is not old]
        if all(new.id == old.id for new, old in changed):
            return [new for new, _ in changed], [old for _, old in changed]
    listed = zip(tasks.values(), map(known.get, tasks), strict=True)
    news = [new for new, old in listed if new is not old]
    gone = [known[task.id] for task in news if task.id in known]
    if len(tasks) != len(known) + len(news) - len(gone):
        gone += [task for key, task in known.items() if key not in tasks]
    return news, gone
