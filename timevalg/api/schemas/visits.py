"""Visits as the hospital knows them, and what it does to them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from timevalg.api.schemas.given import Given, Id, Instant, Page, Resources, Truth, Words, example
from timevalg.model.appointment import Appointment


class VisitOut(BaseModel):
    """A visit as the hospital knows it."""

    id: str
    ref: str | None
    state: str
    origin: str
    task: str | None
    patient: str | None
    clinic: str
    service: str
    pool: str | None
    start: datetime
    wall: str = Field(description="The local time that the patient was told.")
    zone: str
    length: int
    resources: dict[str, list[str]]
    lettered_at: datetime | None
    acknowledged_at: datetime | None
    version: int

    @classmethod
    def of(cls, visit: Appointment) -> VisitOut:
        """Tell a visit."""
        fields = {name: getattr(visit, name) for name in cls.model_fields}
        return cls(**fields | {"resources": {k: list(v) for k, v in visit.resources.items()}})


class VisitsOut(Page):
    """A page of visits."""

    appointments: list[VisitOut]


class AcceptIn(Given):
    """The record system's own id for a visit."""

    model_config = example(ref="kontakt/88")
    ref: Id | None = None


class RefuseIn(Given):
    """Why a choice is refused."""

    model_config = example(reason="8446:1")
    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class MoveIn(Given):
    """Another time for a visit."""

    model_config = example(
        start="2027-01-14T09:00:00+01:00", resources={"doctor": ["dr-berg"]}, reason="8446:1"
    )
    start: Instant
    resources: Resources | None = Field(None, description="Default: those it has.")
    reason: Words = ""
    override: Truth = Field(False, description="With a reason: move it though a rule is broken.")


class CancelIn(Given):
    """Why, and on whose wish."""

    model_config = example(reason="8445:22", by="patient")
    reason: Words = ""
    by: Literal["", "patient"] = ""
