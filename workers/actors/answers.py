"""Forgetting the answers to idempotency keys."""

from __future__ import annotations

import dramatiq

from workers.context import perform


@dramatiq.actor
def forget_answers(organisation: str, work: str) -> None:
    """Forget answers that have been kept long enough."""
    perform(organisation, work)
