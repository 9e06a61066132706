"""Opening choice tasks on their start date."""

from __future__ import annotations

import dramatiq

from workers.context import perform


@dramatiq.actor
def open_task(organisation: str, work: str) -> None:
    """Open a task."""
    perform(organisation, work)
