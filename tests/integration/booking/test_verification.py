"""Organisations in which nobody is treated, and real ones, which know nobody synthetic."""

import pytest

from timevalg.booking import verification
from timevalg.model.errors import Conflict, IllegalMove, InvalidInput, NotFound
from timevalg.model.states import LetterState

REAL, SYNTHETIC = "02013299997", "16822548834"


@pytest.fixture
def world(quick):
    """In memory; what the stores do differently is asked of `stored`, on each."""
    return quick


@pytest.fixture
def marked(world):
    world.valg.operator().mark_for_verification("acceptance test")
    return world


def test_a_real_organisation_takes_no_synthetic_number(world):
    with pytest.raises(InvalidInput, match="is synthetic"):
        world.dips.register("p-1", identity=SYNTHETIC)
    assert world.dips.register("p-1", identity=REAL).person == world.ports.pseudonym(REAL)


def test_one_for_verification_takes_no_other(marked):
    with pytest.raises(InvalidInput, match="may be somebody's"):
        marked.dips.register("p-1", identity=REAL)
    with pytest.raises(InvalidInput, match="is needed here"):
        marked.dips.register("p-1", name="Kari")
    marked.dips.register("p-1", identity=SYNTHETIC)
    marked.dips.register("p-1", name="Kari")


def test_its_letters_are_kept_and_never_sent(stored):
    marked = stored
    marked.valg.operator().mark_for_verification()
    marked.dips.register("p-1", identity=SYNTHETIC)
    marked.chosen()
    marked.work()
    letters = marked.letters()
    assert {(x.state, x.channel) for x in letters} == {(LetterState.SENT, "verification")}
    assert marked.post.sent == []


def test_without_the_mark_they_are_sent(world, monkeypatch):
    """The guard off."""
    world.valg.operator().mark_for_verification()
    world.dips.register("p-1", identity=SYNTHETIC)
    monkeypatch.setattr("timevalg.booking.write.is_for_verification", lambda unit: False)
    world.chosen()
    world.work()
    assert world.post.sent


def test_one_that_is_in_use_cannot_be_marked(world):
    world.invited()
    with pytest.raises(IllegalMove):
        world.valg.operator().mark_for_verification()


def test_marking_again_changes_nothing(marked):
    first = marked.read(lambda unit: unit.verifications.find())
    marked.valg.operator().mark_for_verification()
    assert marked.read(lambda unit: unit.verifications.find()) == first
    assert marked.read(verification.is_for_verification)


def test_two_patients_never_have_the_same_number(stored):
    world = stored
    world.dips.register("p-1", identity=REAL)
    world.dips.register("p-1", identity="020132 99997")
    with pytest.raises(Conflict, match="already a patient with this identity number"):
        world.dips.register("p-2", identity=REAL)


def test_a_patient_is_found_by_number(world):
    """By a hash of it with a key, for the number itself may be sealed."""
    known = world.dips.register("p-1", identity=REAL)
    assert world.desk.patient_with("020132 99997") == known
    with pytest.raises(NotFound) as error:
        world.desk.patient_with("30108299920")
    assert "30108299920" not in str(error.value)
    (looked,) = world.read(lambda unit: unit.audit.find(verb="find patient"))
    assert looked.patient == "p-1"


def test_an_identity_number_names_no_patient(world):
    with pytest.raises(InvalidInput, match="the record system's own id"):
        world.invite(patient=REAL)
    with pytest.raises(InvalidInput, match="the record system's own id") as error:
        world.dips.register(REAL)
    assert REAL not in str(error.value)


def test_a_number_stays_when_a_name_changes_and_goes_over_when_two_are_one(world):
    world.dips.register("p-1", identity=REAL, confidential=True)
    known = world.dips.register("p-1", name="Kari")
    assert (known.identity, known.confidential) == (REAL, True)
    world.dips.register("p-2", name="Kari N.")
    left = world.dips.merge("p-1", "p-2")
    assert (left.identity, left.birth, left.confidential) == (REAL, known.birth, True)
    assert not world.dips.register("p-2", confidential=False).confidential
