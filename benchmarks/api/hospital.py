"""A clinic group with 5,000 live invitations, and what its patients ask over HTTP."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from timevalg.identity import development
from timevalg.library import Timevalg
from timevalg.model.contents import Source
from timevalg.model.time import instant

OSLO = ZoneInfo("Europe/Oslo")
ORGANISATION = "999999999"
CLINICIANS, ROOMS, SERVICES = 20, 12, 5
"""Of the clinicians a fifth can do each service; all share the rooms."""
LENGTH = 30
HORIZON = 90
LIVE = 5000
SPARE = 1000
"""Invited beside them, so that 5,000 are live until a thousand have chosen."""
STRIDE = 389
"""Half-hours between one who claims and the next of the same pool; prime, so that all come."""
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri"]


def document() -> dict[str, Any]:
    """Give the clinic file."""
    hours = [{"days": WEEKDAYS, "from": "08:00", "to": "16:00"}]
    return {
        "format": 1,
        "clinic": {
            "id": "clinic",
            "organisation": ORGANISATION,
            "timezone": OSLO.key,
            "name": {"nb": "Poliklinikken", "en": "The clinic"},
            "holidays": [],
            "hours": hours,
        },
        "resources": [
            *(
                {"id": f"dr-{n}", "kind": "clinician", "skills": [f"skill-{n % SERVICES}"]}
                for n in range(CLINICIANS)
            ),
            *({"id": f"room-{n}", "kind": "room"} for n in range(ROOMS)),
        ],
        "services": [
            {
                "id": f"service-{n}",
                "length": LENGTH,
                "roles": [
                    {"id": "doctor", "kind": "clinician", "skills": [f"skill-{n}"]},
                    {"id": "room", "kind": "room"},
                ],
            }
            for n in range(SERVICES)
        ],
        "pools": [
            {
                "id": f"pool-{n}",
                "service": f"service-{n}",
                "open": hours,
                "raster": LENGTH,
                "horizon": HORIZON,
            }
            for n in range(SERVICES)
        ],
    }


@dataclass(frozen=True)
class Invited:
    """One patient: the task, and the head of their requests."""

    task: str
    authorization: str


def fill(url: str, key: Path, number: int = LIVE + SPARE) -> list[Invited]:
    """Publish the clinic and invite the patients, by the use cases.

    Parameters
    ----------
    key : Path
        Of the development issuer, for the patients' tokens.
    number : int
        How many patients.
    """
    today = datetime.now(OSLO).date()
    with Timevalg.open(url, organisation=ORGANISATION) as valg:
        system = valg.system("benchmark")
        system.publish({"clinic": Source(document())})
        fields = [
            {
                "patient": f"p-{n}",
                "pools": [f"pool-{n % SERVICES}"],
                "opens": today,
                "due": today + timedelta(7),
                "not_after": today + timedelta(60 + n % 25),
            }
            for n in range(number)
        ]
        answers = system.invite_many(fields, all_or_nothing=True)
    right = {"role": "patient", "organisation": ORGANISATION}
    return [
        Invited(answer.task.id, development.token(key, f"p-{n}", right | {"patient": f"p-{n}"}))
        for n, answer in enumerate(answers)
        if answer.task is not None
    ]


def kinds(invited: list[Invited]) -> dict[str, Iterator[bytes]]:
    """Give the kinds of requests: the first patients hold, the last ones choose."""
    return {"offers": looks(invited), "hold": holds(invited), "choose": choices(invited[::-1])}


def looks(invited: list[Invited]) -> Iterator[bytes]:
    """Ask for the offers of patients at random."""
    chance = random.Random(1)
    while True:
        one = chance.choice(invited)
        yield _request("GET", f"/v1/patient/tasks/{one.task}/offers", one)


def holds(invited: list[Invited]) -> Iterator[bytes]:
    """Hold a time for one patient after another."""
    for number, one in enumerate(invited):
        yield _claim(one, "holds", f"h-{number}", number)


def choices(invited: list[Invited]) -> Iterator[bytes]:
    """Choose a time for one patient after another."""
    for number, one in enumerate(invited):
        yield _claim(one, "choice", f"c-{number}", number)


def _claim(one: Invited, verb: str, key: str, number: int) -> bytes:
    """Take a time in the patient's window, as an offer would be: seldom one that is taken."""
    start = _start(datetime.now(OSLO).date(), number)
    headers = {"Idempotency-Key": key, "If-Match": "*"}
    return _request(
        "POST", f"/v1/patient/tasks/{one.task}/{verb}", one, {"start": start.isoformat()}, headers
    )


def _start(today: date, number: int) -> datetime:
    """Give patients of one pool after another times all over the days, the same one seldom."""
    days = [today + timedelta(n) for n in range(8, 60)]
    days = [day for day in days if day.weekday() < len(WEEKDAYS)]
    turn, pool = divmod(number, SERVICES)
    time_of_day, day = divmod((turn * STRIDE + pool) % (16 * len(days)), len(days))
    return instant(days[day], 8 * 60 + LENGTH * time_of_day, OSLO)


def _request(
    method: str,
    path: str,
    one: Invited,
    body: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> bytes:
    content = b"" if body is None else json.dumps(body).encode()
    told = {
        "Host": "127.0.0.1",
        "Authorization": f"Bearer {one.authorization}",
        "Content-Length": str(len(content)),
        "Content-Type": "application/json",
        **(headers or {}),
    }
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items())]
    return "\r\n".join([*lines, "", ""]).encode() + content


def rows() -> Iterator[bytes]:
    """Ask the bare route for rows at random."""
    chance = random.Random(2)
    while True:
        path = f"/rows/{chance.randrange(10_000)}"
        yield f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
