"""Rules 1 to 4: what an ask allows whatever is taken.

A window follows from the organisation, the ask and the local date of now alone, so it is
remembered and serves until midnight.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from timevalg.model.task import Task
from timevalg.model.time import MINUTES_A_DAY, instant, local_date
from timevalg.solver.ask import Ask
from timevalg.solver.bits import stretch
from timevalg.solver.memory import remember
from timevalg.solver.opening import opening_rows, released, visits_inside
from timevalg.solver.plan import Plan, PoolPlan
from timevalg.solver.spans import Rows

if TYPE_CHECKING:
    from timevalg.solver.index import Index
    from timevalg.solver.roster import Roster

_DAY = timedelta(days=1)
_REMEMBERED = 512
_PLACES = 16_384


class Window:
    """What rules 1 to 4 leave of a pool's starts, `t > now` left out.

    Parameters
    ----------
    plan : Plan
    ask : Ask
    around : sequence of date
        Local dates that the frame must reach in place of the ask's own; none = the ask's.

    Attributes
    ----------
    pool : PoolPlan
    first, last : date
        The dates that rules 3 and 4 leave; the first may be later than the last.
    frame : Frame
        What all bitmaps of this window count in.
    length : int
        Cells of the visit.
    site : int
        The same for all with the same pool, frame and `extra`.
    since, until : datetime
        Right for since <= now < until.
    """

    def __init__(self, plan: Plan, ask: Ask, around: Sequence[date] = ()) -> None:
        self.ask = ask
        self.pool: PoolPlan = plan.pool(ask.clinic, ask.pool)
        clinic = self.pool.clinic
        now = local_date(ask.now, clinic.timezone)
        self.today = ask.today or now
        self.since = instant(now, 0, clinic.timezone)
        self.until = instant(now + _DAY, 0, clinic.timezone)
        self.extra = ask.extra
        self.first, self.last = ask.dates(clinic)
        dates = [self.first, self.last] if self.first <= self.last else [now]
        if around:
            dates = list(around)
        self.frame = plan.frame(self.pool, now, min(dates), max(dates), self.extra)
        self.calendar = plan.calendar(self.frame)
        self.days = self.calendar.days(clinic.timezone)
        self.length = -(-(self.pool.service.length + self.extra) // self.frame.grid)
        self.site = plan.site(self.pool.key, self.frame, self.extra)

    def reaches(self, day: date) -> bool:
        """Tell whether the frame holds everything that a visit on a local date could take."""
        reach = timedelta(days=self.pool.reach + self.extra // MINUTES_A_DAY)
        return self.days.first + reach <= day <= self.days.last - reach

    def rows(self) -> Rows:
        """Give the starts of the pool's openings, released or not."""
        key = (*self.pool.key, self.extra)
        found = self.calendar.openings.get(key)
        if found is None:
            found = opening_rows(self.days, self.pool, self.extra)
            self.calendar.openings[key] = found
        return found

    def opening(self) -> int:
        """Rule 1: raster starts of released openings; the visit inside one of the task's times."""
        bits = released(self.days, self.rows(), self.today)
        task = self.ask.task
        if task is not None and task.times:
            length = self.pool.service.length + self.extra
            bits &= visits_inside(self.days, task.times, length)
        return bits

    def closed(self) -> int:
        """Rule 2: not on holidays, closed days, or after planned_until."""
        bits = self.calendar.open_days(self.pool.clinic)
        until = self.pool.clinic.planned_until
        if until is not None:
            bits &= (1 << self.days.midnight(until + _DAY)) - 1
        return bits

    def window(self) -> int:
        """Rule 3 but for `t > now`: between the bounds of notice, horizon, task and ask."""
        first, last = self.ask.window(self.pool.clinic)
        return stretch(self.days.midnight(first), self.days.midnight(last + _DAY))

    def preparation(self) -> int:
        """Rule 4: late enough for every preparation that limits and is not done."""
        first = self.ask.prepared(self.pool.clinic)
        return stretch(self.days.midnight(first), self.frame.size)

    @cached_property
    def starts(self) -> int:
        """What rules 1 to 4 leave together."""
        if self.first > self.last:
            return 0
        return self.opening() & self.closed() & self.window() & self.preparation()

    @cached_property
    def domain(self) -> int:
        """What rules 1 and 2 leave for anybody at any time: all that masks need to be right for."""
        bits = 0
        for _, starts in self.rows():
            bits |= starts
        return bits & self.closed()


class Windows:
    """The windows last used.

    Parameters
    ----------
    plan : Plan

    Attributes
    ----------
    roster : Roster or None
        The one last used.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._known: dict[tuple[object, ...], Window] = {}
        self._places: dict[int, tuple[Task, tuple[Window, ...]]] = {}
        self.roster: Roster | None = None

    def of_places(self, index: Index, task: Task, now: datetime) -> tuple[Window, ...]:
        """Give the windows of a task's place, one for each pool.

        Known by the very object, so that they are found fast.
        """
        known = self._places.get(id(task))
        if known is not None and known[0] is task and known[1][0].since <= now < known[1][0].until:
            return known[1]
        found = tuple(
            Window(self._plan, Ask.for_place(index, task, pool, now)) for pool in task.pools
        )
        return remember(self._places, id(task), (task, found), _PLACES)[1]

    def of(self, ask: Ask) -> Window:
        """Give the window of an ask."""
        task = ask.task
        key: tuple[object, ...] = (
            ask.clinic,
            ask.pool,
            ask.not_before,
            ask.not_after,
            ask.done,
            ask.today,
            ask.earliest_from,
            ask.notice,
        )
        if task is not None:
            key = (
                *key,
                task.not_before,
                task.not_after,
                task.extra,
                task.times,
                task.preparations,
                task.done,
            )
        now: datetime = ask.now
        found = self._known.get(key)
        if found is None or not found.since <= now < found.until:
            found = remember(self._known, key, Window(self._plan, ask), _REMEMBERED)
        return found
