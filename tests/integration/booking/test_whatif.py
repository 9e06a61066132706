"""What an edited file would do: the same as publishing it does, and nothing is written."""

from datetime import date

import pytest

from tests.integration.booking.test_replan import away, chosen
from tests.world import document, pool
from timevalg.model.errors import InvalidInput

DAY = date(2027, 1, 20)


def test_the_forecast_is_what_happens(world):
    _, visit, _ = chosen(world)
    tight = world.invited("p-2", not_before=DAY, not_after=DAY)
    wide = world.invited("p-3", not_before=DAY, not_after=date(2027, 1, 21))
    world.desk.amend(wide, not_after=date(2027, 1, 25))
    source = away(2, last=date(2027, 1, 21))
    before = world.dump()
    found = world.what_if(source)
    after = world.dump()
    looked = [a for a in after["audit"] if a not in before["audit"]]
    assert {a.verb for a in looked} == {"what if"}
    assert tight.id in {a.key for a in looked}
    assert after | {"audit": before["audit"]} == before
    assert found.published.clinics == ("clinic",)
    assert list(found.lost) == [tight.id]
    assert found.lost[tight.id].last == DAY
    assert [old.task for old, _ in found.moved] == [wide.id]
    assert [p.visit.id for p in found.proposals] == [visit.id]
    published = world.publish(source)
    assert (published.lost, published.outside) == (
        found.published.lost,
        found.published.outside,
    )
    (_, new) = found.moved[0]
    assert world.sessions(task=wide.id)[0].start == new.start
    assert [p.session.start for p in world.desk.replan().proposals] == [
        p.session.start for p in found.proposals
    ]


def test_the_same_file_changes_nothing(quick):
    found = quick.what_if(document())
    assert (found.published.clinics, found.moved, found.lost) == ((), (), {})


def test_a_file_that_could_not_be_published_is_refused_alike(quick):
    quick.invited(pools=("manual",))
    with pytest.raises(InvalidInput, match="manual is still needed"):
        quick.what_if(document(pools=[pool("auto")]))


def test_the_picture_that_others_plan_on_stays_the_true_one(quick):
    task = quick.invited()
    quick.what_if(document(pools=[pool("auto", open=[])]))
    assert quick.patient().offers(task).offers
    quick.patient().choose(task, quick.patient().offers(task).offers[0])
