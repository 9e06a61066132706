"""The clinic file, as it may be written: one model for each shape of row.

Mirrors docs/clinic-file.md. Only single values are judged here; what several values must be to
each other is in `timevalg.clinic.rules` and its neighbours.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from timevalg.clinic.scalars import (
    ClinicId,
    Day,
    Days,
    Edge,
    GridClock,
    GridMinutes,
    GridOffset,
    Holidays,
    Id,
    Language,
    Line,
    MemberRef,
    Minutes,
    Moment,
    PoolRef,
    ResourceRef,
    ServiceRef,
    Words,
)
from timevalg.model.pool import CHECK_RULES
from timevalg.model.time import MINUTES_A_DAY

DayName = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
KindName = Literal["clinician", "room", "equipment"]
Sex = Literal["female", "male", "other", "unknown"]
Decider = Literal["auto", "manual", "record"]
Week = Annotated[int, Field(ge=1, le=104)]
Weight = Annotated[float, Field(ge=0, le=1000)]


class Row(BaseModel):
    """A mapping of the file: strict types, no keys but these, no empty values."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_nothing(cls, value: Any) -> Any:
        if value is None:
            raise PydanticCustomError("empty", "is empty; give a value or leave the key out")
        return value


class Valid(Row):
    """First and last day on which hours hold, both included."""

    from_: Day | None = Field(None, alias="from")
    to: Day | None = None


class Roster(Row):
    """On which days and in which weeks of an n-week roster."""

    days: list[DayName] | None = Field(None, min_length=1)
    weeks: list[Week] | None = Field(None, min_length=1)
    of: Week | None = None
    since: Day | None = None
    valid: Valid | None = None


class HoursRow(Roster):
    """Recurring hours on the wall clock."""

    from_: GridClock = Field(0, alias="from")
    to: GridClock = MINUTES_A_DAY


class WorkingRow(HoursRow):
    """Working hours; `for` lets them serve some pools only."""

    for_: list[PoolRef] | None = Field(None, alias="for", min_length=1)


class OpeningRow(HoursRow):
    """What patients may choose from; kept back until `release` days before."""

    release: Days | None = None


class AwayRow(Roster):
    """An absence: dates, local date-times, or the shape of hours."""

    from_: Edge | None = Field(None, alias="from")
    to: Edge | None = None
    reason: Line = ""


class ClosedRow(Row):
    """Whole local days on which the clinic is closed, both ends included."""

    from_: Day = Field(alias="from")
    to: Day
    reason: Line = ""


class PlaceRow(Row):
    """Where patients come."""

    name: Words
    room: Line = ""


class ClinicRow(Row):
    """The clinic itself."""

    id: ClinicId
    organisation: Id
    name: Words | None = None
    timezone: str
    cell: Minutes = 5
    holidays: Holidays = ()
    closed: list[ClosedRow] = []
    planned_until: Day | None = None
    hours: list[WorkingRow] = []
    place: PlaceRow | None = None
    contact: Words | None = None


class ResourceRow(Row):
    """A clinician, a room or a piece of equipment; or `capacity` of them."""

    id: Id
    kind: KindName
    name: Words | None = None
    sex: Sex | None = None
    languages: list[Language] = []
    skills: list[Id] | None = None
    capacity: int | None = Field(None, ge=1, le=1000)
    owner: str | None = None
    hours: list[WorkingRow] | None = None
    away: list[AwayRow] = []
    busy: str | None = Field(None, min_length=1)


class RoleRow(Row):
    """`count` resources of a kind, with these skills, for a part of the visit."""

    id: Id
    kind: KindName
    skills: list[Id] = []
    start: GridOffset = 0
    length: GridMinutes | None = None
    count: int = Field(1, ge=1, le=100)


class TogetherRow(Row):
    """Pairings: the resources of these roles must form one of the rows."""

    roles: list[str] = Field(min_length=1)
    allowed: list[list[ResourceRef]] = Field(min_length=1)


class PreparationRow(Row):
    """What must be done before a visit."""

    id: Id
    name: Words | None = None
    kind: Id = "instruction"
    due: Days | None = None
    start: Days | None = None
    limits: bool = True
    by: Literal["patient", "staff"] = "patient"


class ServiceRow(Row):
    """A kind of visit."""

    id: Id
    name: Words | None = None
    mode: Literal["physical", "video", "phone", "home"] = "physical"
    length: GridMinutes
    roles: list[RoleRow] = Field(min_length=1)
    together: list[TogetherRow] = []
    preparations: list[PreparationRow] = []


class WeightsRow(Row):
    """Of the terms of the ranking."""

    earliness: Weight | None = None
    wishes: Weight | None = None
    same_clinician: Weight | None = None
    gaps: Weight | None = None
    scarcity: Weight | None = None


class ChangeRow(Row):
    """Until 23:59 on which working day before the visit, and how often, patients may."""

    until: Days
    times: int | None = Field(None, ge=0, le=1000)


class PoolRow(Row):
    """What patients may choose from for one service."""

    id: Id
    service: ServiceRef
    resources: list[ResourceRef] | None = Field(None, min_length=1)
    open: list[OpeningRow]
    raster: GridMinutes
    notice: Days = 0
    fallback_notice: Days | None = None
    horizon: Days
    check: Decider = "auto"
    fallback: Literal["assign", "staff"] = "assign"
    hold: Minutes = 10
    letter: Decider = "auto"
    check_rules: list[Literal["preparations", "deadline", "same-day"]] = list(CHECK_RULES)  # type: ignore[arg-type]  # str
    weights: WeightsRow | None = None
    change: ChangeRow | None = None
    cancel: ChangeRow | None = None


class QuotaRow(Row):
    """At most `max` visits of these pools a day or week."""

    pools: list[PoolRef] = Field(min_length=1)
    each: KindName | None = None
    per: Literal["day", "week"]
    max: int = Field(ge=0, le=1_000_000)


class BookingRow(Row):
    """An existing visit."""

    id: Id
    ref: Id | None = None
    patient: Id | None = None
    task: Id | None = None
    service: ServiceRef
    pool: PoolRef | None = None
    origin: Literal["chosen", "assigned", "allotted", "imported"] = "imported"
    start: Moment
    resources: dict[str, list[MemberRef]]


class BusyRow(Row):
    """A time for which a resource is taken, without saying why."""

    resource: ResourceRef
    from_: Moment = Field(alias="from")
    to: Moment


class HoldRow(Row):
    """A claim with an expiry, while a patient confirms."""

    task: Id
    pool: PoolRef
    start: Moment
    until: Moment
    resources: dict[str, list[MemberRef]]


class TaskRow(Row):
    """One patient's invitation to choose."""

    id: Id
    ref: Id | None = None
    patient: Id
    pools: list[PoolRef] = Field(min_length=1)
    mode: Literal["choose", "allot", "request"] = "choose"
    priority: int = Field(3, ge=1, le=5)
    opens: Day
    due: Day
    not_before: Day | None = None
    not_after: Day | None = None
    deadline: Day | None = None
    only: dict[str, Annotated[list[ResourceRef], Field(min_length=1)]] = {}
    times: list[HoursRow] = []
    extra: Annotated[GridOffset, Field(ge=0)] = 0
    preparations: list[PreparationRow] = []
    done: list[str] = []
    state: (
        Literal[
            "draft",
            "scheduled",
            "open",
            "overdue",
            "none-suits",
            "with-staff",
            "chosen",
            "assigned",
            "confirmed",
            "declined",
            "withdrawn",
        ]
        | None
    ) = None


class ClinicFile(Row):
    """One clinic file."""

    format: Literal[1]
    clinic: ClinicRow
    resources: list[ResourceRow] = []
    services: list[ServiceRow] = []
    pools: list[PoolRow] = []
    quotas: list[QuotaRow] = []
    bookings: list[BookingRow] = []
    busy: list[BusyRow] = []
    holds: list[HoldRow] = []
    tasks: list[TaskRow] = []
