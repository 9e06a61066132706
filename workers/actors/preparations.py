"""Preparations that start, and those that were missed."""

from __future__ import annotations

from workers.actors.actor import actor
from workers.context import perform


@actor("preparation")
def follow_preparation(organisation: str, works: list[str]) -> None:
    """Start a preparation, or tell staff that it is overdue."""
    perform(organisation, "preparation", works)
