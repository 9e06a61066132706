"""Both nights on which the clocks change, from the patient's choice to the rows that are kept."""

from datetime import date, datetime, timedelta

import pytest

from tests.world import OSLO, document, oslo, pool, utc
from timevalg.model.errors import TimeTaken
from timevalg.store.columns import microseconds

SPRING, AUTUMN = date(2027, 3, 28), date(2027, 10, 31)
EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
ALWAYS = [{"days": EVERY_DAY, "from": "00:00", "to": "24:00"}]
HOUR = timedelta(hours=1)


@pytest.fixture
def night(scratch):
    """Make the world of a clinic that never closes, the week before a night."""

    def make(day):
        source = document(pools=[pool("auto", open=ALWAYS)])
        source["clinic"]["hours"] = ALWAYS
        (service,) = source["services"]
        service |= {"length": 60, "preparations": []}
        world = scratch.world(source)
        monday = day - timedelta(days=6)
        world.clock.set(datetime(monday.year, monday.month, monday.day, 8, tzinfo=OSLO))
        return world

    return make


def invited(world, patient, day):
    monday = day - timedelta(days=6)
    return world.invited(
        patient, opens=monday, due=day - timedelta(days=3), not_before=day, not_after=day
    )


def chosen(world, patient, day, start):
    return world.patient(patient).choose(invited(world, patient, day), start)


def kept(scratch):
    """The rows as they lie there: of each visit its range of the room, its wall time and zone."""
    return scratch.raw(
        "SELECT c.starts_at, c.ends_at, a.start, a.wall, a.zone"
        " FROM appointments a JOIN claims c ON c.session_id = a.session"
        " WHERE c.subject = 'r:room' ORDER BY c.starts_at"
    )


def row(start, wall):
    first = microseconds(start)
    return first, microseconds(start + HOUR), first, wall, "Europe/Oslo"


def test_the_night_without_half_past_two(night, scratch):
    world = night(SPRING)
    chosen(world, "p-1", SPRING, oslo(2027, 3, 28, 1, 30))
    chosen(world, "p-2", SPRING, oslo(2027, 3, 28, 2, 30))  # does not exist: it is 03:30
    assert kept(scratch) == [
        row(utc(2027, 3, 28, 0, 30), "2027-03-28T01:30:00"),
        row(utc(2027, 3, 28, 1, 30), "2027-03-28T03:30:00"),
    ]
    third = invited(world, "p-3", SPRING)
    with pytest.raises(TimeTaken) as refused:
        world.patient("p-3").choose(third, oslo(2027, 3, 28, 3, 30))
    walls = {o.start.astimezone(OSLO).hour for o in refused.value.alternatives}
    assert 2 not in walls
    assert world.overlaps() == []


def test_the_night_with_half_past_two_twice(night, scratch):
    """The second 02:30 begins in the minute in which the first's visit ends."""
    world = night(AUTUMN)
    first = oslo(2027, 10, 31, 2, 30)
    second = first.replace(fold=1)
    chosen(world, "p-1", AUTUMN, oslo(2027, 10, 31, 1, 30))
    chosen(world, "p-2", AUTUMN, first)
    chosen(world, "p-3", AUTUMN, oslo(2027, 10, 31, 3, 30))
    visit = chosen(world, "p-4", AUTUMN, oslo(2027, 10, 31, 6))
    moved = world.desk.move(visit, start=second, override=True, reason="the night is long")
    assert moved.start == utc(2027, 10, 31, 1, 30)
    half_past_two = "2027-10-31T02:30:00"
    assert kept(scratch) == [
        row(utc(2027, 10, 30, 23, 30), "2027-10-31T01:30:00"),
        row(utc(2027, 10, 31, 0, 30), half_past_two),
        row(utc(2027, 10, 31, 1, 30), half_past_two),
        row(utc(2027, 10, 31, 2, 30), "2027-10-31T03:30:00"),
    ]
    assert world.overlaps() == []
    assert world.promises_broken() == {}
    for again in (first, second):  # each of the two is taken
        other = chosen(world, f"q-{again.fold}", AUTUMN, oslo(2027, 10, 31, 9 + 2 * again.fold))
        with pytest.raises(TimeTaken):
            world.desk.move(other, start=again, override=True, reason="as well")
    assert len(kept(scratch)) == 6
    assert world.overlaps() == []
