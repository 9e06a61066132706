"""A worker that dies at a named point, for the tests: run in a process of its own."""

import os
import signal
import threading
from dataclasses import replace

from timevalg.model.outgoing import Delivery
from timevalg.model.records import Letter
from timevalg.model.states import LetterState
from workers import context, metrics, serve

POINTS = ("before effect", "after effect", "after mark", "after commit")


KINDS = {"send letter": Letter, "deliver": Delivery}
"""The kinds of work that have an effect, and what it is an effect of."""


def work(settings, redis_url, point=None, kind="send letter"):
    """Work like any worker; at `point` the process is killed as the kernel would."""
    ports = context.open_context(settings)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    stop = threading.Event()
    context.bind(
        replace(
            ports,
            channels=tuple(Dying(channel, point, kind, Letter) for channel in ports.channels),
            hooks=Dying(ports.hooks, point, kind, Delivery),
            store=DyingStore(ports.store, point, KINDS[kind]),
        )
    )
    if point == "after commit":
        metrics.count = lambda work, *_: die() if work.kind == kind else None
    serve.serve(redis_url, stop)


def die():
    os.kill(os.getpid(), signal.SIGKILL)


class Dying:
    """A channel that dies before or after it sends, if the point is one of its kind's."""

    def __init__(self, channel, point, kind, sends):
        self._channel = channel
        self._point = point if KINDS[kind] is sends else None

    def __getattr__(self, name):
        return getattr(self._channel, name)

    def send(self, *what):
        if self._point == "before effect":
            die()
        receipt = self._channel.send(*what)
        if self._point == "after effect":
            die()
        return receipt


class DyingStore:
    """A store that dies when an effect has been marked as sent, before that is committed."""

    def __init__(self, store, point, sends):
        self._store, self._point, self._sends = store, point, sends

    def __getattr__(self, name):
        return getattr(self._store, name)

    def run(self, organisation, body, *, write=True):
        def dying(unit):
            result = body(unit)
            is_sent = isinstance(result, self._sends) and result.state is LetterState.SENT
            if self._point == "after mark" and is_sent:
                die()
            return result

        return self._store.run(organisation, dying, write=write)
