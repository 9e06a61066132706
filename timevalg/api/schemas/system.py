"""What record systems send and are answered; much of it is what the desk sees too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from timevalg.api.schemas.given import Day, Given, Id, Instant, Page, Versioned, Words
from timevalg.booking.invite import Invitation
from timevalg.booking.publish import Published
from timevalg.booking.sync import Synced
from timevalg.clinic.build import hours, preparation
from timevalg.clinic.format import HoursRow, PreparationRow
from timevalg.model.appointment import Appointment
from timevalg.model.calendar_row import CalendarRow
from timevalg.model.contents import Source
from timevalg.model.outgoing import Subscription
from timevalg.model.records import Event, Patient
from timevalg.model.task import Task
from timevalg.solver.shortage import Shortage

Resources = Annotated[dict[Id, list[Id]], Field(description="Role id → ids of resources.")]
Truth = Annotated[bool, Field(strict=True)]
Minutes = Annotated[int, Field(strict=True, ge=0, le=1440)]

_EXAMPLE = {"start": "2027-01-14T09:00:00+01:00", "resources": {"doctor": ["dr-berg"]}}


def _example(**fields: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"example": fields})


def given_resources(resources: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Give resources as use cases take them."""
    return {role: tuple(names) for role, names in resources.items()}


class PublishedFileIn(Given):
    """One clinic file as JSON (docs/clinic-file.schema.json), with the calendars it names."""

    document: dict[str, Any]
    calendars: dict[Id, str] = Field({})


class PublicationIn(Given):
    """Clinic files that are to be in force; clinics that are not named stay as they are."""

    model_config = _example(
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

    model_config = _example(
        rows=[
            {
                "ref": "kontakt/1",
                "version": 1,
                "clinic": "clinic",
                "service": "talk",
                "patient": "p-7",
                **_EXAMPLE,
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


class InvitationIn(Given):
    """One patient's invitation to choose."""

    patient: Id
    pools: list[Id] = Field(min_length=1, max_length=50)
    opens: Day
    due: Day
    not_after: Day | None = Field(None, description="Default the deadline.")
    deadline: Day | None = None
    not_before: Day | None = None
    clinic: Id | None = Field(None, description="Default the clinic of the first pool.")
    ref: Id | None = Field(None, description="Yours; the same twice is the same task.")
    referral: Id | None = None
    mode: Literal["choose", "allot", "request"] = "choose"
    priority: Annotated[int, Field(strict=True, ge=1, le=5)] = 3
    only: Resources = Field({})
    times: list[HoursRow] = Field([], max_length=50)
    extra: Minutes = 0
    preparations: list[PreparationRow] = Field([], max_length=50)
    done: list[Id] = Field([], max_length=50)
    letters: Truth = True

    def fields_of_task(self) -> dict[str, Any]:
        """Give the fields as `timevalg.library.hospital.Hospital.invite_many` takes them."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return fields | _built(self.only, self.times, self.preparations)


class InvitationsIn(Given):
    """One invitation or many, planned together."""

    model_config = _example(
        invitations=[
            {
                "ref": "oppgave/4711",
                "patient": "p-1",
                "pools": ["auto"],
                "opens": "2027-01-04",
                "due": "2027-01-08",
                "not_after": "2027-01-29",
            }
        ]
    )
    invitations: list[InvitationIn] = Field(min_length=1, max_length=10_000)
    all_or_nothing: Truth = Field(False, description="Send nothing unless all can be served.")


class TermsIn(Given):
    """Other terms for an invitation; what is left out stays."""

    model_config = _example(due="2027-01-11", reason="ferie")
    opens: Day | None = None
    due: Day | None = None
    not_before: Day | None = None
    not_after: Day | None = None
    deadline: Day | None = None
    pools: list[Id] | None = Field(None, min_length=1, max_length=50)
    only: Resources | None = None
    times: list[HoursRow] | None = Field(None, max_length=50)
    extra: Minutes | None = None
    preparations: list[PreparationRow] | None = Field(None, max_length=50)
    done: list[Id] | None = Field(None, max_length=50)
    priority: Annotated[int, Field(strict=True, ge=1, le=5)] | None = None
    reason: Words = ""

    def changes(self) -> dict[str, Any]:
        """Give the terms that change, null where one is taken away."""
        given = {name: getattr(self, name) for name in self.model_fields_set - {"reason"}}
        built = _built(self.only or {}, self.times or [], self.preparations or [])
        return given | {name: value for name, value in built.items() if name in given}


def _built(
    only: Mapping[str, Sequence[str]],
    times: Sequence[HoursRow],
    preparations: Sequence[PreparationRow],
) -> dict[str, Any]:
    return {
        "only": given_resources(only),
        "times": tuple(map(hours, times)),
        "preparations": tuple(map(preparation, preparations)),
    }


class CureOut(BaseModel):
    """A change that gives the task a place, and how many starts it then has."""

    change: str
    starts: int


class ShortageOut(BaseModel):
    """What is missing for a task."""

    words: str
    roles: list[str]
    first: date
    last: date
    minutes: int
    rules: int
    free: int
    cures: list[CureOut]

    @classmethod
    def of(cls, short: Shortage) -> ShortageOut:
        """Tell a shortage."""
        fields = ("first", "last", "minutes", "rules", "free")
        return cls(
            words=str(short),
            roles=list(short.roles),
            cures=[CureOut(change=c.change, starts=c.starts) for c in short.cures],
            **{name: getattr(short, name) for name in fields},
        )


class SentTaskOut(BaseModel):
    """A choice task as the hospital knows it."""

    id: str
    ref: str | None
    referral: str | None
    state: str
    clinic: str
    patient: str
    pools: list[str]
    mode: str
    opens: date
    due: date
    not_before: date | None
    not_after: date
    deadline: date | None
    priority: int
    note: str = Field(description="What the patient wrote when no time suited.")
    version: int

    @classmethod
    def of(cls, task: Task) -> SentTaskOut:
        """Tell a task."""
        fields = {name: getattr(task, name) for name in cls.model_fields}
        return cls(**fields | {"pools": list(task.pools)})


class SentTasksOut(Page):
    """A page of tasks."""

    tasks: list[SentTaskOut]


class WithdrawnOut(BaseModel):
    """The tasks of a referral as they are now."""

    tasks: list[SentTaskOut]


class InvitationOut(BaseModel):
    """What came of one invitation: the task, or what is missing and the draft that stays."""

    task: SentTaskOut | None
    shortage: ShortageOut | None
    draft: SentTaskOut | None

    @classmethod
    def of(cls, answer: Invitation) -> InvitationOut:
        """Tell what came of an invitation."""
        return cls(
            task=SentTaskOut.of(answer.task) if answer.task else None,
            shortage=ShortageOut.of(answer.shortage) if answer.shortage else None,
            draft=SentTaskOut.of(answer.draft) if answer.draft else None,
        )


class InvitationsOut(BaseModel):
    """What came of the invitations, in the order asked."""

    invitations: list[InvitationOut]


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

    model_config = _example(ref="kontakt/88")
    ref: Id | None = None


class RefuseIn(Given):
    """Why a choice is refused."""

    model_config = _example(reason="8446:1")
    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class MoveIn(Given):
    """Another time for a visit."""

    model_config = _example(**_EXAMPLE, reason="8446:1")
    start: Instant
    resources: Resources | None = Field(None, description="Default: those it has.")
    reason: Words = ""
    override: Truth = Field(False, description="With a reason: move it though a rule is broken.")


class CancelIn(Given):
    """Why, and on whose wish."""

    model_config = _example(reason="8445:22", by="patient")
    reason: Words = ""
    by: Literal["", "patient"] = ""


class WithdrawIn(Given):
    """Why, and whether patients are told."""

    model_config = _example(letters=False, reason="henvisning trukket")
    letters: Truth = True
    reason: Words = ""


class WithdrawReferralIn(WithdrawIn):
    """Which referral's tasks are withdrawn."""

    model_config = _example(referral="henv/9", letters=False)
    referral: Id


class PatientIn(Given):
    """What a patient is called in letters, their language, and where letters may go."""

    model_config = _example(patient="p-1", name="Kari Nordmann", language="nn")
    patient: Id
    name: Words = ""
    language: Literal["nb", "nn", "se", "en"] = "nb"
    email: Annotated[str, Field(min_length=3, max_length=320)] | None = None
    phone: Annotated[str, Field(min_length=3, max_length=40)] | None = None
    identity: Annotated[str, Field(max_length=12)] | None = Field(
        None, description="National identity number; once given, it stays. Never told again."
    )
    birth: Day | None = None
    confidential: Truth | None = Field(None, description="A confidential address; null: as it was.")


class IdentityIn(Given):
    """Whom to look for."""

    model_config = _example(identity="01017000027")
    identity: Annotated[str, Field(max_length=12)]


class RepresentativeIn(Given):
    """Who may act for a patient, from when to when."""

    model_config = _example(patient="p-1", identity="01017000108", basis="attorney")
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

    model_config = _example(old="p-8", into="p-1")
    old: Id
    into: Id
    reason: Words = ""


class DeceasedIn(Given):
    """Who has died."""

    model_config = _example(patient="p-7")
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

    @classmethod
    def of(cls, patient: Patient) -> PatientOut:
        """Tell a patient."""
        return cls(**{name: getattr(patient, name) for name in cls.model_fields})


class EventOut(BaseModel):
    """A fact; webhooks send the same."""

    id: str
    type: str
    time: datetime
    organisation: str
    clinic: str
    subject: str
    key: str
    version: int
    by: str
    channel: str
    reason: str
    origin: str
    task: str | None
    appointment: str | None
    refs: dict[str, str]
    old: dict[str, Any] | None
    new: dict[str, Any] | None

    @classmethod
    def of(cls, event: Event) -> EventOut:
        """Tell an event."""
        return cls(**{name: getattr(event, name) for name in cls.model_fields})


class EventsOut(BaseModel):
    """What happened, in the order in which it was committed; none is skipped."""

    events: list[EventOut]
    next: str = Field(description="Send it as `after`; the same again until more has happened.")


class SubscriptionIn(Given):
    """A receiver of events as signed webhooks (Standard Webhooks)."""

    model_config = _example(
        url="https://dips.example/events", secret="DIPS_WEBHOOK_KEY", events=["appointment."]
    )
    url: Annotated[str, Field(min_length=8, max_length=2000)]
    secret: Annotated[str, Field(pattern="^[A-Z][A-Z0-9_]{0,99}$")] = Field(
        description="The name under which the workers find the key; never the key."
    )
    events: list[Id] = Field([], max_length=100, description="Beginnings of types; none = all.")
    deduplicates: Truth = True
    after: Id | None = Field(None, description="Cursor from which to send; default from now on.")


class SubscriptionOut(BaseModel):
    """A receiver of events."""

    id: str
    url: str
    secret: str
    events: list[str]
    clinics: list[str]
    deduplicates: bool
    ended_at: datetime | None
    version: int

    @classmethod
    def of(cls, found: Subscription) -> SubscriptionOut:
        """Tell a subscription."""
        lists = {"events": list(found.events), "clinics": list(found.clinics)}
        return cls(**{name: getattr(found, name) for name in cls.model_fields} | lists)


class SubscriptionsOut(BaseModel):
    """The receivers that get events now."""

    subscriptions: list[SubscriptionOut]
