"""Writing and sending letters."""

from __future__ import annotations

import dramatiq

from workers.context import perform


@dramatiq.actor
def write_letter(organisation: str, work: str) -> None:
    """Write a letter."""
    perform(organisation, work)


@dramatiq.actor
def send_letter(organisation: str, work: str) -> None:
    """Send a letter."""
    perform(organisation, work)
