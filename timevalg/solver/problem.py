"""What a prover is asked and what it answers, as plain values that cross to another process.

The search works out the candidates (rules 1 to 5, quotas and patients as far as they are fixed);
what is left to decide is who of some tasks goes where, so that nothing is taken twice. A prover
therefore knows no rule of a clinic a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from timevalg.model.session import Session, SessionKind
from timevalg.model.task import Task
from timevalg.solver.ask import Ask
from timevalg.solver.assign import session_for
from timevalg.solver.frame import EPOCH, first_cell
from timevalg.solver.look import Look
from timevalg.solver.picture import Picture
from timevalg.solver.places import place_id
from timevalg.solver.plan import PoolPlan
from timevalg.solver.search import feasible
from timevalg.solver.tally import counts


@dataclass(frozen=True)
class Need:
    """One role of a visit.

    Attributes
    ----------
    count : int
        How many resources serve it.
    start, length : int
        Cells from the visit's start, and for how many.
    able : mapping
        Resource id → bits of the starts at which it could serve, as far as what is fixed goes.
    """

    role: str
    count: int
    start: int
    length: int
    able: Mapping[str, int]


@dataclass(frozen=True)
class Option:
    """One pool in which a task could have its visit.

    Attributes
    ----------
    starts : int
        Bits of the candidate starts; bit 0 is the problem's first cell.
    length : int
        Cells of the visit.
    together : tuple of (roles, rows)
        Numbers of the roles that are tied, and the resources they may have.
    quotas : tuple of int
        Numbers of the problem's quotas that count the pool.
    """

    pool: str
    starts: int
    length: int
    needs: tuple[Need, ...]
    together: tuple[tuple[tuple[int, ...], tuple[tuple[str, ...], ...]], ...] = ()
    quotas: tuple[int, ...] = ()


@dataclass(frozen=True)
class Seat:
    """Where a task has its visit.

    Attributes
    ----------
    option : int
        Number of the task's option.
    start : int
        Cells after the problem's first.
    names : tuple of tuple of str
        For each need the resources that serve it.
    """

    option: int
    start: int
    names: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Wanted:
    """A task that wants one of its options.

    Attributes
    ----------
    must : bool
        It may not go without.
    priority, deadline : int
        Who goes without first: priority 5 before 1, then the latest deadline (day number).
    now_at : Seat or None
        Where it is now; a solver may begin from there.
    """

    task: str
    patient: str
    options: tuple[Option, ...]
    must: bool
    priority: int = 3
    deadline: int = 0
    now_at: Seat | None = None


@dataclass(frozen=True)
class Period:
    """One period of a quota: its cells, and how many more visits it takes.

    Attributes
    ----------
    left : mapping
        Resource id → visits; the empty id where the pools are counted together.
    """

    cells: int
    left: Mapping[str, int]


@dataclass(frozen=True)
class Problem:
    """Tasks that compete.

    Attributes
    ----------
    first : int
        The cell of bit 0, counted from 1970.
    quotas : tuple of tuple of Period
        Each with its periods.
    """

    first: int
    wanted: tuple[Wanted, ...]
    quotas: tuple[tuple[Period, ...], ...] = ()


@dataclass(frozen=True)
class Solution:
    """A prover's answer.

    Attributes
    ----------
    seats : mapping or None
        Task id → where it goes, for those that get a place; None = no answer was found.
    proven : bool
        With seats: no other answer leaves out fewer (by priority, then deadline). Without: there
        is none.
    """

    seats: Mapping[str, Seat] | None = field(default=None)
    proven: bool = False

    @property
    def impossible(self) -> bool:
        """Whether it is proven that not all who must have a place can."""
        return self.seats is None and self.proven


Solve = Callable[[Sequence[Problem]], Sequence[Solution]]
"""A prover: one solution for each problem, in their order; an empty `Solution` says nothing."""


@dataclass(frozen=True)
class Wish:
    """What is asked for a task.

    Attributes
    ----------
    asks : tuple of Ask
        One for each pool.
    must : bool
        It may not go without.
    now_at : Session or None
        The place it has now.
    at : datetime or None
        Just this start.
    """

    task: Task
    asks: tuple[Ask, ...]
    must: bool
    now_at: Session | None = None
    at: datetime | None = None


def pose(picture: Picture, wishes: Sequence[Wish]) -> Problem:
    """Say what is to be decided, with everything in the picture fixed.

    Parameters
    ----------
    picture : Picture
        Without the sessions that the wishes are to be given anew.
    """
    looks = [[Look(picture.index, ask) for ask in wish.asks] for wish in wishes]
    frames = [look.frame for of_one in looks for look in of_one]
    first = min((frame.offset for frame in frames), default=0)
    quotas = _Quotas(picture, first, looks)
    wanted = []
    for wish, of_one in zip(wishes, looks, strict=True):
        options = tuple(_option(look, first, quotas, wish.at) for look in of_one)
        task = wish.task
        deadline = (task.deadline or task.not_after).toordinal()
        seat = _seat(wish, options, first, picture)
        wanted.append(
            Wanted(task.id, task.patient, options, wish.must, task.priority, deadline, seat)
        )
    return Problem(first, tuple(wanted), quotas.periods())


def session_of(picture: Picture, problem: Problem, wish: Wish, seat: Seat) -> Session:
    """Give the place that a seat means."""
    ask = wish.asks[seat.option]
    roles = picture.index.plan.pool(ask.clinic, ask.pool).service.roles
    minutes = (problem.first + seat.start) * picture.index.plan.grid
    return session_for(
        picture.index.organisation,
        ask,
        EPOCH + timedelta(minutes=minutes),
        {role.id: names for role, names in zip(roles, seat.names, strict=True)},
        id=place_id(wish.task),
        kind=SessionKind.PLACE,
    )


def _option(look: Look, first: int, quotas: _Quotas, at: datetime | None) -> Option:
    plan, grid = look.pool, look.frame.grid
    starts = feasible(look.index, look.ask).bits
    if at is not None:
        starts &= 1 << look.frame.cell(at)
    if not starts:
        return Option(plan.pool.id, 0, look.window.length, ())
    by = look.frame.offset - first
    needs = tuple(
        Need(
            role.id,
            role.count,
            role.start // grid,
            -(-(role.length + look.ask.extra) // grid),
            {name: able << by for name, bits in fits.masks.items() if (able := bits & starts)},
        )
        for role, fits in zip(plan.service.roles, look.variant().allowed(look.only), strict=True)
    )
    together = tuple((g.roles, g.rows) for c in plan.clusters for g in c.groups)
    return Option(plan.pool.id, starts << by, look.window.length, needs, together, quotas.of(plan))


def _seat(wish: Wish, options: Sequence[Option], first: int, picture: Picture) -> Seat | None:
    session = wish.now_at
    if session is None:
        return None
    start = first_cell(session.start, picture.index.plan.grid) - first
    for number, option in enumerate(options):
        if option.pool == session.pool and start >= 0 and option.starts >> start & 1:
            names = tuple(session.resources.get(need.role, ()) for need in option.needs)
            return Seat(number, start, names)
    return None


class _Quotas:
    """The quotas that count any of the pools asked for, and what they leave."""

    def __init__(self, picture: Picture, first: int, looks: Iterable[Sequence[Look]]) -> None:
        self._picture, self._first = picture, first
        self._looks: dict[tuple[str, int], list[Look]] = {}
        for of_one in looks:
            for look in of_one:
                for number, _ in (*look.pool.together, *look.pool.each):
                    self._looks.setdefault((look.pool.clinic.id, number), []).append(look)
        self._numbers = {key: number for number, key in enumerate(self._looks)}

    def of(self, plan: PoolPlan) -> tuple[int, ...]:
        return tuple(
            self._numbers[plan.clinic.id, number] for number, _ in (*plan.together, *plan.each)
        )

    def periods(self) -> tuple[tuple[Period, ...], ...]:
        return tuple(self._periods(*key) for key in self._numbers)

    def _periods(self, clinic: str, number: int) -> tuple[Period, ...]:
        looks = self._looks[clinic, number]
        here = looks[0].pool.clinic
        quota = here.quotas[number]
        names = [r.id for r in here.resources.values() if r.kind == quota.each]
        frames = {look.frame: look.window.days for look in looks}
        period = quota.period(min(look.window.first for look in looks))
        last = max(look.window.last for look in looks)
        out = []
        while period <= last:
            after = period + timedelta(days=1 if quota.per == "day" else 7)
            cells = 0
            for frame, days in frames.items():
                cells |= days.dates(period, after - timedelta(days=1)) << frame.offset - self._first
            left = {
                name: quota.max - self._counted(clinic, number, name, period)
                for name in (names if quota.each is not None else [""])
            }
            out.append(Period(cells, left))
            period = after
        return tuple(out)

    def _counted(self, clinic: str, number: int, resource: str, period: date) -> int:
        index, key = self._picture.index, (clinic, number)
        tally = index.diary(resource).tallies.get(key) if resource else index.tally(*key)
        there = tally.periods.get(period, ()) if tally is not None else ()
        now, places = self._looks[key][0].ask.now, self._looks[key][0].ask.count_places
        return sum(counts(s, now, places) for s in there)
