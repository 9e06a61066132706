"""The verifier names the rule that is broken, and no other."""

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
from timevalg.solver.verify import broken

KARI = {"doctor": ("kari",)}
SHUT = (Closure(TODAY, TODAY),)
FORM = PreparationRule("form", Text.plain(""), due=1)
HALF_AN_HOUR = Span(at(9, 30), at(10))
TEACHING = Absence(hours=Hours(days=frozenset({1}), start=590, end=600))
COURSE = Absence(span=HALF_AN_HOUR)
WITH_ROOM = service(
    DOCTOR,
    Role("room", Kind.ROOM, 60),
    together=(Together(("doctor", "room"), (("lie", "r1"),)),),
)


def rules(here, *sessions, start=None, resources=KARI, **asked) -> list[str]:
    ask = Ask("c", "p", asked.pop("now", NOW), **asked)
    sentences = broken(organisation(here), sessions, ask, start or at(9), resources)
    return [sentence.split(":")[0] for sentence in sentences]


def test_a_feasible_start_breaks_nothing():
    assert rules(clinic()) == []
    assert rules(clinic(), start=at(11)) == []


@pytest.mark.parametrize(
    ("rule", "broken_by"),
    [
        ("opening", lambda: rules(clinic(), start=at(9, 15))),
        ("opening", lambda: rules(clinic(), start=at(11, 30))),
        ("opening", lambda: rules(clinic(), start=at(8, 30))),
        (
            "opening",
            lambda: rules(
                clinic(pools=(pool(horizon=3, open=(Opening(start=540, end=600, release=1),)),)),
                start=at(9, day=TODAY + 2 * DAY),
            ),
        ),
        ("opening", lambda: rules(clinic(), task=task(times=(Opening(start=545, end=700),)))),
        (
            "closed",
            lambda: rules(replace(clinic(), planned_until=TODAY - DAY)),
        ),
        ("window", lambda: rules(clinic(), now=at(9))),
        ("window", lambda: rules(clinic(), start=at(9, day=TODAY + DAY))),
        ("window", lambda: rules(clinic(pools=(pool(notice=1, horizon=2),)))),
        ("window", lambda: rules(clinic(), task=task(not_before=TODAY + DAY))),
        ("window", lambda: rules(clinic(), not_before=TODAY + DAY)),
        ("window", lambda: rules(clinic(), earliest_from=TODAY + DAY)),
        ("window", lambda: rules(clinic(), notice=1)),
        ("preparation", lambda: rules(clinic(service=service(preparations=(FORM,))))),
        ("preparation", lambda: rules(clinic(), task=task(preparations=(FORM,)))),
        ("resources", lambda: rules(clinic(), taken("kari", start=at(9, 30)))),
        ("resources", lambda: rules(clinic(), resources={})),
        ("resources", lambda: rules(clinic(), resources={"doctor": ("kari", "lie")})),
        ("resources", lambda: rules(clinic(), resources={"doctor": ("nobody",)})),
        ("resources", lambda: rules(clinic(), resources=KARI | {"x": ("lie",)})),
        ("resources", lambda: rules(clinic(resource("kari", Kind.ROOM)))),
        ("resources", lambda: rules(clinic(), task=task(only={"doctor": ("lie",)}))),
        ("resources", lambda: rules(clinic(pools=(pool(resources=frozenset({"lie"})),)))),
        ("resources", lambda: rules(clinic(resource("kari", hours=())))),
        ("resources", lambda: rules(clinic(resource("kari", away=(TEACHING,))))),
        ("resources", lambda: rules(clinic(resource("kari", away=(COURSE,))))),
        ("resources", lambda: rules(clinic(resource("kari", busy=(HALF_AN_HOUR,))))),
        (
            "resources",
            lambda: rules(
                clinic(resource("kari"), resource("r1", Kind.ROOM), service=WITH_ROOM),
                resources=KARI | {"room": ("r1",)},
            ),
        ),
        (
            "resources",
            lambda: rules(
                clinic(service=service(DOCTOR, Role("other", Kind.CLINICIAN, 60))),
                resources=KARI | {"other": ("kari",)},
            ),
        ),
        (
            "resources",
            lambda: rules(
                clinic(quotas=(Quota(frozenset({"p"}), "day", 1, Kind.CLINICIAN),)),
                taken("kari", start=at(14)),
            ),
        ),
        (
            "quota",
            lambda: rules(
                clinic(quotas=(Quota(frozenset({"p"}), "week", 1),)),
                taken("lie", start=at(14, day=TODAY + DAY)),
            ),
        ),
        (
            "patient",
            lambda: rules(clinic(), taken("lie", start=at(9, 30), patient="ola"), task=task()),
        ),
    ],
)
def test_the_broken_rule_is_named(rule, broken_by):
    assert broken_by() == [rule]


def test_several_broken_rules_come_in_order():
    here = replace(clinic(), closed=SHUT)
    assert rules(here, start=at(9, 5), now=at(10)) == ["opening", "closed", "window", "resources"]


def test_what_does_not_count_does_not_break():
    other = taken("kari", start=at(9), patient="ola")
    assert rules(clinic(), other, task=task(), ignore=frozenset({"b"})) == []
    hold = replace(other, kind=SessionKind.HOLD, until=NOW, is_place=True)
    assert rules(clinic(), hold, task=task()) == []
    assert rules(clinic(), hold, task=task(), count_places=True) == ["resources", "patient"]
    place = replace(other, kind=SessionKind.PLACE)
    assert rules(clinic(), place, task=task()) == []
    assert rules(clinic(), place, task=task(), count_places=True) == ["resources", "patient"]


def test_a_borrowed_resource_is_looked_at_where_it_belongs():
    there = clinic(resource("kari", clinic="s"), name="s")
    here = clinic(resource("kari", owner="s", hours=None))

    def sentences(*clinics):
        return broken(organisation(*clinics), (), Ask("c", "p", NOW), at(9), KARI)

    assert sentences(there, here) == ()
    (shut,) = sentences(replace(there, closed=SHUT), here)
    assert shut.startswith("resources: s is closed")
    (unknown,) = sentences(here)
    assert unknown.startswith("resources: kari is not known")


def test_all_resources_at_fault_are_named_role_by_role():
    here = clinic(resource("kari"), resource("r1", Kind.ROOM), service=WITH_ROOM)
    quota = Quota(frozenset({"p"}), "day", 0, Kind.ROOM)
    here = replace(here, quotas=(quota,))
    booked = taken("kari", start=at(9))
    chosen = KARI | {"room": ("r1",), "nurse": ("n1",)}
    asked = (Ask("c", "p", NOW), at(9), chosen)
    full = "resources: r1 has 0 of 0 visits a day"
    assert broken(organisation(here), (booked,), *asked) == (
        "resources: v has no role nurse",
        "resources: kari is taken by booking b",
        "resources: kari and r1 do not go together",
        full,
    )
    assert broken(organisation(here), (), *asked[:2], {"room": ("r1", "gone")}) == (
        "resources: doctor needs 1, not 0",
        "resources: room needs 1, not 2",
        "resources: gone does not serve p",
        full,
    )
