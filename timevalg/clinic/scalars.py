"""The kinds of single values in a clinic file, read strictly: nothing is coerced.

Each is an annotated type for pydantic. Markers in the annotation say what later checks look at:
`Grid` for what must lie on the clinic's grid, `Ref` for what must name something.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from pydantic import Field, PlainValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from timevalg.clinic.finding import nearest, shown
from timevalg.model.text import LANGUAGES, Text
from timevalg.model.time import MINUTES_A_DAY, YEARS


@dataclass(frozen=True)
class Grid:
    """Marks a value that must be a multiple of the clinic's cell."""


@dataclass(frozen=True)
class Ref:
    """Marks a value that must name something of this kind.

    ``resource`` means one resource or all members of a capacity, ``member`` one resource only.
    """

    kind: str


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?", re.ASCII)
_OFFSET = re.compile(r"\d{4}-\d{2}-\d{2}[T ][\d:.]+(Z|[+-]\d{2}:?\d{2})", re.IGNORECASE)


def _wrong(message: str) -> PydanticCustomError:
    return PydanticCustomError("clinic_file", "{message}", {"message": message})


def parse_day(value: Any) -> date:
    """Read a date: ``2027-07-05``."""
    if isinstance(value, date) and not isinstance(value, datetime):
        day: date | None = value
    else:
        day = _day(value)
    if day is None or day.year not in YEARS:
        raise _wrong(f"{shown(value)} is not a date; write it as 2027-07-05")
    return day


def _day(value: Any) -> date | None:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def parse_clock(value: Any) -> int:
    """Read a time on the wall clock, ``08:00`` … ``24:00``, as minutes after midnight."""
    minute = clock_minute(value)
    if minute is None:
        raise _wrong(f'{shown(value)} is not a time of day; write it as "08:00" (… "24:00")')
    return minute


def clock_minute(value: Any) -> int | None:
    """Give the minutes after midnight that a value means; None if it is not a time of day."""
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if match is None or int(match[2]) > 59:
        return None
    minute = int(match[1]) * 60 + int(match[2])
    return minute if minute <= MINUTES_A_DAY else None


def parse_moment(value: Any) -> datetime:
    """Read a local date-time: ``2027-03-01T12:00``. It stays naive: the clinic's wall clock."""
    moment = value if isinstance(value, datetime) and value.tzinfo is None else _moment(value)
    if moment is None or moment.year not in YEARS:
        if isinstance(value, str) and _OFFSET.fullmatch(value):
            raise _wrong(f"{shown(value)} has an offset; write the clinic's local time without one")
        raise _wrong(f'{shown(value)} is not a local date-time; write it as "2027-03-01T12:00"')
    return moment


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        if value[11:16] == "24:00" and value[16:] in ("", ":00"):
            midnight = _moment(value[:11] + "00:00")
            return None if midnight is None else midnight + timedelta(days=1)
        return None


def parse_edge(value: Any) -> date | datetime | int:
    """Read one end of an absence: a date, a local date-time or a time of day."""
    for read in (parse_day, parse_moment, parse_clock):
        try:
            return read(value)
        except PydanticCustomError:
            continue
    if isinstance(value, str) and _OFFSET.fullmatch(value):
        parse_moment(value)
    raise _wrong(
        f"{shown(value)} is neither a date (2027-02-15) nor a local date-time "
        '("2027-03-01T12:00") nor a time of day ("12:00")'
    )


def parse_words(value: Any) -> Text:
    """Read a text: plain, or one in each language."""
    if isinstance(value, str):
        if not value.strip():
            raise _wrong("is empty; give some words or leave the key out")
        return Text.plain(value)
    if not isinstance(value, dict) or not value:
        raise _wrong(f"{shown(value)} is not text; give words or {{nb: …, en: …}}")
    for language, words in value.items():
        if language not in LANGUAGES:
            hint = nearest(language, LANGUAGES)
            raise _wrong(f"{shown(language)} is not a language of the format{hint}")
        if not isinstance(words, str) or not words.strip():
            raise _wrong(f"{shown(words)} (for {language}) is not text")
    return Text(tuple(value.items()))


def parse_holidays(value: Any) -> str | tuple[date, ...]:
    """Read a country code, or a list of dates."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        raise _wrong(f'{shown(value)} is neither a country code ("NO") nor a list of dates')
    days = []
    for item in value:
        days.append(parse_day(item))
    return tuple(days)


_DATE_SCHEMA = {"type": "string", "format": "date", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
_CLOCK_SCHEMA = {"type": "string", "pattern": r"^([01]?\d|2[0-3]):[0-5]\d$|^24:00$"}
_MOMENT_SCHEMA = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?$"}
_WORDS_SCHEMA = {
    "anyOf": [
        {"type": "string", "minLength": 1},
        {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": False,
            "properties": {x: {"type": "string", "minLength": 1} for x in LANGUAGES},
        },
    ]
}

Day = Annotated[date, PlainValidator(parse_day), WithJsonSchema(_DATE_SCHEMA)]
Clock = Annotated[int, PlainValidator(parse_clock), WithJsonSchema(_CLOCK_SCHEMA)]
GridClock = Annotated[int, PlainValidator(parse_clock), WithJsonSchema(_CLOCK_SCHEMA), Grid()]
Moment = Annotated[datetime, PlainValidator(parse_moment), WithJsonSchema(_MOMENT_SCHEMA)]
Edge = Annotated[
    date | datetime | int,
    PlainValidator(parse_edge),
    WithJsonSchema({"anyOf": [_DATE_SCHEMA, _MOMENT_SCHEMA, _CLOCK_SCHEMA]}),
]
Words = Annotated[Text, PlainValidator(parse_words), WithJsonSchema(_WORDS_SCHEMA)]
Holidays = Annotated[
    str | tuple[date, ...],
    PlainValidator(parse_holidays),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": _DATE_SCHEMA}]}),
]

ClinicId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+$", max_length=100)]
Id = Annotated[str, StringConstraints(pattern=r"^[^\s\x00-\x1f\x7f]+$", max_length=200)]
Line = Annotated[str, StringConstraints(max_length=2000)]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]

Minutes = Annotated[int, Field(ge=1, le=MINUTES_A_DAY)]
GridMinutes = Annotated[int, Field(ge=1, le=MINUTES_A_DAY), Grid()]
GridOffset = Annotated[int, Field(ge=-MINUTES_A_DAY, le=MINUTES_A_DAY), Grid()]
Days = Annotated[int, Field(ge=0, le=3660)]

ServiceRef = Annotated[str, Ref("service")]
PoolRef = Annotated[str, Ref("pool")]
ResourceRef = Annotated[str, Ref("resource")]
MemberRef = Annotated[str, Ref("member")]
