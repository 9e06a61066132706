"""Due dates and the fallback for those who have not chosen."""

from __future__ import annotations

import dramatiq

from workers.context import perform


@dramatiq.actor
def fall_due(organisation: str, work: str) -> None:
    """Do what the pool's fallback says."""
    perform(organisation, work)
