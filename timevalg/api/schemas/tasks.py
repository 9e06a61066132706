"""Choice tasks as the hospital knows them: invited, amended, withdrawn; and what is short."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from timevalg.api.schemas.given import (
    Day,
    Given,
    Id,
    Minutes,
    Page,
    Resources,
    Truth,
    Words,
    example,
    given_resources,
)
from timevalg.booking.invite import Invitation
from timevalg.clinic.build import hours, preparation
from timevalg.clinic.format import HoursRow, PreparationRow
from timevalg.model.task import Task
from timevalg.solver.shortage import Shortage


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

    model_config = example(
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

    model_config = example(due="2027-01-11", reason="ferie")
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


class ReferralOut(BaseModel):
    """The tasks of a referral as they are now."""

    tasks: list[SentTaskOut]
    version: int = Field(description="Of all of them together: the sum of theirs.")

    @classmethod
    def of(cls, found: Sequence[Task]) -> ReferralOut:
        """Tell a referral's tasks."""
        told = [SentTaskOut.of(task) for task in found]
        return cls(tasks=told, version=sum(task.version for task in found))


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


class WithdrawIn(Given):
    """Why, and whether patients are told."""

    model_config = example(letters=False, reason="henvisning trukket")
    letters: Truth = True
    reason: Words = ""


class ReferralIn(Given):
    """Which referral's tasks."""

    model_config = example(referral="henv/9")
    referral: Id


class WithdrawReferralIn(WithdrawIn):
    """Which referral's tasks are withdrawn."""

    model_config = example(referral="henv/9", letters=False)
    referral: Id
