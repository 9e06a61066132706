"""One visit and one invitation that the tests of letters vary."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from timevalg.model.appointment import Origin
from timevalg.model.letter import (
    ChoiceFacts,
    LetterFacts,
    PreparationFacts,
    ServiceFacts,
    VisitFacts,
)
from timevalg.model.text import Text

OSLO = ZoneInfo("Europe/Oslo")


def both(nb: str, en: str) -> Text:
    return Text((("nb", nb), ("en", en)))


PREPARATIONS = (
    PreparationFacts(both("Tømme tarmen", "Empty the bowel"), date(2027, 1, 14), date(2027, 1, 7)),
    PreparationFacts(
        both("Svare på skjema (MRSA)", "Answer the form (MRSA)"), date(2026, 12, 31), kind="form"
    ),
    PreparationFacts(
        both("Bestille tolk", "Book an interpreter"), date(2027, 1, 4), kind="errand", by="staff"
    ),
)

VISIT = VisitFacts(
    ServiceFacts(both("Koloskopi", "Colonoscopy"), 60),
    start=datetime(2027, 1, 14, 8, 0, tzinfo=UTC),
    origin=Origin.CHOSEN,
    place=Text.plain("Fjordbyen sjukehus"),
    room="5. etg.",
    clinicians=(Text.plain("Kari Berg"), Text.plain("Randi Aas"), Text.plain("Gro Bakke")),
    preparations=PREPARATIONS,
    change_until=datetime(2027, 1, 12, 22, 59, tzinfo=UTC),
    cancel_until=datetime(2027, 1, 13, 22, 59, tzinfo=UTC),
    changes_left=2,
)

CHOICE = ChoiceFacts(
    (
        ServiceFacts(both("Første konsultasjon", "First consultation"), 45),
        ServiceFacts(both("Samtale på video", "Talk by video"), 120, "video"),
    ),
    opens=date(2027, 1, 4),
    due=date(2027, 1, 11),
    first=date(2027, 1, 18),
    last=date(2027, 3, 5),
)

FACTS = LetterFacts(
    "nb",
    both("Gastroenterologisk poliklinikk", "Gastroenterology clinic"),
    OSLO,
    Text.plain("helsenorge.no"),
    patient="Ola Nordmann",
    contact=both("Telefon 55 00 00 00", "Telephone 55 00 00 00"),
    written=date(2026, 12, 22),
    visit=VISIT,
    choice=CHOICE,
)


def facts(language: str = "nb", **visit: Any) -> LetterFacts:
    """Give `FACTS` in a language, with some facts of the visit changed."""
    return replace(FACTS, language=language, visit=replace(VISIT, **visit))
