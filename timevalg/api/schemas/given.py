"""Single values of requests and answers, read strictly: nothing is taken for another type."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from timevalg.clinic.scalars import Day

__all__ = [
    "AT_MOST",
    "After",
    "Day",
    "Given",
    "Id",
    "Instant",
    "Minutes",
    "Page",
    "Resources",
    "Truth",
    "Versioned",
    "Words",
    "example",
    "given_resources",
]

AT_MOST = 2**31 - 1
"""The largest number that a version can be."""
_TEXT = r"^[^\x00]*$"
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d.*", re.ASCII | re.DOTALL)
_YEARS = range(1900, 2200)


def _instant(value: Any) -> Any:
    """Refuse what pydantic would take for an instant too: numbers, and dates far from here."""
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise ValueError("is not an instant; write it as 2027-01-14T09:00:00+01:00")
    if int(value[:4]) not in _YEARS:
        raise ValueError(f"the year is not {_YEARS.start} … {_YEARS.stop - 1}")
    return value


Id = Annotated[str, Field(min_length=1, max_length=200, pattern=_TEXT)]
Words = Annotated[str, Field(max_length=2000, pattern=_TEXT)]
Instant = Annotated[AwareDatetime, BeforeValidator(_instant)]
Versioned = Annotated[int, Field(ge=0, le=AT_MOST, strict=True)]
After = Annotated[str, Field(max_length=200, pattern=_TEXT)]
Truth = Annotated[bool, Field(strict=True)]
Minutes = Annotated[int, Field(strict=True, ge=0, le=1440)]
Resources = Annotated[dict[Id, list[Id]], Field(description="Role id → ids of resources.")]


def example(**fields: Any) -> ConfigDict:
    """Give the configuration of a body whose example has some fields."""
    return ConfigDict(extra="forbid", json_schema_extra={"example": fields})


def given_resources(resources: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Give resources as use cases take them."""
    return {role: tuple(names) for role, names in resources.items()}


def _zeros(value: Any, where: str = "") -> Iterable[str]:
    """Give where a text holds U+0000, which no database keeps."""
    if isinstance(value, str) and "\0" in value:
        yield where or "/"
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _zeros(key, f"{where} (a key)")
            yield from _zeros(inner, f"{where}/{key}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _zeros(inner, f"{where}/{number}")


class Given(BaseModel):
    """A body: unknown keys are errors, and no text holds what no database keeps."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _without_zeros(cls, value: Any) -> Any:
        if where := next(iter(_zeros(value)), None):
            raise ValueError(f"the character U+0000 is at {where}")
        return value


class Page(BaseModel):
    """Where the next page begins; empty at the end."""

    next: str = Field(default="", description="Send it as `after`.")
