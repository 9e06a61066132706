"""A file that leaves a section out leaves it as it is published; an empty one empties it."""

import pytest
import yaml

from tests.world import document, pool
from timevalg.booking import clinic_edits
from timevalg.clinic import from_text
from timevalg.model.errors import InvalidInput

QUOTA = {"pools": ["auto"], "per": "day", "max": 2}
ROW = {"id": "dr-c", "kind": "clinician", "skills": ["talk"], "busy": "c.ics"}
CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//EN
BEGIN:VEVENT
UID:1
DTSTAMP:20270101T000000Z
DTSTART:20270120T080000Z
DTEND:20270120T090000Z
END:VEVENT
END:VCALENDAR
"""


def only(**sections):
    """A file with nothing but its clinic and these sections."""
    whole = document()
    return {"format": whole["format"], "clinic": whole["clinic"], **sections}


def in_force(world):
    return world.desk.clinic_file("clinic").document


def test_a_section_left_out_stays_and_an_empty_one_is_emptied(world):
    whole = document(quotas=[QUOTA], busy=[])
    world.publish(whole)
    wider = [pool(n) for n in ("auto", "manual", "record", "staff", "new")]
    assert world.publish(only(pools=wider)).clinics == ("clinic",)
    assert in_force(world) == whole | {"pools": wider}
    assert world.publish(only(pools=wider)).clinics == ()
    assert world.publish(only()).clinics == ()
    assert world.publish(only(quotas=[])).clinics == ("clinic",)
    assert in_force(world) == whole | {"pools": wider, "quotas": []}


def test_what_if_tells_of_such_a_file_what_publishing_it_does(quick):
    _, visit = quick.chosen()
    files = only(pools=[pool(n, open=[]) for n in ("auto", "manual", "record", "staff")])
    found = quick.what_if(files)
    assert found.published.outside.keys() == {visit.id}
    assert quick.publish(files).outside == found.published.outside
    assert in_force(quick)["services"] == document()["services"]


def test_calendars_stay_with_the_resources_that_name_them(quick):
    whole = document()
    whole["resources"].append(ROW)
    quick.desk.publish_file("clinic", whole, {"c.ics": CALENDAR})
    quick.desk.publish_file("clinic", only(quotas=[QUOTA]))
    assert quick.desk.clinic_file("clinic").calendars == {"c.ics": CALENDAR}
    quick.publish(document())
    assert quick.desk.clinic_file("clinic").calendars == {}


def test_a_calendar_that_lies_beside_the_file_is_the_newer_one(quick, tmp_path):
    whole = document()
    whole["resources"].append(ROW)
    path, calendar = tmp_path / "clinic.yaml", tmp_path / "c.ics"
    calendar.write_text(CALENDAR)
    path.write_text(yaml.safe_dump(whole))
    quick.desk.publish(path)
    path.write_text(yaml.safe_dump(only()))
    later = CALENDAR.replace("20270120", "20270121")
    calendar.write_text(later)
    assert quick.desk.publish(path).clinics == ("clinic",)
    assert quick.desk.clinic_file("clinic").calendars == {"c.ics": later}
    calendar.write_bytes(b"\xff")
    with pytest.raises(InvalidInput, match=r"c\.ics is not UTF-8.*stays as published"):
        quick.desk.publish(path)
    calendar.unlink()
    assert quick.desk.publish(path).clinics == ()


def test_a_calendar_that_no_resource_names_is_not_kept(quick):
    quick.desk.publish_file("clinic", document(quotas=[QUOTA]), {"c.ics": CALENDAR})
    assert quick.desk.clinic_file("clinic").calendars == {}


def test_of_two_files_of_one_clinic_nothing_else_is_told(quick):
    files = [
        from_text(name, yaml.safe_dump(only(**sections)), {})
        for name, sections in (("a.yaml", {"pools": []}), ("b.yaml", {"services": []}))
    ]
    with pytest.raises(InvalidInput) as caught:
        quick.put_in_force(files)
    (problem,) = caught.value.problems
    assert (problem.where, problem.key) == ("b.yaml", "clinic.id")
    assert problem.message == "'clinic' is already the clinic of a.yaml"


def test_what_stays_and_does_not_fit_is_told_without_a_line(quick):
    quick.publish(document(quotas=[QUOTA]))
    text = f"format: 1\nclinic: {in_force(quick)['clinic']}\npools: []\nbusy: 7\n"
    with pytest.raises(InvalidInput) as caught:
        quick.put_in_force([from_text("clinic.yaml", text, {})])
    kept, wrong = caught.value.problems
    assert (kept.line, kept.key) == (None, "quotas[0].pools[0]")
    assert kept.message.startswith("there is no pool 'auto'")
    assert kept.message.endswith("(`quotas` is left out and stays as published; write it too)")
    assert (wrong.line, wrong.key) == (4, "busy")
    assert "write []" in wrong.message


def test_bookings_that_a_file_lists_are_not_kept_in_the_next(quick):
    row = {
        "id": "b-1",
        "patient": "p-9",
        "service": "talk",
        "start": "2027-01-20T09:00",
        "resources": {"doctor": ["dr-a"], "room": ["room"]},
    }
    quick.publish(document(bookings=[row]))
    quick.publish(only(quotas=[QUOTA]))
    assert "bookings" not in in_force(quick)
    assert quick.desk.appointment("b-1").state == "booked"


def test_a_pool_opens_as_it_was_last_however_many_versions_ago(world, monkeypatch):
    monkeypatch.setattr(clinic_edits, "AT_ONCE", 2)
    opened = in_force(world)["pools"]
    world.desk.switch_pool("clinic", "auto", False)
    for most in range(2, 7):
        world.publish(only(quotas=[QUOTA | {"max": most}]))
    world.desk.switch_pool("clinic", "auto", True)
    assert in_force(world)["pools"] == opened


def test_an_earlier_version_comes_back_whole(quick):
    quick.publish(document(quotas=[QUOTA]))
    quick.desk.roll_back("clinic", 1)
    assert in_force(quick) == document()


def test_a_wrong_file_is_refused_alike_with_a_key_and_where_it_lies_does_not_matter(
    quick, tmp_path
):
    path = tmp_path / "clinic.yaml"
    text = yaml.safe_dump(only(pools=[pool("auto")]))
    for wrong in (".nan", ".inf", "x"):
        path.write_text(text.replace("raster: 30", f"raster: {wrong}"))
        with pytest.raises(InvalidInput, match=r"clinic\.yaml:\d+: pools\[0\]\.raster"):
            quick.dips.publish(path, idempotency_key="k-1")
    path.write_text(text)
    done = quick.dips.publish(path, idempotency_key="k-1")
    elsewhere = tmp_path / "again.yaml"
    elsewhere.write_text(f"# the same\n{text}")
    assert quick.dips.publish(elsewhere, idempotency_key="k-1") == done


def test_a_file_of_another_organisation_is_refused_where_it_says_so(quick):
    foreign = only()
    foreign["clinic"] = foreign["clinic"] | {"organisation": "111111111"}
    with pytest.raises(InvalidInput, match=r"clinic\.organisation: '111111111' is not yours"):
        quick.publish(foreign)
