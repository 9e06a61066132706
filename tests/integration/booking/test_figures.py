"""Figures of a period: what happened is counted once, by the right clinic, and nothing else is."""

from datetime import date, timedelta

import pytest

from tests.world import document, oslo
from timevalg.booking.figures import figures
from timevalg.model.errors import InvalidInput, NotAllowed, NotFound
from timevalg.model.figures import Figures
from timevalg.model.principal import Principal, RoleName

JANUARY = date(2027, 1, 1), date(2027, 1, 31)
ROOM = {"doctor": ("dr-a",), "room": ("room",)}


def counts(world, first=JANUARY[0], last=JANUARY[1]):
    report = world.desk.figures(first, last)
    found = report.clinics["clinic"].counts
    return {name: count for name, count in found.items() if count}


def lettered(world, patient, number=0, **more):
    """A visit whose letter has been sent."""
    visit = world.chosen(patient, number=number, **more)[1]
    world.work()
    return world.visit(visit.task)


def booked_at(world, patient, start, pools=("auto",), **more):
    task = world.invited(patient, pools, **more)
    visit = world.patient(patient).choose(task, start)
    world.work()
    return world.visit(visit.task)


def test_nothing_happened(world):
    report = world.desk.figures(*JANUARY)
    assert set(report.clinics["clinic"].counts.values()) == {0}
    assert {f.value for f in report.together.told() if f.unit == "share"} == {None}


def test_times_moved_after_the_letter_by_whom_and_only_then(world):
    early = world.chosen("p-1", pools=("manual",))[1]  # no letter yet
    world.desk.move(early, start=oslo(2027, 1, 20, 8), resources=ROOM)
    by_patient = booked_at(world, "p-2", oslo(2027, 1, 21, 8))
    world.patient("p-2").change(by_patient, oslo(2027, 1, 21, 9))
    world.work()
    world.patient("p-2").change(world.visit(by_patient.task), oslo(2027, 1, 21, 10))
    by_hospital = booked_at(world, "p-3", oslo(2027, 1, 22, 8))
    world.desk.move(by_hospital, start=oslo(2027, 1, 22, 9))
    both = booked_at(world, "p-4", oslo(2027, 1, 25, 8))
    world.desk.move(both, start=oslo(2027, 1, 25, 9))
    world.patient("p-4").change(world.visit(both.task), oslo(2027, 1, 25, 10))
    resources = booked_at(world, "p-5", oslo(2027, 1, 26, 8))
    other = "dr-b" if resources.resources["doctor"] == ("dr-a",) else "dr-a"
    same_time = {"doctor": (other,), "room": ("room",)}
    world.desk.move(resources, start=resources.start, resources=same_time)
    booked_at(world, "p-6", oslo(2027, 1, 27, 8))
    found = counts(world)
    assert found["lettered"] == 5
    assert (found["moved"], found["moved_by_patient"], found["moved_by_hospital"]) == (3, 2, 2)
    share = {f.name: f for f in world.desk.figures(*JANUARY).together.told()}["replanned"]
    assert (share.value, share.count, share.of) == (3 / 5, 3, 5)


def test_own_choice_of_those_invited_by_their_due_date(world):
    world.chosen("p-1")
    world.chosen("p-2", number=1)
    world.invited("p-3")  # will be given a time
    world.invite("p-4", not_after=date(2027, 1, 9))  # a draft was sent to nobody
    world.invited("p-5", due=date(2027, 2, 3), not_after=date(2027, 2, 26))
    world.invited("p-6", mode="allot")
    world.at(date(2027, 1, 9))
    found = counts(world)
    assert (found["invited"], found["chosen"]) == (3, 2)
    assert counts(world, date(2027, 2, 1), date(2027, 2, 28))["invited"] == 1


def test_who_came_and_who_did_not(world):
    came, missed, other = (booked_at(world, f"p-{n}", oslo(2027, 1, 20, 8 + n)) for n in range(3))
    world.at(date(2027, 1, 20), 12)
    world.desk.fulfil(world.desk.arrive(came))
    world.desk.no_show(missed)
    found = counts(world)
    assert (found["visits"], found["attended"], found["no_shows"]) == (3, 1, 1)
    told = {f.name: f.value for f in world.desk.figures(*JANUARY).together.told()}
    assert told["no_shows"] == 0.5
    world.desk.cancel(other)
    assert counts(world)["visits"] == 2


def test_hours_lost_and_refilled(world):
    """Half-hours of a clinician: two given up, one of them taken again by somebody else."""
    first = booked_at(world, "p-1", oslo(2027, 1, 20, 8))
    moved = booked_at(world, "p-2", oslo(2027, 1, 20, 9))
    world.patient("p-1").cancel(first)
    world.patient("p-2").change(moved, oslo(2027, 1, 21, 8))
    assert counts(world)["lost_minutes"] == 60
    assert "refilled_minutes" not in counts(world)
    task = world.invited("p-3")
    world.desk.take(task)
    world.desk.assign(task, start=first.start, resources=first.resources)
    found = counts(world)
    assert (found["lost_minutes"], found["refilled_minutes"]) == (60, 30)
    told = {f.name: f for f in world.desk.figures(*JANUARY).together.told()}
    assert (told["hours_lost"].value, told["hours_refilled"].value) == (1.0, 0.5)
    assert (told["hours_refilled"].count, told["hours_refilled"].of) == (0.5, 1.0)


def test_waiting_the_planned_date_and_the_deadline(world):
    booked_at(world, "p-1", oslo(2027, 1, 14, 8))  # 10 days after the 4th
    late = booked_at(world, "p-2", oslo(2027, 1, 15, 8), not_after=date(2027, 1, 22))
    later = booked_at(
        world,
        "p-3",
        oslo(2027, 1, 15, 9),
        not_after=date(2027, 1, 22),
        deadline=date(2027, 1, 25),
    )
    booked_at(world, "p-4", oslo(2027, 1, 18, 8), deadline=date(2027, 1, 29))
    with_nothing = {"deadline": date(2027, 1, 29), "pools": ("staff",)}
    world.desk.withdraw(task=world.invited("p-5", **with_nothing).id)  # called off: no breach
    world.desk.move(late, start=oslo(2027, 1, 26, 8), reason="x", override=True)
    world.desk.move(later, start=oslo(2027, 1, 26, 9), reason="x", override=True)
    found = counts(world)
    assert (found["invited_visits"], found["waiting_days"]) == (4, 10 + 22 + 22 + 14)
    report = world.desk.figures(*JANUARY)
    for one in (report.together, report.clinics["clinic"]):
        told = {f.name: f.value for f in one.told()}
        assert (told["waiting_days"], told["waiting_days_median"]) == (17, 18)
    assert found["past_planned"] == 2
    assert (found["with_deadline"], found["deadline_breaches"]) == (2, 1)


def test_the_middle_is_that_of_all_clinics_together():
    one, other = Figures({}, {1: 3}), Figures({}, {9: 4})
    assert Figures.together([one, other]).median_days() == 9
    assert (Figures({}).median_days(), Figures({}, {2: 1, 5: 1}).median_days()) == (None, 3.5)


def test_months_come_to_what_the_period_comes_to(world):
    booked_at(world, "p-1", oslo(2027, 1, 29, 8))
    booked_at(world, "p-2", oslo(2027, 2, 1, 8), not_after=date(2027, 2, 26))
    booked_at(world, "p-3", oslo(2027, 2, 26, 11), not_after=date(2027, 2, 26))
    report = world.desk.figures(date(2027, 1, 4), date(2027, 3, 9), by_month=True)
    assert {m: f.counts["visits"] for m, f in report.months.items()} == {
        "2027-01": 1,
        "2027-02": 2,
        "2027-03": 0,
    }
    summed = Figures.together(report.months.values())
    whole = {n: c for n, c in report.together.counts.items() if n != "stranded_now"}
    assert (dict(summed.counts), dict(summed.waited)) == (whole, dict(report.together.waited))
    assert world.desk.figures(*JANUARY).months == {}


def test_a_deadline_that_passed_without_any_visit_is_a_breach(world):
    task = world.invited("p-1", deadline=date(2027, 1, 29))
    world.desk.take(task)
    world.desk.keep_waiting(task, "tests")
    assert "deadline_breaches" not in counts(world)
    world.clock.set(oslo(2027, 1, 30, 8))
    assert counts(world)["deadline_breaches"] == 1


def test_touches_are_what_staff_do_not_what_they_read(world):
    task = world.invited("p-1", pools=("manual",))
    world.patient("p-1").choose(task, oslo(2027, 1, 20, 8))
    world.desk.task(task.id)
    world.desk.attendance("clinic", date(2027, 1, 20))
    assert "touches" not in counts(world)
    world.desk.check(task, confirm=True)
    world.desk.move(world.visit(task), start=oslo(2027, 1, 20, 9))
    assert counts(world)["touches"] == 2
    told = {f.name: f.value for f in world.desk.figures(*JANUARY).together.told()}
    assert told["touches"] == 200
    assert "touches" not in counts(world, date(2027, 2, 1), date(2027, 2, 28))


def test_who_was_left_without_a_place(world):
    task = world.invited("p-1")
    world.desk.switch_pool("clinic", "auto", False, reason="fire", override=True)
    assert (counts(world)["stranded"], counts(world)["stranded_now"]) == (1, 1)
    world.desk.switch_pool("clinic", "auto", True)
    assert world.promises_broken() == {}
    found = counts(world)
    assert (found["stranded"], found.get("stranded_now")) == (1, None)
    assert task.clinic == "clinic"


def test_only_the_period_and_only_ones_own_clinics(world):
    booked_at(world, "p-1", oslo(2027, 1, 31, 8) - timedelta(days=2))
    assert counts(world, date(2027, 1, 29), date(2027, 1, 29))["visits"] == 1
    assert "visits" not in counts(world, date(2027, 1, 28), date(2027, 1, 28))
    source = document()
    source["clinic"]["id"] = "other"
    source["resources"] = [{"id": "dr-o", "kind": "clinician", "skills": ["talk"]}]
    source["services"][0]["roles"] = source["services"][0]["roles"][:1]
    world.publish(source)
    whole = world.desk.figures(*JANUARY)
    assert set(whole.clinics) == {"clinic", "other"}
    assert whole.clinics["other"].counts["visits"] == 0
    assert world.desk.figures(*JANUARY, clinic="other").together.counts["visits"] == 0
    elsewhere = world.valg.planner("bo", ["other"])
    assert set(elsewhere.figures(*JANUARY).clinics) == {"other"}
    with pytest.raises(NotFound):
        elsewhere.figures(*JANUARY, clinic="clinic")
    with pytest.raises(NotFound):
        world.desk.figures(*JANUARY, clinic="none")


def test_an_organisation_for_verification_counts_in_no_figure(world):
    operator = Principal("op", RoleName.OPERATOR, world.desk.principal.organisation)
    from timevalg.booking.verification import mark_for_verification

    mark_for_verification(world.ports, operator, "tests")
    world.chosen("p-1")
    report = world.desk.figures(*JANUARY)
    assert (report.counted, report.clinics, dict(report.together.counts)) == (False, {}, {})


def test_periods_that_are_none(quick):
    for last in (date(2026, 12, 31), date(2040, 1, 1)):
        with pytest.raises(InvalidInput, match="ten years"):
            quick.desk.figures(date(2027, 1, 1), last)
    with pytest.raises(NotAllowed):
        figures(quick.ports, quick.patient().principal, *JANUARY)


def test_what_is_not_known_is_not_told_as_nothing():
    told = {f.name: f for f in Figures({"moved": 3.0, "lettered": 12.0}).told()}
    assert told["replanned"].value == 0.25
    assert (told["no_shows"].value, told["no_shows"].count) == (None, None)
    assert told["stranded_now"].value is None
