"""The relay: from work in the database to messages; a sweep finds whatever was forgotten."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from time import monotonic
from typing import Any, Protocol

import redis
from dramatiq import Broker
from dramatiq.brokers.redis import RedisBroker

from timevalg.booking.ports import Ports
from timevalg.booking.tell_systems import unread
from timevalg.booking.work import SHARE, due_work
from timevalg.model.records import Work
from workers.actors import BY_KIND
from workers.actors.events_out import pass_on_events

FORGET = 6.0
"""Seconds after which work that is still due is announced again: with a sweep, less than 10."""
HANDFUL = 10
"""Pieces of one kind in a message, taken in one transaction."""
AT_ONCE = 1000
"""Pieces of one organisation in a sweep."""

Announce = Callable[[Any, tuple[Any, ...]], None]
"""Has an actor called with some arguments."""


class Announcements(Protocol):
    """Remembers for a while what has been announced."""

    def fresh(self, keys: Sequence[str]) -> list[bool]:
        """Tell of each key whether it is new, and remember it."""
        ...


class Here:
    """Remembers in this process."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def fresh(self, keys: Sequence[str]) -> list[bool]:
        """Tell of each key whether it is new, and remember it."""
        now = monotonic()
        self._until = {key: until for key, until in self._until.items() if until > now}
        new = [key not in self._until for key in keys]
        self._until |= {key: now + FORGET for key, is_new in zip(keys, new, strict=True) if is_new}
        return new


class InRedis:
    """Remembers in Redis: what is flushed is forgotten together with the messages."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def fresh(self, keys: Sequence[str]) -> list[bool]:
        """Tell of each key whether it is new, and remember it."""
        with self._client.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.set(f"timevalg:announced:{key}", 1, nx=True, px=round(FORGET * 1000))
            return [bool(answer) for answer in pipeline.execute()]


def announcements_of(broker: Broker) -> Announcements:
    """Give the memory that belongs to a broker."""
    return InRedis(broker.client) if isinstance(broker, RedisBroker) else Here()


def sender(broker: Broker) -> Announce:
    """Announce by messages on a broker."""

    def send(actor: Any, arguments: tuple[Any, ...]) -> None:
        broker.enqueue(actor.message(*arguments))

    return send


def call(actor: Any, arguments: tuple[Any, ...]) -> None:
    """Announce by doing it at once, in this thread."""
    actor(*arguments)


class Relay:
    """Announces what is due: a share of each clinic's, the most urgent first."""

    def __init__(self, ports: Ports, announce: Announce, announcements: Announcements) -> None:
        self._ports, self._announce, self._announcements = ports, announce, announcements

    def sweep(self) -> list[Work]:
        """Announce what is due in every organisation; gives what was announced."""
        out: list[Work] = []
        for organisation in self._ports.store.organisations():
            self._pass_on(organisation)
            due = due_work(self._ports, organisation, AT_ONCE, share=SHARE)
            # The fence tells one attempt from the next: each is announced at once.
            works = self._fresh(due, [f"{organisation}:{w.id}:{w.fence}" for w in due])
            for kind, of_kind in groupby(works, key=lambda work: work.kind):
                ids = [work.id for work in of_kind]
                for n in range(0, len(ids), HANDFUL):
                    self._announce(BY_KIND[kind], (organisation, ids[n : n + HANDFUL]))
            out += works
        return out

    def _pass_on(self, organisation: str) -> None:
        behind = unread(self._ports, organisation)
        for subscription, _ in self._fresh(behind, [f"{key}@{at}" for key, at in behind]):
            self._announce(pass_on_events, (organisation, subscription))

    def _fresh(self, things: list[Any], keys: list[str]) -> list[Any]:
        if not things:
            return []
        new = self._announcements.fresh(keys)
        return [thing for thing, is_new in zip(things, new, strict=True) if is_new]
