"""A prover that fails never means "no appointment": everything goes on by repair alone."""

from datetime import date

import pytest

from tests.integration.booking.test_replan import away
from tests.world import World, document, oslo
from timevalg.model.errors import NotServable
from timevalg.prover import CpSat
from timevalg.store import Memory

DAY = date(2027, 1, 20)


@pytest.fixture
def alone():
    """A world whose prover cannot be started."""
    return World(Memory, prover=CpSat(command=("/there/is/no/such/program",)))


def test_a_task_goes_from_invitation_to_visit_and_on_to_another(alone):
    common = {"pools": ["auto"], "opens": date(2027, 1, 4), "due": date(2027, 1, 8)}
    tight = {"not_before": DAY, "not_after": DAY}
    many = [{"patient": f"q-{n}", **common, **tight} for n in range(9)]
    answers = alone.desk.invite_many(many)
    assert [a.task is None for a in answers].count(True) == 1  # nine for eight starts
    reserves = alone.desk.reserves()
    assert len(reserves.places) == 8
    tasks = [a.task for a in answers if a.task is not None]
    me = alone.patient(tasks[0].patient)
    visit = me.choose(tasks[0], me.offers(tasks[0]).offers[0])
    alone.at(date(2027, 1, 9), 0)  # the fallback
    assert {alone.task(t).state for t in tasks} == {"confirmed"}
    alone.publish(away(2))
    found = alone.desk.replan()
    assert len(found.proposals) == 8
    assert not found.proven
    assert all(p.certificate is not None for p in found.proposals)
    again = alone.desk.rebook(visit.id).task
    assert again.state == "open"
    assert alone.patient(again.patient).offers(again).offers
    assert alone.promises_broken() == {}


def test_what_cannot_be_served_is_still_told(alone):
    alone.publish(document())
    alone.desk.block("clinic", ["room"], oslo(2027, 1, 20, 8), oslo(2027, 1, 20, 16), reason="x")
    answer = alone.invite(not_before=DAY, not_after=DAY)
    assert answer.shortage.roles == ("room",)
    task = alone.invited()
    with pytest.raises(NotServable):
        alone.desk.amend(task, not_before=DAY, not_after=DAY)
