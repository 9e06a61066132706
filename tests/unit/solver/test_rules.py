"""Each rule of "When is a start feasible?", one by one, on a clinic reckoned by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.unit.solver.small import (
    DAY,
    DOCTOR,
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
    told,
    walls,
)
from timevalg.model.clinic import Closure
from timevalg.model.pool import Quota
from timevalg.model.resource import Absence, Kind
from timevalg.model.roster import Hours, Opening, WorkingHours
from timevalg.model.service import PreparationRule, Role, Together
from timevalg.model.session import SessionKind
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


# -- 5 resources -----------------------------------------------------------------------------


def test_a_length_must_fit_one_resource_and_not_a_merged_calendar():
    """OCA resource_booking #143: kari is free 9:00–9:30, lie 9:30–10:00; together one hour."""
    kari = resource("kari", hours=(WorkingHours(start=540, end=570),))
    lie = resource("lie", hours=(WorkingHours(start=570, end=600),))
    assert walls(clinic(kari, lie)) == []
    half = service(Role("doctor", Kind.CLINICIAN, 30), length=60)
    assert walls(clinic(kari, lie, service=half)) == ["09:00", "09:30"]


def test_a_pair_must_be_free_at_once_and_not_one_after_the_other():
    """The same fault with combinations: each pair is free for half of the visit only."""
    rooms = (
        resource("room-1", Kind.ROOM, hours=(WorkingHours(start=540, end=570),)),
        resource("room-2", Kind.ROOM, hours=(WorkingHours(start=570, end=600),)),
    )
    visit = service(DOCTOR, Role("room", Kind.ROOM, 60))
    assert walls(clinic(resource("kari"), *rooms, service=visit)) == []


def test_hours_that_touch_join_across_midnight_too():
    parts = (WorkingHours(start=540, end=570), WorkingHours(start=570, end=630))
    assert walls(clinic(resource("kari", hours=parts))) == ["09:00", "09:30"]
    nights = (WorkingHours(start=1380, end=1440), WorkingHours(start=0, end=60))
    late = clinic(
        resource("kari", hours=nights),
        service=service(Role("doctor", Kind.CLINICIAN, 90)),
        pools=(pool(open=(Opening(start=1320, end=1440),)),),
    )
    assert walls(late) == ["23:00"]


def test_offsets_before_and_after_the_patients_start():
    def with_role(start: int, length: int, *hours: int) -> list[str]:
        doctor = Role("doctor", Kind.CLINICIAN, length, start=start)
        kari = resource("kari", hours=(WorkingHours(start=hours[0], end=hours[1]),))
        return walls(clinic(kari, service=service(doctor)))

    assert with_role(-30, 90, 540, 720) == ALL[1:]
    assert with_role(45, 30, 585, 660) == ALL[:2]


def test_hours_for_other_pools_do_not_count_whichever_pool_is_asked_first():
    morning = WorkingHours(start=540, end=600, pools=frozenset({"p"}))
    noon = WorkingHours(start=600, end=660, pools=frozenset({"q"}))
    here = clinic(resource("kari", hours=(morning, noon)), pools=(pool("p"), pool("q")))
    index = Index.of(organisation(here))
    assert told(index, Ask("c", "p", NOW)) == ["09:00"]
    assert told(index, Ask("c", "q", NOW)) == ["10:00"]


def test_away_and_busy():
    lunch = Absence(hours=Hours(days=frozenset({1}), start=600, end=660))
    assert walls(clinic(resource("kari", away=(lunch,)))) == ["09:00", "11:00"]
    course = Absence(span=taken("kari", start=at(9, 20), minutes=10).spans["kari"])
    assert walls(clinic(resource("kari", away=(course,)))) == ALL[1:]
    busy = taken("kari", start=at(11, 55), minutes=500).spans["kari"]
    assert walls(clinic(resource("kari", busy=(busy,)))) == ALL[:-1]


def test_the_clinics_hours_are_for_those_without_their_own():
    here = clinic(resource("kari", hours=None), hours=(WorkingHours(start=600, end=660),))
    assert walls(here) == ["10:00"]
    assert walls(replace(here, hours=())) == []
    assert walls(clinic(resource("kari", hours=()), hours=(WorkingHours(),))) == []


def test_kind_skills_pool_and_only():
    skilled = service(Role("doctor", Kind.CLINICIAN, 60, skills=frozenset({"x"})))
    assert walls(clinic(service=skilled)) == []
    assert walls(clinic(resource("kari", skills=frozenset({"x", "y"})), service=skilled)) == ALL
    assert walls(clinic(resource("kari", Kind.ROOM))) == []
    early = resource("kari", hours=(WorkingHours(start=540, end=600),))
    two = clinic(early, resource("lie"), pools=(pool(resources=frozenset({"kari"})),))
    assert walls(two) == ["09:00"]
    assert walls(clinic(early, resource("lie")), task=task(only={"doctor": ("kari",)})) == ["09:00"]
    chairs = clinic(early, resource("lie/1", group="lie"))
    assert walls(chairs, task=task(only={"doctor": ("lie",)})) == ALL


def test_every_copy_of_every_role_has_its_own_resource():
    pair = service(DOCTOR, Role("helper", Kind.CLINICIAN, 60))
    assert walls(clinic(resource("kari"), service=pair)) == []
    assert walls(clinic(service=pair)) == ALL
    two = service(Role("doctor", Kind.CLINICIAN, 60, count=2))
    assert walls(clinic(service=two), taken("lie", start=at(10))) == ["09:00", "11:00"]


def test_together_takes_a_row_and_leaves_the_rest_to_others():
    roles = (DOCTOR, Role("room", Kind.ROOM, 60), Role("spare", Kind.ROOM, 60))
    rows = Together(("doctor", "room"), (("kari", "r1"), ("lie", "r2")))
    people = (resource("kari"), resource("lie", hours=(WorkingHours(start=600, end=660),)))
    rooms = (resource("r1", Kind.ROOM), resource("r2", Kind.ROOM))
    here = clinic(*people, *rooms, service=service(*roles, together=(rows,)))
    assert walls(here) == ALL
    assert walls(here, taken("kari", start=at(9), minutes=180)) == ["10:00"]
    without = clinic(*people, rooms[0], service=service(*roles[:2], together=(rows,)))
    assert walls(without, taken("kari", start=at(9), minutes=180)) == []


def test_a_borrowed_resource_is_free_there_and_here():
    there = clinic(
        resource(
            "room",
            Kind.ROOM,
            clinic="s",
            hours=(WorkingHours(start=540, end=660, pools=frozenset({"elsewhere"})),),
        ),
        name="s",
    )
    borrowed = resource("room", Kind.ROOM, owner="s", hours=None)
    visit = service(Role("room", Kind.ROOM, 60))
    here = clinic(borrowed, service=visit)
    assert walls(organisation(there, here)) == ["09:00", "09:30", "10:00"]
    narrow = clinic(replace(borrowed, hours=(WorkingHours(start=570, end=960),)), service=visit)
    assert walls(organisation(there, narrow)) == ["09:30", "10:00"]
    shut = replace(there, holidays=frozenset({TODAY}))
    assert walls(organisation(shut, here)) == []
    away = replace(borrowed, busy=(taken("room", start=at(10)).spans["room"],))
    assert walls(organisation(there, clinic(away, service=visit))) == ["09:00"]
    gone = replace(there.resources["room"], busy=away.busy)
    assert walls(organisation(replace(there, resources={"room": gone}), here)) == ["09:00"]
    assert walls(organisation(here)) == []  # nobody says when it is free
    elsewhere = taken("room", start=at(9), minutes=30, clinic="s", pool=None)
    assert walls(organisation(there, here), elsewhere) == ["09:30", "10:00"]


# -- what is taken ---------------------------------------------------------------------------


def test_bookings_blocks_and_live_holds_take_time_and_places_only_where_asked():
    one = clinic(resource("kari"))
    free = ["09:00", "11:00"]
    hold = {"kind": SessionKind.HOLD, "until": NOW + timedelta(minutes=10)}
    assert walls(one, taken("kari", start=at(10))) == free
    assert walls(one, taken("kari", start=at(10), kind=SessionKind.BLOCK)) == free
    assert walls(one, taken("kari", start=at(10), **hold)) == free
    assert walls(one, taken("kari", start=at(10), **hold), now=NOW + timedelta(minutes=10)) == ALL
    assert walls(one, taken("kari", start=at(10), kind=SessionKind.PLACE)) == ALL
    assert (
        walls(one, taken("kari", start=at(10), kind=SessionKind.PLACE), count_places=True) == free
    )
    place = taken("kari", start=at(10), is_place=True, **hold)
    later = NOW + timedelta(minutes=10)
    assert walls(one, place, now=later) == ALL
    assert walls(one, place, now=later, count_places=True) == free
    assert walls(one, taken("kari", start=at(10)), ignore=frozenset({"b"})) == ALL


def test_a_hold_expires_on_an_index_that_has_been_searched():
    hold = taken("kari", start=at(10), kind=SessionKind.HOLD, until=NOW + timedelta(minutes=10))
    index = Index.of(organisation(clinic(resource("kari"))), [hold])
    assert told(index, Ask("c", "p", NOW)) == ["09:00", "11:00"]
    assert told(index, Ask("c", "p", NOW + timedelta(minutes=10))) == ALL
    assert told(index, Ask("c", "p", NOW)) == ["09:00", "11:00"]


# -- 6 quota ---------------------------------------------------------------------------------


def test_together_quotas_count_by_day_and_by_week():
    def days(per: str, most: int, *sessions, each: Kind | None = None, **asked):
        quota = Quota(frozenset({"p", "q"}), per, most, each)
        here = clinic(
            resource("kari"),
            quotas=(quota,),
            pools=(pool(horizon=6, open=(Opening(start=540, end=600),)), pool("q"), pool("r")),
        )
        return [t.split()[0] if " " in t else "12" for t in walls(here, *sessions, **asked)]

    week = ["12", "13", "14", "15", "16", "17", "18"]
    booked = taken("kari", start=at(14), pool="q")
    for each in (None, Kind.CLINICIAN):
        assert days("day", 2, booked, each=each) == week
        assert days("day", 1, booked, each=each) == week[1:]
        assert days("week", 1, booked, each=each) == ["18"]
        assert days("week", 1, replace(booked, pool="r"), each=each) == week
        assert days("week", 1, replace(booked, pool=None), each=each) == week
        assert days("day", 0, each=each) == []
        assert days("day", 1, booked, each=each, ignore=frozenset({"b"})) == week
        place = replace(booked, kind=SessionKind.PLACE)
        assert days("day", 1, place, each=each) == week
        assert days("day", 1, place, each=each, count_places=True) == week[1:]
        hold = replace(booked, kind=SessionKind.HOLD, until=NOW + timedelta(minutes=5))
        assert days("day", 1, hold, each=each) == week[1:]
        assert days("day", 1, hold, each=each, now=NOW + timedelta(minutes=5)) == week
    assert days("day", 1, booked, each=Kind.ROOM) == week


def test_a_hold_in_a_quota_expires_on_an_index_that_has_been_searched():
    for each in (None, Kind.CLINICIAN):
        here = clinic(resource("kari"), quotas=(Quota(frozenset({"p"}), "day", 1, each),))
        until = NOW + timedelta(minutes=5)
        hold = taken("kari", start=at(14), kind=SessionKind.HOLD, until=until)
        index = Index.of(organisation(here), [hold])
        assert told(index, Ask("c", "p", NOW)) == []
        assert told(index, Ask("c", "p", until)) == ALL
        assert told(index, Ask("c", "p", NOW)) == []
        emptied = index.apply(removed=["b"])
        assert told(emptied, Ask("c", "p", NOW)) == ALL


def test_an_each_quota_leaves_the_visit_to_others():
    quota = Quota(frozenset({"p"}), "day", 1, Kind.CLINICIAN)
    here = clinic(resource("kari"), resource("lie"), quotas=(quota,))
    assert walls(here, taken("kari", start=at(14))) == ALL
    both = [taken("kari", start=at(14)), taken("lie", start=at(14), name="b2")]
    assert walls(here, *both) == []


# -- 7 patient -------------------------------------------------------------------------------


def test_the_patient_is_nowhere_else_in_the_organisation():
    there = clinic(resource("room", Kind.ROOM, clinic="s"), name="s")
    whole = organisation(there, clinic())
    other = taken("room", start=at(10), clinic="s", pool=None, patient="ola")
    assert walls(whole, other) == ALL
    assert walls(whole, other, task=task()) == ["09:00", "11:00"]
    assert walls(whole, replace(other, patient="per"), task=task()) == ALL
    assert walls(whole, other, task=task(extra=15)) == []
    assert walls(whole, other, task=task(), ignore=frozenset({"b"})) == ALL


def test_own_holds_never_stand_in_the_way_and_the_booking_only_when_not_changing():
    one = organisation(clinic(resource("kari")))
    mine = {"patient": "ola", "task": "t"}
    hold = taken("kari", start=at(9), name="h", kind=SessionKind.HOLD, until=at(8), **mine)
    booking = taken("kari", start=at(11), name="b", **mine)
    index = Index.of(one, [hold, booking])
    assert told(index, Ask.for_task(index, task(), "p", NOW)) == ["09:00", "09:30", "10:00"]
    assert told(index, Ask.for_task(index, task(), "p", NOW, changing=True)) == ALL
    assert told(index, Ask.for_pool(index, "p", NOW)) == ["10:00"]


def test_a_place_is_valid_today_and_still_on_the_day_after_due():
    here = clinic(
        resource("kari"),
        pools=(pool(horizon=9, fallback_notice=2, open=(Opening(start=540, end=600),)),),
    )
    mine = taken("kari", start=at(9, day=date(2027, 1, 17)), kind=SessionKind.PLACE, task="t")
    theirs = taken("kari", start=at(9, day=date(2027, 1, 18)), kind=SessionKind.PLACE, name="x")
    index = Index.of(organisation(here), [mine, theirs])
    invited = task(opens=TODAY + DAY, due=TODAY + 2 * DAY)
    ask = Ask.for_place(index, invited, "p", NOW)
    assert told(index, ask) == [f"{d} 09:00" for d in (17, 19, 20, 21, 22)]


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
