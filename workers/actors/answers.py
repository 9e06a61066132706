"""Forgetting the answers to idempotency keys."""

from __future__ import annotations

from workers.actors.actor import actor
from workers.context import perform


@actor("forget answers")
def forget_answers(organisation: str, works: list[str]) -> None:
    """Forget answers that have been kept long enough."""
    perform(organisation, "forget answers", works)
