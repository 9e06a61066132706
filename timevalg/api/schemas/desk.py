"""What staff are answered: lists of what waits and who comes, searches."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, Field

from timevalg.api.schemas.by_time import cursor_after
from timevalg.api.schemas.given import Page
from timevalg.api.schemas.proposals import PlaceOut
from timevalg.api.schemas.tasks import SentTaskOut
from timevalg.api.schemas.visits import VisitOut
from timevalg.booking.attendance import Expected
from timevalg.booking.figures import Report
from timevalg.booking.inbox import ToCheck
from timevalg.booking.search import Free
from timevalg.model.clinic import Clinic
from timevalg.model.figures import Figures
from timevalg.model.records import CaseKind, StaffCase
from timevalg.solver.explain import Explanation
from timevalg.solver.visit import Blocker


class CaseOut(BaseModel):
    """Something that waits for a person."""

    id: str
    clinic: str
    kind: CaseKind
    created_at: datetime
    reason: str
    task: str | None
    appointment: str | None
    ref: str | None
    detail: dict[str, Any]
    closed_at: datetime | None
    version: int

    @classmethod
    def of(cls, case: StaffCase) -> CaseOut:
        """Tell a case."""
        fields = {name: getattr(case, name) for name in cls.model_fields}
        return cls(**fields | {"detail": dict(case.detail)})


class InboxOut(Page):
    """A page of what waits for a person, oldest first."""

    cases: list[CaseOut]


class ToCheckOut(BaseModel):
    """A choice that waits for a check."""

    case: str
    since: datetime
    task: SentTaskOut
    appointment: VisitOut | None

    @classmethod
    def of(cls, one: ToCheck) -> ToCheckOut:
        """Tell a choice."""
        return cls(
            case=one.case.id,
            since=one.case.created_at,
            task=SentTaskOut.of(one.task),
            appointment=VisitOut.of(one.visit) if one.visit is not None else None,
        )


class ChecksOut(Page):
    """A page of choices to check, oldest first."""

    checks: list[ToCheckOut]


class ExpectedOut(BaseModel):
    """One line of the attendance list."""

    appointment: str
    version: int
    start: datetime
    length: int
    state: str
    confirmed: bool = Field(description="Said to be coming.")
    service: str
    mode: str
    patient: str | None
    name: str
    preparations_done: int
    preparations: int
    clinicians: list[str]
    resources: dict[str, list[str]]
    letter_sent: bool

    @classmethod
    def of(cls, one: Expected, clinic: Clinic) -> ExpectedOut:
        """Tell a line in the clinic's local time."""
        visit, service = one.visit, clinic.services.get(one.visit.service)
        people = {r.id for r in clinic.resources.values() if r.kind == "clinician"}
        ids = [name for names in visit.resources.values() for name in names]
        return cls(
            appointment=visit.id,
            version=visit.version,
            start=visit.start.astimezone(clinic.timezone),
            length=visit.length,
            state=visit.state,
            confirmed=visit.acknowledged_at is not None,
            service=str(service.name) if service is not None else visit.service,
            mode=service.mode if service is not None else "physical",
            patient=visit.patient,
            name=one.name,
            preparations_done=one.done,
            preparations=one.preparations,
            clinicians=[name for name in ids if name in people],
            resources={role: list(names) for role, names in visit.resources.items()},
            letter_sent=visit.lettered_at is not None,
        )


class AttendanceOut(BaseModel):
    """Who comes, in order of time."""

    visits: list[ExpectedOut]


class StartsOut(BaseModel):
    """Feasible starts in order of time."""

    starts: list[PlaceOut]
    next: str = Field(default="", description="Send it as `cursor`; empty at the end.")

    @classmethod
    def of(cls, found: list[Free], clinic: Clinic, limit: int) -> StartsOut:
        """Tell a page of starts."""
        more = found[-1] if found and len(found) == limit else None
        following = cursor_after(more.start, more.pool) if more else ""
        return cls(starts=[PlaceOut.of(free, clinic) for free in found], next=following)


class FigureOut(BaseModel):
    """One figure: `count` of `of`, and what that comes to."""

    name: str
    words: str
    unit: str = Field(description="share (0 … 1), per 100, days, hours or count")
    value: float | None = Field(description="Null where there is nothing to divide by.")
    count: float | None
    of: float | None

    @classmethod
    def of_all(cls, found: Figures) -> list[FigureOut]:
        """Tell figures in the order in which people read them."""
        return [cls(**{n: getattr(f, n) for n in cls.model_fields}) for f in found.told()]


class FiguresOut(BaseModel):
    """The figures of a period."""

    first: date
    last: date
    counted: bool = Field(description="False: marked for verification, counted in no figure.")
    together: list[FigureOut]
    clinics: dict[str, list[FigureOut]]
    months: dict[str, list[FigureOut]] = Field(description="Of all clinics, if asked for.")

    @classmethod
    def of(cls, report: Report) -> FiguresOut:
        """Tell a report."""
        return cls(
            first=report.first,
            last=report.last,
            counted=report.counted,
            together=FigureOut.of_all(report.together),
            clinics={name: FigureOut.of_all(found) for name, found in report.clinics.items()},
            months={name: FigureOut.of_all(found) for name, found in report.months.items()},
        )


class RuleOut(BaseModel):
    """How many starts a rule leaves."""

    rule: str
    left: int


class BlockerOut(BaseModel):
    """One thing in the way of a start."""

    rule: str
    why: str
    pool: str
    role: str | None
    resource: str | None
    start: datetime | None
    end: datetime | None
    session: str | None
    more: dict[str, Any]

    @classmethod
    def of(cls, blocker: Blocker) -> BlockerOut:
        """Tell a blocker."""
        fields = {name: getattr(blocker, name) for name in cls.model_fields}
        return cls(**fields | {"more": dict(blocker.more)})


class LooseningOut(BaseModel):
    """A change that would give starts."""

    change: str
    starts: int
    pool: str | None


class ExplanationOut(BaseModel):
    """What each rule leaves, what is in the way of one start, and what would cure it."""

    rules: list[RuleOut]
    blockers: list[BlockerOut]
    cures: list[LooseningOut]

    @classmethod
    def of(cls, found: Explanation) -> ExplanationOut:
        """Tell an explanation."""
        return cls(
            rules=[RuleOut(rule=rule, left=left) for rule, left in found.total().items()],
            blockers=[BlockerOut.of(b) for b in found.blockers],
            cures=[
                LooseningOut(change=c.change, starts=c.starts, pool=c.pool) for c in found.cures
            ],
        )
