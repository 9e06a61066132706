"""A generated organisation, and patients invited to choose there: what the race is about."""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from timevalg.booking.publish import publish
from timevalg.booking.unit_of_work import Store, UnitOfWork
from timevalg.channels.sink import Sink
from timevalg.clinic import from_sources
from timevalg.model.contents import Source
from timevalg.model.principal import Principal, RoleName
from timevalg.model.states import TaskState
from timevalg.model.task import Task
from timevalg.model.time import instant
from timevalg.solver.places import plan
from timevalg.wiring import ports_on

OSLO = ZoneInfo("Europe/Oslo")
PAIRS = 40
"""Clinicians, each with a room: every booking takes one of each."""
WANTED = PAIRS
"""The pair whose times everybody wants in the contended part."""
LENGTH = 10
OPENS, CLOSES = 8 * 60, 18 * 60
PER_DAY = (CLOSES - OPENS) // LENGTH
FIRST_DAY = 3
"""Days from today to the first time that is chosen."""
HORIZON = 180
DAYS = 90
"""Days whose times are chosen; the guarantee's places lie at the end of the horizon."""


@dataclass(frozen=True)
class Job:
    """One patient who is to choose one time."""

    task: str
    patient: str
    pool: str
    start: datetime


def organisation_number() -> str:
    """Give a number that no earlier run on the same database has."""
    return f"9{secrets.randbelow(10**8):08}"


def document(organisation: str) -> dict[str, Any]:
    """Give the clinic file: a pool for each pair of clinician and room."""
    numbers = range(PAIRS + 1)
    hours = [{"from": "08:00", "to": "18:00"}]
    return {
        "format": 1,
        "clinic": {
            "id": "race",
            "organisation": organisation,
            "timezone": OSLO.key,
            "name": {"nb": "Kappløpet", "en": "The race"},
            "holidays": [],
            "hours": hours,
        },
        "resources": [
            *({"id": f"dr-{n}", "kind": "clinician", "skills": ["visit"]} for n in numbers),
            *({"id": f"room-{n}", "kind": "room"} for n in numbers),
        ],
        "services": [
            {
                "id": "visit",
                "name": {"nb": "Time", "en": "Visit"},
                "length": LENGTH,
                "roles": [
                    {"id": "doctor", "kind": "clinician", "skills": ["visit"]},
                    {"id": "room", "kind": "room"},
                ],
            }
        ],
        "pools": [
            {
                "id": pool_id(n),
                "service": "visit",
                "resources": [f"dr-{n}", f"room-{n}"],
                "open": hours,
                "raster": LENGTH,
                "horizon": HORIZON,
                "change": {"until": 1, "times": 2},
                "cancel": {"until": 1},
            }
            for n in numbers
        ],
    }


def pool_id(pair: int) -> str:
    """Give the pool of a pair."""
    return f"pool-{pair}"


def start_of(today: date, slot: int) -> datetime:
    """Give a pair's time number `slot`."""
    days, number = divmod(slot, PER_DAY)
    if days >= DAYS:
        raise ValueError(f"the organisation is too small: it has no time number {slot}")
    return instant(today + timedelta(FIRST_DAY + days), OPENS + LENGTH * number, OSLO)


def open_clinic(store: Store, organisation: str) -> None:
    """Publish the clinic, by the use case."""
    ports = ports_on(store, Sink())
    files = from_sources({"race": Source(document(organisation), {})})
    publish(ports, Principal("race", RoleName.PLANNER, organisation), files)


def spread_jobs(today: date, first: int, count: int) -> list[Job]:
    """Give jobs with a time each, none of them twice, dealt over all pairs in random order."""
    numbers = list(range(first, first + count))
    random.Random(first).shuffle(numbers)
    return [
        Job(f"t-{n:020}", f"p-{n:020}", pool_id(n % PAIRS), start_of(today, n // PAIRS))
        for n in numbers
    ]


def wanting_jobs(today: date, count: int) -> list[Job]:
    """Give jobs of patients who all want the same pair's times."""
    start = start_of(today, 0)
    return [Job(f"t-w{n:019}", f"p-w{n:019}", pool_id(WANTED), start) for n in range(count)]


def invite(store: Store, organisation: str, today: date, jobs: Iterable[Job]) -> None:
    """Put the patients' tasks there as invitations leave them: open, each with its place."""
    tasks = [
        Task(
            id=job.task,
            organisation=organisation,
            clinic="race",
            patient=job.patient,
            pools=(job.pool,),
            opens=today,
            due=today + timedelta(2),
            not_after=today + timedelta(HORIZON - 1),
            version=3,
        )
        for job in jobs
    ]
    picture = ports_on(store, Sink()).pictures.current(organisation)
    made = plan(picture, tasks, picture.now)
    if made.unplaced:
        raise ValueError(f"the organisation is too small for {len(tasks)} patients")

    def put(unit: UnitOfWork) -> None:
        unit.lock((), whole=True)
        unit.tasks.add_all(replace(task, state=TaskState.OPEN) for task in tasks)
        unit.sessions.claim([c.claim for c in made.placed])

    store.run(organisation, put)
