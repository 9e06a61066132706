"""Rules 5 to 7, what is taken: one by one, on a clinic reckoned by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from tests.unit.solver.small import (
    DAY,
    DOCTOR,
    NOW,
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
from timevalg.model.pool import Quota
from timevalg.model.resource import Absence, Kind
from timevalg.model.roster import Hours, Opening, WorkingHours
from timevalg.model.service import Role, Together
from timevalg.model.session import SessionKind
from timevalg.solver.ask import Ask
from timevalg.solver.index import Index

ALL = ["09:00", "09:30", "10:00", "10:30", "11:00"]


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
