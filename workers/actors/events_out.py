"""Events out: passing the feed on to those who subscribe, and delivering it."""

from __future__ import annotations

import dramatiq

from timevalg.booking import tell_systems
from timevalg.model.principal import worker
from workers import context
from workers.actors.actor import actor


@dramatiq.actor(queue_name="pass-on")
def pass_on_events(organisation: str, subscription: str) -> None:
    """Write a delivery for each new event that a receiver wants."""
    tell_systems.pass_on_events(context.ports(), worker(organisation), subscription)


@actor("deliver")
def deliver_event(organisation: str, works: list[str]) -> None:
    """Send one event to its receiver."""
    context.perform(organisation, "deliver", works)
