"""Who could be where once those who have nowhere else are left what they need.

Time that is full of tasks which have nowhere to be but in such time is theirs: nobody else can be
there, however everybody is arranged. The others' starts there go; so more of them have nowhere
else, and more time is full. That goes on until nothing goes any more, and what is left is weighed
in several ways, and with quotas, to prove a start unsafe. Looked at are those who have the least
choice: it decides how much can be shown, not whether it is true.

Source: docs/clinic-file.md, "Reserves and safe offers"; Hall's theorem, as constraint programming
uses it to narrow domains (J.-C. Régin, "A filtering algorithm for constraints of difference",
1994).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from heapq import nsmallest

from timevalg.model.resource import Kind
from timevalg.solver.aside import ANYHOW, Aside
from timevalg.solver.board import Board
from timevalg.solver.filling import Filling, Way
from timevalg.solver.overflow import Filled
from timevalg.solver.spent import Spent

MOST = 300
"""Tasks looked at."""
SHARE = 5
"""They are one in so many of all who hang together, or more: fewer hardly prove anything."""
WAYS = (Way(), Way(single=True), Way(beyond=1), Way(beyond=3))
"""Ways to weigh visits."""
ROUNDS = 4
"""Times that everybody is weighed to narrow their starts, at most."""


class Narrowed:
    """The starts that are left of each task, on a board that stays as it is.

    Parameters
    ----------
    aside : Aside
        Who can move aside on it.

    Attributes
    ----------
    spent : Spent
        The quotas, with these starts.
    """

    def __init__(self, board: Board, aside: Aside) -> None:
        looked_at = who(aside)
        rows: dict[Hashable, dict[str, int]] = {}
        kinds = set[Kind]()
        for key, site in aside.sites.items():
            free, of_site = aside.steps(site, ANYHOW), aside.roster.rows.get(key, {})
            rows[key] = {place: s & free for place, s in of_site.items() if place in looked_at}
            kinds.update(role.kind for role in site.window.pool.service.roles)
        self._fillings = {k: Filling(board, aside, k, rows, 0, WAYS) for k in sorted(kinds)}
        for _ in range(ROUNDS):
            if not self._narrow(rows):
                break
        self.spent = Spent(board, aside, rows)

    def filled(self, kind: Kind) -> Sequence[Filled]:
        """Give what fills a kind of resources, weighed in each way."""
        filling = self._fillings.get(kind)
        return () if filling is None else filling.filled

    def _narrow(self, rows: dict[Hashable, dict[str, int]]) -> bool:
        """Take from everybody the starts that others need; tells whether there were any."""
        some = False
        for filling in self._fillings.values():
            for key, less in filling.narrowed():
                some = some or bool(less)
                rows[key] |= less
                for other in self._fillings.values():
                    other.narrow(key, less)
        return some


def who(aside: Aside) -> set[str]:
    """Give those who have the fewest starts that are free, and then the fewest starts."""
    few: dict[str, tuple[int, int]] = {}
    for key, site in aside.sites.items():
        free, bare = aside.steps(site, 0), aside.steps(site, ANYHOW)
        row = aside.roster.rows.get(key, {}).items()
        here = {p: ((steps & free).bit_count(), (steps & bare).bit_count()) for p, steps in row}
        for place in here.keys() & few.keys():
            (now, ever), (more, longer) = here[place], few[place]
            here[place] = now + more, ever + longer
        few |= here
    return {p for p in nsmallest(MOST, few, key=few.__getitem__) if is_known(aside, p)}


def is_worthwhile(aside: Aside) -> bool:
    """Tell whether those looked at are a fair share of all who hang together."""
    rows = aside.roster.rows
    return sum(len(rows.get(key, ())) for key in aside.sites) <= SHARE * MOST


def is_known(aside: Aside, place: str) -> bool:
    """Tell whether it is known of all sites at which somebody could be who is there."""
    return all(site in aside.sites for site in aside.roster.sites[place])
