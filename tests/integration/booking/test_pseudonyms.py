"""Nobody is named by an identity number, real or synthetic, whichever way they come in."""

from __future__ import annotations

import pytest

from tests.world import document, oslo
from timevalg.booking.sync import CalendarRow
from timevalg.model.errors import InvalidInput

NUMBERS = pytest.mark.parametrize("number", ["30108299920", "16822548834", "301082 99920"])
AT = oslo(2027, 1, 20, 9)
ROOM = {"doctor": ("dr-a",), "room": ("room",)}


def row(number, ref="kontakt/1"):
    return CalendarRow(ref, 1, False, "clinic", "talk", AT, ROOM, number)


def is_nowhere(world, number):
    digits = number.replace(" ", "")
    kept = str(world.dump()).replace(" ", "")
    return digits not in kept and not any(digits in str(e) for e in world.events())


@NUMBERS
def test_a_row_of_the_calendar_is_left_to_staff(world, number):
    done = world.dips.sync([row(number), row("p-1", "kontakt/2")])
    assert (done.applied, done.conflicts) == (("kontakt/2",), ("kontakt/1",))
    (case,) = world.cases("conflict")
    assert "identity number" in case.reason
    assert is_nowhere(world, number)
    assert world.dips.sync([row("p-2")]).conflicts == ("kontakt/1",)  # the other one has the time


@NUMBERS
def test_an_imported_line_is_rejected_with_its_reason(quick, number):
    line = (
        f'{{"ref": "kontakt/1", "version": 1, "clinic": "clinic", "service": "talk",'
        f' "start": "{AT.isoformat()}", "resources": {{"doctor": ["dr-a"], "room": ["room"]}},'
        f' "patient": "{number}"}}'
    )
    rejected = []
    done = quick.dips.import_calendar([line], reject=rejected.append)
    assert (done.applied, done.rejected) == (0, 1)
    assert "identity number" in rejected[0].reason
    assert is_nowhere(quick, number)


@pytest.mark.parametrize("number", ["30108299920", "16822548834"])
def test_a_clinic_file_is_refused_whole(quick, number):
    booking = {
        "id": "b-1",
        "patient": number,
        "service": "talk",
        "start": "2027-01-20T09:00",
        "resources": {"doctor": ["dr-a"], "room": ["room"]},
    }
    with pytest.raises(InvalidInput, match=r"bookings\[0\].patient: is an identity number"):
        quick.publish(document(bookings=[booking]))
    assert is_nowhere(quick, number)


@NUMBERS
def test_all_that_is_said_of_somebody_wants_another_name(quick, number):
    desk, dips = quick.desk, quick.dips
    for call in (
        lambda: quick.invite(number),
        lambda: dips.register(number),
        lambda: dips.merge("p-1", number),
        lambda: dips.merge(number, "p-1"),
        lambda: dips.deceased(number),
        lambda: desk.represent(number, "02013299997", "attorney"),
        lambda: desk.patient_with(patient=number),
    ):
        with pytest.raises(InvalidInput, match="identity number") as refused:
            call()
        assert number.replace(" ", "") not in str(refused.value)
    assert is_nowhere(quick, number)
