"""Acting for others: what a representative sees and does, and what stays hidden from them."""

from dataclasses import replace
from datetime import date

import pytest

from tests.world import ORGANISATION, oslo
from timevalg.booking.sign_on import sign_on
from timevalg.booking.sync import CalendarRow
from timevalg.model.errors import InvalidInput, NotAllowed, NotFound
from timevalg.model.identity import Asking, Identity
from timevalg.model.principal import RoleName

MUM, DAD, CHILD = "02013299997", "30108299920", "30108299939"
CHILDHOOD, YOUTH = date(2020, 5, 5), date(2013, 5, 5)
AT = oslo(2027, 1, 20, 9)


@pytest.fixture
def world(quick):
    """In memory; what the stores do differently is asked of `stored`, on each."""
    return quick


def family(world, birth=CHILDHOOD, **more):
    world.dips.register("p-1", name="Ola", identity=CHILD, birth=birth)
    world.dips.represent("p-1", MUM, "parent", shares_address=True, **more)
    world.dips.represent("p-1", DAD, "parent")
    return world.invited()


def test_a_parent_chooses_for_a_child_and_it_is_written_down_for_whom(world):
    task = family(world)
    mum = world.valg.representative(MUM, "p-1")
    visit = mum.choose(task, mum.offers(task).offers[0])
    assert [v.id for v in mum.appointments()] == [visit.id]
    (entry,) = world.read(lambda unit: unit.audit.find(verb="choose"))
    who = world.ports.pseudonym(MUM)
    assert (entry.principal, entry.role, entry.patient) == (who, "representative", "p-1")
    assert entry in world.patient().access_log()


def test_who_is_nobody_to_a_patient_finds_nobody(world):
    task = family(world)
    world.invited("p-2")
    for view in (world.valg.representative(CHILD, "p-1"), world.valg.representative(MUM, "p-2")):
        for ask in (view.tasks, view.access_log, lambda v=view: v.task(task.id)):
            with pytest.raises(NotFound, match="there is no patient"):
                ask()


def test_parents_lose_access_on_the_sixteenth_birthday(world):
    task = family(world, birth=date(2011, 1, 5))
    world.desk.withhold(task, withheld=False)
    mum = world.valg.representative(MUM, "p-1")
    assert mum.task(task.id)
    world.clock.set(oslo(2027, 1, 5, 0))
    with pytest.raises(NotFound):
        mum.task(task.id)


def test_from_twelve_on_visits_are_withheld_until_somebody_shows_them(stored):
    world = stored
    task = family(world, birth=YOUTH)
    visit = world.patient().choose(task, AT)
    other = world.invited()
    mum = world.valg.representative(MUM, "p-1")
    assert (mum.tasks(), mum.appointments()) == ([], [])
    for ask in (
        lambda: mum.task(task.id),
        lambda: mum.appointment(visit.id),
        lambda: mum.preparations(visit),
        lambda: mum.letters(visit),
        lambda: mum.offers(other),
        lambda: mum.cancel(visit),
        lambda: mum.complete(world.preparations(visit)[0]),
    ):
        with pytest.raises(NotFound, match="there is no"):
            ask()
    world.patient().withhold(visit, withheld=False)
    assert [t.id for t in mum.tasks()] == [task.id]
    assert mum.appointment(visit.id).id == visit.id
    assert mum.complete(world.preparations(visit)[0])
    with pytest.raises(NotFound):
        mum.task(other.id)


def test_one_visit_can_be_withheld_at_any_age(world):
    hidden, shown = family(world), world.invited()
    world.desk.withhold(hidden, reason="the child asked for it")
    mum = world.valg.representative(MUM, "p-1")
    assert [t.id for t in mum.tasks()] == [shown.id]
    with pytest.raises(NotFound):
        mum.task(hidden.id)
    assert {e.principal for e in mum.access_log()} == {world.ports.pseudonym(MUM)}
    with pytest.raises(NotAllowed):
        mum.withhold(hidden, withheld=False)


def test_letters_are_withheld_with_the_visit_they_are_about(world):
    family(world)
    seen = world.chosen()[1]
    row = CalendarRow(
        "kontakt/1", 1, clinic="clinic", service="talk", patient="p-1",
        start=oslo(2027, 1, 27, 9), resources={"doctor": ("dr-a",), "room": ("room",)},
    )  # fmt: skip
    world.dips.sync([row])
    world.work()
    hidden = world.dips.appointment("kontakt/1")
    world.desk.write_letter(hidden)
    mum = world.valg.representative(MUM, "p-1")
    everything = {letter.appointment for letter in mum.my_letters()}
    assert everything >= {seen.id, hidden.id}
    world.desk.withhold(hidden)
    letters = world.letters(appointment=hidden.id)
    assert hidden.id not in {letter.appointment for letter in mum.my_letters()}
    for read in (
        lambda: mum.letter(letters[0].id),
        lambda: mum.letters(hidden),
        lambda: mum.calendar_entry(hidden),
    ):
        with pytest.raises(NotFound) as refused:
            read()
        assert refused.value.kind in {"letter", "appointment"}
    assert {letter.appointment for letter in mum.my_letters()} >= {seen.id}


def test_a_page_is_full_though_most_is_withheld(quick):
    family(quick)
    tasks = [quick.invited() for _ in range(8)]
    for task in tasks[:-2]:
        quick.desk.withhold(task)
    mum = quick.valg.representative(MUM, "p-1")
    shown, after = [], ""
    while page := mum.tasks(after=after, limit=2):
        shown += page
        after = page[-1].id
    assert len(shown) == 3


def test_the_guard_off_shows_what_is_withheld(quick, monkeypatch):
    task = family(quick, birth=YOUTH)
    mum = quick.valg.representative(MUM, "p-1")
    monkeypatch.setattr("timevalg.booking.acting.require_shown", lambda *_: None)
    assert mum.task(task.id)


def test_at_a_confidential_address_nobody_represents_and_the_other_parent_learns_nothing(world):
    task = family(world)
    dad = world.valg.representative(DAD, "p-1")
    assert dad.task(task.id)
    world.dips.register("p-1", confidential=True)
    with pytest.raises(NotFound):
        dad.task(task.id)
    mum = world.valg.representative(MUM, "p-1")
    assert mum.task(task.id)
    world.dips.register("p-9", identity=MUM, confidential=True)
    with pytest.raises(NotFound):
        mum.task(task.id)


def test_letters_show_no_address_of_the_patient(world):
    family(world)
    hidden = ("ola@example.test", "+4740000000")
    world.dips.register("p-1", name="Ola", email=hidden[0], phone=hidden[1], confidential=True)
    world.chosen()
    world.work()
    written = [x.subject + x.html + x.text for x in world.letters()]
    assert written
    assert not [w for w in written for h in hidden if h in w]


def test_those_of_another_clinic_find_no_patient_of_this_one(world):
    family(world)
    made = world.desk.representations("p-1")[0]
    there = replace(world.desk.principal, clinics=frozenset({"other"}))
    for clinics, is_found in ((frozenset({"clinic"}), True), (frozenset({"other"}), False)):
        desk = replace(world.desk, principal=replace(there, clinics=clinics))
        for ask in (
            lambda d=desk: d.patient_with(CHILD),
            lambda d=desk: d.representations("p-1"),
            lambda d=desk: d.represent("p-1", DAD, "parent"),
            lambda d=desk: d.end_representation(made),
            lambda d=desk: d.register("p-1", name="Ola"),
        ):
            if is_found:
                ask()
            else:
                with pytest.raises(NotFound):
                    ask()


def test_the_log_of_a_patient_is_that_of_all_their_ids(world):
    world.invited("p-8")
    world.dips.merge("p-8", "p-1")
    assert {"invite", "merge"} <= {a.verb for a in world.patient("p-1").access_log()}


def test_a_power_of_attorney_ends(world):
    world.dips.register("p-1", birth=date(1950, 1, 1))
    task = world.invited()
    made = world.desk.represent("p-1", DAD, "attorney", areas=("appointments",))
    son = world.valg.representative(DAD, "p-1")
    assert son.task(task.id)
    assert world.patient().representations("p-1") == [made]
    world.desk.end_representation(made)
    world.desk.end_representation(made)
    with pytest.raises(NotFound):
        son.task(task.id)


def test_what_is_registered_again_takes_the_place_of_what_stood(world):
    family(world)
    world.clock.set(oslo(2027, 1, 6, 8))
    world.dips.represent("p-1", MUM, "parent")
    found = world.desk.representations("p-1")
    mums = [r for r in found if r.representative == world.ports.pseudonym(MUM)]
    assert [(r.starts, r.ends) for r in mums] == [
        (date(2027, 1, 4), date(2027, 1, 5)),
        (date(2027, 1, 6), None),
    ]
    with pytest.raises(NotFound):  # now neither shares the address
        world.valg.representative(MUM, "p-1").tasks()


def test_who_signs_on_for_a_patient_is_asked_for_what_makes_them_that(world):
    task = family(world, birth=YOUTH, consents=True)
    token = Identity("https://idporten.test", "s", person=MUM)
    who = sign_on(world.ports, token, "api", Asking(ORGANISATION, patient="p-1"))
    assert (who.role, who.patient) == (RoleName.REPRESENTATIVE, "p-1")
    assert replace(world.patient(), principal=who).tasks() == []
    child = sign_on(world.ports, replace(token, person=CHILD), "api", Asking(ORGANISATION))
    assert (child.role, child.patient) == (RoleName.PATIENT, "p-1")
    assert replace(world.patient(), principal=child).task(task.id)


def test_a_child_that_is_too_young_does_not_act_alone(world):
    task = family(world, birth=YOUTH)
    token = Identity("https://idporten.test", "s", person=CHILD)
    child = sign_on(world.ports, token, "api", Asking(ORGANISATION))
    with pytest.raises(NotFound):
        replace(world.patient(), principal=child).task(task.id)


def test_what_is_no_bond_is_refused(world):
    world.dips.register("p-1", identity=CHILD)
    for identity, basis, more in (
        ("1", "parent", {}),
        (MUM, "attorney", {"consents": True}),
        (MUM, "parent", {"starts": date(2027, 2, 1), "ends": date(2027, 1, 1)}),
    ):
        with pytest.raises(InvalidInput):
            world.dips.represent("p-1", identity, basis, **more)
    with pytest.raises(NotAllowed, match="nobody represents themself"):
        world.dips.represent("p-1", CHILD, "attorney")


def test_bonds_and_decisions_go_over_when_two_patients_are_one(stored):
    world = stored
    hidden = family(world)
    world.desk.withhold(hidden)
    world.dips.merge("p-1", "p-7")
    for patient in ("p-1", "p-7"):
        mum = world.valg.representative(MUM, patient)
        assert mum.tasks() == []
        with pytest.raises(NotFound, match="there is no task"):
            mum.task(hidden.id)
