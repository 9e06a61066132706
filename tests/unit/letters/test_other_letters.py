"""The letters that invite to choose, that tell a new time, and that tell there is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.unit.letters.reading import Reader, flat
from tests.unit.letters.samples import CHOICE, FACTS, VISIT, facts
from timevalg.letters.render import render
from timevalg.model.letter import ChoiceFacts, LetterFacts, ServiceFacts, VisitFacts
from timevalg.model.text import Text

OLD = datetime(2027, 1, 7, 9, 0, tzinfo=UTC)


def test_choice_in_bokmal() -> None:
    letter = render("choice", FACTS)
    page = Reader(letter.html)
    assert letter.subject == "Du kan nå velge tid for timen din"
    assert page.pairs() == {
        "Frist for å velge": "mandag 11. januar 2027 kl. 23.59",
        "Du kan velge fra": "mandag 4. januar 2027",
        "Timen blir": "fra og med mandag 18. januar 2027 til og med fredag 5. mars 2027",
    }
    assert page.words("li")[:5] == [
        "Første konsultasjon, oppmøte hos oss (45 minutter)",
        "Samtale på video (2 timer)",
        "Logg inn på helsenorge.no.",
        "Se hvilke tider som er ledige, og velg den som passer best.",
        "Bekreft valget. Når timen er klar, får du et brev fra oss med alt du trenger å vite.",
    ]
    assert (
        "Du får time uansett. Har du ikke valgt innen mandag 11. januar 2027 kl. 23.59, "
        "velger vi en tid for deg og sender deg et brev om den."
    ) in page.visible()
    assert "Passer ingen av tidene? Si fra samme sted" in flat(letter.text)


def test_choice_in_english() -> None:
    letter = render("choice", replace(FACTS, language="en"))
    page = Reader(letter.html)
    assert page.pairs() == {
        "Choose by": "Monday 11 January 2027 at 23:59",
        "You can choose from": "Monday 4 January 2027",
        "Your visit": "from Monday 18 January 2027 to Friday 5 March 2027, both days included",
    }
    assert (
        "You will have an appointment all the same. If you have not chosen by "
        "Monday 11 January 2027 at 23:59, we choose a time for you and send you a letter about it."
    ) in flat(letter.text)


def test_choice_of_one_service_without_a_first_day() -> None:
    one = replace(CHOICE, services=CHOICE.services[:1], first=None)
    pairs = Reader(render("choice", replace(FACTS, choice=one)).html).pairs()
    assert pairs["Timen blir"] == "senest fredag 5. mars 2027"
    assert pairs["Gjelder"] == "Første konsultasjon, oppmøte hos oss (45 minutter)"


@pytest.mark.parametrize(
    ("language", "subject", "lead"),
    [
        (
            "nb",
            "Ny tid for timen din: torsdag 14. januar 2027 kl. 09.00",
            "Timen din er flyttet til torsdag 14. januar 2027 kl. 09.00. "
            "Den gamle tiden, torsdag 7. januar 2027 kl. 10.00, gjelder ikke lenger.",
        ),
        (
            "en",
            "New time for your appointment: Thursday 14 January 2027 at 09:00",
            "Your appointment has been moved to Thursday 14 January 2027 at 09:00. "
            "The old time, Thursday 7 January 2027 at 10:00, no longer applies.",
        ),
    ],
)
def test_change_names_both_times(language: str, subject: str, lead: str) -> None:
    letter = render("change", facts(language, old_start=OLD))
    assert letter.subject == subject
    assert lead in Reader(letter.html).visible()
    assert lead in flat(letter.text)


def test_change_says_that_the_preparations_have_new_dates() -> None:
    assert "Datoene gjelder for den nye tiden." in render("change", facts(old_start=OLD)).text


def test_change_that_keeps_the_time_does_not_call_it_old() -> None:
    letter = render("change", facts(old_start=VISIT.start))
    page = Reader(letter.html)
    assert letter.subject == "Timen din torsdag 14. januar 2027 kl. 09.00 er endret"
    assert "Tiden er den samme som før." in flat(letter.text)
    assert "Gammel tid" not in page.pairs()
    assert "nye tiden" not in letter.text


@pytest.mark.parametrize(
    ("language", "subject", "when", "not_to_do"),
    [
        (
            "nb",
            "Timen din torsdag 14. januar 2027 kl. 09.00 er avlyst",
            ("Tid", "torsdag 14. januar 2027 kl. 09.00"),
            "Du trenger ikke å gjøre forberedelsene til denne timen.",
        ),
        (
            "en",
            "Your appointment on Thursday 14 January 2027 at 09:00 is cancelled",
            ("Time", "Thursday 14 January 2027 at 09:00"),
            "You need not do the preparations for this appointment.",
        ),
    ],
)
def test_cancellation(language: str, subject: str, when: tuple[str, str], not_to_do: str) -> None:
    letter = render("cancellation", facts(language))
    page = Reader(letter.html)
    assert letter.subject == subject
    assert when in page.pairs().items()
    assert not_to_do in page.visible()
    assert page.all("table") == []
    assert "Tømme tarmen" not in letter.text
    assert "helsenorge.no" not in letter.text  # nothing is left to change there


def test_cancellation_without_preparations_does_not_speak_of_them() -> None:
    assert "forberedelse" not in render("cancellation", facts(preparations=())).text


def test_facts_that_are_missing_are_named() -> None:
    with pytest.raises(ValueError, match="'postcard' is none of"):
        render("postcard", FACTS)
    with pytest.raises(ValueError, match=r"needs facts\.choice"):
        render("choice", replace(FACTS, choice=None))
    with pytest.raises(ValueError, match=r"'cancellation' needs facts\.visit"):
        render("cancellation", replace(FACTS, visit=None))
    with pytest.raises(ValueError, match=r"needs visit\.old_start"):
        render("change", FACTS)


def test_values_refuse_what_makes_no_sense() -> None:
    naive = datetime(2027, 1, 14, 9, 0)  # noqa: DTZ001 - what is refused
    name = Text.plain("Koloskopi")
    with pytest.raises(ValueError, match="cancel_until 2027-01-14T09:00:00 has no time zone"):
        facts(cancel_until=naive)
    with pytest.raises(ValueError, match="service Koloskopi: mode 'letter' is none of"):
        ServiceFacts(name, 60, "letter")
    with pytest.raises(ValueError, match="service Koloskopi: length 0 minutes"):
        ServiceFacts(name, 0)
    with pytest.raises(ValueError, match="names no service"):
        ChoiceFacts((), CHOICE.opens, CHOICE.due, CHOICE.last)
    assert VisitFacts.__hash__ is not None
    assert LetterFacts.__hash__ is not None
