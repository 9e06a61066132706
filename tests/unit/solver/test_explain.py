"""Explanations that can be reckoned by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

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
)
from timevalg.model.clinic import Closure
from timevalg.model.pool import Quota
from timevalg.model.resource import Absence, Kind
from timevalg.model.roster import Hours, Opening
from timevalg.model.service import PreparationRule, Role, Together
from timevalg.model.session import SessionKind
from timevalg.model.text import Text
from timevalg.model.time import Span
from timevalg.solver.ask import Ask
from timevalg.solver.explain import explain
from timevalg.solver.index import Index
from timevalg.solver.loosen import cures

FORM = PreparationRule("form", Text.plain(""), due=2)
NURSE = Role("nurse", Kind.CLINICIAN, 60, skills=frozenset({"n"}), count=2)


def explained(here, *sessions, start=None, **asked):
    index = Index.of(organisation(here), sessions)
    return explain(index, [Ask("c", "p", asked.pop("now", NOW), **asked)], start)


def whys(here, *sessions, start=None, **asked):
    found = explained(here, *sessions, start=start or at(9), **asked)
    return [(b.rule, b.why, b.resource) for b in found.blockers]


def changes(here, *sessions, **asked):
    return [(c.change, c.starts) for c in explained(here, *sessions, **asked).cures]


def test_each_rule_takes_its_part():
    here = clinic(
        pools=(pool(horizon=6, notice=1),),
        closed=(Closure(TODAY + 6 * DAY, TODAY + 6 * DAY),),
        service=service(preparations=(FORM,)),
        quotas=(Quota(frozenset({"p"}), "day", 1),),
    )
    full = taken("kari", start=at(9, day=TODAY + 3 * DAY))
    both = [
        taken(name, start=at(11, day=TODAY + 2 * DAY), name=name, pool=None)
        for name in ("kari", "lie")
    ]
    own = taken(start=at(9, day=TODAY + 4 * DAY), name="own", patient="ola", pool=None)
    found = explained(here, full, *both, own, task=task())
    assert found.total() == {
        "opening": 35,  # 09:00, 09:30 … 11:00 on seven days
        "closed": 30,
        "window": 25,
        "preparation": 20,
        "resources": 18,  # 10:30 and 11:00 need someone until noon
        "quota": 13,
        "patient": 11,
    }
    assert found.blockers == found.cures == ()


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        ([], lambda: whys(clinic())),
        ([("opening", "raster", None)], lambda: whys(clinic(), start=at(9, 15))),
        ([("opening", "opening", None)], lambda: whys(clinic(), start=at(12))),
        (
            [("opening", "release", None)],
            lambda: whys(
                clinic(pools=(pool(open=(Opening(start=540, end=720, release=1),), horizon=9),)),
                start=at(9, day=TODAY + 3 * DAY),
            ),
        ),
        (
            [("opening", "times", None)],
            lambda: whys(clinic(), task=task(times=(Hours(start=600, end=900),))),
        ),
        (
            [("closed", "planned_until", None)],
            lambda: whys(clinic(planned_until=TODAY - DAY)),
        ),
        ([("window", "now", None)], lambda: whys(clinic(), now=at(9))),
        ([("window", "notice", None)], lambda: whys(clinic(pools=(pool(notice=1, horizon=3),)))),
        ([("window", "horizon", None)], lambda: whys(clinic(), start=at(9, day=TODAY + DAY))),
        ([("window", "not_before", None)], lambda: whys(clinic(), not_before=TODAY + DAY)),
        ([("window", "not_after", None)], lambda: whys(clinic(), not_after=TODAY - DAY)),
        (
            [("preparation", "preparation", None)],
            lambda: whys(clinic(service=service(preparations=(FORM,)))),
        ),
        (
            [("quota", "quota", None)],
            lambda: whys(clinic(quotas=(Quota(frozenset({"p"}), "day", 0),))),
        ),
        (
            [("patient", "booking", None)],
            lambda: whys(clinic(), taken(start=at(9, 30), patient="ola"), task=task()),
        ),
    ],
)
def test_one_thing_in_the_way(expected, found):
    assert found() == expected


def test_everybody_who_cannot_is_named_with_the_reason():
    away = Absence(span=Span(at(9, 30), at(10)), reason="Kurs")
    people = (
        resource("kari"),
        resource("lie", away=(away,)),
        resource("moen", hours=()),
        resource("dahl", busy=(Span(at(8), at(9, 5)),)),
        resource("room", Kind.ROOM),
    )
    booked = taken("kari", start=at(9, 45), name="b-7")
    found = explained(clinic(*people), booked, start=at(9)).blockers
    assert [(b.resource, b.why, b.start, b.end) for b in found] == [
        (None, "too_few", None, None),
        ("kari", "booking", at(9, 45), at(10, 45)),
        ("lie", "away", at(9, 30), at(10)),
        ("moen", "hours", at(9), at(10)),
        ("dahl", "busy", at(8), at(9, 5)),
    ]
    assert found[1].session == "b-7"
    assert found[2].more == {"reason": "Kurs"}
    assert found[0].more == {"needs": 1, "free": 0}


def test_skills_only_quota_and_a_closed_owner():
    doctor = replace(DOCTOR, skills=frozenset({"d"}))
    people = [
        resource("kari", skills=frozenset({"d"})),
        resource("lie"),
        resource("moen", skills=frozenset({"d"})),
    ]
    here = clinic(
        *people,
        service=service(doctor),
        quotas=(Quota(frozenset({"p"}), "day", 1, Kind.CLINICIAN),),
    )
    full = taken("kari", start=at(11), name="full")
    found = whys(here, full, task=task(only={"doctor": ("kari",)}))
    assert found == [
        ("resources", "too_few", None),
        ("resources", "quota", "kari"),
        ("resources", "skills", "lie"),
        ("resources", "only", "moen"),
    ]
    borrowed = clinic(resource("kari", owner="there"))
    home = clinic(resource("kari", clinic="there"), name="there", closed=(Closure(TODAY, TODAY),))
    index = Index.of(organisation(borrowed, home))
    found = explain(index, [Ask("c", "p", NOW)], at(9)).blockers
    assert [(b.why, b.resource) for b in found] == [("too_few", None), ("closed", "kari")]


def test_free_but_not_together_and_not_twice():
    room = Role("room", Kind.ROOM, 60)
    rows = (("kari", "r1"), ("lie", "r2"))
    people = (
        resource("kari"),
        resource("lie"),
        resource("r1", Kind.ROOM),
        resource("r2", Kind.ROOM),
    )
    here = clinic(
        *people, service=service(DOCTOR, room, together=(Together(("doctor", "room"), rows),))
    )
    blocks = [taken("kari", start=at(9)), taken("r2", start=at(9), name="c")]
    assert whys(here, *blocks) == [
        ("resources", "together", None),
        ("resources", "booking", "kari"),
        ("resources", "booking", "r2"),
    ]
    second = Role("second", Kind.CLINICIAN, 60)
    found = explained(
        clinic(service=service(DOCTOR, second)), taken("lie", start=at(9)), start=at(9)
    )
    assert found.blockers[0].why == "shared"
    assert found.blockers[0].more == {"roles": ["doctor", "second"], "needs": 2, "free": 1}


def test_a_hold_counts_until_it_expires():
    held = taken("kari", start=at(9), kind=SessionKind.HOLD, until=at(8))
    here = clinic(resource("kari"))
    assert ("resources", "hold", "kari") in whys(here, held)
    assert whys(here, held, now=at(8)) == []


def test_notice_is_loosened_no_further_than_need_be():
    here = clinic(pools=(pool(notice=4, horizon=3),))
    assert changes(here) == [("horizon 3 -> 4", 5), ("notice 4 -> 3", 5)]


def test_days_of_the_window_and_the_legal_deadline():
    here = clinic(pools=(pool(horizon=20, notice=9),))
    asked = {"task": task(not_after=TODAY + 5 * DAY, deadline=TODAY + 8 * DAY)}
    assert changes(here, **asked) == [("notice 9 -> 5", 5)]
    asked = {"task": task(not_after=TODAY + 5 * DAY, deadline=TODAY + 12 * DAY)}
    assert changes(here, **asked) == [("not_after +4 days", 5), ("notice 9 -> 5", 5)]
    assert changes(here, not_before=TODAY + 21 * DAY)[0] == ("horizon 20 -> 21", 5)
    assert changes(here, not_before=TODAY + 21 * DAY)[1] == ("not_before -1 day", 5)


def test_release_preparation_quota_and_planning():
    kept = (Opening(start=540, end=600, release=0),)
    assert changes(clinic(pools=(pool(open=kept, notice=2, horizon=9),))) == [
        ("notice 2 -> 0", 1),
        ("release 0 -> 2", 1),
    ]
    waiting = clinic(service=service(preparations=(FORM,)))
    assert ("preparation form done", 5) in changes(waiting)
    full = clinic(quotas=(Quota(frozenset({"p"}), "day", 1),))
    one = taken("kari", start=at(9))
    assert ("quota 1 -> 2 per day for p", 5) in changes(full, one)
    assert ("planned_until +1 day", 5) in changes(clinic(planned_until=TODAY - DAY))


def test_somebody_more_on_a_weekday():
    people = [resource(n, skills=frozenset({"n"})) for n in ("a", "b", "c")]
    hours = (Hours(days=frozenset({0})),)
    busy = [replace(p, away=(Absence(hours=hours[0]),)) for p in people]
    here = clinic(*busy, service=service(NURSE), pools=(pool(horizon=6),))
    monday = {"not_before": TODAY + 6 * DAY}
    found = dict(changes(here, **monday))
    assert found["two more nurses on Mondays"] == 5
    assert "one more nurse on Mondays" not in found
    alone = clinic(replace(people[0]), *busy[1:], service=service(NURSE), pools=(pool(horizon=6),))
    assert dict(changes(alone, **monday))["one more nurse on Mondays"] == 5


def test_a_named_clinician_is_widened_and_pairs_come_last():
    here = clinic(resource("kari", hours=()), resource("lie"))
    assert changes(here, task=task(only={"doctor": ("kari",)})) == [("only doctor + lie", 5)]
    both = clinic(
        resource("kari", hours=()),
        resource("lie"),
        quotas=(Quota(frozenset({"p"}), "day", 0),),
    )
    (pair,) = changes(both, task=task(only={"doctor": ("kari",)}))
    assert pair == ("quota 0 -> 1 per day for p; only doctor + lie", 5)


def test_a_listed_pool_may_take_one_more_resource():
    here = clinic(
        resource("kari", hours=()), resource("lie"), pools=(pool(resources=frozenset({"kari"})),)
    )
    assert ("resources + lie", 5) in changes(here)


def test_cures_of_one_start():
    here = clinic(pools=(pool(notice=2, horizon=5),))
    index = Index.of(organisation(here))
    asks = [Ask("c", "p", NOW)]
    assert [c.change for c in cures(index, asks, at(9))] == ["notice 2 -> 0"]
    assert cures(index, asks, at(13)) == ()
    found = explain(index, asks, at(9))
    assert found.cures[0].starts == 30
    assert explain(index, asks, at(9, day=TODAY + 2 * DAY)).cures == ()


def test_several_pools_are_summed_and_a_start_in_one_of_them_is_enough():
    pools = (pool(), pool("q", open=(Opening(start=780, end=840),)))
    index = Index.of(organisation(clinic(pools=pools)))
    asks = [Ask("c", name, NOW) for name in ("p", "q")]
    found = explain(index, asks, at(13))
    assert found.total()["patient"] == 6
    assert [of_one["patient"] for of_one in found.left] == [5, 1]
    assert found.blockers == ()
    assert {b.pool for b in explain(index, asks, at(12)).blockers} == {"p", "q"}
