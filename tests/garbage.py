"""What waits for the garbage collector: what holds itself, and all that it holds."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable


def left_by(work: Callable[[], object]) -> Counter[str]:
    """Do some work with the collector off; gives how many of each of our types it then frees."""
    gc.collect()
    gc.disable()
    try:
        work()
        before = _ours()
        gc.collect()
        return before - _ours()
    finally:
        gc.enable()


def _ours() -> Counter[str]:
    types = map(type, gc.get_objects())
    return Counter(t.__qualname__ for t in types if str(t.__module__).startswith("timevalg"))
