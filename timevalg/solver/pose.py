"""Problems for a prover: what a picture leaves to decide, with everything else in it fixed.

The search works out the candidates; `timevalg.solver.problem` are the plain values that result.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from timevalg.model.resource import Kind
from timevalg.model.session import Session, SessionKind
from timevalg.model.task import Task
from timevalg.solver.ask import Ask
from timevalg.solver.assign import session_for
from timevalg.solver.frame import EPOCH, first_cell
from timevalg.solver.look import Look
from timevalg.solver.picture import Picture
from timevalg.solver.places import place_id
from timevalg.solver.plan import PoolPlan
from timevalg.solver.problem import Need, Option, Period, Problem, Seat, Wanted
from timevalg.solver.search import feasible
from timevalg.solver.tally import counts

HARMS = ("nothing found", "another time", "past the planned date", "another day")
"""What harms whose visit cannot stand, the worst first; last of all comes another clinician."""


@dataclass(frozen=True)
class Standing:
    """A booked visit that cannot stand as it is.

    Attributes
    ----------
    session : Session
        The booking; others might serve it at its time, or it is left as it is.
    ask : Ask
        By which resources are sought at that time; nothing but they must be there for it.
    planned : date
        The last local date for which the visit was planned.
    counts : bool
        Whether quotas count it where it is: not where one has too many already.
    """

    session: Session
    ask: Ask
    planned: date
    counts: bool = True


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
    stands : Standing or None
        The visit that it is about. Beside an option for each ask it then has two more: its time
        with other resources, and to be left as it is.
    """

    task: Task
    asks: tuple[Ask, ...]
    must: bool
    now_at: Session | None = None
    at: datetime | None = None
    stands: Standing | None = None


def pose(picture: Picture, wishes: Sequence[Wish]) -> Problem:
    """Say what is to be decided, with everything in the picture fixed.

    Parameters
    ----------
    picture : Picture
        Without the sessions that the wishes are to be given anew.
    """
    looks = [[*_looks(picture, wish)] for wish in wishes]
    frames = [look.frame for of_one in looks for look in of_one]
    first = min((frame.offset for frame in frames), default=0)
    quotas = _Quotas(picture, first, looks)
    wanted = []
    for wish, of_one in zip(wishes, looks, strict=True):
        task, booked = wish.task, wish.stands
        options = tuple(
            _option(look, first, quotas, _starts(look, wish.at))
            for look in of_one[: len(wish.asks)]
        )
        if booked is not None:
            options = _harming(booked, of_one, first, quotas, options)
        deadline = (task.deadline or task.not_after).toordinal()
        seat = _seat(wish, options, first, picture)
        near = None
        if booked is not None:
            near = first_cell(booked.session.start, picture.index.plan.grid) - first
        wanted.append(
            Wanted(task.id, task.patient, options, wish.must, task.priority, deadline, seat, near)
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


def _looks(picture: Picture, wish: Wish) -> Iterator[Look]:
    """Give a look for each ask, and one for the time of the visit that cannot stand."""
    for ask in wish.asks:
        yield Look(picture.index, ask)
    if wish.stands is not None:
        session, ask = wish.stands.session, wish.stands.ask
        zone = picture.index.organisation.clinic(ask.clinic).timezone
        yield Look(picture.index, ask, (session.local_date(zone),))


def _starts(look: Look, at: datetime | None) -> int:
    starts = feasible(look.index, look.ask).bits
    return starts if at is None else starts & 1 << look.frame.cell(at)


def _harming(
    booked: Standing,
    looks: Sequence[Look],
    first: int,
    quotas: _Quotas,
    elsewhere: Sequence[Option],
) -> tuple[Option, ...]:
    """Give the options of a visit that cannot stand, each with what harms: see `HARMS`."""
    *others, here = looks
    session, clinic = booked.session, here.pool.clinic
    known = session.clinicians(here.pool.service)
    day = session.local_date(clinic.timezone)
    options = []
    for look, option in zip(others, elsewhere, strict=True):
        days, by = look.window.days, look.frame.offset - first
        planned = days.dates(days.first, min(booked.planned, days.last)) << by
        past, other = option.starts & ~planned, option.starts & ~(days.dates(day, day) << by)
        harms = (0, option.starts, past, other)
        options.append(replace(option, harms=harms, known=known, clinicians=_seen_by(look)))
    bit = 1 << here.frame.cell(session.start)
    same = _option(here, first, quotas, bit)
    if not booked.counts:
        same = replace(same, quotas=())
    same = replace(same, known=known, clinicians=_seen_by(here))
    needs = tuple(
        replace(need, count=len(names), able=dict.fromkeys(names, same.starts))
        for need in same.needs
        for names in [session.resources.get(need.role, ())]
    )
    left = Option(same.pool, same.starts, same.length, needs, harms=(same.starts,))
    return (*options, same, left)


def _seen_by(look: Look) -> tuple[int, ...]:
    roles = enumerate(look.pool.service.roles)
    return tuple(number for number, role in roles if role.kind is Kind.CLINICIAN)


def _option(look: Look, first: int, quotas: _Quotas, starts: int) -> Option:
    plan, grid = look.pool, look.frame.grid
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
