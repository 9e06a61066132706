"""Who may do what: the table in ``booking.access``, asked of every use case for every role."""

from dataclasses import replace
from itertools import product

import pytest

from tests.integration.booking.calls import ABOUT_ONE, AT, AT_LARGE, fresh, principal, without_room
from tests.waiting import until
from tests.world import World, document
from timevalg.booking import feed, inbox, invite, publish
from timevalg.booking.access import ACCESS
from timevalg.booking.use_cases import USE_CASES, use_case
from timevalg.clinic import from_sources
from timevalg.model.contents import Source
from timevalg.model.errors import NotAllowed, NotFound
from timevalg.model.principal import RoleName
from timevalg.model.states import TaskState
from timevalg.store import Memory


def rights(verb):
    return [role for role in RoleName if role in ACCESS[verb]]


def test_every_use_case_is_asked_here():
    assert {verb for verb, *_ in ABOUT_ONE} | AT_LARGE.keys() == USE_CASES.keys() == ACCESS.keys()


def test_a_use_case_without_a_row_does_not_even_import():
    with pytest.raises(LookupError, match="'fly' has no access rule"):
        use_case("fly")


@pytest.mark.parametrize("verb", [row[0] for row in ABOUT_ONE])
def test_those_who_may_do_it_to_their_own(verb):
    (_, _, key, call) = next(row for row in ABOUT_ONE if row[0] == verb)
    assert rights(verb)
    for role in rights(verb):
        world = World(Memory)
        call(world, principal(role), key(world))


@pytest.mark.parametrize("verb", [row[0] for row in ABOUT_ONE])
def test_all_others_are_refused_and_change_nothing(verb):
    (_, _, key, call) = next(row for row in ABOUT_ONE if row[0] == verb)
    world = World(Memory)
    thing = key(world)
    before = world.dump()
    for role in set(RoleName) - set(rights(verb)):
        with pytest.raises(NotAllowed, match=f"a {role} may not {verb}"):
            call(world, principal(role), thing)
    strangers = [
        *(principal(r, patient="p-2") for r in rights(verb) if r in {"patient", "representative"}),
        *(principal(r, clinics=frozenset({"other"})) for r in rights(verb)),
        *(replace(principal(r), organisation="888888888") for r in rights(verb)),
    ]
    for who in strangers:
        with pytest.raises(NotFound, match="there is no"):
            call(world, who, thing)
    assert world.dump() == before


@pytest.mark.parametrize(("verb", "role"), list(product(AT_LARGE, RoleName)))
def test_what_is_about_no_one_thing(quick, verb, role):
    quick.invited("spare")
    if role in ACCESS[verb]:
        AT_LARGE[verb](quick, principal(role))
        return
    before = quick.dump()
    with pytest.raises(NotAllowed, match=f"a {role} may not {verb}"):
        AT_LARGE[verb](quick, principal(role))
    assert quick.dump() == before


def test_a_planner_of_another_clinic_can_neither_publish_nor_invite(quick):
    elsewhere = principal(RoleName.PLANNER, clinics=frozenset({"other"}))
    quick.invited("spare")
    task = fresh(quick)
    before = quick.dump()
    changed = document()
    changed["clinic"]["place"] = {"name": "Elsewhere"}
    with pytest.raises(NotFound):
        publish.publish(quick.ports, elsewhere, from_sources({"clinic": Source(changed, {})}))
    with pytest.raises(NotFound):
        invite.invite(quick.ports, elsewhere, [task])
    assert quick.dump() == before


def test_who_may_not_learns_nothing_of_what_there_is(quick):
    quick.invited("spare")
    nowhere = replace(fresh(quick), clinic="nowhere")
    with pytest.raises(NotAllowed):
        invite.invite(quick.ports, principal(RoleName.PATIENT), [nowhere])


def test_staff_and_systems_of_another_clinic_see_nothing_of_this_one(world):
    task = world.patient().decline(world.invited())
    here = frozenset({"clinic"})
    for clinics, cases in ((here, 1), (frozenset({"other"}), 0)):
        staff = principal(RoleName.SECRETARY, clinics=clinics)
        assert len(inbox.staff_list(world.ports, staff)) == cases
    system = principal(RoleName.SYSTEM, clinics=frozenset({"other"}))
    assert feed.read_events(world.ports, system, limit=1) == []
    assert task.clinic in here


def test_a_reader_of_one_clinic_gets_past_the_events_of_others(world):
    for n in range(4):
        world.invited(f"p-{n}")
    system = principal(RoleName.SYSTEM, clinics=frozenset({"other"}))
    source = document()
    source["clinic"] |= {"id": "other"}
    source["resources"] = [{"id": "dr-o", "kind": "clinician", "skills": ["talk"]}]
    source["services"][0]["roles"] = source["services"][0]["roles"][:1]
    world.publish(source)
    # transactions of other tests on the same server hold the feed back, not for long
    found = until(lambda: feed.read_events(world.ports, system, limit=2))
    (event,) = found
    assert (event.type, event.clinic) == ("clinic.published", "other")


LOOKS = {
    "read": lambda w, task: w.desk.task(task.id),
    "list tasks": lambda w, task: w.desk.tasks(),
    "list appointments": lambda w, task: w.desk.appointments(),
    "list offers": lambda w, task: w.desk.offers(task),
    "list offers to change": lambda w, task: w.desk.offers_to_change(w.visit(task)),
    "settle offers": lambda w, task: w.desk.settle_offers(task),
    "list reserves": lambda w, task: w.desk.reserves(),
    "read access log": lambda w, task: w.patient().access_log(),
    "list representations": lambda w, task: w.desk.representations("p-1"),
    "list rights": lambda w, task: w.valg.operator().list(),
    "read events": lambda w, task: w.dips.events(),
    "staff list": lambda w, task: w.desk.staff_list(),
    "replan": lambda w, task: (without_room(w), w.desk.replan()),
    "plan invitations": lambda w, task: invite.plan_invitations(
        w.ports, w.desk.principal, [replace(task, id="t-new", state=TaskState.DRAFT, version=1)]
    ),
}
"""Reads; that of `what if` is in its own tests."""


@pytest.mark.parametrize("verb", LOOKS)
def test_a_look_is_written_down_before_its_answer_leaves(quick, verb):
    task = quick.invited()
    if verb == "list offers to change":
        quick.patient().choose(task, AT)
    before = quick.dump()["audit"]
    LOOKS[verb](quick, task)
    new = [a for a in quick.dump()["audit"] if a not in before]
    assert verb in {a.verb for a in new}


def test_it_is_written_down_whence_somebody_looked(world):
    task = world.invited()
    there = replace(world.desk.principal, address="192.0.2.7")
    feed.read_task(world.ports, there, task.id)
    found = world.read(lambda unit: unit.audit.find(verb="read"))
    assert [a.address for a in found] == ["192.0.2.7"]


def test_every_look_and_every_change_is_written_down_where_the_patient_can_see_it(world):
    task = world.invited()
    world.patient().offers(task)
    world.patient().choose(task, AT)
    world.desk.task(task.id)
    found = world.read(lambda unit: unit.audit.find(patient="p-1"))
    assert [(a.principal, a.role, a.verb, a.subject) for a in found] == [
        ("anna", "planner", "invite", "task"),
        ("p-1", "patient", "list offers", "task"),
        ("p-1", "patient", "choose", "task"),
        ("anna", "planner", "read", "task"),
    ]
