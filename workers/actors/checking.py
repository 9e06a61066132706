"""Checking choices, and choices that nobody has answered."""

from __future__ import annotations

from workers.actors.actor import actor
from workers.context import perform


@actor("check")
def check_choice(organisation: str, works: list[str]) -> None:
    """Check a choice by the pool's policy."""
    perform(organisation, "check", works)


@actor("silence")
def hand_over_unanswered(organisation: str, works: list[str]) -> None:
    """Hand a choice to staff that the record system has not answered."""
    perform(organisation, "silence", works)
