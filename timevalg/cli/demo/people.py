"""The people of the demo: how a patient behaves is drawn once, when the invitation goes out."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

SHARES: tuple[tuple[float, tuple[str, ...]], ...] = (
    (0.30, ("colonoscopy-first",)),
    (0.20, ("gastroscopy-first",)),
    (0.17, ("consultation-first",)),
    (0.10, ("consultation-first", "consultation-video")),
    (0.16, ("follow-up",)),
    (0.07, ("infusion",)),
)
"""What the clinic invites to: shares of the pools, as the example's planners reckon."""

ANSWERS: tuple[tuple[float, str], ...] = (
    (0.72, "choose"),
    (0.05, "decline"),
    (0.05, "none suits"),
    (0.18, "silent"),
)
"""What patients do with an invitation."""

CHANGES, CANCELS = 0.12, 0.06
"""Shares of those with a time who change it, or cancel it, later on."""
LOOKS = (1, 20)
"""Patients take one of so many offers shown; half of them take the first."""
FOLLOW_UP_DOCTORS = ("dr-nilsen", "dr-moen", "dr-berg", "dr-lie")


@dataclass(frozen=True)
class Person:
    """One patient's temper.

    Attributes
    ----------
    answer : str
        One of `ANSWERS`.
    delay : int
        Days from the invitation to the answer.
    picks_first : bool
        Whether the first offer will do, else any of those shown.
    changes, cancels : bool
        Whether the time is changed, or cancelled, some days later.
    """

    id: str
    language: str
    pools: tuple[str, ...]
    answer: str
    delay: int
    picks_first: bool
    changes: bool
    cancels: bool
    doctor: str | None


def draw(dice: random.Random, number: int) -> Person:
    """Draw one patient."""
    pools = _pick(dice, SHARES)
    later = dice.random()
    return Person(
        id=f"p-{number:04d}",
        language=dice.choices(("nb", "en"), (9, 1))[0],
        pools=pools,
        answer=_pick(dice, ANSWERS),
        delay=min(int(dice.expovariate(0.5)), 8),
        picks_first=dice.random() < 0.5,
        changes=later < CHANGES,
        cancels=CHANGES <= later < CHANGES + CANCELS,
        doctor=dice.choice(FOLLOW_UP_DOCTORS) if pools == ("follow-up",) else None,
    )


def _pick(dice: random.Random, table: tuple[tuple[float, T], ...]) -> T:
    return dice.choices([row[1] for row in table], [row[0] for row in table])[0]
