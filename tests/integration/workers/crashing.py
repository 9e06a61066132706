"""A worker that dies at a named point, for the tests: run in a process of its own."""

import os
import signal
import threading
from dataclasses import replace

from timevalg.model.states import LetterState
from workers import context, metrics, serve

POINTS = ("before effect", "after effect", "after mark", "after commit")


def work(settings, redis_url, point=None):
    """Work like any worker; at `point` the process is killed as the kernel would."""
    ports = context.open_context(settings)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    stop = threading.Event()
    context.bind(
        replace(
            ports,
            channels=tuple(Dying(channel, point) for channel in ports.channels),
            store=DyingStore(ports.store, point),
        )
    )
    if point == "after commit":
        metrics.count = lambda work, *_: die() if work.kind == "send letter" else None
    serve.serve(redis_url, stop)


def die():
    os.kill(os.getpid(), signal.SIGKILL)


class Dying:
    """A channel that dies before or after it sends."""

    def __init__(self, channel, point):
        self._channel, self._point = channel, point

    def __getattr__(self, name):
        return getattr(self._channel, name)

    def send(self, effect, letter):
        if self._point == "before effect":
            die()
        receipt = self._channel.send(effect, letter)
        if self._point == "after effect":
            die()
        return receipt


class DyingStore:
    """A store that dies when a letter has been marked as sent, before that is committed."""

    def __init__(self, store, point):
        self._store, self._point = store, point

    def __getattr__(self, name):
        return getattr(self._store, name)

    def run(self, organisation, body, *, write=True):
        def dying(unit):
            result = body(unit)
            if self._point == "after mark" and getattr(result, "state", "") is LetterState.SENT:
                die()
            return result

        return self._store.run(organisation, dying, write=write)
