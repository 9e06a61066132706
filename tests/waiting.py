"""Waiting for what others do: it is given up, with a message, where it would never end."""

import threading

SECONDS = 60.0
"""Generous: a machine that is shared may be slow."""


def until(condition, what="it", seconds=SECONDS):
    """Ask until the condition holds; gives what it gave."""
    tick = threading.Event()
    for _ in range(int(seconds / 0.05)):
        if found := condition():
            return found
        tick.wait(0.05)
    raise AssertionError(f"{what} did not happen in {seconds:g} seconds")
