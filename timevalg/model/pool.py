"""Pools: what a clinic opens for choice, and the policies that go with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from timevalg.model.resource import Kind
from timevalg.model.roster import Opening

WEIGHTS: Mapping[str, float] = {
    "earliness": 1.0,
    "wishes": 2.0,
    "same_clinician": 1.0,
    "gaps": 0.5,
    "scarcity": 1.0,
}
"""Terms of the ranking and their default weights."""

CHECK_RULES = ("preparations", "deadline", "same-day")
"""What an automatic check can look at; see ``booking.check``."""


@dataclass(frozen=True)
class ChangePolicy:
    """Until when (23:59 on the `until`-th working day before), and how often, patients may."""

    until: int
    times: int | None = None


@dataclass(frozen=True)
class Pool:
    """What patients may choose from for one service.

    Attributes
    ----------
    resources : frozenset of str or None
        Only these; None = all of the clinic that fit a role.
    raster : int
        Minutes between starts, counted from each opening's start.
    notice, fallback_notice, horizon : int
        Days.
    check, letter : str
        ``auto``, ``manual`` or ``record``.
    fallback : str
        ``assign`` or ``staff``.
    hold : int
        Minutes.
    """

    id: str
    clinic: str
    service: str
    open: tuple[Opening, ...]
    raster: int
    horizon: int
    resources: frozenset[str] | None = None
    notice: int = 0
    fallback_notice: int = 0
    check: str = "auto"
    fallback: str = "assign"
    hold: int = 10
    letter: str = "auto"
    check_rules: tuple[str, ...] = CHECK_RULES
    weights: Mapping[str, float] = field(default_factory=lambda: dict(WEIGHTS))
    change: ChangePolicy | None = None
    cancel: ChangePolicy | None = None


@dataclass(frozen=True)
class Quota:
    """At most `max` visits of these pools a local day or ISO week, together or for `each` kind."""

    pools: frozenset[str]
    per: str
    max: int
    each: Kind | None = None

    def period(self, day: date) -> date:
        """Give the first day of the period in which the date lies."""
        return day if self.per == "day" else day - timedelta(days=day.weekday())
