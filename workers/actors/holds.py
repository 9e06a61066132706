"""Tidying up holds that have expired."""

from __future__ import annotations

import dramatiq

from workers.context import perform


@dramatiq.actor
def expire_hold(organisation: str, work: str) -> None:
    """Remove expired holds."""
    perform(organisation, work)
