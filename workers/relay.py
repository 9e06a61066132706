"""The relay: from work in the database to messages; a sweep finds whatever was forgotten."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from timevalg.booking.ports import Ports
from timevalg.booking.work import due_work
from timevalg.model.records import Work
from workers.actors import BY_KIND

SWEEP = 10.0
"""Seconds after which work that is still due is announced again."""


def send(work: Work) -> None:
    """Announce a piece of work to the workers on the broker."""
    BY_KIND[work.kind].send(work.organisation, work.id)


def call(work: Work) -> None:
    """Do a piece of work at once, in this thread, through its actor."""
    BY_KIND[work.kind](work.organisation, work.id)


class Relay:
    """Announces due work, each piece once a sweep however often it is woken."""

    def __init__(self, ports: Ports, announce: Callable[[Work], None] = send) -> None:
        self._ports, self._announce = ports, announce
        self._announced: dict[str, float] = {}

    def sweep(self, limit: int = 1000) -> list[Work]:
        """Announce what is due in every organisation; gives what was announced."""
        now = monotonic()
        self._announced = {k: t for k, t in self._announced.items() if now - t < SWEEP}
        out: list[Work] = []
        for organisation in self._ports.store.organisations():
            for work in due_work(self._ports, organisation, limit):
                if work.id not in self._announced:
                    self._announce(work)
                    self._announced[work.id] = now
                    out.append(work)
        return out
