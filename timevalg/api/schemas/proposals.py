"""Where visits and places are or could be: proposals, forecasts."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from timevalg.api.schemas.given import Day, Given, Words
from timevalg.api.schemas.tasks import SentTaskOut, ShortageOut
from timevalg.api.schemas.visits import VisitOut
from timevalg.booking.losses import LostPlace
from timevalg.booking.replan import Proposal, Rebooked
from timevalg.booking.search import Free
from timevalg.booking.whatif import Forecast
from timevalg.model.clinic import Clinic
from timevalg.model.session import Session


class PlaceOut(BaseModel):
    """A time in a pool, and who would serve it."""

    start: datetime
    pool: str | None
    resources: dict[str, list[str]]

    @classmethod
    def of(cls, at: Session | Free, clinic: Clinic) -> PlaceOut:
        """Tell a time in the clinic's local time."""
        resources = {role: list(names) for role, names in at.resources.items()}
        return cls(start=at.start.astimezone(clinic.timezone), pool=at.pool, resources=resources)


class ProposalOut(BaseModel):
    """What would harm least for a visit that cannot stand."""

    appointment: str
    version: int
    start: datetime
    absent: list[str]
    change: Literal["resources", "time", "nothing"]
    to: PlaceOut | None
    harm: list[str]

    @classmethod
    def of(cls, one: Proposal, clinic: Clinic) -> ProposalOut:
        """Tell a proposal."""
        found = one.session
        change: Literal["resources", "time", "nothing"] = "nothing"
        if one.certificate is not None:
            change = "resources" if one.task is None else "time"
        return cls(
            appointment=one.visit.id,
            version=one.visit.version,
            start=one.visit.start.astimezone(clinic.timezone),
            absent=list(one.absent),
            change=change,
            to=None if found is None else PlaceOut.of(found, clinic),
            harm=list(one.harm),
        )


class OtherTimeOut(PlaceOut):
    """A time outside the terms of a task, and what it would harm."""

    harm: list[str]


class LostPlaceOut(BaseModel):
    """An invited patient whose place is lost: one there is by now, or what is short."""

    task: str
    priority: int
    deadline: date
    since: datetime
    reason: str
    place: PlaceOut | None
    shortage: ShortageOut | None
    times: list[OtherTimeOut] = Field(description="For staff to assign, the least harm first.")

    @classmethod
    def of(cls, one: LostPlace, clinic: Clinic) -> LostPlaceOut:
        """Tell a loss."""
        return cls(
            task=one.task.id,
            priority=one.task.priority,
            deadline=one.task.deadline or one.task.not_after,
            since=one.case.created_at,
            reason=one.case.reason,
            place=None if one.place is None else PlaceOut.of(one.place, clinic),
            shortage=None if one.shortage is None else ShortageOut.of(one.shortage),
            times=[
                OtherTimeOut(**PlaceOut.of(time, clinic).model_dump(), harm=list(harm))
                for time, harm in one.times
            ],
        )


class ProposalsOut(BaseModel):
    """The visits that cannot stand; `proven`: no other way moves fewer, or harms less.

    `lost` are those who have lost the place of their invitation, whom it harms most first.
    """

    proposals: list[ProposalOut]
    proven: bool
    lost: list[LostPlaceOut]


class RebookIn(Given):
    """Until when the patient may choose another time, and why."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"due": "2027-01-08", "reason": "sykdom"}}
    )
    due: Day | None = Field(None, description="Default in three days.")
    reason: Words = ""


class RebookedOut(BaseModel):
    """What came of a proposal."""

    appointment: VisitOut
    task: SentTaskOut | None

    @classmethod
    def of(cls, done: Rebooked) -> RebookedOut:
        """Tell what came of it."""
        task = SentTaskOut.of(done.task) if done.task is not None else None
        return cls(appointment=VisitOut.of(done.visit), task=task)


class MovedPlaceOut(BaseModel):
    """A place that would move."""

    task: str | None
    old: PlaceOut
    new: PlaceOut


class LostOut(BaseModel):
    """A task that would have no place, and what would be short."""

    task: str
    shortage: ShortageOut


class ForecastOut(BaseModel):
    """What putting a file in force would do; nothing was changed."""

    clinics: list[str]
    outside: dict[str, list[str]]
    moved: list[MovedPlaceOut]
    lost: list[LostOut]
    proposals: list[ProposalOut]
    proven: bool
    conflicts: int

    @classmethod
    def of(cls, found: Forecast) -> ForecastOut:
        """Tell a forecast."""
        clinics = found.picture.index.organisation.clinics
        return cls(
            clinics=list(found.published.clinics),
            outside={v: list(rules) for v, rules in found.published.outside.items()},
            moved=[
                MovedPlaceOut(
                    task=old.task,
                    old=PlaceOut.of(old, clinics[old.clinic]),
                    new=PlaceOut.of(new, clinics[new.clinic]),
                )
                for old, new in found.moved
            ],
            lost=[
                LostOut(task=task, shortage=ShortageOut.of(short))
                for task, short in found.lost.items()
            ],
            proposals=[ProposalOut.of(p, clinics[p.visit.clinic]) for p in found.proposals],
            proven=found.proven,
            conflicts=len(found.published.conflicts),
        )
