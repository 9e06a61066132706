"""On the days the clocks change: visits, due dates and last moments, in the clinic's own time."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.world import OSLO, World, document, pool, utc
from timevalg.model.errors import IllegalMove
from timevalg.store import Memory

SPRING, AUTUMN = date(2027, 3, 28), date(2027, 10, 31)  # Sundays
EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
NIGHT = [{"days": EVERY_DAY, "from": "00:00", "to": "06:00"}]
NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture
def in_memory():
    return lambda *source: World(Memory, *source)


def nightly(zone="Europe/Oslo"):
    """A clinic that is open at night, when the clocks change."""
    source = document(pools=[pool("auto", open=NIGHT)])
    source["clinic"] |= {
        "timezone": zone,
        "hours": [{"days": EVERY_DAY, "from": "00:00", "to": "24:00"}],
    }
    for service in source["services"]:
        service["preparations"] = [{"id": "diet", "name": "Diett", "due": 1, "limits": False}]
    return source


def week_before(make_world, day, zone=OSLO):
    world = make_world(nightly(zone.key))
    monday = day - timedelta(days=6)
    world.clock.set(datetime(monday.year, monday.month, monday.day, 8, tzinfo=zone))
    return world, monday


def invited(world, monday, day, patient="p-1", due=None):
    return world.invited(
        patient, opens=monday, due=due or day - timedelta(days=3), not_before=day, not_after=day
    )


@pytest.mark.parametrize(
    ("day", "first", "last", "number"),
    [
        # from 00:00 to 06:00 is five hours in spring; 02:00 and 02:30 mean 03:00 and 03:30
        (SPRING, utc(2027, 3, 27, 23), utc(2027, 3, 28, 3, 30), 10),
        # and seven in autumn; 02:00 and 02:30 mean the first of the two
        (AUTUMN, utc(2027, 10, 30, 22), utc(2027, 10, 31, 4, 30), 12),
    ],
)
def test_visits_in_the_night_itself(in_memory, day, first, last, number):
    world, monday = week_before(in_memory, day)
    starts = set()
    for n in range(number):
        task = invited(world, monday, day, f"q-{n}")
        me = world.patient(task.patient)
        offer = me.offers(task).offers[0]
        visit = me.choose(task, offer)
        starts.add(visit.start)
        wall = datetime.fromisoformat(visit.wall)
        assert wall.tzinfo is None
        assert wall.date() == day
        assert visit.zone == "Europe/Oslo"
        assert wall.replace(tzinfo=OSLO, fold=0).astimezone(visit.start.tzinfo) == visit.start
        assert wall.minute in {0, 30}
        assert world.promises_broken() == {}
    assert (min(starts), max(starts), len(starts)) == (first, last, number)
    hours = {s.astimezone(OSLO).hour for s in starts}
    assert hours == ({0, 1, 3, 4, 5} if day == SPRING else {0, 1, 2, 3, 4, 5})
    assert world.invite(
        "late", opens=monday, due=monday + timedelta(days=3), not_before=day, not_after=day
    ).task is None  # fmt: skip


@pytest.mark.parametrize(
    ("day", "midnight"),
    [(SPRING, utc(2027, 3, 28, 22)), (AUTUMN, utc(2027, 10, 31, 23))],
)
def test_due_ends_at_local_midnight_on_those_days(make_world, day, midnight):
    world, monday = week_before(make_world, day)
    later = day + timedelta(days=5)
    first, second = (invited(world, monday, later, p, due=day) for p in ("p-1", "p-2"))
    (work,) = world.read(lambda unit: unit.work.find(kind="fall due", entity=first.id))
    assert work.due_at == midnight
    world.clock.set(midnight - timedelta(minutes=1))
    world.work()
    visit = world.patient("p-2").choose(second, world.patient("p-2").offers(second).offers[0])
    assert visit.origin == "chosen"
    assert world.task(first).state == "open"
    world.clock.set(midnight)
    world.work()
    assert world.visit(first).origin == "assigned"


@pytest.mark.parametrize(
    ("day", "until"),
    [
        (SPRING, utc(2027, 3, 26, 22, 59)),  # a Friday, still in winter time
        (AUTUMN, utc(2027, 10, 29, 21, 59)),  # a Friday, still in summer time
        (SPRING + timedelta(days=2), utc(2027, 3, 29, 21, 59)),  # the Monday after
        (AUTUMN + timedelta(days=2), utc(2027, 11, 1, 22, 59)),
    ],
)
def test_patients_may_change_until_a_minute_to_midnight(in_memory, day, until):
    world, monday = week_before(in_memory, day)
    task = invited(world, monday, day, due=monday)
    me = world.patient()
    visit = me.choose(task, me.offers(task).offers[0])
    other = next(o for o in me.offers_to_change(visit).offers if o.start != visit.start)
    world.clock.set(until)
    with pytest.raises(IllegalMove, match=r"it could be changed until [0-9-]{10} 23:59"):
        me.change(visit, other)
    world.clock.set(until - timedelta(minutes=1))
    assert me.change(visit, other).start == other.start


@pytest.mark.parametrize("day", [SPRING, AUTUMN])
def test_a_preparation_is_missed_on_the_local_morning_after(in_memory, day):
    world, monday = week_before(in_memory, day)
    task = invited(world, monday, day + timedelta(days=1), due=monday)
    me = world.patient()
    visit = me.choose(task, me.offers(task).offers[0])
    (diet,) = world.preparations(visit)
    assert diet.due == day
    works = world.read(lambda unit: unit.work.find(kind="preparation", entity=diet.id))
    eight = datetime(day.year, day.month, day.day, 8, tzinfo=OSLO) + timedelta(days=1)
    assert [w.due_at for w in works] == [eight]


def test_a_clinic_in_another_zone_keeps_its_own_days(make_world):
    """New York changes its clocks on 14 March: it is 5 hours behind Oslo until the 28th."""
    world, monday = week_before(make_world, SPRING, NEW_YORK)
    task = invited(world, monday, SPRING, due=date(2027, 3, 24))
    me = world.patient()
    assert world.read(lambda u: u.work.find(kind="fall due"))[0].due_at == utc(2027, 3, 25, 4)
    world.clock.set(utc(2027, 3, 25, 3, 59))  # the 25th in Oslo, still the 24th in New York
    world.work()
    visit = me.choose(task, utc(2027, 3, 28, 6))
    assert (visit.wall, visit.zone) == ("2027-03-28T02:00:00", "America/New_York")
    world.clock.set(utc(2027, 3, 27, 3, 59))
    with pytest.raises(IllegalMove, match="until 2027-03-26 23:59"):
        me.cancel(visit)


def test_two_clinics_in_two_zones_under_one_roof(make_world):
    world = make_world()
    other = nightly("America/New_York")
    other["clinic"]["id"] = "other"
    other["resources"] = [
        {"id": "dr-ny", "kind": "clinician", "skills": ["talk"]},
        {"id": "room-ny", "kind": "room"},
    ]
    other["pools"][0]["id"] = "ny"
    world.publish(document(), other)
    here = world.invited("p-1")
    there = world.invited("p-1", ("ny",), clinic="other")
    works = world.read(lambda unit: unit.work.find(kind="fall due"))
    assert {w.entity: w.due_at for w in works} == {
        here.id: utc(2027, 1, 8, 23),
        there.id: utc(2027, 1, 9, 5),
    }
    at = utc(2027, 1, 20, 8)  # 09:00 in Oslo, 03:00 in New York: one patient cannot be at both
    world.patient().choose(here, at)
    assert at not in {o.start for o in world.patient().offers(there, 100).offers}
    world.clock.set(utc(2027, 1, 8, 23))
    world.work()
    assert (world.task(here).state, world.task(there).state) == ("confirmed", "open")
    assert world.promises_broken() == {}
