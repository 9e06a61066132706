"""Publishing lists every visit to come that breaks a rule now and kept it before, and no other."""

from datetime import date

from tests.world import document, oslo, pool
from timevalg.booking.sync import CalendarRow

DAY = date(2027, 1, 20)
NAMES = ("auto", "manual", "record", "staff")


def quota(most, **more):
    return {"pools": ["auto"], "per": "day", "max": most, **more}


def booked(world, patient, hour, minute=0, day=20, doctor="dr-a", **more):
    task = world.invited(patient, only={"doctor": [doctor]}, **more)
    return world.patient(patient).choose(task, oslo(2027, 1, day, hour, minute))


def closed(*names, **changes):
    source = document(**changes)
    for row in source["resources"]:
        if row["id"] in names:
            row["away"] = [{"from": DAY, "to": DAY}]
    return source


def opened(to, **changes):
    opening = {"days": ["tue", "wed", "thu"], "from": "08:00", "to": to}
    return document(pools=[pool(n, open=[opening]) for n in NAMES], **changes)


def test_a_lower_quota_lists_all_who_are_too_many_once(world):
    together = [booked(world, f"p-{n}", 9 + n) for n in range(3)]
    booked(world, "p-7", 9, day=21)
    world.invited("p-8", not_before=DAY, not_after=DAY)  # its place is no visit
    assert world.publish(document(quotas=[quota(3)])).outside == {}
    outside = world.publish(document(quotas=[quota(2)])).outside
    said = "quota: 3 visits in auto in the day of 2027-01-20, where clinic allows 2"
    assert outside == {visit.id: (said,) for visit in together}
    assert world.publish(closed(quotas=[quota(2)], busy=[])).outside == {}


def test_a_quota_of_each_lists_the_visits_of_who_has_too_many(quick):
    mine = [booked(quick, f"p-{n}", 9 + n) for n in range(2)]
    booked(quick, "p-7", 11, doctor="dr-b")
    outside = quick.publish(document(quotas=[quota(1, each="clinician")])).outside
    assert outside.keys() == {visit.id for visit in mine}
    assert {"of dr-a in auto" in rule for (rule,) in outside.values()} == {True}


def test_the_extra_minutes_of_a_visit_count(quick):
    longer = booked(quick, "p-1", 11, extra=30)
    booked(quick, "p-2", 10, 30)
    outside = quick.publish(opened("11:30")).outside
    assert {visit: [r.split(":")[0] for r in rules] for visit, rules in outside.items()} == {
        longer.id: ["opening"]
    }


def test_the_extra_minutes_of_a_visit_count_for_its_resources(quick):
    longer = booked(quick, "p-1", 11, extra=30)
    booked(quick, "p-2", 10)
    source = document()
    source["resources"][0]["hours"] = [{"days": ["wed"], "from": "08:00", "to": "11:45"}]
    said = "resources: dr-a does not work all of the time"
    assert quick.publish(source).outside == {longer.id: (said,)}


def test_a_longer_service_lists_whom_it_would_make_overlap(quick):
    first, second = booked(quick, "p-1", 9), booked(quick, "p-2", 9, 30)
    source = document()
    source["services"][0]["length"] = 60
    by = f"is taken by booking {second.session}"
    said = (f"resources: dr-a {by}", f"resources: room {by}")
    assert quick.publish(source).outside == {first.id: said}
    assert quick.publish(source | {"busy": []}).outside == {}


def test_one_more_who_is_not_there_is_told_beside_the_first(quick):
    visit = booked(quick, "p-1", 9)
    assert quick.publish(closed("dr-a")).outside == {visit.id: ("resources: dr-a is away",)}
    assert quick.publish(closed("dr-a", "room")).outside == {visit.id: ("resources: room is away",)}


def test_terms_of_the_patient_that_staff_overrode_hide_nothing(quick):
    visit = booked(quick, "p-1", 9)
    other = {"doctor": ("dr-b",), "room": ("room",)}
    quick.desk.move(visit, start=visit.start, resources=other, override=True, reason="ill")
    source = document()
    together = {"roles": ["doctor", "room"], "allowed": [["dr-a", "room"]]}
    source["services"][0]["together"] = [together]
    said = "resources: dr-b and room do not go together"
    assert quick.publish(source).outside == {visit.id: (said,)}


def test_a_visit_outside_every_pool_is_listed_for_who_is_not_there(quick):
    row = CalendarRow(
        "kontakt/7", 1, False, "clinic", "talk", oslo(2027, 1, 20, 14), {"room": ("room",)}, "p-3"
    )
    quick.dips.sync([row])
    visit = quick.desk.appointment("kontakt/7")
    assert visit.pool is None
    assert quick.publish(opened("09:00")).outside == {}
    assert quick.publish(closed("room")).outside == {visit.id: ("resources: room is away",)}


def test_the_database_is_asked_as_often_for_many_visits_as_for_few(quick, monkeypatch):
    records = type(quick.read(lambda unit: unit.appointments))
    find, asked = records.find, []

    def counted(self, **criteria):
        asked.append(criteria)
        return find(self, **criteria)

    def publish(source):
        with monkeypatch.context() as patched:
            asked.clear()
            patched.setattr(records, "find", counted)
            return len(quick.publish(source).outside), len(asked)

    booked(quick, "p-1", 8)
    _, few = publish(closed("dr-a"))
    quick.publish(document())
    for hour in range(9, 12):
        booked(quick, f"p-{hour}", hour)
    assert publish(closed("dr-a")) == (4, few)
    assert few > 0
