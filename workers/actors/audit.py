"""Sealing the audit log."""

from __future__ import annotations

from workers.actors.actor import actor
from workers.context import perform


@actor("seal audit")
def seal_audit(organisation: str, works: list[str]) -> None:
    """Seal what has been written since the last seal."""
    perform(organisation, "seal audit", works)
