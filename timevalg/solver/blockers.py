"""Everything in the way of one start: rule, role, resource and what takes it.

Works on instants, one start at a time, without the search's bitmaps. Of a rule that is kept
nothing is said; under rule 5 only of the roles that come up short, and of these every resource of
their kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from timevalg.model.roster import Hours, Opening
from timevalg.model.time import MINUTES_A_DAY, Span, instant
from timevalg.solver.ask import Ask
from timevalg.solver.index import Index
from timevalg.solver.unable import unable
from timevalg.solver.visit import Blocker, Visit

_DAY = timedelta(days=1)


def blockers(index: Index, ask: Ask, start: datetime) -> tuple[Blocker, ...]:
    """Say everything that is in the way of a start; nothing if it is feasible.

    Parameters
    ----------
    start : datetime
        With an offset.

    Returns
    -------
    tuple of Blocker
        In the order of the rules, roles and resources as in the file.
    """
    visit = _Rules(index, ask, start.astimezone(UTC))
    rules = (
        visit.opening,
        visit.closed,
        visit.window,
        visit.preparation,
        lambda: unable(visit),
        visit.quota,
        visit.patient,
    )
    return tuple(blocker for rule in rules for blocker in rule())


class _Rules(Visit):
    """One method for each rule but the fifth."""

    # -- 1 ---------------------------------------------------------------------------------------

    def opening(self) -> Iterator[Blocker]:
        holding = [row for row in self.pool.open if self._inside(row, self.day)]
        starting = [row for row in holding if self._on_raster(row)]
        until = {row.release for row in starting}
        if not holding:
            yield self.say("opening", "opening", start=self.start, end=self.end)
        elif not starting:
            yield self.say("opening", "raster", raster=self.pool.raster)
        elif not any(r is None or (self.day - self.today).days <= r for r in until):
            release = max(r for r in until if r is not None)
            free_from = self.midnight(self.day - release * _DAY)
            yield self.say("opening", "release", end=free_from, release=release)
        task = self.ask.task
        if task is not None and task.times:
            days = (self.day - _DAY, self.day, self.day + _DAY)
            if not any(self._inside(row, day) for row in task.times for day in days):
                yield self.say("opening", "times", start=self.start, end=self.end)

    def _inside(self, hours: Hours, day: date) -> bool:
        return (
            hours.covers(day)
            and instant(day, hours.start, self.zone) <= self.start
            and self.end <= instant(day, hours.end, self.zone)
        )

    def _on_raster(self, row: Opening) -> bool:
        return any(
            instant(self.day, minute, self.zone) == self.start
            for minute in range(row.start, MINUTES_A_DAY, self.pool.raster)
        )

    # -- 2 ---------------------------------------------------------------------------------------

    def closed(self) -> Iterator[Blocker]:
        yield from self.closures("closed", self.clinic, self.day)
        until = self.clinic.planned_until
        if until is not None and self.day > until:
            yield self.say("closed", "planned_until", start=self.midnight(until + _DAY))

    # -- 3 ---------------------------------------------------------------------------------------

    def window(self) -> Iterator[Blocker]:
        ask, task, today, day = self.ask, self.ask.task, self.today, self.day
        if self.start <= ask.now:
            yield self.say("window", "now", end=ask.now)
        notices = [(today, self.pool.notice)]
        if ask.earliest_from is not None or ask.notice is not None:
            notice = self.pool.notice if ask.notice is None else ask.notice
            notices.append((ask.earliest_from or today, notice))
        for since, notice in notices:
            if day < since + notice * _DAY:
                yield self.say(
                    "window", "notice", end=self.midnight(since + notice * _DAY), notice=notice
                )
        last = today + self.pool.horizon * _DAY
        if day > last:
            yield self.say(
                "window", "horizon", start=self.midnight(last + _DAY), horizon=self.pool.horizon
            )
        for first in dict.fromkeys((ask.not_before, task.not_before if task else None)):
            if first is not None and day < first:
                yield self.say("window", "not_before", end=self.midnight(first))
        for latest in dict.fromkeys((ask.not_after, task.not_after if task else None)):
            if latest is not None and day > latest:
                yield self.say("window", "not_after", start=self.midnight(latest + _DAY))

    # -- 4 ---------------------------------------------------------------------------------------

    def preparation(self) -> Iterator[Blocker]:
        task = self.ask.task
        rules = self.service.preparations
        if task is not None:
            rules = task.preparation_rules(self.service)
        done = self.ask.done | (task.done if task else frozenset())
        since = max(self.today, self.ask.earliest_from or self.today)
        for rule in rules:
            if rule.limits and rule.id not in done and (self.day - since).days < rule.lead:
                ready = self.midnight(since + rule.lead * _DAY)
                yield self.say(
                    "preparation", "preparation", end=ready, preparation=rule.id, days=rule.lead
                )

    # -- 6 ---------------------------------------------------------------------------------------

    def quota(self) -> Iterator[Blocker]:
        for number, quota in self.plan.together:
            tally = self.index.tally(self.clinic.id, number)
            there = tally.periods.get(quota.period(self.day), ()) if tally else ()
            yield from self.reached("quota", quota, there, {})

    # -- 7 ---------------------------------------------------------------------------------------

    def patient(self) -> Iterator[Blocker]:
        if self.ask.patient is None:
            return
        visit = Span(self.start, self.end)
        for other in self.index.by_patient(self.ask.patient):
            if self.counts(other) and other.visit.overlaps(visit):
                yield self.say(
                    "patient",
                    str(other.kind),
                    start=other.visit.start,
                    end=other.visit.end,
                    session=other.id,
                )
