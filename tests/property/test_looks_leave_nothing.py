"""A look's working memory goes with it: nothing of it waits for the garbage collector.

It would be a megabyte a look, and to find it the collector goes through all that is live, for
longer than a look takes.
"""

from __future__ import annotations

from benchmarks.choice.clinic import NOW, Setting, case
from tests.garbage import left_by
from timevalg.solver import repair
from timevalg.solver.index import Index
from timevalg.solver.offers import offers
from timevalg.solver.picture import Picture
from timevalg.solver.places import plan

TIGHT = case(Setting(clinicians=6, rooms=4, days=3, early=0.7), 0.92, 1)


def looks() -> None:
    """Plan a clinic in which many would have to move aside, and let everybody look."""
    picture = plan(Picture(Index.of(TIGHT.organisation), {}, NOW), TIGHT.tasks, NOW).picture
    for task in TIGHT.tasks:
        offers(picture, task, NOW, limit=20, key="s-1")


def test_a_look_leaves_nothing_to_the_collector() -> None:
    assert left_by(looks) == {}


def test_a_look_that_holds_itself_would_wait(monkeypatch) -> None:
    monkeypatch.setattr(repair, "proxy", lambda itself: itself)
    assert left_by(looks)["Repair"] > 20
