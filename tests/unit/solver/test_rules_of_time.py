"""Rules 1 to 4, and the nights on which clocks change: one by one, on a clinic reckoned by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.unit.solver.small import (
    DAY,
    NOW,
    OSLO,
    TODAY,
    at,
    clinic,
    organisation,
    pool,
    resource,
    service,
    taken,
    task,
    walls,
)
from timevalg.model.clinic import Closure
from timevalg.model.pool import Quota
from timevalg.model.resource import Kind
from timevalg.model.roster import Hours, Opening, WorkingHours
from timevalg.model.service import PreparationRule, Role
from timevalg.model.text import Text
from timevalg.solver.ask import Ask
from timevalg.solver.index import Index
from timevalg.solver.look import Look
from timevalg.solver.search import RULES, feasible
from timevalg.solver.verify import broken

ALL = ["09:00", "09:30", "10:00", "10:30", "11:00"]


def test_all_starts_of_the_day():
    assert walls(clinic()) == ALL


# -- 1 opening -------------------------------------------------------------------------------


def test_raster_counts_from_each_opening_and_equal_starts_are_one():
    openings = (
        Opening(start=540, end=720),
        Opening(start=585, end=705),
        Opening(start=600, end=720),
    )
    assert walls(clinic(pools=(pool(open=openings),))) == sorted([*ALL, "09:45", "10:15", "10:45"])


def test_openings_do_not_join():
    openings = (Opening(start=540, end=630), Opening(start=630, end=720))
    assert walls(clinic(pools=(pool(open=openings),))) == ["09:00", "09:30", "10:30", "11:00"]


def test_an_opening_is_kept_back_until_its_release():
    here = clinic(pools=(pool(horizon=3, open=(Opening(start=540, end=600, release=1),)),))
    assert walls(here) == ["09:00", "13 09:00"]
    assert walls(here, today=TODAY + DAY) == ["13 09:00", "14 09:00"]


def test_the_whole_visit_lies_in_one_of_the_tasks_times():
    times = (Hours(start=540, end=615), Hours(start=630, end=690))
    assert walls(clinic(), task=task(times=times)) == ["09:00", "10:30"]
    assert walls(clinic(), task=task(times=(Hours(days=frozenset({4})),))) == []
    assert walls(clinic(), task=task(times=(Hours(start=540, end=595),))) == []


def test_extra_lengthens_the_visit_and_every_role():
    assert walls(clinic(), task=task(extra=15)) == ALL[:-1]
    assert walls(clinic(resource("kari", hours=(WorkingHours(start=480, end=660),)))) == ALL[:3]
    short = clinic(resource("kari", hours=(WorkingHours(start=480, end=660),)))
    assert walls(short, task=task(extra=15)) == ALL[:2]


# -- 2 closed --------------------------------------------------------------------------------


def test_holidays_and_closures_and_what_is_not_planned():
    week = clinic(pools=(pool(horizon=3, open=(Opening(start=540, end=600),)),))
    every = ["09:00", "13 09:00", "14 09:00", "15 09:00"]
    assert walls(week) == every
    assert walls(replace(week, holidays=frozenset({TODAY}))) == every[1:]
    assert walls(replace(week, closed=(Closure(TODAY + DAY, TODAY + 2 * DAY),))) == [
        every[0],
        every[3],
    ]
    assert walls(replace(week, planned_until=TODAY + DAY)) == every[:2]


def test_a_resource_cannot_work_into_a_closed_day():
    """The visit is over before midnight; what its role takes is not."""
    night = pool(open=(Opening(start=1320, end=1440),))
    long = service(Role("doctor", Kind.CLINICIAN, 120))
    always = resource("kari", hours=(WorkingHours(),))
    here = clinic(always, pools=(night,), service=long)
    assert walls(here) == ["22:00", "22:30", "23:00"]
    assert walls(replace(here, holidays=frozenset({TODAY + DAY}))) == ["22:00"]


# -- 3 window --------------------------------------------------------------------------------


def test_after_now_and_not_at_now():
    assert walls(clinic(), now=at(10)) == ["10:30", "11:00"]
    assert walls(clinic(), now=at(9, 59)) == ["10:00", "10:30", "11:00"]


def test_notice_horizon_and_the_bounds_of_task_and_ask():
    def days(ask: dict | None = None, **policies):
        here = clinic(pools=(pool(open=(Opening(start=540, end=600),), **policies),))
        return [t.split()[0] if " " in t else "12" for t in walls(here, **(ask or {}))]

    assert days(horizon=2) == ["12", "13", "14"]
    assert days(horizon=2, notice=1) == ["13", "14"]
    assert days({"not_before": TODAY + DAY, "not_after": TODAY + DAY}, horizon=2) == ["13"]
    bounds = task(not_before=TODAY + DAY, not_after=TODAY + 2 * DAY)
    assert days({"task": bounds}, horizon=5) == ["13", "14"]
    assert days({"earliest_from": TODAY + DAY, "notice": 1}, horizon=3) == ["14", "15"]
    assert days({"notice": 2}, horizon=3) == ["14", "15"]
    assert days({"today": TODAY + DAY}, horizon=1) == ["13", "14"]


def test_today_is_the_clinics_date_not_that_of_utc():
    assert NOW.date() == TODAY - DAY
    assert walls(clinic()) == ALL
    assert walls(clinic(), now=NOW - timedelta(hours=1)) == []  # still the 11th in Oslo: not open


# -- 4 preparation ---------------------------------------------------------------------------


def test_preparations_limit_until_they_are_done():
    form = PreparationRule("form", Text.plain(""), due=2)
    diet = PreparationRule("diet", Text.plain(""), due=1, start=3)
    listing = PreparationRule("list", Text.plain(""), due=9, limits=False)

    def first(*rules: PreparationRule, **asked):
        visit = service(preparations=rules)
        here = clinic(service=visit, pools=(pool(horizon=9, open=(Opening(start=540, end=600),)),))
        return walls(here, **asked)[0]

    assert first() == "09:00"
    assert first(form) == "14 09:00"
    assert first(form, diet) == "15 09:00"
    assert first(listing) == "09:00"
    assert first(form, done=frozenset({"form"})) == "09:00"
    assert first(form, task=task(done=frozenset({"form"}))) == "09:00"
    assert first(form, task=task(preparations=(replace(form, due=4),))) == "16 09:00"
    assert first(form, task=task(preparations=(diet,))) == "15 09:00"
    assert first(form, earliest_from=TODAY + DAY) == "15 09:00"


# -- clock changes ---------------------------------------------------------------------------

ROUND_THE_CLOCK = {
    "hours": (WorkingHours(),),
}


def night(day: date, opening: Opening, zone: ZoneInfo = OSLO, length: int = 60) -> list[str]:
    visit = service(Role("doctor", Kind.CLINICIAN, length), length=length)
    here = clinic(
        resource("kari", **ROUND_THE_CLOCK),
        pools=(pool(open=(opening,)),),
        service=visit,
        timezone=zone,
    )
    index = Index.of(organisation(here))
    noon = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    starts = feasible(index, Ask("c", "p", noon - timedelta(seconds=1), today=day)).instants()
    return [f"{t:%H:%M}" for t in starts]


def test_in_spring_times_that_do_not_exist_move_by_the_gap():
    assert night(date(2027, 3, 28), Opening(start=60, end=240)) == ["00:00", "00:30", "01:00"]
    # from 02:30, which means 03:30: the wall's 03:00 is then before the opening
    assert night(date(2027, 3, 28), Opening(start=150, end=300)) == ["01:30", "02:00"]
    # 02:00 and 03:00 are one instant: an opening between them is empty
    assert night(date(2027, 3, 28), Opening(start=120, end=180)) == []
    # until 02:30 means until 03:30
    assert night(date(2027, 3, 28), Opening(start=60, end=150)) == ["00:00", "00:30"]
    # 02:20, the second start of 40-minute steps, means 03:20; so does nobody else's 03:00
    visit = service(Role("doctor", Kind.CLINICIAN, 30), length=30)
    steps = pool(raster=40, open=(Opening(start=60, end=270),))
    here = clinic(resource("kari", **ROUND_THE_CLOCK), pools=(steps,), service=visit)
    sunday = date(2027, 3, 28)
    ask = Ask("c", "p", at(0, day=sunday), today=sunday)
    whole = organisation(here)
    index = Index.of(whole)
    starts = feasible(index, ask).instants()
    minutes = [int((t - at(0, day=sunday)).total_seconds()) // 60 for t in starts]
    assert minutes == [60, 100, 120, 140, 160]
    for start in starts:
        assert broken(whole, (), ask, start, {"doctor": ("kari",)}) == ()


def test_in_autumn_times_that_exist_twice_mean_the_first():
    # 02:00 is 00:00Z, 02:30 is 00:30Z; 03:00 is 02:00Z: the opening lasts three hours
    assert night(date(2027, 10, 31), Opening(start=120, end=180)) == ["00:00", "00:30"]
    assert night(date(2027, 10, 31), Opening(start=120, end=240)) == [
        "00:00", "00:30", "02:00",
    ]  # fmt: skip


def test_half_an_hours_clock_change_and_offsets_off_the_hour():
    lord_howe = ZoneInfo("Australia/Lord_Howe")
    assert night(date(2027, 10, 3), Opening(start=90, end=180), lord_howe, 30) == ["15:00", "15:30"]
    kathmandu = ZoneInfo("Asia/Kathmandu")
    assert night(date(2027, 2, 3), Opening(start=540, end=600), kathmandu, 30) == ["03:15", "03:45"]


def test_what_all_rules_leave_is_the_answer():
    here = clinic(quotas=(Quota(frozenset({"p"}), "day", 9),))
    index = Index.of(organisation(here), [taken("kari", "lie", start=at(10), patient="ola")])
    ask = Ask("c", "p", at(9), task())
    look = Look(index, ask)
    bits = -1
    for rule in RULES.values():
        bits &= rule(look)
    assert bits == feasible(index, ask).bits != 0
    assert list(RULES) == [
        "opening", "closed", "window", "preparation", "resources", "quota", "patient",
    ]  # fmt: skip
