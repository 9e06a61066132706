"""Time is taken once, given back, and found again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.contract.samples import AWKWARD, NINE, ORG, OTHER, at, session, span
from timevalg.booking.unit_of_work import Between, Store
from timevalg.model.errors import Conflict, InvalidInput, TimeTaken
from timevalg.model.session import Claim, Session, SessionKind


def claim(store: Store, *sessions: Session, organisation: str = ORG) -> None:
    store.run(organisation, lambda unit: unit.sessions.claim(sessions))


def keys(store: Store, **criteria: object) -> list[str]:
    return [s.id for s in store.run(ORG, lambda unit: unit.sessions.find(**criteria), write=False)]


FULL = Session(
    id=AWKWARD,
    kind=SessionKind.HOLD,
    clinic="gastro",
    start=datetime(2027, 1, 4, 9, 0, 0, 5, tzinfo=UTC),
    length=60,
    service="colonoscopy",
    pool="colonoscopy-first",
    task="t-1",
    patient="p-1",
    resources={"nurse": ("nurse-2", "nurse-1"), "room": ("chair/3",), "none": ()},
    spans={
        "nurse-1": span(0, 60),
        "nurse-2": span(0, 60),
        "chair/3": span(-5, 75),
        "æ": span(1, 2),
    },
    until=at(10),
    is_place=True,
)
EMPTY = Session(id="s-0", kind=SessionKind.BLOCK, clinic="gastro", start=NINE, length=5)


@pytest.mark.parametrize("value", [FULL, EMPTY])
def test_comes_back_equal(store: Store, value: Session):
    claim(store, value)
    assert store.run(ORG, lambda unit: unit.sessions.get(value.id), write=False) == value
    assert store.run(ORG, lambda unit: unit.sessions.find(), write=False) == [value]


OVERLAPS = [(0, 30), (-10, 50), (10, 5), (-10, 15), (25, 15), (0, 5), (25, 5), (-600, 1200)]


@pytest.mark.parametrize(("start", "length"), OVERLAPS)
@pytest.mark.parametrize("neighbours", [False, True])
def test_no_overlap(store: Store, start: int, length: int, neighbours: bool):
    claim(store, session())
    if neighbours:
        claim(store, session("s-before", -30), session("s-after", 30))
    with pytest.raises(TimeTaken):
        claim(store, session("s-2", start, length))
    with pytest.raises(TimeTaken):
        claim(store, session("s-2", start, length, ("room-1", "dr-berg")))
    assert "s-2" not in keys(store)


def test_touching_is_no_overlap(store: Store):
    claim(store, session("s-1", 0, 30), session("s-2", 30, 30), session("s-3", -30, 30))
    claim(store, session("s-4", 60, 1), session("s-5", 62, 1), session("s-6", 61, 1))
    assert len(keys(store)) == 6


def test_no_overlap_within_one_call(store: Store):
    with pytest.raises(TimeTaken):
        claim(store, session("s-1"), session("s-2", 29))
    assert keys(store) == []


def test_other_resources_do_not_matter(store: Store):
    claim(store, session("s-1"), session("s-2", resources=("dr-lie",)))
    claim(store, session("s-3", resources=("Dr-berg",)), session("s-4", resources=("dr-berg ",)))
    assert keys(store) == ["s-1", "s-2", "s-3", "s-4"]


def test_a_patient_is_in_one_place_at_a_time(store: Store):
    claim(store, session("s-1", patient="p-1"))
    with pytest.raises(TimeTaken):
        claim(store, session("s-2", 15, resources=("dr-lie",), patient="p-1"))
    claim(store, session("s-3", 30, resources=("dr-lie",), patient="p-1"))
    claim(store, session("s-4", resources=("p-1",), patient="dr-berg"))  # names do not mix


def test_every_kind_takes_its_time(store: Store):
    for number, kind in enumerate(SessionKind):
        until = at(10) if kind is SessionKind.HOLD else None
        claim(store, session(f"s-{kind}", number * 30, kind=kind, until=until))
        with pytest.raises(TimeTaken):
            claim(store, session("s-x", number * 30 + 10, 5))


def test_organisations_do_not_hinder_each_other(store: Store):
    claim(store, session(patient="p-1"))
    claim(store, session(patient="p-1"), organisation=OTHER)
    assert store.run(OTHER, lambda unit: unit.sessions.release(["s-1"])) == 1
    assert keys(store) == ["s-1"]
    with pytest.raises(TimeTaken):
        claim(store, session("s-2"))


def test_what_is_given_back_can_be_taken(store: Store):
    claim(store, session("s-1", patient="p-1"), session("s-2", 30))
    assert store.run(ORG, lambda unit: unit.sessions.release(["s-1", "s-9", "s-1"])) == 1
    claim(store, session("s-3", patient="p-1"))
    assert keys(store) == ["s-3", "s-2"]
    assert store.run(ORG, lambda unit: unit.sessions.release([])) == 0


def test_moved_in_one_transaction(store: Store):
    claim(store, session("s-1"), session("s-2", 30))

    def swap(unit):
        unit.sessions.release(["s-1", "s-2"])
        unit.sessions.claim([session("s-1", 30), session("s-2", 0)])

    store.run(ORG, swap)
    assert keys(store) == ["s-2", "s-1"]

    def clash(unit):
        unit.sessions.release(["s-1"])
        unit.sessions.claim([session("s-1", 15)])

    with pytest.raises(TimeTaken):
        store.run(ORG, clash)
    assert store.run(ORG, lambda unit: unit.sessions.get("s-1")).start == at(30)


def test_taking_and_giving_back_are_told_by_key_alone(store: Store):
    claim(store, session("s-1", task="t-1"))
    store.run(ORG, lambda unit: unit.sessions.release(["s-1"]))
    told = store.run(ORG, lambda unit: unit.events.read(internal=True), write=False)
    assert [(e.type, e.key, e.task, e.clinic) for e in told] == [
        ("session.claimed", "s-1", "t-1", "gastro"),
        ("session.released", "s-1", "t-1", "gastro"),
    ]
    assert {(e.subject, e.old, e.new) for e in told} == {("session", None, None)}


def test_ids_are_unique(store: Store):
    claim(store, session())
    with pytest.raises(Conflict, match="already a session"):
        claim(store, session(start=60))


def test_criteria(store: Store):
    hold = session("s-3", 60, kind=SessionKind.HOLD, until=at(10), patient="p-1", task="t-1")
    claim(store, session("s-2"), session("s-1", 30, task="t-2"), hold)
    assert keys(store) == ["s-2", "s-1", "s-3"]
    assert keys(store, kind=SessionKind.HOLD) == ["s-3"]
    assert keys(store, kind=[SessionKind.HOLD, SessionKind.BOOKING], task=None) == ["s-2"]
    assert keys(store, task=["t-1", "t-2"]) == ["s-1", "s-3"]
    assert keys(store, patient="p-1") == ["s-3"]
    assert keys(store, start=Between(at(30), at(60))) == ["s-1"]
    assert keys(store, id=["s-1", "s-2"]) == ["s-2", "s-1"]
    assert keys(store, pool="other") == []
    with pytest.raises(TypeError):
        keys(store, spans={})


def test_touching(store: Store):
    claim(
        store,
        session("s-1", patient="p-1"),
        session("s-2", 30),
        session("s-3", 60),
        session("s-4", 40, resources=("dr-lie", "room-1"), patient="p-2"),
    )

    def touched(**spans: object) -> list[str]:
        given = [Claim(k.replace("_", ":", 1).replace("_", "-"), s) for k, s in spans.items()]
        found = store.run(ORG, lambda unit: unit.sessions.touching(given), write=False)
        assert all(s == store.run(ORG, lambda u, k=s.id: u.sessions.get(k)) for s in found)
        return [s.id for s in found]

    assert touched(r_dr_berg=span(0, 90)) == ["s-1", "s-2", "s-3"]
    assert touched(r_dr_berg=span(30, 60)) == ["s-2"]
    assert touched(r_dr_berg=span(29, 31)) == ["s-1", "s-2"]
    assert touched(r_dr_berg=span(35, 36)) == ["s-2"]
    assert touched(r_dr_berg=span(90, 99)) == []
    assert touched(r_dr_berg=span(-9, 0)) == []
    assert touched(p_p_1=span(10, 11), r_room_1=span(0, 99)) == ["s-1", "s-4"]
    assert touched(r_room_1=span(45, 46), r_dr_lie=span(0, 99)) == ["s-4"]
    assert touched(r_nobody=span(0, 99)) == []
    assert touched() == []


def test_touching_or_meeting_criteria(store: Store):
    near = session("s-1", 0, 30)
    of_task = session("s-2", 60, 30, task="t-1")
    held = session("s-3", 120, 30, patient="p-1", kind=SessionKind.HOLD, until=at(10))
    claim(store, near, of_task, held, session("s-4", 180, 30, task="t-2", patient="p-1"))
    claim(store, session("s-5", 240, 30, task="t-1"), organisation=OTHER)
    claims = [Claim("r:dr-berg", span(10, 20))]
    also = ({"task": {"t-1"}}, {"patient": "p-1", "kind": SessionKind.HOLD})

    def asked(*given: Any) -> list[Session]:
        return store.run(ORG, lambda unit: unit.sessions.touching(*given), write=False)

    assert asked(claims, *also) == [near, of_task, held]
    assert asked([], *also) == [of_task, held]
    assert asked([], {"id": {"s-1", "s-5"}}) == [near]
    assert asked([]) == []


def test_touching_many(store: Store):
    many = [session(f"s-{i}", resources=(f"r-{i}",)) for i in range(250)]
    claim(store, *many)
    spans = [Claim(f"r:r-{i}", span(10, 20)) for i in range(250)]
    found = store.run(ORG, lambda unit: unit.sessions.touching(spans), write=False)
    assert {s.id for s in found} == {s.id for s in many}
    twice = [
        Claim("r:r-7", span(0, 10)),
        Claim("r:r-7", span(29, 40)),
        Claim("r:r-8", span(30, 40)),
    ]
    found = store.run(ORG, lambda unit: unit.sessions.touching(twice), write=False)
    assert [s.id for s in found] == ["s-7"]
    assert store.run(ORG, lambda unit: unit.sessions.release([s.id for s in many])) == 250


def test_expired_holds(store: Store):
    def hold(key: str, start: int, until: int) -> Session:
        return session(key, start, kind=SessionKind.HOLD, until=at(until))

    claim(store, hold("s-1", 0, 10), hold("s-2", 30, 11), session("s-3", 60))

    def expired(minutes: int) -> list[str]:
        found = store.run(ORG, lambda unit: unit.sessions.expired(at(minutes)), write=False)
        assert all(not s.is_live(at(minutes)) for s in found)
        return [s.id for s in found]

    assert expired(9) == []
    assert expired(10) == ["s-1"]
    assert expired(600) == ["s-1", "s-2"]


@pytest.mark.parametrize(
    "start", [datetime(1969, 12, 31, 23, 50, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)]
)
def test_time_out_of_all_bounds_is_refused(store: Store, start: datetime):
    far = replace(session(), start=start, patient="p-1", spans={})
    with pytest.raises(InvalidInput):
        claim(store, far)
    assert keys(store) == []


def test_the_last_and_the_first_instant_can_be_taken(store: Store):
    last = replace(
        session(), spans={}, patient="p-1", start=datetime(2199, 12, 31, 23, 30, tzinfo=UTC)
    )
    first = replace(last, id="s-2", start=datetime(1970, 1, 1, tzinfo=UTC))
    claim(store, last, first)
    assert keys(store) == ["s-2", "s-1"]


def test_nobody_cannot_be_claimed(store: Store):
    for nobody in (replace(session(), patient=""), session(resources=("",))):
        with pytest.raises(InvalidInput):
            claim(store, nobody)
    assert keys(store) == []
