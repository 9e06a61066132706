"""What is in the way of a visit: the value, and what several rules need to find it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from timevalg.model.clinic import Clinic
from timevalg.model.pool import Quota
from timevalg.model.session import Session
from timevalg.model.time import day_span, instant, local_date
from timevalg.solver.ask import Ask
from timevalg.solver.index import Index
from timevalg.solver.tally import counts

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Blocker:
    """One thing in the way of a start.

    Attributes
    ----------
    rule : str
        One of the seven.
    why : str
        In a word: ``booking``, ``hours``, ``notice`` …
    role, resource : str or None
        Under rule 5.
    start, end : datetime or None
        From when to when it is in the way, UTC.
    session : str or None
        Id of the booking, hold, place or block.
    more : mapping
        What else there is to say, such as ``needs`` and ``free``; plain values.
    """

    rule: str
    why: str
    pool: str
    role: str | None = None
    resource: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    session: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict)


class Visit:
    """A visit as it would be, and what is said of it in more than one rule."""

    def __init__(self, index: Index, ask: Ask, start: datetime) -> None:
        self.index, self.ask, self.start = index, ask, start
        self.plan = index.plan.pool(ask.clinic, ask.pool)
        self.clinic, self.pool, self.service = self.plan.clinic, self.plan.pool, self.plan.service
        self.zone = self.clinic.timezone
        self.end = start + timedelta(minutes=self.service.length + ask.extra)
        self.day = local_date(start, self.zone)
        self.today = ask.today_in(self.clinic)

    def say(self, rule: str, why: str, **more: Any) -> Blocker:
        """Make a blocker; what it has no attribute for goes to `more`."""
        known = {
            name: more.pop(name, None) for name in ("role", "resource", "start", "end", "session")
        }
        return Blocker(rule, why, self.pool.id, **known, more=more)

    def midnight(self, day: date) -> datetime:
        """Give the instant at which a local date begins."""
        return instant(day, 0, self.zone)

    def closures(self, rule: str, clinic: Clinic, day: date, **who: str) -> Iterator[Blocker]:
        """Say why a clinic is closed on a local date."""
        zone = clinic.timezone
        if day in clinic.holidays:
            whole = day_span(day, day, zone)
            yield self.say(rule, "holiday", start=whole.start, end=whole.end, **who)
        for closure in clinic.closed:
            if closure.first <= day <= closure.last:
                whole = day_span(closure.first, closure.last, zone)
                reason = {"reason": closure.reason} if closure.reason else {}
                yield self.say(rule, "closed", start=whole.start, end=whole.end, **who, **reason)

    def counts(self, session: Session) -> bool:
        """Tell whether a session takes its time from this visit."""
        if session.id in self.ask.ignore:
            return False
        return counts(session, self.ask.now, self.ask.count_places)

    def reached(
        self, rule: str, quota: Quota, there: Sequence[Session], who: dict[str, str]
    ) -> Iterator[Blocker]:
        """Say that a quota is reached, if it is."""
        count = sum(self.counts(s) for s in there)
        if count >= quota.max:
            first = quota.period(self.day)
            last = first if quota.per == "day" else first + 6 * _DAY
            whole = day_span(first, last, self.zone)
            yield self.say(
                rule,
                "quota",
                **who,
                start=whole.start,
                end=whole.end,
                per=quota.per,
                max=quota.max,
                count=count,
                pools=sorted(quota.pools),
            )
