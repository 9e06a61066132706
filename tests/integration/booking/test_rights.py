"""Rights are given on, never more than one has, and taken back with what was given from them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.waiting import until
from tests.world import ORGANISATION, document, oslo
from timevalg.booking import standing, tell_systems
from timevalg.model.errors import InvalidInput, NotAllowed, NotFound
from timevalg.model.principal import Principal, RoleName, worker

ROOT, HEAD, SECRETARY = "hpr:1", "hpr:2", "hpr:3"


@pytest.fixture
def world(quick):
    """In memory; what the stores do differently is asked of `stored`, on each."""
    return quick


@pytest.fixture
def operator(world):
    return two_clinics(world)


def two_clinics(world):
    source = document()
    source["clinic"] |= {"id": "other"}
    source["resources"] = [{"id": "dr-o", "kind": "clinician", "skills": ["talk"]}]
    source["services"][0]["roles"] = source["services"][0]["roles"][:1]
    source["pools"] = [{**source["pools"][0], "id": "other-pool"}]
    world.publish(source)
    operator = world.valg.operator()
    operator.set_unit("medicine", "Medicine", ["clinic"])
    return operator


def chain(world, operator):
    """Trust → unit → clinic."""
    root = operator.give(ROOT, "planner", may_delegate=True)
    head = world.valg.rights(ROOT).give(
        HEAD, "planner", giver=root, unit="medicine", may_delegate=True
    )
    last = world.valg.rights(HEAD).give(SECRETARY, "secretary", giver=head, clinic="clinic")
    return root, head, last


def test_each_sees_their_own_and_all_else_is_not_found(world, operator):
    chain(world, operator)
    here, there = world.invited(), world.invited("p-2", pools=["other-pool"])
    secretary = world.valg.desk(SECRETARY, "secretary")
    assert secretary.task(here.id).id == here.id
    assert [t.id for t in secretary.tasks()] == [here.id]
    with pytest.raises(NotFound):
        secretary.task(there.id)
    head = world.valg.desk(ROOT)
    assert {t.id for t in head.tasks()} == {here.id, there.id}


def test_who_holds_nothing_does_nothing(world, operator):
    with pytest.raises(NotAllowed, match="no right here stands"):
        world.valg.desk("hpr:9")
    forged = Principal("hpr:9", RoleName.PLANNER, ORGANISATION, by_rights=True)
    task = world.invited()
    with pytest.raises(NotAllowed, match="does not stand"):
        replace(world.desk, principal=forged).task(task.id)
    with pytest.raises(NotAllowed, match="does not stand"):
        replace(world.dips, principal=replace(forged, role=RoleName.SYSTEM)).events()


def test_what_the_giver_loses_is_lost_by_all_who_have_it_from_them(stored):
    world, operator = stored, two_clinics(stored)
    task = world.invited()
    root, head, _ = chain(world, operator)
    secretary, middle = world.valg.desk(SECRETARY, "secretary"), world.valg.desk(HEAD)
    secretary.task(task.id)
    world.valg.rights(ROOT).revoke(head)
    for view in (secretary, middle):  # they had signed on before
        with pytest.raises(NotAllowed, match="does not stand"):
            view.task(task.id)
    world.valg.desk(ROOT).task(task.id)
    operator.revoke(root)
    with pytest.raises(NotAllowed):
        world.valg.desk(ROOT)


def test_without_the_question_in_each_act_a_lost_right_would_go_on(quick, monkeypatch):
    """The guard off: what was revoked still opens."""
    task = quick.invited()
    right = quick.valg.operator().give(ROOT, "planner")
    desk = quick.valg.desk(ROOT)
    quick.valg.operator().revoke(right)
    with pytest.raises(NotAllowed):
        desk.task(task.id)
    for asking in ("running", "use_cases"):
        monkeypatch.setattr(f"timevalg.booking.{asking}.require_standing", lambda *_: None)
    assert desk.task(task.id)


def test_a_unit_that_loses_a_clinic_takes_it_from_all_its_people(world, operator):
    task = world.invited()
    chain(world, operator)
    secretary = world.valg.desk(SECRETARY, "secretary")
    operator.set_unit("medicine", "Medicine", ["other"])
    with pytest.raises(NotAllowed):
        secretary.task(task.id)


def test_a_unit_has_only_clinics_that_there_are(world, operator):
    before = world.valg.operator().units()
    for wrong, told in (
        (["clinic", "eye"], "no clinic eye; name one of clinic, other, or publish its file first"),
        (["b", "a"], "no clinic a nor b; name one of"),
    ):
        with pytest.raises(InvalidInput, match=told):
            operator.set_unit("medicine", "Medicine", wrong)
    assert world.valg.operator().units() == before
    assert operator.set_unit("empty", "Nobody", []).clinics == ()


MORE = {
    "it reaches further": {"clinic": "other"},
    "may do what": {"role": "system", "clinic": "clinic"},
    "it begins before": {"clinic": "clinic", "starts": oslo(2020, 1, 1)},
    "it ends after": {"clinic": "clinic", "ends": oslo(2029, 1, 1)},
}


@pytest.mark.parametrize("why", MORE)
def test_nobody_gives_more_than_they_have(world, operator, why):
    until = world.clock.now(None) + timedelta(days=30)
    root = operator.give(ROOT, "planner", unit="medicine", ends=until, may_delegate=True)
    gift = {"role": "planner", "ends": until, **MORE[why]}
    before = operator.list()
    with pytest.raises(NotAllowed, match=why):
        world.valg.rights(ROOT).give(HEAD, gift.pop("role"), giver=root, **gift)
    assert operator.list() == before


def test_what_may_not_be_given_on_is_not(world, operator):
    root = operator.give(ROOT, "planner")
    with pytest.raises(NotAllowed, match="may not be given on"):
        world.valg.rights(ROOT).give(HEAD, "planner", giver=root)


def test_only_ones_own_can_be_given_and_only_what_is_below_taken(world, operator):
    root, head, last = chain(world, operator)
    stranger = operator.give("hpr:8", "planner", may_delegate=True)
    other = world.valg.rights("hpr:8")
    with pytest.raises(NotFound):
        other.give(HEAD, "planner", giver=root)
    for right in (root, head, last):
        with pytest.raises(NotFound):
            other.revoke(right)
    with pytest.raises(NotFound):
        world.valg.rights(HEAD).revoke(root)
    with pytest.raises(NotAllowed, match="of your own"):
        other.give(HEAD, "planner")
    assert [s.right.id for s in other.list()] == [stranger.id]
    assert {s.right.id for s in world.valg.rights(HEAD).list()} == {head.id, last.id}


def test_a_right_holds_from_its_first_to_its_last_moment(world, operator):
    now = world.clock.now(None)
    begins, ends = now + timedelta(hours=1), now + timedelta(hours=2)
    operator.give(ROOT, "planner", starts=begins, ends=ends)
    for moment, holds in ((now, False), (begins, True), (ends, False)):
        world.clock.set(moment)
        if holds:
            world.valg.desk(ROOT)
        else:
            with pytest.raises(NotAllowed):
                world.valg.desk(ROOT)


@pytest.mark.parametrize(
    ("holder", "role", "more"),
    [
        ("anna", "planner", {}),
        ("hpr:", "planner", {}),
        ("hpr:1", "patient", {}),
        ("hpr:1", "worker", {}),
        ("hpr:1", "planner", {"unit": "medicine", "clinic": "clinic"}),
        ("hpr:1", "planner", {"starts": oslo(2027, 1, 2), "ends": oslo(2027, 1, 2)}),
    ],
)
def test_what_is_no_right_is_refused(quick, holder, role, more):
    with pytest.raises(InvalidInput):
        quick.valg.operator().give(holder, role, **more)


def test_a_planner_may_do_all_that_a_secretary_and_a_clinician_may():
    assert standing.covers(RoleName.PLANNER, RoleName.SECRETARY)
    assert standing.covers(RoleName.PLANNER, RoleName.CLINICIAN)
    assert not standing.covers(RoleName.SECRETARY, RoleName.PLANNER)
    assert not standing.covers(RoleName.PLANNER, RoleName.SYSTEM)


def test_events_stop_with_the_right_of_whoever_wanted_them(stored):
    """Also those that were written before, and wait."""
    world, operator = stored, two_clinics(stored)
    right = operator.give("client:dips", "system")
    dips = replace(world.dips, principal=world.valg.holder("client:dips", "system"))
    hook = dips.subscribe("https://dips.test/", "DIPS", after="")
    staff = worker(ORGANISATION)
    world.invited()
    # transactions of other tests on the same server hold it back, not for long
    until(lambda: tell_systems.pass_on_events(world.ports, staff, hook.id))
    (first, *_) = world.read(lambda unit: unit.deliveries.find(order="number"))
    operator.revoke(right)
    assert tell_systems.deliver(world.ports, staff, first.id).state == "stopped"
    world.invited("p-2")
    assert tell_systems.pass_on_events(world.ports, staff, hook.id) == 0
    (ended,) = world.read(lambda unit: unit.subscriptions.find())
    assert ended.ended_at is not None


def test_gifts_and_losses_are_written_down(world, operator):
    _, head, last = chain(world, operator)
    world.valg.rights(ROOT).revoke(head, "she left")
    found = world.read(lambda unit: unit.audit.find(subject="right"))
    assert [(a.principal, a.verb, a.key) for a in found][-2:] == [
        (HEAD, "give right", last.id),
        (ROOT, "revoke right", head.id),
    ]
    assert found[-1].reason == "she left"
