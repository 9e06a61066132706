"""What happened, and who is told of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from timevalg.api.schemas.given import Given, Id, Truth, example
from timevalg.model.outgoing import Subscription
from timevalg.model.records import Event


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

    model_config = example(
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
