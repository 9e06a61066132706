"""The phrase tables: complete, alike in every language, and all of it used."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from string import Formatter

import pytest

from tests.unit.letters.samples import CHOICE, FACTS, PREPARATIONS, VISIT, both
from timevalg.letters.render import render
from timevalg.letters.wording import Wording, languages, phrases
from timevalg.model.appointment import Origin
from timevalg.model.letter import KINDS, MODES, ServiceFacts
from timevalg.model.text import LANGUAGES


def names(words: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(words) if name is not None}


def test_bokmal_and_english_are_there() -> None:
    assert set(languages()) >= {"nb", "en"}
    assert set(languages()) <= set(LANGUAGES)


@pytest.mark.parametrize("language", languages())
def test_every_language_has_every_phrase_with_the_same_names(language: str) -> None:
    ours, theirs = phrases("nb"), phrases(language)
    assert ours.keys() == theirs.keys()
    assert theirs and all(theirs[key].strip() for key in theirs)
    assert {key: names(ours[key]) for key in ours} == {key: names(theirs[key]) for key in theirs}


def test_no_phrase_was_left_untranslated() -> None:
    nb, en = phrases("nb"), phrases("en")
    alike = {key for key in nb if nb[key] == en[key]}
    assert alike == {"choice.service_short", "choice.service_line", "visit.place_room"}


def test_every_phrase_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    said: set[str] = set()
    plain = Wording.say

    def say(self: Wording, key: str, **values: str) -> str:
        said.add(key)
        return plain(self, key, **values)

    monkeypatch.setattr(Wording, "say", say)
    old = datetime(2027, 1, 7, 9, tzinfo=UTC)
    done = replace(PREPARATIONS[0], done=True)
    visits = [
        *(replace(VISIT, origin=origin) for origin in Origin),
        *(replace(VISIT, service=ServiceFacts(VISIT.service.name, 150, m)) for m in MODES),
        replace(VISIT, origin=Origin.ASSIGNED, change_until=None),
        replace(VISIT, changes_left=1, preparations=(*PREPARATIONS, done)),
        replace(VISIT, service=ServiceFacts(VISIT.service.name, 100)),
        replace(VISIT, start=datetime(2027, 3, 28, 8, tzinfo=UTC)),
        replace(VISIT, start=datetime(2027, 10, 31, 0, 30, tzinfo=UTC)),
        replace(VISIT, start=datetime(2027, 10, 31, 1, 30, tzinfo=UTC)),
    ]
    every_mode = tuple(ServiceFacts(both("Time", "Visit"), 30, mode) for mode in MODES)
    choices = [
        CHOICE,
        replace(CHOICE, services=every_mode),
        replace(CHOICE, services=every_mode[:1], first=None),
    ]
    for visit in visits:
        for kind in ("appointment", "cancellation", "reminder"):
            render(kind, replace(FACTS, visit=visit))
        for before in (old, visit.start):
            render("change", replace(FACTS, visit=replace(visit, old_start=before)))
    for choice in choices:
        render("choice", replace(FACTS, choice=choice))
    render("choice", replace(FACTS, patient=""))
    assert phrases("nb").keys() - said == set()
    assert said <= phrases("nb").keys()


@pytest.mark.parametrize("name", ["missing", "letter.missing"])
def test_an_unknown_phrase_or_name_is_an_error(name: str) -> None:
    with pytest.raises(KeyError, match=name):
        Wording("nb", FACTS.zone).say(name)
    with pytest.raises(KeyError, match="patient"):
        Wording("nb", FACTS.zone).say("letter.to")


def test_importing_builds_nothing() -> None:
    code = (
        "from timevalg.letters import render, wording\n"
        "assert render._environment.cache_info().currsize == 0\n"
        "assert wording.phrases.cache_info().currsize == 0\n"
        "import sys; assert not {'sqlalchemy', 'fastapi', 'ortools'} & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert len(KINDS) == 5
