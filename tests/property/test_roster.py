"""The roster that is brought up to date is the one that would be made anew."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from benchmarks.choice.exact import small
from timevalg.model.states import TaskState
from timevalg.solver.bits import cells
from timevalg.solver.board import Board
from timevalg.solver.frame import Frame
from timevalg.solver.index import Index
from timevalg.solver.picture import Picture
from timevalg.solver.raster import Raster
from timevalg.solver.roster import Roster


def anew(picture: Picture) -> Roster:
    """Make the roster of a picture from nothing."""
    index = Index.of(picture.index.organisation, picture.index.sessions.values())
    return Roster.of(Board(replace(picture, index=index)))


def rows(roster: Roster, picture: Picture) -> dict[str, set[tuple[str, object]]]:
    """Give where everybody could be, as pool and instant, whatever sites and steps are called."""
    found: dict[str, set[tuple[str, object]]] = {}
    for site, of_site in roster.rows.items():
        window = roster.windows[site]
        offset, raster = window.frame.offset, roster.raster
        for place, steps in of_site.items():
            first = raster.first(offset) * raster.unit + raster.rest - offset
            starts = {window.frame.moment(first + raster.unit * step) for step in cells(steps)}
            found.setdefault(place, set()).update((window.pool.pool.id, at) for at in starts)
    return found


@pytest.mark.parametrize("seed", range(40))
def test_after_any_changes_it_is_as_if_made_anew(seed):
    dice, picture = random.Random(seed), small(seed)
    for _ in range(8):
        tasks = dict(picture.tasks)
        key = dice.choice(sorted(tasks) or ["t0"])
        change = dice.choice(["leave", "book", "narrow", "add", "later", "nothing"])
        if change == "leave":
            tasks.pop(key, None)
        elif change == "book" and key in tasks:
            tasks[key] = replace(tasks[key], state=TaskState.CONFIRMED)
        elif change == "narrow" and key in tasks:
            tasks[key] = replace(tasks[key], not_after=tasks[key].not_before)
        elif change == "add" and key in tasks:
            new = replace(tasks[key], id=f"more{len(tasks)}", state=TaskState.OPEN)
            tasks[new.id] = new
        picture = replace(picture, tasks=tasks)
        if change == "later":
            picture = replace(picture, now=picture.now + timedelta(hours=dice.choice([1, 13])))
        kept, fresh = Roster.of(Board(picture)), anew(picture)
        assert rows(kept, picture) == rows(fresh, picture)
        assert {p for p, sites in kept.sites.items() if sites} == set(fresh.sites)
        assert set(kept.sites_of) >= set(fresh.sites_of)


@dataclass
class Offbeat:
    """A window with starts a cell beside those of another."""

    frame: Frame
    domain: int


def test_starts_off_the_raster_make_the_steps_single_cells():
    rosters = [anew(small(seed)) for seed in range(20)]
    roster = next(r for r in rosters if r.raster.unit > 1)
    window = next(iter(roster.windows.values()))
    offbeat = Offbeat(window.frame, window.domain | window.domain << 1)
    plan = Index.of(small(0).index.organisation).plan
    assert roster.raster.fits(window)
    assert not roster.raster.fits(offbeat)
    assert Raster.of(plan, [offbeat]) == Raster()
