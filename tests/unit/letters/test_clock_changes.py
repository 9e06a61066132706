"""Dates are local, on the nights when the clocks change too."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from tests.unit.letters.reading import Reader, flat
from tests.unit.letters.samples import OSLO, facts
from timevalg.letters.render import render
from timevalg.letters.wording import Wording


def when(start: datetime, language: str = "nb") -> str:
    pairs = Reader(render("appointment", facts(language, start=start)).html).pairs()
    return pairs["Tid" if language == "nb" else "Time"]


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (datetime(2027, 3, 28, 0, 30, tzinfo=UTC), "søndag 28. mars 2027 kl. 01.30"),
        (datetime(2027, 3, 28, 1, 0, tzinfo=UTC), "søndag 28. mars 2027 kl. 03.00"),
        (datetime(2027, 3, 26, 8, 0, tzinfo=UTC), "fredag 26. mars 2027 kl. 09.00"),
        (datetime(2027, 3, 29, 7, 0, tzinfo=UTC), "mandag 29. mars 2027 kl. 09.00"),
    ],
)
def test_spring(start: datetime, expected: str) -> None:
    assert when(start) == expected


@pytest.mark.parametrize(
    ("start", "nb", "en"),
    [
        (
            datetime(2027, 10, 31, 0, 30, tzinfo=UTC),
            "søndag 31. oktober 2027 kl. 02.30 (før klokken stilles tilbake)",
            "Sunday 31 October 2027 at 02:30 (before the clocks go back)",
        ),
        (
            datetime(2027, 10, 31, 1, 30, tzinfo=UTC),
            "søndag 31. oktober 2027 kl. 02.30 (etter at klokken er stilt tilbake)",
            "Sunday 31 October 2027 at 02:30 (after the clocks have gone back)",
        ),
        (
            datetime(2027, 10, 31, 2, 0, tzinfo=UTC),
            "søndag 31. oktober 2027 kl. 03.00",
            "Sunday 31 October 2027 at 03:00",
        ),
    ],
)
def test_autumn_tells_the_two_hours_apart(start: datetime, nb: str, en: str) -> None:
    assert when(start) == nb
    assert when(start, "en") == en


def test_a_visit_on_the_day_of_a_clock_change_says_so() -> None:
    spring = flat(render("appointment", facts(start=datetime(2027, 3, 28, 8, tzinfo=UTC))).text)
    autumn = flat(render("appointment", facts(start=datetime(2027, 10, 31, 8, tzinfo=UTC))).text)
    assert "klokken stilles frem natt til denne dagen" in spring
    assert "klokken stilles tilbake natt til denne dagen" in autumn
    for day in (27, 29):
        start = datetime(2027, 3, day, 8, tzinfo=UTC)
        assert "klokken stilles" not in render("appointment", facts(start=start)).text


def test_until_is_the_local_end_of_the_day_in_winter_and_summer() -> None:
    w = Wording("nb", OSLO)
    assert w.end_of_day(date(2027, 3, 27)).endswith("kl.\N{NO-BREAK SPACE}23.59")
    for until, expected in (
        (datetime(2027, 3, 27, 22, 59, tzinfo=UTC), "lørdag 27. mars 2027 kl. 23.59"),
        (datetime(2027, 3, 28, 21, 59, tzinfo=UTC), "søndag 28. mars 2027 kl. 23.59"),
        (datetime(2027, 3, 28, 22, 0, tzinfo=UTC), "søndag 28. mars 2027 kl. 23.59"),
        (datetime(2027, 3, 29, 10, 0, tzinfo=UTC), "mandag 29. mars 2027 kl. 12.00"),
    ):
        text = flat(render("appointment", facts(change_until=until)).text)
        assert f"bytte til en annen tid frem til {expected}." in text


def test_the_local_date_decides_not_the_date_in_utc() -> None:
    assert when(datetime(2027, 1, 13, 23, 15, tzinfo=UTC)) == "torsdag 14. januar 2027 kl. 00.15"
