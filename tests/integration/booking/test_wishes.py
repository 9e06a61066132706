"""What a patient wishes for, through the library: ranked, kept in the booking, or a condition."""

from datetime import date

import pytest

from tests.world import document, oslo, pool
from timevalg import Wishes
from timevalg.model.errors import TimeTaken

JUDGED = {"earliness": 0, "wishes": 1, "same_clinician": 1, "gaps": 0, "scarcity": 0}
PEOPLE = [
    {"id": "dr-a", "kind": "clinician", "skills": ["talk"], "sex": "male", "languages": ["nb"]},
    {"id": "dr-b", "kind": "clinician", "skills": ["talk"], "sex": "female", "languages": ["se"]},
    {"id": "room", "kind": "room"},
]


@pytest.fixture
def clinic(quick):
    video = {"id": "video", "mode": "video", "length": 30}
    roles = [{"id": "doctor", "kind": "clinician", "skills": ["talk"]}]
    source = document()
    services = [*source["services"], {**video, "roles": roles}]
    pools = [pool("auto", weights=JUDGED), pool("far", "video", weights=JUDGED)]
    quick.publish(document(resources=PEOPLE, services=services, pools=pools))
    return quick


def doctors(offers):
    return {o.session.resources["doctor"][0] for o in offers.offers}


def test_offers_are_ranked_by_what_is_wished_over_all_pools(clinic):
    task = clinic.invited(pools=("auto", "far"))
    me = clinic.patient()
    wishes = Wishes(days=frozenset({2}), after=600, sex="female", modes=frozenset({"video"}))
    best = me.offers(task, wishes=wishes).offers[0]
    assert (best.pool, best.start, best.score) == ("far", oslo(2027, 1, 6, 10), 1.0)
    assert best.parts["wishes"] == 1.0
    assert best.session.resources["doctor"] == ("dr-b",)
    assert me.offers(task).offers[0].parts.keys() == {"earliness", "gaps", "scarcity"}
    must = Wishes(language="se", not_on=frozenset({date(2027, 1, 6)}), must=frozenset({"language"}))
    assert doctors(me.offers(task, 100, must)) == {"dr-b"}
    nobody = Wishes(language="fr", must=frozenset({"language"}))
    assert me.offers(task, wishes=nobody).offers == ()


def test_the_visit_is_with_who_was_shown(clinic):
    task = clinic.invited()
    me = clinic.patient()
    offer = me.offers(task, wishes=Wishes(sex="female")).offers[0]
    assert me.choose(task, offer).resources["doctor"] == ("dr-b",)


def test_who_was_shown_is_gone(clinic):
    """Dr B is taken by another; without an offer in hand, anybody will do."""
    task, other = clinic.invited(), clinic.invited("p-2", pools=("far",))
    me = clinic.patient()
    offer = me.offers(task, wishes=Wishes(sex="female")).offers[0]
    female = Wishes(sex="female", must=frozenset({"sex"}))
    theirs = clinic.patient("p-2").offers(other, 100, female).offers
    clinic.patient("p-2").choose(other, next(o for o in theirs if o.start == offer.start))
    with pytest.raises(TimeTaken):
        me.choose(task, offer)
    assert me.choose(task, offer.start).resources["doctor"] == ("dr-a",)


@pytest.mark.parametrize("who", [{"sex": "female"}, {"sex": "male"}])
def test_the_clinician_of_last_time_is_known_from_the_visits(clinic, who):
    me = clinic.patient()
    task = clinic.invited()
    assert "same_clinician" not in me.offers(task).offers[0].parts
    keep = Wishes(**who, must=frozenset({"sex"}))
    visit = me.choose(task, me.offers(task, wishes=keep).offers[0])
    clinic.work()
    again = clinic.invited(not_before=date(2027, 1, 20))
    early = me.offers(again).offers[0]
    assert "same_clinician" not in early.parts  # they have not met yet
    clinic.at(date(2027, 1, 18))
    assert visit.start < clinic.clock.now(None)
    again = clinic.invited(opens=date(2027, 1, 18), due=date(2027, 1, 20))
    best = me.offers(again).offers[0]
    assert best.parts["same_clinician"] == 1.0
    assert best.session.resources["doctor"] == visit.resources["doctor"]
    same = Wishes(must=frozenset({"clinicians"}))
    assert doctors(me.offers(again, 100, same)) == {visit.resources["doctor"][0]}
    stranger = clinic.invited("p-2", opens=date(2027, 1, 18), due=date(2027, 1, 20))
    assert clinic.patient("p-2").offers(stranger, wishes=same).offers
