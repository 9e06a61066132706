"""How an actor is declared: a queue for each kind of work, consumed most urgent first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dramatiq

from timevalg.booking.work import KINDS

Body = Callable[[str, list[str]], None]


def actor(kind: str) -> Callable[[Body], Any]:
    """Declare the actor of a kind of work.

    Workers of an older version do not consume the queues of kinds they do not know: such work
    waits for newer ones.
    """
    return dramatiq.actor(queue_name=kind.replace(" ", "-"), priority=KINDS[kind].urgency)
