"""Preparations that start, and those that were missed."""

from __future__ import annotations

import dramatiq

from workers.context import perform


@dramatiq.actor
def follow_preparation(organisation: str, work: str) -> None:
    """Start a preparation, or tell staff that it is overdue."""
    perform(organisation, work)
