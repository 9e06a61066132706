"""Writing and sending letters."""

from __future__ import annotations

from workers.actors.actor import actor
from workers.context import perform


@actor("letter")
def write_letter(organisation: str, works: list[str]) -> None:
    """Write a letter."""
    perform(organisation, "letter", works)


@actor("send letter")
def send_letter(organisation: str, works: list[str]) -> None:
    """Send a letter."""
    perform(organisation, "send letter", works)
