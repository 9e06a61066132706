"""From a token that is believed to who acts, by what is registered here."""

from dataclasses import replace

import pytest

from tests.integration.booking.test_rights import two_clinics
from tests.world import ORGANISATION
from timevalg.booking.sign_on import sign_on
from timevalg.model.errors import NotAllowed, NotFound, NotSignedOn
from timevalg.model.identity import Asking, Identity
from timevalg.model.principal import RoleName

NUMBER, OTHER = "30108299920", "02013299997"
HERE = Asking(ORGANISATION)
NURSE = Identity(
    "https://helseid.test", "s-1", person=NUMBER, organisation=ORGANISATION, professional="7654321"
)
DIPS = Identity("https://helseid.test", "s-2", client="dips-1", organisation=ORGANISATION)
KARI = Identity("https://idporten.test", "s-3", person=NUMBER, level="idporten-loa-high")


@pytest.fixture
def world(quick):
    """In memory; what the stores do differently is asked of `stored`, on each."""
    return quick


def signed_on(world, identity, asking=HERE):
    return sign_on(world.ports, identity, "api", asking)


def test_a_professional_has_the_rights_of_the_register_number(world):
    with pytest.raises(NotAllowed, match="no right here"):
        signed_on(world, NURSE)
    world.valg.operator().give("hpr:7654321", "secretary", clinic="clinic")
    who = signed_on(world, NURSE)
    assert (who.id, who.role, who.clinics) == (
        "hpr:7654321",
        RoleName.SECRETARY,
        frozenset({"clinic"}),
    )
    assert who.by_rights


def test_somebody_without_such_a_number_has_those_of_their_person(world):
    person = world.ports.pseudonym(NUMBER)
    world.valg.operator().give(person, "planner")
    who = signed_on(world, replace(NURSE, professional=None))
    assert (who.id, who.role, who.clinics) == (person, RoleName.PLANNER, None)
    assert NUMBER not in repr(who)


def test_a_system_has_those_of_its_client(world):
    world.valg.operator().give("client:dips-1", "system")
    assert signed_on(world, DIPS).role is RoleName.SYSTEM
    with pytest.raises(NotAllowed):
        signed_on(world, replace(DIPS, client="dips-2"))


def test_a_person_before_the_client_does_not_act_as_the_system(world):
    world.valg.operator().give("client:dips-1", "system")
    with pytest.raises(NotAllowed):
        signed_on(world, replace(NURSE, client="dips-1"))


def test_a_token_for_a_unit_reaches_no_further(stored):
    world = stored
    operator = two_clinics(world)
    operator.set_unit("u-1", "Medicine", ["clinic"])
    operator.give("hpr:7654321", "planner")
    assert signed_on(world, replace(NURSE, unit="u-1")).clinics == frozenset({"clinic"})
    operator.set_unit("u-1", "Medicine", ["other"])
    assert signed_on(world, replace(NURSE, unit="u-1")).clinics == frozenset({"other"})


def test_who_has_several_roles_says_as_which(world):
    operator = world.valg.operator()
    operator.give("hpr:7654321", "planner")
    operator.give("hpr:7654321", "auditor")
    assert signed_on(world, NURSE).role is RoleName.PLANNER
    assert signed_on(world, NURSE, Asking(role="auditor")).role is RoleName.AUDITOR
    assert signed_on(world, NURSE, Asking(role="secretary")).role is RoleName.SECRETARY
    for role in ("system", "worker", "patient", "king"):
        with pytest.raises(NotAllowed):
            signed_on(world, NURSE, Asking(role=role))


def test_the_organisation_of_the_token_is_the_tenant(world):
    world.valg.operator().give("hpr:7654321", "planner")
    with pytest.raises(NotAllowed):
        signed_on(world, replace(NURSE, organisation="888888888"), Asking("888888888"))
    with pytest.raises(NotSignedOn):
        signed_on(world, NURSE, Asking("888888888"))


def test_a_patient_is_found_by_number_and_sees_their_own(stored):
    world = stored
    world.dips.register("p-1", identity=NUMBER)
    mine, other = world.invited(), world.invited("p-2")
    who = signed_on(world, KARI)
    assert (who.role, who.patient) == (RoleName.PATIENT, "p-1")
    me = replace(world.patient(), principal=who)
    assert [t.id for t in me.tasks()] == [mine.id]
    with pytest.raises(NotFound):
        me.task(other.id)
    assert NUMBER not in repr(who) + repr(world.dump())


def test_whoever_gives_their_old_id_is_still_themself(world):
    world.dips.register("p-2", identity=NUMBER)
    world.dips.merge("p-1", "p-2")
    old = Asking(ORGANISATION, patient="p-1")
    who = signed_on(world, KARI, old)
    assert (who.role, who.patient) == (RoleName.PATIENT, "p-1")
    assert signed_on(world, replace(KARI, person=OTHER), old).role is RoleName.REPRESENTATIVE


def test_somebody_who_is_no_patient_here_has_nothing(world):
    world.dips.register("p-1", identity=NUMBER)
    task = world.invited()
    me = replace(world.patient(), principal=signed_on(world, replace(KARI, person=OTHER)))
    assert me.tasks() == []
    with pytest.raises(NotFound):
        me.task(task.id)


def test_a_token_that_says_too_little_is_not_believed(world):
    for identity, asking in (
        (KARI, Asking()),
        (replace(KARI, person=None), HERE),
        (Identity("x", "y", granted={"role": "worker", "organisation": ORGANISATION}), HERE),
    ):
        with pytest.raises(NotSignedOn):
            signed_on(world, identity, asking)
