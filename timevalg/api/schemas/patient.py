"""What patients send and are answered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from timevalg.api.schemas.by_time import cursor_after, since
from timevalg.api.schemas.given import Day, Given, Id, Instant, Page, Words
from timevalg.library.wishes import wishes_of
from timevalg.model.appointment import Appointment, Preparation
from timevalg.model.clinic import Clinic
from timevalg.model.errors import InvalidInput
from timevalg.model.records import AuditEntry, Letter
from timevalg.model.session import Session
from timevalg.model.task import Task
from timevalg.model.text import Text
from timevalg.solver.offers import Offer, Offers
from timevalg.solver.wishes import Wishes


class ChoiceIn(Given):
    """The time that is chosen, held or changed to."""

    model_config = ConfigDict(json_schema_extra={"example": {"start": "2027-01-14T09:00:00+01:00"}})
    start: Instant
    pool: Id | None = None


Wish = Literal[
    "days",
    "after",
    "before",
    "not_on",
    "earliest",
    "latest",
    "clinicians",
    "sex",
    "language",
    "places",
    "modes",
]
Few: Any = Field(default=[], max_length=50)
TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]


class OffersAsked(Given):
    """A page of offers: how many, in which order, and what the patient would like."""

    limit: int = Field(default=20, ge=1, le=100)
    order: Literal["best", "time"] = Field(default="best", description="Pages go by time.")
    cursor: str = Field(default="", max_length=300, description="`next` of the page before.")
    days: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] = Few
    after: TimeOfDay | None = Field(default=None, description="Begins then or later.")
    before: TimeOfDay | None = Field(default=None, description="Ends then or earlier.")
    not_on: list[Day] = Few
    earliest: Day | None = None
    latest: Day | None = None
    clinicians: list[Id] = Field(
        default=[], max_length=50, description="By id; whom I met last time is known."
    )
    sex: Literal["female", "male", "other", "unknown"] | None = Field(
        default=None, description="Of the clinician who leads the visit."
    )
    language: str | None = Field(
        default=None, pattern="^[a-z]{2,3}$", description="That this clinician speaks."
    )
    places: list[Id] = Field(
        default=[], max_length=50, description="Clinics by id or by the name of their place."
    )
    modes: list[Literal["physical", "video", "phone", "home"]] = Few
    must: list[Wish] = Field(
        default=[], max_length=11, description="Wishes that filter; the others rank."
    )

    def wishes(self) -> Wishes:
        """Give the wishes."""
        return wishes_of(**self.model_dump(exclude={"limit", "order", "cursor"}))

    def since(self) -> tuple[datetime, str] | None:
        """Give where a page by time begins; None for the best offers.

        Raises
        ------
        InvalidInput
            If the cursor is none that was given here.
        """
        if self.order == "best":
            if self.cursor:
                raise InvalidInput.single("/query/cursor", "the best offers have one page")
            return None
        return since(self.cursor)


class ReasonIn(Given):
    """Why, in words that staff read."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"reason": "jeg er frisk igjen"}}
    )
    reason: Words = ""


class AvailabilityIn(Given):
    """When the patient can come, in words that staff read."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"when_i_can": "fredager etter klokka 12"}}
    )
    when_i_can: Words = ""


class AnswerIn(Given):
    """What the patient answers to a preparation."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"answer": "ingen smitte"}}
    )
    answer: Words = ""


class TaskOut(BaseModel):
    """A choice task."""

    id: str
    state: str
    clinic: str
    clinic_name: str
    services: list[str]
    opens: date
    due: date
    not_before: date | None
    not_after: date
    version: int

    @classmethod
    def of(cls, task: Task, clinic: Clinic, language: str) -> TaskOut:
        """Tell a task in a language."""
        services = dict.fromkeys(clinic.service_of(p).name.to(language) for p in task.pools)
        return cls(
            id=task.id,
            state=task.state,
            clinic=task.clinic,
            clinic_name=clinic.name.to(language),
            services=list(services),
            opens=task.opens,
            due=task.due,
            not_before=task.not_before,
            not_after=task.not_after,
            version=task.version,
        )


class OfferOut(BaseModel):
    """One start that may be chosen now."""

    start: datetime
    pool: str
    length: int
    mode: str
    resources: dict[str, list[str]]
    score: float
    parts: dict[str, float]

    @classmethod
    def of(cls, offer: Offer, clinic: Clinic) -> OfferOut:
        """Tell an offer in the clinic's local time."""
        return cls(
            start=offer.start.astimezone(clinic.timezone),
            pool=offer.pool,
            length=offer.session.length,
            mode=clinic.service_of(offer.pool).mode,
            resources={role: list(ids) for role, ids in offer.session.resources.items()},
            score=offer.score,
            parts=dict(offer.parts),
        )


class OffersOut(BaseModel):
    """Safe offers, best first or by time."""

    offers: list[OfferOut]
    undecided: int = Field(description="Starts that were looked at and not settled in time.")
    next: str = Field(
        default="",
        description="Send it as `cursor`; empty at the end. A page may hold fewer than asked for.",
    )

    @classmethod
    def of(cls, found: Offers, clinic: Callable[[str], Clinic]) -> OffersOut:
        """Tell a look; `clinic` gives one by its id."""
        offers = [OfferOut.of(o, clinic(o.session.clinic)) for o in found.offers]
        following = cursor_after(*found.reached) if found.reached is not None else ""
        return cls(offers=offers, undecided=found.undecided, next=following)


class HoldOut(BaseModel):
    """A time that is kept while the patient confirms."""

    id: str
    start: datetime
    until: datetime
    pool: str | None

    @classmethod
    def of(cls, hold: Session, clinic: Clinic) -> HoldOut:
        """Tell a hold in the clinic's local time."""
        zone = clinic.timezone
        until = (hold.until or hold.start).astimezone(zone)
        return cls(id=hold.id, start=hold.start.astimezone(zone), until=until, pool=hold.pool)


class AppointmentOut(BaseModel):
    """A visit."""

    id: str
    state: str
    origin: str
    task: str | None
    clinic: str
    clinic_name: str
    service: str
    mode: str
    start: datetime
    length: int
    place: str
    room: str
    resources: dict[str, list[str]]
    acknowledged_at: datetime | None
    version: int

    @classmethod
    def of(cls, visit: Appointment, clinic: Clinic, language: str) -> AppointmentOut:
        """Tell a visit in a language and in the clinic's local time."""
        service = clinic.services.get(visit.service)
        return cls(
            id=visit.id,
            state=visit.state,
            origin=visit.origin,
            task=visit.task,
            clinic=visit.clinic,
            clinic_name=clinic.name.to(language),
            service=service.name.to(language) if service else visit.service,
            mode=service.mode if service else "physical",
            start=visit.start.astimezone(clinic.timezone),
            length=visit.length,
            place=clinic.place.name.to(language) if clinic.place else "",
            room=clinic.place.room if clinic.place else "",
            resources={role: list(ids) for role, ids in visit.resources.items()},
            acknowledged_at=visit.acknowledged_at,
            version=visit.version,
        )


class PreparationOut(BaseModel):
    """Something to do before a visit."""

    id: str
    name: str
    kind: str
    by: str
    state: str
    start: date | None
    due: date
    answer: str
    version: int

    @classmethod
    def of(cls, preparation: Preparation, language: str) -> PreparationOut:
        """Tell a preparation in a language."""
        name = Text(tuple(preparation.name.items())).to(language)
        fields = ("id", "kind", "by", "state", "start", "due", "answer", "version")
        return cls(name=name, **{f: getattr(preparation, f) for f in fields})


class LetterOut(BaseModel):
    """A letter as it was written."""

    id: str
    kind: str
    language: str
    subject: str
    state: str
    created_at: datetime
    sent_at: datetime | None
    text: str
    html: str

    @classmethod
    def of(cls, letter: Letter) -> LetterOut:
        """Tell a letter."""
        return cls(**{f: getattr(letter, f) for f in cls.model_fields})


class LetterSummary(BaseModel):
    """A letter, without its text."""

    id: str
    kind: str
    language: str
    subject: str
    state: str
    task: str | None
    appointment: str | None
    created_at: datetime
    sent_at: datetime | None

    @classmethod
    def of(cls, letter: Letter) -> LetterSummary:
        """Tell a letter."""
        return cls(**{f: getattr(letter, f) for f in cls.model_fields})


class AccessOut(BaseModel):
    """One look at a patient's data, or one change of it."""

    time: datetime
    principal: str = Field(description="Who; a person's name only tells them apart.")
    role: str
    verb: str
    subject: str
    key: str
    channel: str
    address: str | None = Field(description="Whence: network address and client.")
    reason: str

    @classmethod
    def of(cls, entry: AuditEntry) -> AccessOut:
        """Tell an entry of the audit log."""
        return cls(**{f: getattr(entry, f) for f in cls.model_fields})


class TasksOut(Page):
    """A page of tasks."""

    tasks: list[TaskOut]


class AppointmentsOut(Page):
    """A page of visits."""

    appointments: list[AppointmentOut]


class PreparationsOut(BaseModel):
    """What to do before a visit, by date."""

    preparations: list[PreparationOut]


class LetterPage(Page):
    """A page of letters."""

    letters: list[LetterSummary]


class LettersOut(BaseModel):
    """The letters about a visit, oldest first."""

    letters: list[LetterOut]


class AccessLogOut(Page):
    """Who has looked, newest first."""

    entries: list[AccessOut]
