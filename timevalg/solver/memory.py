"""Remembering the answers last worked out, in dicts that several threads may use at once.

What is remembered follows from values alone, so a race costs work and never an answer. Dicts are
copied with `list` (one step in CPython) before they are walked.
"""

from __future__ import annotations

import gc
from collections.abc import Hashable
from typing import TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

YOUNG = 20_000
"""New objects after which garbage is looked for; a look or a request makes some thousands."""


def remember(known: dict[K, V], key: K, value: V, most: int) -> V:
    """Keep a value, and forget the oldest where there are more than `most`; gives the value."""
    if len(known) >= most and key not in known:
        for oldest in list(known)[: len(known) - most + 1]:
            known.pop(oldest, None)
    known[key] = value
    return value


def keep_for_good() -> None:
    """Let garbage collection leave be what lives for as long as the process: an index above all.

    What comes later is looked through seldom: it is mostly freed without that.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 100)
