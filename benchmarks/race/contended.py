"""All writers want the same few times at the same moment: exactly one may get each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count
from multiprocessing.synchronize import Barrier
from threading import BrokenBarrierError
from time import monotonic

from benchmarks.race.hospital import DAYS, FIRST_DAY, OSLO, PER_DAY, Job, start_of
from benchmarks.race.writers import BOOKED, Attempt, Planner, attempt
from timevalg.booking.unit_of_work import Store
from timevalg.model.time import local_date

FEW = 4
"""Times in a round, all of one clinician and room. Each writer tries all four, every one for
another patient, beginning with another."""
ROUNDS = DAYS * PER_DAY // FEW
_PATIENCE = 300


def jobs_needed(writers: int, seconds: float) -> int:
    """Give how many patients a writer needs: those of a round, and one for each time it wins."""
    times = 200 * seconds / writers + 8 * FEW
    return FEW + min(800, round(2 * times / writers))


def contend(
    store: Store,
    organisation: str,
    planner: Planner,
    number: int,
    jobs: Sequence[Job],
    seconds: float,
    together: Barrier,
) -> list[Attempt]:
    """Want what the others want, round after round, until time or one's patients run out.

    A round's transactions are planned before it begins, which is not timed; then all begin at
    once. Who has had enough breaks the barrier, and so ends it for all after a whole round.
    """
    done: list[Attempt] = []
    left = list(jobs)
    today = local_date(left[0].start, OSLO) - timedelta(FIRST_DAY)
    end = monotonic() + seconds
    for round_ in count():
        trying, left = left[:FEW], left[FEW:]
        if len(trying) < FEW or round_ == ROUNDS or monotonic() > end:
            together.abort()
        wanted = [(number + n) % FEW + round_ * FEW for n in range(FEW)]
        starts = [start_of(today, slot) for slot in wanted]
        pairs = zip(trying, starts, strict=False)
        bodies = [planner.body(replace(job, start=start)) for job, start in pairs]
        try:
            together.wait(_PATIENCE)
        except BrokenBarrierError:
            return done
        for job, body in zip(trying, bodies, strict=True):
            done.append(attempt(store, organisation, body))
            if done[-1].outcome != BOOKED:
                left.insert(0, job)
    raise AssertionError("unreachable")
