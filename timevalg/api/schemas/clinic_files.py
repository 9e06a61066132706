"""What planners send and are answered about clinic files, pools, resources."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from timevalg.api.schemas.given import AT_MOST, Given, Id, Instant, Truth, Words
from timevalg.api.schemas.intake import PublishedOut
from timevalg.clinic import ClinicSummary, summary
from timevalg.clinic.difference import Difference
from timevalg.clinic.scalars import parse_day, parse_moment
from timevalg.model.contents import Contents
from timevalg.model.errors import InvalidInput, Problem
from timevalg.model.records import Publication
from timevalg.model.session import Session


class FileIn(Given):
    """A clinic's file: as text (YAML or JSON), or as JSON; with the calendars that it names."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"text": "format: 1\nclinic:\n  id: clinic\n", "calendars": {}}
        },
    )
    text: str | None = Field(None, description="Errors name its lines.")
    document: dict[str, Any] | None = Field(None, description="docs/clinic-file.schema.json")
    calendars: dict[Id, str] = Field(
        {}, description="iCalendar files by name, those that resources name."
    )
    reason: Words = ""

    @model_validator(mode="after")
    def _one_of_two(self) -> FileIn:
        if (self.text is None) == (self.document is None):
            raise ValueError("give either `text` or `document`")
        return self

    @property
    def file(self) -> str | Mapping[str, Any]:
        """What was given."""
        return self.text if self.text is not None else self.document or {}


class FileProblemOut(BaseModel):
    """One thing about a file."""

    where: str
    line: int | None
    key: str
    message: str

    @classmethod
    def of(cls, problem: Problem) -> FileProblemOut:
        """Tell a problem."""
        return cls(**{name: getattr(problem, name) for name in cls.model_fields})


class SummaryOut(BaseModel):
    """A clinic in numbers."""

    resources: int
    services: int
    pools: int
    bookings: int
    tasks: int
    bookable_hours_a_week: float

    @classmethod
    def of(cls, found: ClinicSummary) -> SummaryOut:
        """Tell a summary."""
        return cls(**{name: getattr(found, name) for name in cls.model_fields})


class CheckedFileOut(BaseModel):
    """What is wrong with a file, or what it comes to."""

    valid: bool
    errors: list[FileProblemOut]
    warnings: list[FileProblemOut]
    summary: SummaryOut | None

    @classmethod
    def wrong(cls, error: InvalidInput) -> CheckedFileOut:
        """Tell what is wrong."""
        told = [FileProblemOut.of(p) for p in error.problems]
        return cls(valid=False, errors=told, warnings=[], summary=None)

    @classmethod
    def of(cls, contents: Contents, clinic: str) -> CheckedFileOut:
        """Tell what a file comes to."""
        told = [FileProblemOut.of(w) for w in contents.warnings]
        (found,) = (s for s in summary(contents) if s.clinic == clinic)
        return cls(valid=True, errors=[], warnings=told, summary=SummaryOut.of(found))


class DifferenceOut(BaseModel):
    """One key that is different."""

    key: str
    old: Any
    new: Any


class DifferencesOut(BaseModel):
    """What is different, in the order of the file."""

    differences: list[DifferenceOut]

    @classmethod
    def of(cls, found: list[Difference]) -> DifferencesOut:
        """Tell differences."""
        return cls(differences=[DifferenceOut(key=d.key, old=d.old, new=d.new) for d in found])


class VersionOut(BaseModel):
    """A version of a clinic's file, without the file."""

    clinic: str
    version: int
    published_at: datetime
    by: str

    @classmethod
    def of(cls, publication: Publication) -> VersionOut:
        """Tell a version."""
        return cls(**{name: getattr(publication, name) for name in cls.model_fields})


class FileOut(VersionOut):
    """A version of a clinic's file."""

    document: dict[str, Any]
    calendars: dict[str, str]


class ClinicsOut(BaseModel):
    """The clinics, each with the version in force."""

    clinics: list[VersionOut]


class VersionsOut(BaseModel):
    """A page of versions, newest first."""

    versions: list[VersionOut]
    next: int | None = Field(None, description="Send it as `below`; null at the end.")


class InForceOut(PublishedOut):
    """What putting a version in force did, and its number."""

    version: int


class RollBackIn(Given):
    """Which version is to be in force again, and why."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"version": 1, "reason": "feil romliste"}}
    )
    version: Annotated[int, Field(strict=True, ge=1, le=AT_MOST)]
    reason: Words = ""


class PoolOut(BaseModel):
    """A pool, and whether it is open for choice."""

    id: str
    service: str
    on: bool
    openings: list[dict[str, Any]]


class PoolsOut(BaseModel):
    """A clinic's pools."""

    pools: list[PoolOut]

    @classmethod
    def of(cls, file: Publication) -> PoolsOut:
        """Tell the pools of a file."""
        rows = file.document.get("pools", [])
        return cls(
            pools=[
                PoolOut(id=r["id"], service=r["service"], on=bool(r["open"]), openings=r["open"])
                for r in rows
            ]
        )


class SwitchIn(Given):
    """Whether a pool is open for choice, and why."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"on": False, "reason": "utstyr i stykker"}}
    )
    on: Truth
    reason: Words = ""
    override: Truth = Field(
        False, description="With a reason: close it though some have no other place."
    )


class ResourceOut(BaseModel):
    """A resource as the clinic's file has it, with its absences by number."""

    id: str
    kind: str
    skills: list[str] | None
    capacity: int | None
    owner: str | None
    away: list[dict[str, Any]]


class ResourcesOut(BaseModel):
    """A clinic's resources."""

    resources: list[ResourceOut]

    @classmethod
    def of(cls, file: Publication) -> ResourcesOut:
        """Tell the resources of a file."""
        plain = ("id", "kind", "skills", "capacity", "owner")
        return cls(
            resources=[
                ResourceOut(**{name: row.get(name) for name in plain}, away=row.get("away", []))
                for row in file.document.get("resources", [])
            ]
        )


class AbsenceIn(Given):
    """From when to when: two dates, both included; or two local date-times, the last one not."""

    model_config = ConfigDict(
        extra="forbid",
        populate_by_name=True,
        json_schema_extra={"example": {"from": "2027-02-15", "to": "2027-02-19", "reason": "kurs"}},
    )
    from_: Annotated[str, Field(alias="from", max_length=25)]
    to: Annotated[str, Field(max_length=25)]
    reason: Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f]*$")] = ""

    def span(self) -> tuple[date | datetime, date | datetime]:
        """Give the two ends.

        Raises
        ------
        InvalidInput
        """
        return _edge("from", self.from_), _edge("to", self.to)


def _edge(name: str, text: str) -> date | datetime:
    for read in (parse_day, parse_moment):
        try:
            found: date | datetime = read(text)
            return found
        except ValueError:
            continue
    why = f"{text!r} is neither 2027-02-15 nor 2027-02-15T12:00, local and without an offset"
    raise InvalidInput.single(f"/body/{name}", why)


class BlockIn(Given):
    """What is taken for something that is no visit, from when to when, and why."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "resources": ["room"],
                "start": "2027-01-14T09:00:00+01:00",
                "end": "2027-01-14T12:00:00+01:00",
                "reason": "service",
            }
        },
    )
    resources: list[Id] = Field(min_length=1, max_length=200)
    start: Instant
    end: Instant
    reason: Annotated[Words, Field(min_length=1)]
    override: Truth = Field(False, description="Take places though some have no other.")


class BlockOut(BaseModel):
    """Resources that are taken for something that is no visit."""

    id: str
    clinic: str
    resources: list[str]
    start: datetime
    end: datetime

    @classmethod
    def of(cls, block: Session) -> BlockOut:
        """Tell a block."""
        end = max(span.end for span in block.spans.values())
        return cls(
            id=block.id,
            clinic=block.clinic,
            resources=sorted(block.spans),
            start=block.start,
            end=end,
        )
