"""What record systems put in: clinic files and rows of their calendar."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from timevalg.api.schemas.given import (
    Given,
    Id,
    Instant,
    Resources,
    Truth,
    Versioned,
    example,
    given_resources,
)
from timevalg.booking.publish import Published
from timevalg.booking.sync import Synced
from timevalg.model.calendar_row import CalendarRow
from timevalg.model.contents import Source


class PublishedFileIn(Given):
    """One clinic file as JSON (docs/clinic-file.schema.json), with the calendars it names."""

    document: dict[str, Any]
    calendars: dict[Id, str] = Field({})


class PublicationIn(Given):
    """Clinic files that are to be in force; clinics that are not named stay as they are."""

    model_config = example(
        files=[
            {
                "document": {
                    "format": 1,
                    "clinic": {
                        "id": "clinic",
                        "organisation": "999999999",
                        "timezone": "Europe/Oslo",
                        "hours": [{"days": ["mon"], "from": "08:00", "to": "16:00"}],
                    },
                }
            }
        ]
    )
    files: list[PublishedFileIn] = Field(min_length=1, max_length=1000)

    def sources(self) -> dict[str, Source]:
        """Give the files by their clinics."""
        found: dict[str, Source] = {}
        for number, file in enumerate(self.files, 1):
            clinic = file.document.get("clinic")
            name = clinic.get("id") if isinstance(clinic, dict) else None
            key = name if isinstance(name, str) and name not in found else f"file {number}"
            found[key] = Source(file.document, file.calendars)
        return found


class PublishedOut(BaseModel):
    """What publishing did."""

    clinics: list[str] = Field(description="Those that changed.")
    outside: dict[str, list[str]] = Field(description="Visit → rules that it breaks now.")
    lost: list[str] = Field(description="Live tasks for whom no place is left.")
    conflicts: list[str] = Field(description="Bookings of the files not taken in, as cases.")

    @classmethod
    def of(cls, done: Published) -> PublishedOut:
        """Tell what publishing did."""
        outside = {visit: list(rules) for visit, rules in done.outside.items()}
        return cls(
            clinics=list(done.clinics),
            outside=outside,
            lost=list(done.lost),
            conflicts=list(done.conflicts),
        )


class RowIn(Given):
    """One visit as the record system has it."""

    ref: Id
    version: Versioned
    deleted: Truth = False
    clinic: Annotated[str, Field(max_length=200)] = ""
    service: Annotated[str, Field(max_length=200)] = ""
    start: Instant | None = None
    resources: Resources = Field({})
    patient: Id | None = None
    pool: Id | None = None

    def row(self) -> CalendarRow:
        """Give the row as the use case takes it."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return CalendarRow(**fields | {"resources": given_resources(self.resources)})


class SyncIn(Given):
    """Rows of the record system's calendar, in any order, any number of times."""

    model_config = example(
        rows=[
            {
                "ref": "kontakt/1",
                "version": 1,
                "clinic": "clinic",
                "service": "talk",
                "patient": "p-7",
                "start": "2027-01-14T09:00:00+01:00",
                "resources": {"doctor": ["dr-berg"]},
            }
        ]
    )
    rows: list[RowIn] = Field(max_length=10_000)
    first: Instant | None = Field(None, description="With `last`: the rows are all between them.")
    last: Instant | None = None


class SyncedOut(BaseModel):
    """What came of the rows, by ref."""

    applied: list[str]
    stale: list[str]
    missing: list[str]
    conflicts: list[str]
    broken: list[str]

    @classmethod
    def of(cls, done: Synced) -> SyncedOut:
        """Tell what came of the rows."""
        return cls(**{name: list(getattr(done, name)) for name in cls.model_fields})
