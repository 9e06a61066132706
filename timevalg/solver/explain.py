"""Why not: what each rule leaves, what is in the way of one start, and what would cure it.

The answer is that of docs/explain.md. Counting starts with the raster starts on the local dates
today … today + horizon; each rule is then applied to what the ones before it left.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from timevalg.solver.ask import Ask
from timevalg.solver.blockers import blockers
from timevalg.solver.index import Index
from timevalg.solver.look import Look
from timevalg.solver.loosen import Cure, cures
from timevalg.solver.search import RULES
from timevalg.solver.visit import Blocker

Left = dict[str, int]
"""Rule → how many starts it leaves; in the order of the rules."""


@dataclass(frozen=True)
class Explanation:
    """An answer to "why not?".

    Attributes
    ----------
    left : tuple of dict
        What each rule leaves, for each ask.
    blockers : tuple of Blocker
        What is in the way of the start asked about; empty if it is feasible for one of the asks.
    cures : tuple of Cure
        Smallest first; empty if nothing is amiss, or nothing small enough helps.
    """

    left: tuple[Left, ...]
    blockers: tuple[Blocker, ...]
    cures: tuple[Cure, ...]

    def total(self) -> Left:
        """Give what each rule leaves, all asks together (a start in two pools counts twice)."""
        return {rule: sum(of_one[rule] for of_one in self.left) for rule in RULES}


def left(index: Index, ask: Ask) -> Left:
    """Count what each rule leaves, one after the other.

    Parameters
    ----------
    index : Index
    ask : Ask

    Returns
    -------
    dict
        Rule → starts left; the last one is how many `feasible` gives.
    """
    clinic = index.organisation.clinic(ask.clinic)
    today = ask.today_in(clinic)
    last = today + timedelta(days=clinic.pool(ask.pool).horizon)
    look = Look(index, ask, (today, last))
    bits = look.window.days.dates(today, last)
    out = {}
    for name, rule in RULES.items():
        if bits:
            bits &= rule(look)
        out[name] = bits.bit_count()
    return out


def explain(index: Index, asks: Sequence[Ask], start: datetime | None = None) -> Explanation:
    """Explain an answer of the search.

    Parameters
    ----------
    asks : sequence of Ask
        One for each pool in which the patient could be seen.
    start : datetime or None
        With an offset: why not just then?
    """
    counted = tuple(left(index, ask) for ask in asks)
    found = () if start is None else _in_the_way(blockers(index, ask, start) for ask in asks)
    amiss = bool(found) if start is not None else not any(c["patient"] for c in counted)
    return Explanation(counted, found, cures(index, asks, start) if amiss else ())


def _in_the_way(of_asks: Iterable[tuple[Blocker, ...]]) -> tuple[Blocker, ...]:
    found = list(of_asks)
    return tuple(b for of_one in found for b in of_one) if all(found) else ()
