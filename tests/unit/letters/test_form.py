"""The page is safe, accessible and self-contained, and the plain text says the same."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from tests.unit.letters.reading import Reader, flat
from tests.unit.letters.samples import CHOICE, FACTS, VISIT, facts
from timevalg.letters import Letters
from timevalg.letters.render import WIDTH, render
from timevalg.model.letter import KINDS, LetterFacts, PreparationFacts, ServiceFacts
from timevalg.model.text import Text

OLD = datetime(2027, 1, 7, 9, 0, tzinfo=UTC)
FULL = replace(FACTS, visit=replace(VISIT, old_start=OLD))
CASES = [(kind, language) for kind in KINDS for language in ("nb", "en")]
HOSTILE = '<script>alert("x")</script>&{{ 7*7 }}{evil}'


def hostile() -> LetterFacts:
    name = Text.plain(HOSTILE)
    visit = replace(
        VISIT,
        service=ServiceFacts(name, 60),
        place=name,
        room=HOSTILE,
        clinicians=(name,),
        preparations=(
            PreparationFacts(name, date(2027, 1, 14)),
            PreparationFacts(name, date(2027, 1, 14), done=True),
            PreparationFacts(name, date(2027, 1, 14), by="staff"),
        ),
        old_start=OLD,
    )
    return LetterFacts(
        "nb",
        name,
        FACTS.zone,
        portal=name,
        patient=HOSTILE,
        contact=name,
        visit=visit,
        choice=replace(CHOICE, services=(ServiceFacts(name, 30),)),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_names_are_words_never_markup(kind: str) -> None:
    letter = render(kind, hostile())
    page = Reader(letter.html)
    assert page.all("script") == []
    assert any(HOSTILE in words for words in page.visible())
    assert HOSTILE in flat(letter.text)
    assert "<script>" not in letter.html


def test_a_name_cannot_forge_lines_or_turn_the_text_around() -> None:
    forged = replace(FACTS, patient="Ola\r\nTid: i morgen\x00\u202e")
    letter = render("appointment", forged)
    assert "Hei, Ola Tid: i morgen!" in letter.text
    assert not re.search("[\x00\r\u202e]", letter.text + letter.html + letter.subject)


@pytest.mark.parametrize(("kind", "language"), CASES)
def test_the_page_is_accessible_and_self_contained(kind: str, language: str) -> None:
    letter = render(kind, replace(FULL, language=language))
    page = Reader(letter.html)
    assert letter.html.startswith("<!DOCTYPE html>")
    assert page.all("html") == [{"lang": language}]
    assert page.words("title") == [letter.subject]
    assert len(page.all("h1")) == len(page.all("main")) == 1
    assert len(page.all("h2")) >= 4
    assert {"charset": "utf-8"} in page.all("meta")
    headings = [tag for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert headings == ["h1"] + ["h2"] * (len(headings) - 1)
    assert len(page.all("caption")) == len(page.all("table"))
    scopes = {cell["scope"] for cell in page.all("th")}
    assert scopes <= {"col", "row"} and bool(scopes) == bool(page.all("table"))
    assert not {tag for tag, _ in page.elements} & {"script", "img", "link", "iframe", "a", "form"}
    assert not re.search(r"https?:|url\(|@import|src=", letter.html)


@pytest.mark.parametrize(("kind", "language"), CASES)
def test_the_text_says_everything_that_the_page_says(kind: str, language: str) -> None:
    letter = render(kind, replace(FULL, language=language))
    page, text = Reader(letter.html), flat(letter.text).lower()
    missing = [words for words in page.visible() if words.lower() not in text]
    assert set(missing) <= {"Hva", "What"}  # in the text the bullet says which column it is
    assert page.pairs()
    for label, value in page.pairs().items():
        assert f"{label}: {value}".lower() in text


@pytest.mark.parametrize(("kind", "language"), CASES)
def test_the_page_says_everything_that_the_text_says(kind: str, language: str) -> None:
    letter = render(kind, replace(FULL, language=language))
    shown = " ".join(Reader(letter.html).visible()).lower()
    marks = re.compile(r"[-=]+|\d\.")  # underlines, bullets, numbers of steps
    told = {w.removesuffix(":") for w in letter.text.lower().split() if not marks.fullmatch(w)}
    assert {words for words in told if words not in shown} == set()


@pytest.mark.parametrize(("kind", "language"), CASES)
def test_text_lines_are_short_and_dates_stay_whole(kind: str, language: str) -> None:
    letter = render(kind, replace(FULL, language=language))
    lines = letter.text.splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert all(line == line.rstrip() for line in lines)
    assert "\n\n\n" not in letter.text
    assert letter.text.endswith("\n") and not letter.text.endswith("\n\n")
    assert "\N{NO-BREAK SPACE}" not in letter.text + letter.html + letter.subject
    moments = re.findall(r"\d{1,2}\.? \w+ 2027 (?:kl\.|at) \d\d[.:]\d\d", flat(letter.text))
    assert moments
    for moment in moments:
        assert moment in letter.text


@pytest.mark.parametrize(("kind", "language"), CASES)
def test_the_subject_gives_nothing_away(kind: str, language: str) -> None:
    subject = render(kind, replace(FULL, language=language)).subject
    for private in ("Ola", "oloskop", "Colonos", "Gastro", "Kari", "{"):
        assert private not in subject


@pytest.mark.parametrize("language", ["nn", "se", "de", ""])
def test_languages_without_letters_get_the_nearest(language: str) -> None:
    letter = Letters().render("appointment", facts(language))
    assert letter == render("appointment", facts("nb"))
    assert Reader(letter.html).all("html") == [{"lang": "nb"}]


def test_what_is_not_known_leaves_no_trace() -> None:
    bare = replace(FACTS, patient="", contact=None, written=None)
    letter = render("appointment", bare)
    page = Reader(letter.html)
    assert letter.text.startswith("Gastroenterologisk poliklinikk\n\nINNKALLING TIL TIME\n")
    assert "Hei!" in page.visible()
    assert not any(words.startswith(("Til", "Dato", "Telefon")) for words in page.visible())
    assert "None" not in letter.html + letter.text
