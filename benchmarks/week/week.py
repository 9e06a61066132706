"""Run the week: two processes, each with hospitals of its own, one PostgreSQL."""

from __future__ import annotations

import multiprocessing
import os
import resource
import time
from collections import Counter
from typing import Any

from benchmarks import servers
from benchmarks.week.hospital import PATIENTS, Hospital
from timevalg.store.migrate import upgrade

WEEK = 194_000
"""Appointment invitations that Norway sends in a week."""
PROCESSES = 2 * (os.cpu_count() or 1)
"""Two for each core: one waits for the disk while another counts."""
BATCH = 50
STEPS = ("invite", "open", "look", "choose", "check and letter")


def run(invitations: int) -> dict[str, Any]:
    """Measure half of the invitations, then the other half; the slope is what one more costs."""
    hospitals = max(2 * PROCESSES, round(invitations / PATIENTS))
    patients = max(1, invitations // hospitals)
    with servers.postgres(durable=True, private=True) as postgres:
        url = postgres.create_database()
        upgrade(url)
        names = [f"9{n:08}" for n in range(hospitals)]
        parts = (names[: hospitals // 2], names[hospitals // 2 :])
        halves = [_measure(url, part, patients) for part in parts]
        before = _children()
    database = _children() - before  # it has ended just now
    steps: Counter[str] = sum((spent for _, spent in halves), Counter())
    done = hospitals * patients
    busy = database + sum(steps[step] for step in STEPS)
    seconds = sum(wall for wall, _ in halves)
    # The second half runs on a database that the first has filled: it is the slope that counts.
    slope = halves[1][0] / (len(parts[1]) * patients)
    return {
        "invitations": done,
        "hospitals": hospitals,
        "processes": PROCESSES,
        "seconds": round(seconds, 1),
        "first_half_s": round(halves[0][0], 1),
        "second_half_s": round(halves[1][0], 1),
        "ms_each": round(slope * 1000, 2),
        "week_minutes": round(slope * WEEK / 60, 1),
        "cpu_ms_each": round(busy / done * 1000, 2),
        "cpu_ms_by_step": {step: round(steps[step] / done * 1000, 2) for step in STEPS},
        "cpu_ms_of_postgres": round(database / done * 1000, 2),
        "cores": os.cpu_count(),
        "week_minutes_if_cores_never_wait": round(
            busy / done * WEEK / 60 / (os.cpu_count() or 1), 1
        ),
        "lettered": int(steps["lettered"]),
    }


def _measure(url: str, names: list[str], patients: int) -> tuple[float, Counter[str]]:
    context = multiprocessing.get_context("spawn")
    began = time.perf_counter()
    with context.Pool(PROCESSES) as pool:
        found = pool.starmap(play, [(url, name, patients) for name in names], chunksize=1)
    return time.perf_counter() - began, sum(found, Counter())


def play(url: str, organisation: str, patients: int) -> Counter[str]:
    """Play one hospital's week; gives the CPU seconds of each step here, and the letters sent."""
    hospital = Hospital(url, organisation)
    valg, spent = hospital.valg, Counter[str]()

    def timed(step: str, began: float) -> float:
        now = time.process_time()
        spent[step] += now - began  # type: ignore[assignment]  # a counter of seconds
        return now

    for first in range(0, patients, BATCH):
        at = time.process_time()
        numbers = range(first, min(first + BATCH, patients))
        asked = valg.planner("week").invite_many(hospital.invitation(n) for n in numbers)
        at = timed("invite", at)
        valg.work()
        at = timed("open", at)
        for answer, n in zip(asked, numbers, strict=True):
            if answer.task is None:
                raise ValueError("the hospital is too small")
            me = valg.patient(f"p-{n}")
            offers = me.offers(answer.task).offers
            at = timed("look", at)
            me.choose(answer.task, offers[n % len(offers)])
            at = timed("choose", at)
        valg.work()
        timed("check and letter", at)
    left = hospital.store.run(
        organisation, lambda unit: unit.letters.count(kind="appointment", state="sent"), write=False
    )
    spent["lettered"] = left
    hospital.store.close()
    return spent


def _children() -> float:
    """Give the CPU seconds of processes that this one has started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
