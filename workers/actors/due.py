"""Due dates and the fallback for those who have not chosen."""

from __future__ import annotations

from workers.actors.actor import actor
from workers.context import perform


@actor("fall due")
def fall_due(organisation: str, works: list[str]) -> None:
    """Do what the pool's fallback says."""
    perform(organisation, "fall due", works)
