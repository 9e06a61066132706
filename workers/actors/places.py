"""Places for those who have lost theirs."""

from __future__ import annotations

from workers.actors.actor import actor
from workers.context import perform


@actor("regain places")
def regain_places(organisation: str, works: list[str]) -> None:
    """Give places to those without, as far as time has come back."""
    perform(organisation, "regain places", works)
