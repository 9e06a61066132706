"""The hot clinic: two doctors, one room, a few starts that everybody wants, a quota a day."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks.history.record import Rules, Taken
from timevalg.booking.attempts import ATTEMPTS
from timevalg.booking.hold import RENEWALS
from timevalg.booking.unit_of_work import UnitOfWork
from timevalg.model.session import Session
from timevalg.model.task import Task
from timevalg.model.time import instant

OSLO = ZoneInfo("Europe/Oslo")
ORGANISATION = "999999999"
MONDAY = datetime(2027, 1, 4, 8, tzinfo=OSLO)
TODAY = MONDAY.date()
SPEED = 60
"""Seconds of the clinic's clock in one of the machine's: a hold of a minute lasts a second."""
LENGTH, PER_DAY, HOLD = 30, 3, 1
PATIENTS = 12
HOT = (date(2027, 1, 11), date(2027, 1, 12), date(2027, 2, 5))
"""Two early days, and the last one of everybody's window, where the places are."""
RESOURCES = {"one": ("dr-a", "room"), "two": ("dr-b", "room")}
STARTS = tuple(instant(day, 8 * 60 + LENGTH * number, OSLO) for day in HOT for number in range(4))
MOST_LIVE = 24
"""Invitations that wait at a time, at most."""


@dataclass(frozen=True)
class Running:
    """The clinic's clock: the machine's monotonic one, which all processes share, but faster."""

    origin: float

    def now(self, unit: UnitOfWork | None = None) -> datetime:
        """Give the clinic's instant."""
        return MONDAY.astimezone(UTC) + timedelta(seconds=SPEED * (time.monotonic() - self.origin))


def document() -> dict[str, Any]:
    """Give the clinic file."""
    days = ["mon", "tue", "wed", "thu", "fri"]
    hours = [{"days": days, "from": "08:00", "to": "10:00"}]
    return {
        "format": 1,
        "clinic": {
            "id": "hot",
            "organisation": ORGANISATION,
            "timezone": OSLO.key,
            "holidays": [],
            "hours": hours,
        },
        "resources": [
            {"id": "dr-a", "kind": "clinician", "skills": ["talk"]},
            {"id": "dr-b", "kind": "clinician", "skills": ["talk"]},
            {"id": "room", "kind": "room"},
        ],
        "services": [
            {
                "id": "talk",
                "length": LENGTH,
                "roles": [
                    {"id": "doctor", "kind": "clinician", "skills": ["talk"]},
                    {"id": "room", "kind": "room"},
                ],
            }
        ],
        "pools": [
            {
                "id": name,
                "service": "talk",
                "resources": list(resources),
                "open": hours,
                "raster": LENGTH,
                "horizon": 60,
                "check": "manual",
                "hold": HOLD,
                "change": {"until": 1},
                "cancel": {"until": 1},
            }
            for name, resources in RESOURCES.items()
        ],
        "quotas": [{"pools": list(RESOURCES), "per": "day", "max": PER_DAY}],
    }


def rules() -> Rules:
    """Give what the plain model knows of the clinic."""
    minute, day = 60_000_000, 24 * 60 * 60_000_000
    places = tuple(micros(start) for start in STARTS if start.astimezone(OSLO).date() == HOT[-1])
    return Rules(
        LENGTH * minute, RESOURCES, PER_DAY, day, HOLD * minute, ATTEMPTS, RENEWALS, places
    )


def invitation(number: int, pool: str) -> Task:
    """Give the draft of a patient's invitation; every start wanted is a valid place for it."""
    return Task(
        id="",
        organisation=ORGANISATION,
        clinic="hot",
        patient=f"p-{number % PATIENTS}",
        pools=(pool,),
        opens=TODAY,
        due=TODAY + timedelta(days=2),
        not_after=HOT[-1],
        letters=False,
    )


def micros(moment: datetime) -> int:
    """Give microseconds since 1970."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def taken(sessions: Iterable[Session]) -> tuple[Taken, ...]:
    """Give sessions as the history has them."""
    return tuple(
        Taken(
            s.id,
            str(s.kind),
            s.task or "",
            s.patient or "",
            s.pool or "",
            micros(s.start),
            {c.subject: (micros(c.span.start), micros(c.span.end)) for c in s.claims()},
            None if s.until is None else micros(s.until),
            s.is_place,
        )
        for s in sessions
    )
