"""A plan made on an old picture is checked under locks against what is there, and made anew."""

from datetime import date, timedelta

import pytest

from tests.world import document, oslo
from timevalg.booking.sync import CalendarRow
from timevalg.model.errors import TimeTaken

DAY = date(2027, 1, 20)
AT = oslo(2027, 1, 20, 9)


@pytest.fixture
def look_back(monkeypatch):
    """Let the next plan be made on the picture as it is now, whatever happens meanwhile."""

    def stop(world):
        pictures = world.ports.pictures
        current, old = pictures.current, []
        old.append(current(world.valg.organisation))

        def look(organisation):
            return old.pop() if old and armed else current(organisation)

        armed = []
        monkeypatch.setattr(pictures, "current", look)
        return lambda: armed.append(True)

    return stop


def test_staff_take_over_what_was_chosen_a_moment_ago(world, look_back):
    task = world.invited()
    go = look_back(world)
    world.patient().choose(task, AT)
    go()
    world.desk.take(task)
    assert world.task(task).state == "with-staff"
    assert [s.kind for s in world.sessions(task=task.id)] == ["place"]
    assert world.cases("capacity-loss") == []
    assert world.promises_broken() == {}


def test_no_place_is_made_for_someone_who_has_chosen_meanwhile(world, look_back):
    other = world.invited("p-2", not_before=DAY)
    task = world.invited("p-1", not_before=DAY)
    place = world.sessions(task=other.id)[0]
    go = look_back(world)
    world.patient("p-2").choose(other, AT)
    go()
    assert world.patient("p-1").choose(task, place.start).start == place.start
    assert [s.kind for s in world.sessions(task=other.id)] == ["booking"]
    assert world.promises_broken() == {}


def test_a_place_does_not_move_to_where_a_quota_has_filled_up(make_world, look_back):
    world = make_world(document(quotas=[{"pools": ["auto"], "per": "day", "max": 1}]))
    friday, thursday = DAY + timedelta(days=2), DAY + timedelta(days=1)
    other = world.invited("p-2", not_before=DAY, not_after=friday)
    task = world.invited("p-1", not_before=friday)
    assert world.sessions(task=other.id)[0].start.date() == friday
    go = look_back(world)
    resources = {"room": ("room",)}
    at = oslo(2027, 1, 21, 8)  # overlaps nothing, but it is the only one allowed that day
    row = CalendarRow("k/1", 1, False, "clinic", "talk", at, resources, "p-9", "auto")
    assert world.dips.sync([row]).applied == ("k/1",)
    go()
    world.patient("p-1").choose(task, oslo(2027, 1, 22, 9))
    assert world.sessions(task=other.id)[0].start.date() not in {friday, thursday}
    assert world.promises_broken() == {}


def test_three_plans_overtaken_and_the_time_counts_as_taken(world, monkeypatch):
    task = world.invited()
    pictures = world.ports.pictures
    old = pictures.current(world.valg.organisation)
    world.publish(document(quotas=[]))
    looks = []
    monkeypatch.setattr(pictures, "current", lambda organisation: looks.append(1) or old)
    before = world.dump()
    with pytest.raises(TimeTaken):
        world.patient().choose(task, AT)
    assert len(looks) == 4  # three plans, and one to say what else is free
    assert world.dump() == before
