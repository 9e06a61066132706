"""What is asked of the search: one pool, at one instant, maybe for one task."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from timevalg.model.clinic import Clinic
from timevalg.model.service import Service
from timevalg.model.session import Session, SessionKind
from timevalg.model.task import Task
from timevalg.model.time import local_date, require_aware

if TYPE_CHECKING:
    from timevalg.solver.index import Index


@dataclass(frozen=True)
class Ask:
    """A question to the search.

    Attributes
    ----------
    clinic, pool : str
        Ids; the pool is the clinic's.
    now : datetime
        UTC; `today` is its local date, holds are live by it.
    task : Task or None
        Whose particulars apply.
    not_before, not_after : date or None
        Local dates, both included; they only narrow what pool and task allow.
    done : frozenset of str
        Preparations done, beside the task's own.
    ignore : frozenset of str
        Ids of sessions that do not count in rules 5–7.
    count_places : bool
        Whether places (holds that serve as places included) take time and count in quotas.
    today : date or None
        In place of the local date of `now`.
    earliest_from : date or None
        The lower bounds of rules 3 and 4 are applied with this day too, and with `notice`.
    notice : int or None
        Days; default the pool's. Given without `earliest_from`, it is applied with today.
    """

    clinic: str
    pool: str
    now: datetime
    task: Task | None = None
    not_before: date | None = None
    not_after: date | None = None
    done: frozenset[str] = frozenset()
    ignore: frozenset[str] = frozenset()
    count_places: bool = False
    today: date | None = None
    earliest_from: date | None = None
    notice: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "now", require_aware(self.now, "now"))

    @property
    def extra(self) -> int:
        """Minutes more for every role and for the visit."""
        return 0 if self.task is None else self.task.extra

    @property
    def patient(self) -> str | None:
        """Whose visit it would be."""
        return None if self.task is None else self.task.patient

    def today_in(self, clinic: Clinic) -> date:
        """Give the local date that counts as today."""
        return self.today or local_date(self.now, clinic.timezone)

    def lead(self, service: Service) -> int:
        """Give the days that limiting preparations not yet done need before the visit (rule 4)."""
        done = self.done if self.task is None else self.done | self.task.done
        rules = service.preparations if self.task is None else self.task.preparation_rules(service)
        return max((p.lead for p in rules if p.limits and p.id not in done), default=0)

    def window(self, clinic: Clinic) -> tuple[date, date]:
        """Give the first and last local date that rule 3 leaves; the first may be later."""
        pool, today = clinic.pool(self.pool), self.today_in(clinic)
        first = today + timedelta(days=pool.notice)
        last = today + timedelta(days=pool.horizon)
        if self.earliest_from is not None or self.notice is not None:
            notice = pool.notice if self.notice is None else self.notice
            first = max(first, (self.earliest_from or today) + timedelta(days=notice))
        if self.not_before is not None:
            first = max(first, self.not_before)
        if self.not_after is not None:
            last = min(last, self.not_after)
        if self.task is not None:
            first = max(first, self.task.not_before or first)
            last = min(last, self.task.not_after)
        return first, last

    def prepared(self, clinic: Clinic) -> date:
        """Give the first local date that rule 4 leaves."""
        today = self.today_in(clinic)
        since = max(today, self.earliest_from or today)
        return since + timedelta(days=self.lead(clinic.service_of(self.pool)))

    def dates(self, clinic: Clinic) -> tuple[date, date]:
        """Give the first and last local date that rules 3 and 4 leave; the first may be later."""
        first, last = self.window(clinic)
        return max(first, self.prepared(clinic)), last

    @classmethod
    def for_pool(
        cls,
        index: Index,
        pool: str,
        now: datetime,
        *,
        clinic: str | None = None,
        not_before: date | None = None,
        not_after: date | None = None,
        done: Iterable[str] = (),
    ) -> Ask:
        """Ask for anybody's starts in a pool; the clinic is needed if several have one so named."""
        if clinic is None:
            clinic = index.organisation.clinic_of_pool(pool).id
        return cls(clinic, pool, now, None, not_before, not_after, frozenset(done))

    @classmethod
    def for_task(
        cls,
        index: Index,
        task: Task,
        pool: str,
        now: datetime,
        *,
        changing: bool = False,
        ignore: Iterable[str] = (),
        not_before: date | None = None,
        not_after: date | None = None,
        done: Iterable[str] = (),
    ) -> Ask:
        """Ask for a task; its patient's holds and, when changing, its booking do not count."""
        own = {s.id for s in index.by_patient(task.patient) if s.kind is SessionKind.HOLD}
        for session in index.by_task(task.id):
            if session.kind is SessionKind.HOLD or (
                changing and session.kind is SessionKind.BOOKING
            ):
                own.add(session.id)
        return cls(
            task.clinic,
            pool,
            now,
            task,
            not_before,
            not_after,
            frozenset(done),
            frozenset(own.union(ignore)),
        )

    @classmethod
    def for_place(
        cls, index: Index, task: Task, pool: str, now: datetime, *, ignore: Iterable[str] = ()
    ) -> Ask:
        """Ask where the task could have its place.

        Feasible with today = the later of today and `opens`, and still so on the day after `due`
        with the pool's fallback notice. Other places count; the task's own does not. Source:
        docs/clinic-file.md, "Reserves and safe offers".
        """
        clinic = index.organisation.clinic(task.clinic)
        own = {s.id for s in index.by_task(task.id) if _serves_as_place(s)}
        return cls(
            task.clinic,
            pool,
            now,
            task,
            ignore=frozenset(own.union(ignore)),
            count_places=True,
            today=max(local_date(now, clinic.timezone), task.opens),
            earliest_from=task.after_due,
            notice=clinic.pool(pool).fallback_notice,
        )


def _serves_as_place(session: Session) -> bool:
    return session.kind is SessionKind.PLACE or session.is_place
