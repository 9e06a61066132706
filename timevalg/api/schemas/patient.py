"""What patients send and are answered."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field

from timevalg.api.schemas.given import Given, Id, Instant, Page, Words
from timevalg.model.appointment import Appointment, Preparation
from timevalg.model.clinic import Clinic
from timevalg.model.records import AuditEntry, Letter
from timevalg.model.session import Session
from timevalg.model.task import Task
from timevalg.model.text import Text
from timevalg.solver.offers import Offer, Offers


class ChoiceIn(Given):
    """The time that is chosen, held or changed to."""

    model_config = ConfigDict(json_schema_extra={"example": {"start": "2027-01-14T09:00:00+01:00"}})
    start: Instant
    pool: Id | None = None


class ReasonIn(Given):
    """Why, in words that staff read."""

    reason: Words = ""


class AvailabilityIn(Given):
    """When the patient can come, in words that staff read."""

    when_i_can: Words = ""


class AnswerIn(Given):
    """What the patient answers to a preparation."""

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
    """The best safe offers, best first."""

    offers: list[OfferOut]
    undecided: int = Field(description="Starts that were looked at and not settled in time.")

    @classmethod
    def of(cls, found: Offers, clinic: Clinic) -> OffersOut:
        """Tell a look."""
        offers = [OfferOut.of(o, clinic) for o in found.offers]
        return cls(offers=offers, undecided=found.undecided)


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


class AccessOut(BaseModel):
    """One look at a patient's data, or one change of it."""

    time: datetime
    role: str
    verb: str
    subject: str
    key: str
    channel: str
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


class LettersOut(BaseModel):
    """The letters about a visit, oldest first."""

    letters: list[LetterOut]


class AccessLogOut(BaseModel):
    """Who has looked, newest first."""

    entries: list[AccessOut]
