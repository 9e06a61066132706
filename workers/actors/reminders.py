"""Reminders of visits."""

from __future__ import annotations

from workers.actors.actor import actor
from workers.context import perform


@actor("remind")
def remind(organisation: str, works: list[str]) -> None:
    """Remind a patient of a visit."""
    perform(organisation, "remind", works)
