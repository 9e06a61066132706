"""Sealing the audit log."""

from __future__ import annotations

import dramatiq

from workers.context import perform


@dramatiq.actor
def seal_audit(organisation: str, work: str) -> None:
    """Seal what has been written since the last seal."""
    perform(organisation, work)
