"""Settling offers that repair left undecided, with a prover: seconds of work for a next look."""

from __future__ import annotations

from workers.actors.actor import actor
from workers.context import perform


@actor("settle offers")
def settle_offers(organisation: str, works: list[str]) -> None:
    """Settle tasks' undecided candidates."""
    perform(organisation, "settle offers", works)
