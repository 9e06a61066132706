"""Choice tasks: one patient's invitation to choose a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from timevalg.model.roster import Hours
from timevalg.model.service import PreparationRule, Service
from timevalg.model.states import LIVE, TaskState


class Mode(StrEnum):
    """Who moves first: the patient chooses, the hospital allots, or the patient asks."""

    CHOOSE = "choose"
    ALLOT = "allot"
    REQUEST = "request"


@dataclass(frozen=True)
class Task:
    """One invitation.

    Attributes
    ----------
    pools : tuple of str
        Pools of the clinic, any of which will do, in order of preference.
    opens, due : date
        From when, and until 23:59 local on which day, the patient may choose.
    not_before, not_after : date or None, date
        The visit's local date lies between them, both included.
    deadline : date or None
        The legal one; ``not_after <= deadline``.
    only : mapping
        Role id → the resources allowed for it.
    times : tuple of Hours
        Hard limits; the whole visit lies inside one of them. Empty = none.
    extra : int
        Minutes more, for every role and for the visit.
    preparations : tuple of PreparationRule
        Added to the service's; the same id replaces.
    done : frozenset of str
        Preparations already done.
    letters : bool
        Whether anything is sent to the patient.
    staff_may_wait : bool
        Staff has said that the fallback on the last valid day shall not happen.
    note : str
        "When I can": what the patient wrote when none suited. Shown to staff only.
    """

    id: str
    organisation: str
    clinic: str
    patient: str
    pools: tuple[str, ...]
    opens: date
    due: date
    not_after: date
    not_before: date | None = None
    deadline: date | None = None
    ref: str | None = None
    referral: str | None = None
    mode: Mode = Mode.CHOOSE
    priority: int = 3
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    times: tuple[Hours, ...] = ()
    extra: int = 0
    preparations: tuple[PreparationRule, ...] = ()
    done: frozenset[str] = frozenset()
    state: TaskState = TaskState.DRAFT
    letters: bool = True
    staff_may_wait: bool = False
    note: str = ""
    version: int = 1

    def __post_init__(self) -> None:
        name = f"task {self.id}" if self.id else "the task"
        if not self.pools:
            raise ValueError(f"{name} names no pool")
        if self.due < self.opens:
            raise ValueError(f"{name}: due {self.due} is before opens {self.opens}")
        if self.not_before is not None and self.not_after < self.not_before:
            raise ValueError(f"{name}: the window {self.not_before} … {self.not_after} is empty")
        if self.deadline is not None and self.deadline < self.not_after:
            raise ValueError(
                f"{name}: not_after {self.not_after} is past the deadline {self.deadline}"
            )
        if not 1 <= self.priority <= 5:
            raise ValueError(f"{name}: priority {self.priority} is not 1 … 5")
        if self.extra < 0:
            raise ValueError(f"{name}: extra {self.extra} minutes is negative")

    @property
    def is_live(self) -> bool:
        """Tell whether the task must have a place."""
        return self.state in LIVE

    @property
    def after_due(self) -> date:
        """The day on which nobody can choose as promised any more."""
        return self.due + timedelta(days=1)

    @property
    def urgency(self) -> tuple[int, date]:
        """Say whom it harms most to go without: by priority, then deadline; least = most urgent."""
        return self.priority, self.deadline or self.not_after

    def preparation_rules(self, service: Service) -> tuple[PreparationRule, ...]:
        """Give the service's preparations with the task's own added or put in their stead."""
        own = {p.id: p for p in self.preparations}
        merged = [own.pop(p.id, p) for p in service.preparations]
        return (*merged, *own.values())
