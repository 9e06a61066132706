"""A look's working memory goes with it: nothing of it waits for the garbage collector.

It would be a megabyte a look, and to find it the collector goes through all that is live, for
longer than a look takes.
"""

from __future__ import annotations

import gc
import weakref

from benchmarks.choice.clinic import NOW, Setting, case
from timevalg.solver import repair
from timevalg.solver.index import Index
from timevalg.solver.offers import offers
from timevalg.solver.picture import Picture
from timevalg.solver.places import plan
from timevalg.solver.repair import Lazy, Repair

TIGHT = case(Setting(clinicians=6, rooms=4, days=3, early=0.7), 0.92, 1)


def left_by_looks(monkeypatch) -> tuple[int, int]:
    """Look often with the collector off; gives how many looks there were, and what is left."""
    alive: list[weakref.ref[object]] = []
    unfinished = set[int]()
    begin, begin_list = Repair.__init__, Lazy.__init__

    def repairs(self, *given, **named):
        begin(self, *given, **named)
        alive.append(weakref.ref(self))

    def lists(self, rest):
        unfinished.add(len(alive))
        begin_list(self, rest)

    monkeypatch.setattr(Repair, "__init__", repairs)
    monkeypatch.setattr(Lazy, "__init__", lists)
    gc.disable()
    try:
        picture = plan(Picture(Index.of(TIGHT.organisation), {}, NOW), TIGHT.tasks, NOW).picture
        for task in TIGHT.tasks:
            offers(picture, task, NOW, limit=20, key="s-1")
        left = sum(look() is not None for look in alive)
    finally:
        gc.enable()
        gc.collect()
    return len(unfinished), left


def test_a_look_leaves_nothing_to_the_collector(monkeypatch) -> None:
    looks, left = left_by_looks(monkeypatch)
    assert looks > 50
    assert left == 0


def test_a_look_that_holds_itself_would_stay(monkeypatch) -> None:
    monkeypatch.setattr(repair, "proxy", lambda itself: itself)
    assert left_by_looks(monkeypatch)[1] > 10
