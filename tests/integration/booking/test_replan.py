"""After an absence: the fewest visits move, with the least harm, and nobody is stranded by it."""

from datetime import date, timedelta

import pytest

from tests.integration.booking.ways import ended
from tests.world import document, oslo, pool
from timevalg.model.errors import IllegalMove, NotServable
from timevalg.model.states import LIVE

DAY = date(2027, 1, 20)
AT = oslo(2027, 1, 20, 9)


def away(*who, first=DAY, last=DAY, **more):
    source = document(**more)
    for number in who:
        source["resources"][number]["away"] = [{"from": first, "to": last, "reason": "Sick"}]
    return source


def chosen(world, patient="p-1", at=AT, **more):
    task = world.invited(patient, **more)
    visit = world.patient(patient).choose(task, at)
    world.work()
    return world.task(task), world.visit(task), visit.resources["doctor"][0]


def doctor_of(world, name):
    return ["dr-a", "dr-b"].index(name)


def test_nothing_is_proposed_where_everybody_is_there(world):
    chosen(world)
    assert world.desk.replan().proposals == ()


def test_another_clinician_at_the_same_time_comes_first(world):
    _, visit, doctor = chosen(world)
    other = chosen(world, "p-2", oslo(2027, 1, 21, 9))[1]
    world.publish(away(doctor_of(world, doctor)))
    before = world.dump()
    (proposal,) = world.desk.replan().proposals
    after = world.dump()
    (looked,) = [a for a in after["audit"] if a not in before["audit"]]
    assert (looked.verb, looked.key, looked.patient) == ("replan", visit.id, visit.patient)
    assert after | {"audit": before["audit"]} == before
    assert (proposal.visit.id, proposal.absent) == (visit.id, (f"{doctor} is away",))
    assert (proposal.task, proposal.harm) == (None, ("another clinician",))
    done = world.desk.rebook(visit, reason="sick leave", version=proposal.visit.version)
    assert (done.task, done.visit.start) == (None, visit.start)
    assert done.visit.resources["doctor"] != (doctor,)
    assert done.visit.resources["room"] == visit.resources["room"]
    assert world.desk.replan().proposals == ()
    assert world.visit(other.task) == other
    assert world.promises_broken() == {}
    with pytest.raises(IllegalMove, match="all it needs is there"):
        world.desk.rebook(visit)


def test_else_the_patient_chooses_again_and_has_a_place_meanwhile(world):
    _, visit, _ = chosen(world)
    world.publish(away(2))  # the only room
    (proposal,) = world.desk.replan().proposals
    assert proposal.task is not None
    assert proposal.harm == ("another day",)  # the same clinician, near the old time
    assert abs(proposal.session.start - visit.start) <= timedelta(days=1)
    done = world.desk.rebook(visit, reason="flood")
    assert done.visit.state == "cancelled"
    assert (done.task.state, done.task.patient) == ("open", "p-1")
    ended(world, done.task, "open")
    assert world.sessions(task=done.task.id)[0].start == proposal.session.start
    world.work()
    kinds = [x.kind for x in world.letters(patient="p-1")]
    assert kinds.count("cancellation") == 1
    assert kinds.count("choice") == 1
    again = world.patient().choose(done.task, world.patient().offers(done.task).offers[0])
    assert again.start.date() != DAY
    assert world.promises_broken() == {}
    with pytest.raises(IllegalMove) as twice:
        world.desk.rebook(visit)
    assert "all it needs is there" not in str(twice.value)


def test_who_does_not_answer_gets_a_time(quick):
    _, visit, _ = chosen(quick)
    quick.publish(away(2))
    task = quick.desk.rebook(visit, due=date(2027, 1, 6)).task
    assert task.due == date(2027, 1, 6)
    quick.at(date(2027, 1, 7), 0)
    ended(quick, task, "confirmed")


def test_a_choice_that_nobody_was_told_of_goes_back_to_staff(quick):
    task = quick.invited(pools=("manual",))
    visit = quick.patient().choose(task, AT)
    quick.publish(away(2))
    done = quick.desk.rebook(visit)
    assert done.task.id == task.id
    ended(quick, task, "with-staff")
    assert "must-move" in {c.kind for c in quick.cases()}


def test_only_those_move_who_must_and_proposals_fit_together(quick):
    kept = [chosen(quick, f"k-{n}", oslo(2027, 1, 21, 8 + n))[1] for n in range(3)]
    gone = [chosen(quick, f"g-{n}", oslo(2027, 1, 20, 8 + n))[1] for n in range(3)]
    narrow = quick.desk.invite_many(
        [
            {"patient": f"q-{n}", "pools": ["auto"], "opens": date(2027, 1, 4)}
            | {"due": date(2027, 1, 8), "not_before": day, "not_after": day}
            for n, day in enumerate([date(2027, 1, 21)] * 4)
        ]
    )
    quick.publish(away(2))
    found = quick.desk.replan().proposals
    assert {p.visit.id for p in found} == {v.id for v in gone}
    assert len({p.session.start for p in found}) == 3
    for proposal in found:
        quick.desk.rebook(proposal.visit)
        assert quick.promises_broken() == {}
    assert all(quick.visit(v.task).start == v.start for v in kept)
    assert [quick.task(a.task).state in LIVE for a in narrow] == [True] * 4
    assert quick.overlaps() == []


def test_nothing_is_found_and_the_visit_stays(quick):
    _, visit, _ = chosen(quick)
    quick.publish(away(2, first=date(2027, 1, 4), last=date(2027, 3, 31)))
    (proposal,) = quick.desk.replan().proposals
    assert proposal.certificate is None
    before = quick.dump()
    with pytest.raises(NotServable):
        quick.desk.rebook(visit)
    assert quick.dump() == before


def test_a_visit_outside_the_openings_alone_can_stand(quick):
    chosen(quick)
    result = quick.publish(document(pools=[pool(n, open=[]) for n in POOLS]))
    assert len(result.outside) == 1
    assert quick.desk.replan().proposals == ()


def test_a_lost_place_is_found_again_when_the_file_allows(quick):
    task = quick.invited()
    assert quick.publish(away(2, first=date(2027, 1, 4), last=date(2027, 3, 1))).lost == (task.id,)
    assert quick.publish(document()).lost == ()
    ended(quick, task, "open")
    assert quick.cases("capacity-loss") == []


POOLS = ("auto", "manual", "record", "staff")
