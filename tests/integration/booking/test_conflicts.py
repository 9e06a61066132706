"""Rows from outside that overlap or break rules are neither lost nor silently accepted."""

from dataclasses import replace
from datetime import date, datetime

import pytest

from tests.world import document, oslo
from timevalg.booking.sync import CalendarRow
from timevalg.model.errors import NotAllowed

AT, LATER, NIGHT = oslo(2027, 1, 20, 9), oslo(2027, 1, 21, 9), oslo(2027, 1, 20, 14)
DAY = date(2027, 1, 20)
A, B = ({"doctor": (d,), "room": ("room",)} for d in ("dr-a", "dr-b"))


def row(ref="kontakt/1", version=1, start=AT, **more):
    fields = {"clinic": "clinic", "service": "talk", "resources": A, "patient": "p-9", **more}
    return CalendarRow(ref, version, start=start, **fields)


def starts(case):
    return [datetime.fromisoformat(p["start"]) for p in case.detail["proposals"]]


def test_an_overlap_names_the_visit_in_the_way_and_the_nearest_times_that_are_free(world):
    visit = world.patient().choose(world.invited(), AT)
    assert world.dips.sync([row(pool="auto")]).conflicts == ("kontakt/1",)
    (case,) = world.cases("conflict")
    assert [b["appointment"] for b in case.detail["in_the_way"]] == [visit.id]
    near = [oslo(2027, 1, 20, h, m) for h, m in ((8, 30), (9, 30), (8, 0), (10, 0), (10, 30))]
    assert starts(case) == near
    assert case.detail["proposals"][0] == {
        "start": near[0].isoformat(),
        "pool": "auto",
        "resources": {"doctor": ["dr-a"], "room": ["room"]},
    }
    told = world.events("staff.conflict")[-1]
    assert told.new["proposals"] == case.detail["proposals"]


def test_what_is_proposed_can_be_booked_and_strands_nobody(world):
    world.patient().choose(world.invited(), AT)
    others = [world.invited(f"q-{n}", not_before=DAY, not_after=DAY) for n in range(5)]
    world.dips.sync([row()])  # without a pool: any that has the service
    proposed = starts(world.cases("conflict")[0])
    assert proposed
    for number, start in enumerate(proposed):
        again = row(f"kontakt/1{number}", start=start, patient=f"r-{number}")
        assert world.dips.sync([again]).applied
    assert len(others) == len(world.sessions(kind="place"))
    assert world.cases("capacity-loss") == []
    assert world.promises_broken() == {}


def test_the_patient_is_free_at_what_is_proposed(world):
    visit = world.patient("p-9").choose(world.invited("p-9"), oslo(2027, 1, 20, 9, 30))
    world.patient("p-1").choose(world.invited("p-1"), AT)
    assert world.dips.sync([row(resources=B, pool="auto")]).conflicts
    assert visit.start not in starts(world.cases("conflict")[0])


def test_one_that_only_breaks_rules_is_booked_and_on_the_staff_list(world):
    synced = world.dips.sync([row(start=NIGHT, pool="auto"), row("kontakt/2", start=LATER)])
    assert (synced.applied, synced.broken) == (("kontakt/1", "kontakt/2"), ("kontakt/1",))
    visit = world.desk.appointment("kontakt/1")
    (case,) = world.cases("conflict")
    assert (case.appointment, case.ref) == (visit.id, "kontakt/1")
    assert [b.split(":")[0] for b in case.detail["broken"]] == ["opening"]
    assert starts(case)
    world.desk.move(visit, start=starts(case)[0])
    assert world.cases() == []


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"start": NIGHT}, "opening"),
        ({"start": oslo(2027, 1, 20, 9, 10)}, "opening"),
        ({"start": oslo(2027, 1, 23, 9)}, "opening"),
        ({"resources": {"doctor": ("dr-a", "dr-b"), "room": ("room",)}}, "resources"),
        ({"resources": {"room": ("room",)}}, "resources"),
    ],
)
@pytest.mark.parametrize("owner", ["record-system", "timevalg"])
def test_the_owner_of_appointments_decides_about_rules(quick, fields, rule, owner):
    quick.desk.set_owner(owner)
    synced = quick.dips.sync([row(pool="auto", **fields)])
    (case,) = quick.cases("conflict")
    assert case.reason.startswith(rule)
    booked = owner == "record-system"
    assert synced.conflicts == (() if booked else ("kontakt/1",))
    assert len(quick.sessions()) == booked
    assert starts(case)


def test_a_full_quota_is_a_rule(make_world):
    world = make_world(document(quotas=[{"pools": ["auto"], "per": "day", "max": 1}]))
    world.patient().choose(world.invited(), AT)
    at = oslo(2027, 1, 20, 11)
    assert world.dips.sync([row(start=at, pool="auto")]).broken == ("kontakt/1",)
    assert "quota" in world.cases("conflict")[0].reason
    assert DAY not in {s.date() for s in starts(world.cases("conflict")[0])}


def test_notice_does_not_bind_visits_that_are_there_nor_any_rule_what_is_past(quick):
    rows = [row(start=oslo(2027, 1, 4, 8, 30), pool="auto")]
    rows.append(row("kontakt/2", start=oslo(2026, 12, 24, 23), pool="auto"))
    assert quick.dips.sync(rows).applied == ("kontakt/1", "kontakt/2")
    assert quick.cases() == []


def test_timevalgs_own_visits_are_not_moved_or_cancelled_from_outside(world):
    task, visit = world.chosen(pools=("record",))
    world.dips.accept(visit, ref="kontakt/1")
    imported = row("kontakt/2", start=LATER)
    world.dips.sync([imported])
    world.desk.set_owner("timevalg")
    moved = row(start=oslo(2027, 1, 22, 9), patient="p-1", resources=dict(visit.resources))
    gone = CalendarRow("kontakt/1", 2, deleted=True)
    for version, change in enumerate((moved, gone), 3):
        synced = world.dips.sync([replace(change, version=version)])
        assert synced.conflicts == ("kontakt/1",)
        assert world.visit(task).start == visit.start
        (case,) = world.cases("conflict")
        assert "timevalg's own" in case.reason
        assert case.appointment == visit.id
    echo = row(version=9, start=visit.start, patient="p-1", resources=dict(visit.resources))
    assert world.dips.sync([echo]).applied == ("kontakt/1",)
    assert world.cases() == []
    away = CalendarRow("kontakt/2", 2, deleted=True)  # the record system's own it may cancel
    assert world.dips.sync([away]).applied == ("kontakt/2",)
    world.desk.set_owner("record-system")
    assert world.dips.sync([replace(moved, version=10)]).applied == ("kontakt/1",)


def test_nothing_overlaps_whoever_owns(quick):
    quick.patient().choose(quick.invited(), AT)
    for owner in ("record-system", "timevalg"):
        quick.desk.set_owner(owner)
        assert quick.dips.sync([row()]).conflicts == ("kontakt/1",)
    assert quick.overlaps() == []


def test_who_owns_appointments_is_told_and_written_down_once(world):
    first = world.desk.set_owner("timevalg", "agreed")
    assert world.desk.set_owner("timevalg") == first
    (event,) = world.events("organisation.owner-set")
    assert (event.reason, event.new) == ("agreed", {"appointments": "timevalg"})
    assert world.desk.set_owner("record-system").version == 2
    found = world.read(lambda unit: unit.audit.find(verb="set owner"))
    assert [a.principal for a in found] == ["anna", "anna"]


def test_a_planner_of_one_clinic_does_not_decide_for_all(quick):
    with pytest.raises(NotAllowed, match="every clinic"):
        quick.valg.planner("kari", ["clinic"]).set_owner("timevalg")


def test_a_conflict_tried_again_is_the_same_case_with_what_is_free_now(world):
    world.patient().choose(world.invited(), AT)
    world.dips.sync([row()])
    (before,) = world.cases("conflict")
    world.dips.sync([row("kontakt/2", start=starts(before)[0])])
    world.dips.sync([row()])
    (after,) = world.cases("conflict")
    assert (after.id, after.created_at) == (before.id, before.created_at)
    assert starts(before)[0] not in starts(after)
    assert len(world.events("staff.conflict")) == 1


def test_rows_of_one_call_are_seen_by_those_after_them(world):
    rows = [row(), row("kontakt/2", patient="p-8"), row("kontakt/3", start=LATER)]
    synced = world.dips.sync(rows)
    assert (synced.applied, synced.conflicts) == (("kontakt/1", "kontakt/3"), ("kontakt/2",))
    first = world.desk.appointment("kontakt/1")
    assert world.cases("conflict")[0].detail["in_the_way"][0]["appointment"] == first.id
    moving = [row(version=2, start=oslo(2027, 1, 22, 9)), row("kontakt/2", patient="p-8")]
    assert world.dips.sync(moving).applied == ("kontakt/1", "kontakt/2")


def test_visits_that_only_share_a_cell_do_not_overlap(world):
    world.dips.sync([row(start=oslo(2027, 1, 20, 9, 2))])
    assert world.dips.sync([row("kontakt/2", start=oslo(2027, 1, 20, 9, 32))]).conflicts == ()
