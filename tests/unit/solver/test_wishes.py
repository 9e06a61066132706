"""What wishes are, and what they keep."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

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
from timevalg.model.clinic import VisitPlace
from timevalg.model.resource import Kind
from timevalg.model.service import Role
from timevalg.model.text import Text
from timevalg.solver.ask import Ask
from timevalg.solver.certificates import Certificate
from timevalg.solver.index import Index
from timevalg.solver.offers import candidates, offers
from timevalg.solver.picture import Picture
from timevalg.solver.ranking import Ranking
from timevalg.solver.safety import Settling
from timevalg.solver.settle_offers import offers_settled
from timevalg.solver.wishes import Wishes

WEEK = clinic(pools=(pool(horizon=6),))


def starts(here, *sessions, n=99, **wishes):
    index = Index.of(organisation(here), sessions)
    return list(islice(Ranking(index, [Ask("c", "p", NOW)], Wishes(**wishes)), n))


def times(here, *sessions, **wishes):
    zone = here.timezone
    return {f"{s.start.astimezone(zone):%a %H:%M}" for s in starts(here, *sessions, **wishes)}


def test_wishes_say_what_is_wrong_with_them():
    with pytest.raises(ValueError, match="tea"):
        Wishes(must=frozenset({"tea"}))
    with pytest.raises(ValueError, match="7"):
        Wishes(days=frozenset({7}))
    with pytest.raises(ValueError, match="1500"):
        Wishes(after=1500)


def test_a_soft_wish_takes_nothing_away_and_a_must_does():
    everything = times(WEEK)
    assert len(everything) == 35
    assert times(WEEK, days=frozenset({2})) == everything
    must = {"must": frozenset({"days", "after", "before", "not_on", "earliest", "latest"})}
    assert times(WEEK, days=frozenset({2}), **must) == {t for t in everything if "Wed" in t}
    assert {t[4:] for t in times(WEEK, after=630, **must)} == {"10:30", "11:00"}
    assert {t[4:] for t in times(WEEK, before=630, **must)} == {"09:00", "09:30"}
    assert len(times(WEEK, not_on=frozenset({TODAY, TODAY + DAY}), **must)) == 25
    assert len(times(WEEK, earliest=TODAY + 5 * DAY, **must)) == 10
    assert len(times(WEEK, latest=TODAY, **must)) == 5
    assert times(WEEK, latest=TODAY - 9 * DAY, **must) == set()
    assert times(WEEK, earliest=TODAY + 900 * DAY, **must) == set()
    assert times(WEEK, after=1440, **must) == times(WEEK, before=0, **must) == set()


def test_a_wish_ranks():
    best = starts(WEEK, days=frozenset({3}), after=600)[0]
    assert best.start == at(10, day=TODAY + 2 * DAY)
    assert best.parts["wishes"] == 1.0
    assert "same_clinician" not in best.parts
    assert "wishes" not in starts(WEEK)[0].parts


def test_mode_and_place():
    here = clinic(service=service(mode="video"), place=VisitPlace(Text.plain("Sykehuset")))
    must = frozenset({"modes", "places"})
    assert starts(here, modes=frozenset({"physical"}), must=must) == []
    assert len(starts(here, modes=frozenset({"video"}), must=must)) == 5
    assert len(starts(here, places=frozenset({"Sykehuset"}), must=must)) == 5
    assert len(starts(here, places=frozenset({"c"}), must=must)) == 5
    assert starts(here, places=frozenset({"Legevakten"}), must=must) == []


def test_the_clinician_of_last_time_is_given_where_free():
    busy = taken("lie", start=at(9))
    found = starts(clinic(), busy, clinicians=frozenset({"lie"}))
    assert {one.start >= at(10) for one in found} == {True, False}
    for one in found:
        free = one.start >= at(10)
        assert one.parts["same_clinician"] == float(free)
        assert one.resources == {"doctor": ("lie",) if free else ("kari",)}
    assert found[0].start == at(10)
    must = frozenset({"clinicians"})
    assert len(starts(clinic(), busy, clinicians=frozenset({"lie"}), must=must)) == 3
    assert starts(clinic(), clinicians=frozenset({"nobody"}), must=must) == []


def test_sex_and_language_are_of_who_leads_the_visit():
    people = (
        resource("kari", sex="female", languages=("nb",)),
        resource("lie", sex="male", languages=("nb", "en")),
        resource("room", Kind.ROOM),
    )
    here = clinic(*people, service=service(Role("room", Kind.ROOM, 60), DOCTOR))
    assert starts(here, sex="male")[0].resources["doctor"] == ("lie",)
    assert starts(here, sex="female")[0].resources["doctor"] == ("kari",)
    both = starts(here, sex="female", language="en")[0]
    assert both.parts["wishes"] == 0.5
    must = {"sex": "female", "language": "en", "must": frozenset({"language"})}
    assert starts(here, **must)[0].resources["doctor"] == ("lie",)
    rooms = clinic(people[2], service=service(Role("room", Kind.ROOM, 60)))
    assert starts(rooms, sex="male")[0].parts["wishes"] == 0.0
    assert starts(rooms, sex="male", must=frozenset({"sex"})) == []


def test_several_pools_at_once():
    there = service(mode="video")
    here = clinic(pools=(pool(), pool("q")))
    video = replace(there, id="w")
    here = replace(
        here,
        services={**here.services, "w": video},
        pools={"p": here.pools["p"], "q": replace(here.pools["q"], service="w")},
    )
    index = Index.of(organisation(here))
    asks = [Ask("c", name, NOW) for name in ("p", "q")]
    found = islice(Ranking(index, asks, Wishes(modes=frozenset({"video"}))), 4)
    assert {s.pool for s in found} == {"q"}
    assert len(Ranking(index, asks)) == 10


PAIR = Role("pair", Kind.CLINICIAN, 60, count=2)


def trio(*roles):
    return clinic(*(resource(name) for name in ("kari", "lie", "nina")), service=service(*roles))


def test_one_known_among_several_is_the_same_clinician():
    busy = taken("nina", start=at(9))
    found = starts(trio(PAIR), busy, clinicians=frozenset({"nina"}))
    assert {one.start >= at(10) for one in found} == {True, False}
    for one in found:
        free = one.start >= at(10)
        assert one.parts["same_clinician"] == float(free)
        assert ("nina" in one.resources["pair"]) == free


def test_whoever_is_known_has_one_seat_whatever_else_they_could_do():
    found = starts(trio(DOCTOR, PAIR), clinicians=frozenset({"nina"}))
    assert found
    for one in found:
        assert [way.parts["same_clinician"] for way in one.ways()][:2] == [1.0, 1.0]
        for way in one.ways():
            used = [name for names in way.resources.values() for name in names]
            assert sorted(used) == ["kari", "lie", "nina"]


def test_an_offer_has_the_known_one_it_speaks_of():
    """Guard off: the first safe assignment is one without them."""
    mine = task()
    picture = Picture(Index.of(organisation(trio(PAIR))), {"t": mine}, NOW)
    wish = Wishes(clinicians=frozenset({"nina"}))
    best = next(iter(candidates(picture, mine, NOW, wishes=wish)))
    settling = Settling(picture, mine, NOW, best.ask.ignore, key="k")
    plain = settling.settle(best.ask, best.start)
    assert isinstance(plain, Certificate)
    assert plain.claim.resources == {"pair": ("kari", "lie")}
    found = offers(picture, mine, NOW, limit=3, key="k", wishes=wish).offers
    assert [offer.parts["same_clinician"] for offer in found] == [1.0] * 3
    assert all("nina" in offer.session.resources["pair"] for offer in found)


def test_what_is_settled_comes_in_the_order_of_looks():
    mine = task()
    here = organisation(clinic(pools=(pool(horizon=2),)))
    picture = Picture(Index.of(here), {"t": mine}, NOW)
    looked = offers(picture, mine, NOW, limit=99, key="k").offers
    scores = [offer.score for offer in looked]
    assert scores != sorted(scores, reverse=True)  # variety: not by score alone
    for limit in (None, 4):
        settled = offers_settled(picture, mine, NOW, lambda problems: [], key="k", limit=limit)
        assert settled.offers == looked[:limit]
