"""What a rule is, and what it may know beyond the row it judges."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from timevalg.clinic.finding import Path
from timevalg.clinic.names import Names

Breaches = Iterator[tuple[Path, str]]
"""The path inside the row and a sentence, for each breach."""


@dataclass(frozen=True)
class Around:
    """The surroundings of a row: the file's names, its grid, its clinic."""

    names: Names
    cell: int
    clinic: str


Rule = Callable[[Any, Around], Breaches]


def clock(minute: int) -> str:
    """Show minutes after midnight: ``08:00``."""
    return f"{minute // 60:02}:{minute % 60:02}"


def moment(value: datetime) -> str:
    """Show a local date-time: ``2027-03-01T12:00``."""
    return value.isoformat(timespec="seconds" if value.second else "minutes")
