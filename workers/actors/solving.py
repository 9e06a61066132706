"""For the next looks, in seconds: offers that were left undecided settled, and places tidied."""

from __future__ import annotations

from workers.actors.actor import actor
from workers.context import perform


@actor("settle offers")
def settle_offers(organisation: str, works: list[str]) -> None:
    """Settle tasks' undecided candidates."""
    perform(organisation, "settle offers", works)


@actor("tidy places")
def tidy_places(organisation: str, works: list[str]) -> None:
    """Plan places near to tasks anew."""
    perform(organisation, "tidy places", works)
