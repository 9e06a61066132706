"""Opening choice tasks on their start date."""

from __future__ import annotations

from workers.actors.actor import actor
from workers.context import perform


@actor("open")
def open_task(organisation: str, works: list[str]) -> None:
    """Open a task."""
    perform(organisation, "open", works)
