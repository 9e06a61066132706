"""The first 20 starts, ranked, each with its resources."""

from __future__ import annotations

from timevalg.solver import ranking
from timevalg.solver.ask import Ask
from timevalg.solver.assign import assign
from timevalg.solver.index import Index
from timevalg.solver.search import feasible

RANKED = hasattr(ranking, "top")
"""Whether the solver ranks; without it the 20 earliest are taken."""


def top20(index: Index, ask: Ask) -> list[object]:
    """Give the 20 best starts with resources."""
    if RANKED:
        found: list[object] = list(ranking.top(index, [ask], 20))
        return found
    return [(start, assign(index, ask, start)) for start in feasible(index, ask).instants()[:20]]
