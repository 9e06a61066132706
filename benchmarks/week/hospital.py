"""Hospitals of a size, each with one clinic, and its patients."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from timevalg.booking.publish import publish
from timevalg.channels.sink import Sink
from timevalg.clinic import from_sources
from timevalg.library import Timevalg
from timevalg.model.contents import Source
from timevalg.model.principal import Principal, RoleName
from timevalg.store import Database, SetClock
from timevalg.wiring import ports_on

OSLO = ZoneInfo("Europe/Oslo")
MONDAY = date(2027, 1, 4)
PATIENTS = 485
"""Invitations of one hospital: 1/400 of a week of Norway."""
DOCTORS, ROOMS = 12, 8
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri"]


def document(organisation: str) -> dict[str, Any]:
    """Give the clinic file: visits of half an hour with any doctor in any room."""
    open_ = [{"days": WEEKDAYS, "from": "08:00", "to": "16:00"}]
    roles = [
        {"id": "doctor", "kind": "clinician", "skills": ["visit"]},
        {"id": "room", "kind": "room"},
    ]
    return {
        "format": 1,
        "clinic": {
            "id": "clinic",
            "organisation": organisation,
            "timezone": OSLO.key,
            "name": {"nb": "Poliklinikken", "en": "The clinic"},
            "holidays": [],
            "hours": open_,
        },
        "resources": [
            *({"id": f"dr-{n}", "kind": "clinician", "skills": ["visit"]} for n in range(DOCTORS)),
            *({"id": f"room-{n}", "kind": "room"} for n in range(ROOMS)),
        ],
        "services": [
            {"id": "visit", "name": {"nb": "Time", "en": "Visit"}, "length": 30, "roles": roles}
        ],
        "pools": [{"id": "visits", "service": "visit", "open": open_, "raster": 30, "horizon": 90}],
    }


class Hospital:
    """One organisation with its own clock, which stands at the start of the week."""

    def __init__(self, url: str, organisation: str) -> None:
        self.store = Database(url, SetClock(datetime(2027, 1, 4, 8, tzinfo=OSLO)))
        ports = ports_on(self.store, Sink())
        source = {"clinic": Source(document(organisation), {})}
        publish(ports, Principal("week", RoleName.PLANNER, organisation), from_sources(source))
        self.valg = Timevalg(ports, organisation)

    def invitation(self, number: int) -> dict[str, Any]:
        """Give the fields of one patient's invitation."""
        return {
            "patient": f"p-{number}",
            "pools": ["visits"],
            "opens": MONDAY,
            "due": MONDAY + timedelta(10),
            "not_after": MONDAY + timedelta(80),
        }
