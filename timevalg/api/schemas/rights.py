"""Rights and units: what is given, to whom, where and from when to when."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from timevalg.api.schemas.given import Given, Id, Instant, Page, Truth, Words, example
from timevalg.booking.rights import HOLDERS, Standing
from timevalg.model.principal import RoleName
from timevalg.model.records import Verification
from timevalg.model.right import Unit

Holder = Annotated[str, Field(max_length=200, pattern=rf"^({'|'.join(HOLDERS)})[^\x00]+$")]
Role = Literal["planner", "secretary", "clinician", "system", "auditor", "operator"]


class RightIn(Given):
    """A right that is given, of one's own (`giver`) or, by operators, of the organisation's."""

    model_config = example(
        holder="hpr:7654321", role="secretary", clinic="clinic", giver="right-6f1c"
    )
    holder: Holder
    role: Role
    giver: Id | None = Field(None, description="One's own right that it is given from.")
    unit: Id | None = None
    clinic: Id | None = Field(None, description="Neither unit nor clinic: everywhere.")
    starts: Instant | None = Field(None, description="Default now.")
    ends: Instant | None = Field(None, description="Not included; default never.")
    may_delegate: Truth = Field(False, description="Its holder may give of it.")
    reason: Words = ""


class RightOut(BaseModel):
    """A right, and where it holds now."""

    id: str
    holder: str
    role: RoleName
    unit: str | None
    clinic: str | None
    starts: datetime
    ends: datetime | None
    giver: str | None
    may_delegate: bool
    given_at: datetime
    by: str
    revoked_at: datetime | None
    version: int


class StandingOut(BaseModel):
    """A right, and where it holds at this moment."""

    right: RightOut
    everywhere: bool
    clinics: list[str] = Field(description="Where it holds now; empty where it is everywhere.")

    @classmethod
    def of(cls, found: Standing) -> StandingOut:
        """Tell a right and where it holds."""
        fields = {name: getattr(found.right, name) for name in RightOut.model_fields}
        clinics = found.clinics
        return cls(
            right=RightOut(**fields), everywhere=clinics is None, clinics=sorted(clinics or ())
        )


class RightsOut(Page):
    """A page of rights, in the order in which they were given."""

    rights: list[StandingOut]


class UnitIn(Given):
    """Which clinics a unit has."""

    model_config = example(name="Medisinsk klinikk", clinics=["clinic"])
    name: Words = ""
    clinics: list[Id] = Field(max_length=1000)
    reason: Words = ""


class UnitOut(BaseModel):
    """A part of the organisation."""

    id: str
    name: str
    clinics: list[str]
    version: int

    @classmethod
    def of(cls, unit: Unit) -> UnitOut:
        """Tell a unit."""
        return cls(id=unit.id, name=unit.name, clinics=list(unit.clinics), version=unit.version)


class UnitsOut(BaseModel):
    """The organisation's units."""

    units: list[UnitOut]


class VerificationOut(BaseModel):
    """The mark of an organisation in which nobody is treated."""

    organisation: str
    since: datetime
    by: str

    @classmethod
    def of(cls, mark: Verification) -> VerificationOut:
        """Tell the mark."""
        return cls(organisation=mark.organisation, since=mark.since, by=mark.by)
