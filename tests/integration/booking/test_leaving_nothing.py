"""What a use case worked with goes with it: nothing of ours waits for the garbage collector.

It goes through whatever is live, longer than most use cases take, whenever enough waits for it.
"""

from __future__ import annotations

import pytest

from tests.garbage import left_by
from timevalg.store import unit


def story(world):
    """A patient's story from the invitation to the cancellation."""
    task = world.invited()
    me = world.valg.patient("p-1")
    first, second = me.offers(task).offers[:2]
    me.hold(task, first)
    visit = me.choose(task, second)
    world.work()
    changed = me.change(visit, me.offers_to_change(visit).offers[2])
    world.work()
    me.cancel(changed, "well again")


@pytest.mark.parametrize("make_world", ["sqlite", "postgresql"], indirect=True)
def test_use_cases_leave_nothing_to_the_collector(world):
    story(world)  # what is remembered for good, and not garbage, is worked out by now
    assert left_by(lambda: story(world)) == {}


@pytest.mark.parametrize("make_world", ["sqlite"], indirect=True)
def test_a_unit_of_work_that_holds_itself_would_wait(world, monkeypatch):
    monkeypatch.setattr(unit, "proxy", lambda itself: itself)
    assert left_by(lambda: story(world))["SqlUnit"] > 5
