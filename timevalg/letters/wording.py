"""Words, dates and lengths of time in one language: phrase tables and how they are filled in."""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from babel.lists import format_list

from timevalg.model.text import Text
from timevalg.model.time import local_date

GLUE = "\N{NO-BREAK SPACE}"
"""Stands inside dates while lines are wrapped; a plain space in the finished letter."""

_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@cache
def phrases(language: str) -> Mapping[str, str]:
    """Give a language's phrase table: ``section.name`` → words with {names} to fill in."""
    path = files("timevalg.letters") / "phrases" / f"{language}.toml"
    table: dict[str, dict[str, str]] = tomllib.loads(path.read_text("utf-8"))
    return {f"{part}.{name}": words for part in table for name, words in table[part].items()}


@cache
def languages() -> tuple[str, ...]:
    """Give the languages in which letters are written: those with a phrase table."""
    found = (files("timevalg.letters") / "phrases").iterdir()
    return tuple(sorted(f.name.removesuffix(".toml") for f in found if f.name.endswith(".toml")))


def nearest(language: str) -> str:
    """Give the language a letter is written in: the reader's, or the nearest there is."""
    return Text(tuple((known, known) for known in languages())).to(language)


def clean(words: str) -> str:
    """Give words on one line, without control characters or marks that turn the text around."""
    kept = (c for c in words if c not in _BIDI and (c.isspace() or unicodedata.category(c) != "Cc"))
    return " ".join("".join(kept).split())


@dataclass(frozen=True)
class Wording:
    """One language and one zone; every word of a letter comes from here or from the clinic."""

    language: str
    zone: ZoneInfo

    def say(self, key: str, **values: str | Text) -> str:
        """Fill in a phrase: texts in this language and on one line, strings as they are.

        Raises
        ------
        KeyError
            If there is no such phrase, or it has a name that is not given.
        """
        return phrases(self.language)[key].format_map(
            {n: v if isinstance(v, str) else self.name(v) for n, v in values.items()}
        )

    def name(self, value: str | Text) -> str:
        """Give a name of the clinic's or a person's in this language, on one line."""
        return clean(value if isinstance(value, str) else value.to(self.language))

    def day(self, day: date) -> str:
        """Give a date: ``torsdag 14. januar 2027``."""
        pattern = self.say("format.day")
        return format_date(day, pattern, locale=self.say("format.locale")).replace(" ", GLUE)

    def moment(self, moment: datetime) -> str:
        """Give an instant in local time: ``torsdag 14. januar 2027 kl. 09.00``.

        An hour that the clocks repeat says which of the two it is.
        """
        local = moment.astimezone(self.zone)
        time = format_time(local, self.say("format.time"), locale=self.say("format.locale"))
        words = self.say("format.moment", day=self.day(local.date()), time=time)
        words = words.replace(" ", GLUE)
        if local.replace(fold=0).utcoffset() == local.replace(fold=1).utcoffset():
            return words
        key = "after_clock_change" if local.fold else "before_clock_change"
        return self.say(f"format.{key}", moment=words)

    def end_of_day(self, day: date) -> str:
        """Give the last minute of a local day."""
        last = datetime(day.year, day.month, day.day, 23, 59, tzinfo=self.zone)
        return self.moment(last)

    def until(self, moment: datetime) -> str:
        """Give the last moment of something; a local midnight is the end of the day before."""
        local = moment.astimezone(self.zone)
        if (local.hour, local.minute) == (0, 0):
            return self.end_of_day(local.date() - timedelta(days=1))
        return self.moment(moment)

    def length(self, minutes: int) -> str:
        """Give a length of time: up to 90 minutes as minutes, above as hours and minutes."""
        if minutes <= 90:
            return self.say("format.minutes", count=str(minutes))
        whole, rest = divmod(minutes, 60)
        key = "format.hours_one" if whole == 1 else "format.hours"
        hours = self.say(key, count=str(whole))
        if rest == 0:
            return hours
        last = self.say("format.minutes", count=str(rest))
        return self.say("format.hours_and_minutes", hours=hours, minutes=last)

    def joined(self, names: Sequence[str | Text]) -> str:
        """Give names as a list in words: ``A, B og C``."""
        return format_list([self.name(n) for n in names], locale=self.say("format.locale"))

    def clock_change(self, moment: datetime) -> str | None:
        """Give what to say if the clocks change on the instant's local day; mostly nothing."""
        day = local_date(moment, self.zone)
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=self.zone)
        shift = (noon.utcoffset() or timedelta()) - (
            (noon - timedelta(days=1)).utcoffset() or timedelta()
        )
        if not shift:
            return None
        return self.say("visit.clocks_forward" if shift > timedelta() else "visit.clocks_back")
