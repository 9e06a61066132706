"""Calls that are made while somebody else is served: so they are served together."""

import threading

from tests.world import ORGANISATION
from timevalg.booking.line import Line


class Arriving(list):
    """Those who wait; each who comes is told of."""

    def __init__(self, came):
        super().__init__()
        self._came = came

    def append(self, place):
        super().append(place)
        self._came.release()


def in_threads(calls):
    """Give a thread for each call, not started, and the list of what each will have come to."""
    outcomes = [None] * len(calls)

    def go(number, call):
        try:
            outcomes[number] = call()
        except Exception as error:
            outcomes[number] = error

    return [threading.Thread(target=go, args=pair) for pair in enumerate(calls)], outcomes


def meanwhile(ports, *calls, line=ORGANISATION):
    """Make calls, one after the other, while somebody is served; gives what each came to."""
    waiting, came = Line(), threading.Semaphore(0)
    ports.lines[line] = waiting
    threads, outcomes = in_threads(calls)

    def serve(_):
        waiting._waiting = Arriving(came)
        for thread in threads:
            thread.start()
            assert came.acquire(timeout=10)

    waiting.join(None, serve)
    for thread in threads:
        thread.join(30)
    return outcomes
