"""The rules as single conditions, each a bitmap of starts, so that one can be loosened by itself.

The calendar reaches `FURTHER` days past the pool's horizon and past `planned_until`: a loosening
may need it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property

from timevalg.model.time import local_date
from timevalg.solver.bits import stretch
from timevalg.solver.fits import Fits
from timevalg.solver.look import Look
from timevalg.solver.masks import Only
from timevalg.solver.match import servable
from timevalg.solver.opening import released, visits_inside
from timevalg.solver.plan import Cluster, Group
from timevalg.solver.search import patient
from timevalg.solver.trial import Model

FURTHER = 92
"""Days past the horizon that are looked at; no date of a task is proposed to move further."""

_DAY = timedelta(days=1)
_NO_LIMIT = 1_000_000


@dataclass(frozen=True)
class Change:
    """One change of the rules.

    Attributes
    ----------
    text : str
        For planners.
    size : float
        How far it goes; see `timevalg.solver.loosen`.
    make : callable
        Makes it.
    of_pool : bool
        Whether it changes a pool or its clinic, not the task or the ask.
    bits : int
        The starts that its condition allows afterwards.
    """

    text: str
    size: float
    make: Callable[[Model], Model]
    of_pool: bool = True
    bits: int = -1


@dataclass(frozen=True)
class Supply:
    """Who can be had for rule 5.

    Attributes
    ----------
    any_resource, no_each : bool
        Whether the pool's list of resources, and the quotas of `each`, are lifted.
    names : frozenset of str or None
        Only these resources, in place of the pool's list.
    only : frozenset
        The task's named resources that still hold.
    more : tuple of (int, int)
        Role number → how many more of it, always free.
    """

    only: Only
    any_resource: bool = False
    no_each: bool = False
    names: frozenset[str] | None = None
    more: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Loosening:
    """A way to loosen one condition.

    Attributes
    ----------
    name : str
        Two of the same name are not combined.
    part : str or None
        The condition it loosens; None = rule 5.
    changes : callable
        Gained starts → groups of changes; of each group the first that is confirmed counts.
    bits : int
        What the condition allows when loosened as far as it goes.
    supply : callable
        For rule 5: who can be had then.
    beside : tuple of str
        Further conditions that it lifts.
    """

    name: str
    part: str | None
    changes: Callable[[int], Iterator[Sequence[Change]]]
    bits: int = -1
    supply: Callable[[Supply], Supply] = lambda supply: supply
    beside: tuple[str, ...] = ()


class Conditions:
    """The conditions of one ask.

    Parameters
    ----------
    model : Model
    number : int
        Of the ask in the model.
    start : datetime or None
        The start that is wanted; None = any.
    """

    def __init__(self, model: Model, number: int, start: datetime | None) -> None:
        self.model, self.number = model, number
        self.ask = model.asks[number]
        self.clinic = model.index.organisation.clinic(self.ask.clinic)
        self.pool = self.clinic.pool(self.ask.pool)
        self.service = self.clinic.services[self.pool.service]
        self.today = self.ask.today_in(self.clinic)
        self._looks: dict[tuple[bool, bool], Look] = {}
        self.look = self._look(Supply(frozenset()))
        self.days, self.frame = self.look.window.days, self.look.frame
        self.supply = Supply(self.look.only)
        self.goal = -1 if start is None else self._bit(start)

    def left(self, loosenings: Sequence[Loosening] = ()) -> int:
        """Give the wanted starts that are left with some conditions loosened."""
        loose = {one.part: one.bits for one in loosenings}
        loose.update((part, -1) for one in loosenings for part in one.beside)
        bits = self.domain & self.goal
        for name, part in self.parts.items():
            if bits:
                bits &= part | loose.get(name, 0)
        supply = self.supply
        for one in loosenings:
            supply = one.supply(supply)
        return self.served(supply, bits) if bits else 0

    def served(self, supply: Supply, among: int) -> int:
        """Give the starts among some at which everybody needed can be had (rule 5)."""
        look = self._look(supply)
        fits = list(look.variant().allowed(supply.only))
        if supply.names is not None:
            fits = [of_role.among(supply.names) for of_role in fits]
        clusters: Sequence[Cluster] = look.pool.clusters
        for role, count in supply.more:
            names = [f"+{role}/{i}" for i in range(count)]
            fits[role] = Fits({**fits[role].masks, **dict.fromkeys(names, among)})
            clusters = [_with_more(cluster, role, names[0]) for cluster in clusters]
        counts = [role.count for role in self.service.roles]
        return servable(clusters, counts, fits, among)

    @cached_property
    def domain(self) -> int:
        """Raster starts from today on, released or not."""
        bits = 0
        for _, starts in self.look.window.rows():
            bits |= starts
        return bits & stretch(self.days.midnight(self.today), self.frame.size)

    @cached_property
    def parts(self) -> Mapping[str, int]:
        """Every condition but rule 5, by name: the starts that it allows."""
        ask, task, today, clinic, pool = self.ask, self.ask.task, self.today, self.clinic, self.pool
        window = self.look.window
        out = {"release": released(self.days, window.rows(), today)}
        if task is not None and task.times:
            length = self.service.length + ask.extra
            out["times"] = visits_inside(self.days, task.times, length)
        out["closed"] = window.calendar.open_days(clinic)
        if clinic.planned_until is not None:
            out["planned_until"] = self.until(clinic.planned_until)
        out["now"] = -1 << max(0, self.frame.cell(ask.now) + 1)
        out["notice"] = self.since(today + pool.notice * _DAY)
        if ask.earliest_from is not None or ask.notice is not None:
            notice = pool.notice if ask.notice is None else ask.notice
            out["fallback notice"] = self.since((ask.earliest_from or today) + notice * _DAY)
        out["horizon"] = self.until(today + pool.horizon * _DAY)
        firsts = [d for d in (ask.not_before, task.not_before if task else None) if d is not None]
        if firsts:
            out["not_before"] = self.since(max(firsts))
        lasts = [d for d in (ask.not_after, task.not_after if task else None) if d is not None]
        if lasts:
            out["not_after"] = self.until(min(lasts))
        since = max(today, ask.earliest_from or today)
        for rule in task.preparation_rules(self.service) if task else self.service.preparations:
            if rule.limits and rule.id not in ask.done | (task.done if task else frozenset()):
                out[f"preparation {rule.id}"] = self.since(since + rule.lead * _DAY)
        for number, quota in self.look.pool.together:
            out[f"quota {number}"] = -1 if quota.max > 0 else 0
            tally = self.look.index.tally(clinic.id, number)
            if tally is not None and quota.max > 0:
                mine = self.look.periods((clinic.id, number), self.look.ignored)
                full = tally.mask(self.days, quota, ask.now, mine, ask.count_places)
                out[f"quota {number}"] = ~full
        out["patient"] = patient(self.look)
        return out

    def since(self, day: date) -> int:
        """Give the cells from a local date on."""
        return stretch(self.days.midnight(day), self.frame.size)

    def until(self, day: date) -> int:
        """Give the cells up to a local date, itself included."""
        return stretch(0, self.days.midnight(min(day, date.max - _DAY) + _DAY))

    def date(self, cell: int) -> date:
        """Give the local date of a cell."""
        return local_date(self.frame.moment(cell), self.clinic.timezone)

    def _bit(self, start: datetime) -> int:
        cell, rest = divmod(start - self.frame.origin, timedelta(minutes=self.frame.grid))
        return 0 if rest or not 0 <= cell < self.frame.size else 1 << cell

    def _look(self, supply: Supply) -> Look:
        key = (supply.any_resource, supply.no_each)
        if key not in self._looks:
            pool, clinic = self.pool, self.clinic
            pool = replace(pool, horizon=pool.horizon + FURTHER)
            if supply.any_resource:
                pool = replace(pool, resources=None)
            quotas = clinic.quotas
            if supply.no_each:
                quotas = tuple(q if q.each is None else replace(q, max=_NO_LIMIT) for q in quotas)
            clinic = replace(
                clinic, pools={**clinic.pools, pool.id: pool}, quotas=quotas, planned_until=None
            )
            index = self.model.with_clinic(clinic).index
            last = self.today + pool.horizon * _DAY
            self._looks[key] = Look(index, self.ask, (self.today, last))
        return self._looks[key]


def _with_more(cluster: Cluster, role: int, name: str) -> Cluster:
    """Give a cluster in which a resource more may stand wherever one of its role does."""
    groups = tuple(
        Group(group.roles, rows_with(group.rows, group.roles.index(role), name))
        if role in group.roles
        else group
        for group in cluster.groups
    )
    return replace(cluster, groups=groups)


def is_step(days: int) -> bool:
    """Tell whether moving a date by so many days is a loosening, and one worth proposing."""
    return 0 < days <= FURTHER


def rows_with(
    rows: Sequence[tuple[str, ...]], position: int, name: str
) -> tuple[tuple[str, ...], ...]:
    """Give rows of a `together` with one more resource in a position of any of them."""
    new = ((*row[:position], name, *row[position + 1 :]) for row in rows)
    return tuple(dict.fromkeys((*rows, *new)))
