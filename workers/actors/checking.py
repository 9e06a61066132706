"""Checking choices, and choices that nobody has answered."""

from __future__ import annotations

import dramatiq

from workers.context import perform


@dramatiq.actor
def check_choice(organisation: str, work: str) -> None:
    """Check a choice by the pool's policy."""
    perform(organisation, work)


@dramatiq.actor
def hand_over_unanswered(organisation: str, work: str) -> None:
    """Hand a choice to staff that the record system has not answered."""
    perform(organisation, work)
