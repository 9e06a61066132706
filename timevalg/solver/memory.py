"""Remembering the answers last worked out, in dicts that several threads may use at once.

What is remembered follows from values alone, so a race costs work and never an answer. Dicts are
copied with `list` (one step in CPython) before they are walked.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def remember(known: dict[K, V], key: K, value: V, most: int) -> V:
    """Keep a value, and forget the oldest where there are more than `most`; gives the value."""
    if len(known) >= most and key not in known:
        for oldest in list(known)[: len(known) - most + 1]:
            known.pop(oldest, None)
    known[key] = value
    return value
