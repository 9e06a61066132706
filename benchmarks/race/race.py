"""The race: spread times, the same SQL under pgbench, full contention, the whole use case."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from math import ceil

import psycopg

from benchmarks.race import contended, hospital, place
from benchmarks.race.crew import CONTENDED, SPREAD, WARM, WHOLE, crew
from benchmarks.race.figures import Part
from benchmarks.race.hospital import Job
from benchmarks.race.recount import Recount, deadlocks, recount
from benchmarks.race.same_sql import Pgbench, SameSql, recorded
from benchmarks.race.script import Statement, script
from benchmarks.race.writers import BOOKED, Planner, attempt
from timevalg.model.time import local_date
from timevalg.store import Database

_TRIAL = 40
TURNS = 4
"""How often spread times and pgbench take turns."""


@dataclass(frozen=True)
class Outcome:
    """All that was measured and counted.

    Attributes
    ----------
    statements : int
        Of one booking's transaction; BEGIN and COMMIT not counted.
    others : int
        Bookings in no part: to try, to warm up, and pgbench's.
    """

    spread: Part
    contended: Part
    whole: Part
    same_sql: SameSql
    statements: int
    others: int
    recount: Recount
    deadlocks: int

    @property
    def lost(self) -> int:
        """Bookings that were confirmed and are not there with all that belongs to them."""
        made = (self.spread, self.contended, self.whole)
        return sum(p.bookings for p in made) + self.others - self.recount.whole


def race(url: str, writers: int, seconds: float) -> Outcome:
    """Run all parts on a migrated database; the whole use case for a quarter as long."""
    organisation = hospital.organisation_number()
    before = deadlocks(url)
    store = Database(url)
    try:
        hospital.open_clinic(store, organisation)
        today = store.run(
            organisation, lambda unit: local_date(unit.now(), hospital.OSLO), write=False
        )
        ground = _Ground(url, store, organisation, today, writers)
        return ground.race(seconds, before)
    finally:
        store.close()


@dataclass
class _Ground:
    url: str
    store: Database
    organisation: str
    today: date
    writers: int
    used: int = 0

    def race(self, seconds: float, deadlocks_before: int) -> Outcome:
        trial = self._invited(_TRIAL + 1)
        model = trial.pop()
        statements, pace = self._trial(trial)
        text = script(statements, self.organisation, trial[1])
        bench = Pgbench(place.pgbench(), self.url, self.organisation, text, model, self.writers)
        cores = min(self.writers, os.cpu_count() or 1)
        each = TURNS * WARM + ceil(3 * cores * pace * seconds / self.writers)
        few = WARM + ceil(each / 8)
        wanting = contended.jobs_needed(self.writers, seconds)
        crowd = hospital.wanting_jobs(self.today, wanting * self.writers)
        invited = iter([*self._invited((each + few) * self.writers, crowd), *crowd])
        hands, later, crowds = (self._deal(invited, count) for count in (each, few, wanting))
        _tidy(self.url)
        with crew(self.url, self.organisation, self.writers) as all_:
            spread, turns = Part.of([]), []
            for turn in range(TURNS):  # in turns: who else uses the machine disturbs both alike
                dealt = [hand[turn::TURNS] for hand in hands]
                spread += Part.of(all_.race(SPREAD, dealt, seconds / TURNS))
                turns.append(bench.measure(seconds / TURNS))
            wanted = all_.race(CONTENDED, crowds, seconds)
            whole = all_.race(WHOLE, later, seconds / 4)
        warm = self.writers * (TURNS + 1) * WARM
        return Outcome(
            spread,
            Part.of(wanted),
            Part.of(whole),
            SameSql.of(turns),
            sum(len(s.rows) for s in statements),
            len(trial) + warm + bench.said,
            recount(self.url, self.organisation),
            deadlocks(self.url) - deadlocks_before,
        )

    def _invited(self, count: int, others: Sequence[Job] = ()) -> list[Job]:
        jobs = hospital.spread_jobs(self.today, self.used, count)
        self.used += count
        hospital.invite(self.store, self.organisation, self.today, [*jobs, *others])
        return jobs

    def _deal(self, jobs: Iterator[Job], count: int) -> list[list[Job]]:
        return [list(islice(jobs, count)) for _ in range(self.writers)]

    def _trial(self, jobs: list[Job]) -> tuple[list[Statement], float]:
        """Book some, one after the other; gives what one of them sent, and how many a second."""
        planner = Planner(self.store, self.organisation)
        bodies = [planner.body(job) for job in jobs]
        attempt(self.store, self.organisation, bodies[0])
        with recorded() as statements:
            second = attempt(self.store, self.organisation, bodies[1])
        if second.outcome != BOOKED or second.retries:
            raise RuntimeError("a booking on a free time was refused")
        rest = [attempt(self.store, self.organisation, body) for body in bodies[2:]]
        took = sorted(a.ended - a.began for a in rest)
        return statements, 1 / took[len(took) // 2]


def _tidy(url: str) -> None:
    """Let the planner know its tables, as a running database does."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
