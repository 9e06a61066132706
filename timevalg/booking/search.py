"""Search and explain, for staff: every start that is feasible, and why others are not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from heapq import merge
from itertools import islice

from timevalg.booking.access import allow
from timevalg.booking.acting import Act
from timevalg.booking.ports import Ports
from timevalg.booking.running import picture_of, run
from timevalg.booking.use_cases import use_case
from timevalg.model.errors import InvalidInput
from timevalg.model.principal import Principal
from timevalg.model.session import Assignment
from timevalg.solver.ask import Ask
from timevalg.solver.assign import assign
from timevalg.solver.explain import Explanation
from timevalg.solver.explain import explain as explained
from timevalg.solver.picture import Picture
from timevalg.solver.search import feasible

MOST = 500
"""Starts on a page at most."""


@dataclass(frozen=True)
class Sought:
    """What is looked for: a time in a pool for anybody, or for the patient of a task.

    Attributes
    ----------
    clinic, pool : str
        Ids; the pool is not needed with a task.
    not_before, not_after : date or None
        Local dates, both included.
    """

    clinic: str = ""
    pool: str = ""
    task: str = ""
    not_before: date | None = None
    not_after: date | None = None

    def __post_init__(self) -> None:
        if bool(self.task) == bool(self.pool):
            raise InvalidInput.single("pool", "give either a pool or a task")


@dataclass(frozen=True)
class Free:
    """A feasible start, and who could serve it."""

    start: datetime
    pool: str
    resources: Assignment


@use_case("search", keyed=False)
def search(
    ports: Ports,
    principal: Principal,
    sought: Sought,
    since: tuple[datetime, str] | None = None,
    limit: int = MOST,
) -> list[Free]:
    """Give a page of feasible starts in order of time and then of pool.

    All that the rules allow: also those that would leave others without a place.

    Parameters
    ----------
    since : (datetime, str) or None
        The last start and pool of the page before.
    """
    picture = picture_of(ports, principal)
    asks = {ask.pool: ask for ask in _asks(ports, principal, "search", picture, sought)}
    starts = merge(
        *(
            [(start, pool) for start in feasible(picture.index, ask).instants()]
            for pool, ask in asks.items()
        )
    )
    left = (found for found in starts if since is None or found > since)
    page = islice(left, max(1, min(limit, MOST)))
    return [
        Free(start, pool, assign(picture.index, asks[pool], start) or {}) for start, pool in page
    ]


@use_case("explain", keyed=False)
def explain(
    ports: Ports, principal: Principal, sought: Sought, start: datetime | None = None
) -> Explanation:
    """Say what each rule leaves, what is in the way of a start, and what would cure it."""
    picture = picture_of(ports, principal)
    asks = _asks(ports, principal, "explain", picture, sought)
    return explained(picture.index, asks, start)


def _asks(
    ports: Ports, principal: Principal, verb: str, picture: Picture, sought: Sought
) -> list[Ask]:
    def body(act: Act) -> list[Ask]:
        index, now = picture.index, picture.now
        first, last = sought.not_before, sought.not_after
        if sought.task:
            task = act.task(sought.task)
            return [
                Ask.for_task(
                    index, task, pool, now, changing=True, not_before=first, not_after=last
                )
                for pool in task.pools
            ]
        allow(verb, principal, kind="clinic", key=sought.clinic, clinic=sought.clinic)
        clinic = index.organisation.clinic(sought.clinic)
        pool = clinic.pool(sought.pool).id
        act.audit("pool", pool)
        return [Ask.for_pool(index, pool, now, clinic=clinic.id, not_before=first, not_after=last)]

    return run(ports, principal, verb, body)
