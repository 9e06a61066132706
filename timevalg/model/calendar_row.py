"""A visit as a record system tells of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from timevalg.model.session import Assignment


@dataclass(frozen=True)
class CalendarRow:
    """One visit as the record system has it.

    Attributes
    ----------
    ref, version : str, int
        The record system's own id, and a number that grows with every change of it.
    deleted : bool
        The visit is gone; nothing else need be given then.
    start : datetime or None
        Aware.
    """

    ref: str
    version: int
    deleted: bool = False
    clinic: str = ""
    service: str = ""
    start: datetime | None = None
    resources: Assignment = field(default_factory=dict)
    patient: str | None = None
    pool: str | None = None

    def __post_init__(self) -> None:
        if not self.ref:
            raise ValueError("a row needs a ref")
        if not 0 <= self.version < 2**31:
            raise ValueError(f"row {self.ref}: version {self.version} is not 0 … 2147483647")
