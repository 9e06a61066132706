"""The first 20 starts, ranked, each with its resources."""

from __future__ import annotations

from datetime import datetime
from itertools import islice

from timevalg.model.session import Assignment
from timevalg.solver.ask import Ask
from timevalg.solver.index import Index
from timevalg.solver.ranking import Ranking


def top20(index: Index, ask: Ask) -> list[tuple[datetime, float, Assignment]]:
    """Give the 20 best starts with resources."""
    return [(s.start, s.score, s.resources) for s in islice(Ranking(index, [ask]), 20)]
