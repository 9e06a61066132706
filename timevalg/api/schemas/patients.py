"""Who patients are: registered, found, merged, mourned; and who may act for them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    Field,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from timevalg.api.schemas.given import Day, Given, Id, Truth, Words, example
from timevalg.model.records import Patient


def _unrepeated(value: Any, read: ValidatorFunctionWrapHandler) -> date:
    """Refuse without the value: an identity number may have been put there."""
    try:
        found: date = read(value)
    except ValueError:
        raise ValueError("is not a date such as 1980-05-17") from None
    return found


class PatientIn(Given):
    """What a patient is called in letters, their language, and where letters may go."""

    model_config = example(patient="p-1", name="Kari Nordmann", language="nn")
    patient: Id
    name: Words = ""
    language: Literal["nb", "nn", "se", "en"] = "nb"
    email: Annotated[str, Field(min_length=3, max_length=320)] | None = None
    phone: Annotated[str, Field(min_length=3, max_length=40)] | None = None
    identity: Annotated[str, Field(max_length=12)] | None = Field(
        None, description="National identity number; once given, it stays. Never told again."
    )
    birth: Annotated[Day, WrapValidator(_unrepeated)] | None = None
    confidential: Truth | None = Field(None, description="A confidential address; null: as it was.")


class WhomIn(Given):
    """Whom to look for: an identity number, or an id."""

    model_config = example(identity="01017000027")
    identity: Annotated[str, Field(max_length=12)] | None = None
    patient: Id | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> WhomIn:
        if (self.identity is None) == (self.patient is None):
            raise ValueError("give either `identity` or `patient`")
        return self


class PatientNamed(Given):
    """Whose."""

    model_config = example(patient="p-1")
    patient: Id


class RepresentativeIn(Given):
    """Who may act for a patient, from when to when."""

    model_config = example(patient="p-1", identity="01017000108", basis="attorney")
    patient: Id
    identity: Annotated[str, Field(max_length=12, description="The representative's.")]
    basis: Literal["parent", "guardian", "attorney"]
    starts: Day | None = None
    ends: Day | None = None
    shares_address: Truth = False
    consents: Truth = False
    areas: list[Id] = Field(default=[], max_length=20)
    reason: Words = ""


class MergeIn(Given):
    """Two ids of one patient; the first is given up."""

    model_config = example(old="p-8", into="p-1")
    old: Id
    into: Id
    reason: Words = ""


class DeceasedIn(Given):
    """Who has died."""

    model_config = example(patient="p-7")
    patient: Id
    reason: Words = ""


class PatientOut(BaseModel):
    """What is known of a patient."""

    id: str
    name: str
    language: str
    email: str | None
    phone: str | None
    merged_into: str | None
    deceased_at: datetime | None
    version: int

    @classmethod
    def of(cls, patient: Patient) -> PatientOut:
        """Tell a patient."""
        return cls(**{name: getattr(patient, name) for name in cls.model_fields})
