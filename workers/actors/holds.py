"""Tidying up holds that have expired."""

from __future__ import annotations

from workers.actors.actor import actor
from workers.context import perform


@actor("expire hold")
def expire_hold(organisation: str, works: list[str]) -> None:
    """Remove expired holds."""
    perform(organisation, "expire hold", works)
