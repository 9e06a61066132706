"""What planners send and are answered about invitations."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from timevalg.api.schemas.given import Day, Given, Id, Instant, Resources, Truth, Words, example
from timevalg.api.schemas.tasks import InvitationIn, ShortageOut
from timevalg.booking.invite import InvitationPlan, Planned


class OneInvitationIn(InvitationIn):
    """One patient's invitation."""

    model_config = example(
        patient="p-1",
        pools=["auto"],
        opens="2027-01-04",
        due="2027-01-08",
        not_after="2027-01-29",
    )


class PlannedOut(BaseModel):
    """What one invitation would come to."""

    number: int = Field(description="Which one, from 1: of CSV, without headings and empty lines.")
    task: str
    ref: str | None
    patient: str
    start: str | None = Field(description="Where its place would be; null without one.")
    pool: str | None
    shortage: ShortageOut | None

    @classmethod
    def of(cls, number: int, one: Planned) -> PlannedOut:
        """Tell one."""
        place = one.place
        return cls(
            number=number,
            task=one.task.id,
            ref=one.task.ref,
            patient=one.task.patient,
            start=place.start.astimezone(one.zone).isoformat() if place is not None else None,
            pool=place.pool if place is not None else None,
            shortage=ShortageOut.of(one.shortage) if one.shortage is not None else None,
        )


class PlanOut(BaseModel):
    """What inviting many would come to."""

    invitations: list[PlannedOut]
    servable: int
    up_to: int = Field(description="So many, from the first on, can be sent as they stand.")
    proven: bool = Field(description="No plan serves more.")

    @classmethod
    def of(cls, plan: InvitationPlan) -> PlanOut:
        """Tell a plan."""
        short = (n for n, p in enumerate(plan.invitations) if p.shortage is not None)
        return cls(
            invitations=[PlannedOut.of(n, p) for n, p in enumerate(plan.invitations, 1)],
            servable=len(plan.servable),
            up_to=next(short, len(plan.invitations)),
            proven=plan.proven,
        )


class VerdictIn(Given):
    """Whether a choice is confirmed, and why not."""

    model_config = example(confirm=True)
    confirm: Truth
    reason: Words = ""


class WhyIn(Given):
    """Why; needed."""

    model_config = example(reason="ferie")
    reason: Annotated[Words, Field(min_length=1)]


class ReopenIn(Given):
    """Until when the patient may choose again."""

    model_config = example(due="2027-01-15", reason="ny runde")
    due: Day | None = None
    reason: Words = ""


class AssignmentIn(Given):
    """The time that staff book, and for what reason rules and places are overridden, if so."""

    model_config = example(
        start="2027-01-14T09:00:00+01:00", resources={"doctor": ["dr-a"], "room": ["room"]}
    )
    start: Instant
    resources: Resources
    pool: Id | None = None
    reason: Words = ""
    override: Truth = Field(False, description="With a reason only.")
