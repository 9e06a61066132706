"""The invitation letter tells when, where, whom, how to change and what to prepare."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.unit.letters.reading import Reader, flat
from tests.unit.letters.samples import VISIT, both, facts
from timevalg.letters.render import render
from timevalg.model.appointment import Origin
from timevalg.model.letter import ServiceFacts
from timevalg.model.text import Text

CHANGE_NB = (
    "Du kan selv bytte til en annen tid frem til tirsdag 12. januar 2027 kl. 23.59. "
    "Logg inn på helsenorge.no, finn timen og velg en ny tid. Du kan bytte inntil 2 ganger. "
    "Etter fristen tar du kontakt med oss."
)
CANCEL_NB = (
    "Trenger du ikke timen, kan du avbestille den på helsenorge.no "
    "frem til onsdag 13. januar 2027 kl. 23.59. Da kan en annen få tiden."
)


def test_bokmal_tells_every_fact() -> None:
    letter = render("appointment", facts())
    page = Reader(letter.html)
    assert letter.subject == "Innkalling til time torsdag 14. januar 2027 kl. 09.00"
    assert page.words("h1") == ["Innkalling til time"]
    assert page.pairs() == {
        "Tid": "torsdag 14. januar 2027 kl. 09.00",
        "Sted": "Fjordbyen sjukehus, 5. etg.",
        "Gjelder": "Koloskopi",
        "Varighet": "60 minutter",
        "Du møter": "Kari Berg, Randi Aas og Gro Bakke",
    }
    assert page.words("h2") == [
        "Tid og sted",
        "Passer ikke tiden?",
        "Forberedelser",
        "Dine rettigheter",
        "Kontakt oss",
    ]
    words = page.visible()
    for expected in (
        "Gastroenterologisk poliklinikk",
        "Til Ola Nordmann",
        "Dato: tirsdag 22. desember 2026",
        "Hei, Ola Nordmann!",
        CHANGE_NB,
        CANCEL_NB,
        "Telefon 55 00 00 00",
    ):
        assert expected in words


def test_english_tells_every_fact() -> None:
    letter = render("appointment", facts("en"))
    page = Reader(letter.html)
    assert letter.subject == "Your appointment on Thursday 14 January 2027 at 09:00"
    assert page.pairs() == {
        "Time": "Thursday 14 January 2027 at 09:00",
        "Place": "Fjordbyen sjukehus, 5. etg.",
        "Appointment": "Colonoscopy",
        "Length": "60 minutes",
        "You will meet": "Kari Berg, Randi Aas and Gro Bakke",
    }
    assert (
        "You can change to another time yourself until Tuesday 12 January 2027 at 23:59. "
        "Log on to helsenorge.no, find the appointment and choose a new time. "
        "You can change up to 2 times. After the deadline, please contact us."
    ) in page.visible()
    assert "Telephone 55 00 00 00" in page.visible()


def test_preparations_in_order_of_their_dates() -> None:
    page = Reader(render("appointment", facts()).html)
    assert page.words("th", "td") == [
        *("Hva", "Begynn", "Ferdig senest"),
        *("Svare på skjema (MRSA)", "Når du vil", "torsdag 31. desember 2026"),
        *("Tømme tarmen", "torsdag 7. januar 2027", "torsdag 14. januar 2027"),
    ]
    assert "Dette ordner vi for deg: Bestille tolk." in page.visible()
    assert "Skjemaer svarer du på når du er logget inn på helsenorge.no." in page.visible()
    text = render("appointment", facts("en")).text
    assert (
        "- Answer the form (MRSA)\n  Begin: Any time\n  Done by: Thursday 31 December 2026\n"
        "- Empty the bowel\n"
        "  Begin: Thursday 7 January 2027\n  Done by: Thursday 14 January 2027\n"
    ) in text


def test_what_is_done_is_not_asked_for_again() -> None:
    bowel, form, staff = VISIT.preparations
    done = replace(form, done=True)
    page = Reader(render("appointment", facts(preparations=(bowel, done, staff))).html)
    assert page.words("th")[3:] == ["Tømme tarmen"]
    assert "Dette er allerede gjort: Svare på skjema (MRSA)." in page.visible()
    assert not any("Skjemaer" in words for words in page.visible())
    only = Reader(render("appointment", facts(preparations=(done,))).html)
    assert only.all("table") == []


def test_no_preparations_no_section() -> None:
    page = Reader(render("appointment", facts(preparations=())).html)
    assert "Forberedelser" not in page.words("h2")


@pytest.mark.parametrize(
    ("language", "chose", "change"),
    [
        ("nb", "Vi har valgt denne tiden for deg", "kan du selv bytte til en annen tid."),
        ("en", "We chose this time for you", "you can change to another time yourself."),
    ],
)
def test_assigned_says_we_chose_and_how_to_change(language: str, chose: str, change: str) -> None:
    letter = render("appointment", facts(language, origin=Origin.ASSIGNED))
    lead = Reader(letter.html).words("p")
    assert any(words.startswith(chose) and change in words for words in lead)
    assert chose in flat(letter.text)
    assert "23" in next(words for words in lead if "helsenorge.no" in words)


def test_assigned_without_a_right_to_change_says_to_ask() -> None:
    letter = render("appointment", facts(origin=Origin.ASSIGNED, change_until=None))
    assert (
        "Passer den ikke, tar du kontakt med oss, så hjelper vi deg med å finne en annen."
    ) in flat(letter.text)
    assert "kan du selv bytte" not in flat(letter.text)


@pytest.mark.parametrize(
    ("origin", "lead"),
    [
        (Origin.CHOSEN, "Takk for at du valgte tid."),
        (Origin.ALLOTTED, "Du har fått time hos oss."),
        (Origin.IMPORTED, "Du har fått time hos oss."),
    ],
)
def test_only_assigned_times_were_chosen_by_us(origin: Origin, lead: str) -> None:
    text = flat(render("appointment", facts(origin=origin)).text)
    assert lead in text
    assert "Vi har valgt" not in text


@pytest.mark.parametrize("no_more", [{"change_until": None}, {"changes_left": 0}])
def test_no_change_line_where_the_patient_may_not(no_more: dict[str, Any]) -> None:
    text = flat(render("appointment", facts(cancel_until=None, **no_more)).text)
    assert "Du kan ikke bytte denne timen selv. Ta kontakt med oss" in text
    assert "frem til" not in text
    assert "23.59" not in text
    assert "avbestille" not in text


def test_what_ended_before_the_letter_was_written_is_not_offered() -> None:
    late = replace(facts(origin=Origin.ASSIGNED), written=date(2027, 1, 13))
    text = flat(render("appointment", late).text)
    assert "12. januar" not in text
    assert "Du kan ikke bytte denne timen selv." in text
    assert "Passer den ikke, tar du kontakt med oss" in text
    assert CANCEL_NB in text  # until the end of the very day
    too_late = replace(late, written=date(2027, 1, 14))
    assert "avbestille" not in render("appointment", too_late).text


@pytest.mark.parametrize(
    ("left", "words"),
    [(None, "velg en ny tid. Etter fristen"), (1, "velg en ny tid. Du kan bytte én gang. Etter")],
)
def test_how_many_changes_are_left(left: int | None, words: str) -> None:
    assert words in flat(render("appointment", facts(changes_left=left)).text)


@pytest.mark.parametrize(
    ("mode", "heading", "place", "how"),
    [
        ("video", "Tid og videosamtale", "På video", "Logg inn på helsenorge.no i god tid"),
        ("phone", "Tid og telefonsamtale", "På telefon", "Vi ringer deg"),
        ("home", "Tid og hjemmebesøk", "Hjemme hos deg", "Vi kommer hjem til deg"),
    ],
)
def test_other_ways_to_meet(mode: str, heading: str, place: str, how: str) -> None:
    page = Reader(
        render("appointment", facts(service=ServiceFacts(Text.plain("Samtale"), 30, mode))).html
    )
    assert page.words("h2")[0] == heading
    assert page.pairs()["Sted"] == place
    assert any(words.startswith(how) or how in words for words in page.visible())
    assert not any("5. etg." in words for words in page.visible())


def test_without_place_the_clinic_is_the_place_and_nobody_is_named() -> None:
    page = Reader(render("appointment", facts(place=None, room="", clinicians=())).html)
    assert page.pairs()["Sted"] == "Gastroenterologisk poliklinikk"
    assert "Du møter" not in page.pairs()


@pytest.mark.parametrize(
    ("minutes", "nb", "en"),
    [
        (90, "90 minutter", "90 minutes"),
        (100, "1 time og 40 minutter", "1 hour and 40 minutes"),
        (120, "2 timer", "2 hours"),
        (150, "2 timer og 30 minutter", "2 hours and 30 minutes"),
    ],
)
def test_lengths(minutes: int, nb: str, en: str) -> None:
    service = ServiceFacts(both("Infusjon", "Infusion"), minutes)
    assert Reader(render("appointment", facts(service=service)).html).pairs()["Varighet"] == nb
    assert Reader(render("appointment", facts("en", service=service)).html).pairs()["Length"] == en
