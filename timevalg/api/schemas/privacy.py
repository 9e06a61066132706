"""What is sent and answered about who acts for whom."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, StrictBool

from timevalg.api.schemas.given import Given, Words
from timevalg.model.representation import Representation, Withholding


class WithholdingIn(Given):
    """Whether representatives see nothing of it."""

    model_config = ConfigDict(json_schema_extra={"example": {"withheld": True}})
    withheld: StrictBool
    reason: Words = ""


class WithholdingOut(BaseModel):
    """What was decided."""

    withheld: bool
    since: datetime

    @classmethod
    def of(cls, decided: Withholding) -> WithholdingOut:
        """Tell a decision."""
        return cls(withheld=decided.withheld, since=decided.since)


class RepresentativeOut(BaseModel):
    """Somebody who may act for a patient, by a name that only tells them apart."""

    id: str
    representative: str
    basis: str
    starts: date
    ends: date | None
    areas: list[str]
    version: int

    @classmethod
    def of(cls, made: Representation) -> RepresentativeOut:
        """Tell a representation."""
        return cls(
            id=made.id,
            representative=made.representative,
            basis=made.basis,
            starts=made.starts,
            ends=made.ends,
            areas=list(made.areas),
            version=made.version,
        )


class RepresentativesOut(BaseModel):
    """Those who may act for a patient."""

    representatives: list[RepresentativeOut]


class DataOut(BaseModel):
    """Everything that is kept about a patient, row by row, as it is kept."""

    format: int
    organisation: str
    exported_at: datetime
    patient: str
    patients: list[dict[str, Any]]
    tasks: list[dict[str, Any]]
    appointments: list[dict[str, Any]]
    preparations: list[dict[str, Any]]
    letters: list[dict[str, Any]]
    cases: list[dict[str, Any]]
    representations: list[dict[str, Any]]
    withholdings: list[dict[str, Any]]
    events: list[dict[str, Any]]
    access: list[dict[str, Any]]
