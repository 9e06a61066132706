"""Events on their way out: who has subscribed, and what each of them is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from timevalg.model.states import LetterState


@dataclass(frozen=True)
class Subscription:
    """One receiver of an organisation's events.

    Attributes
    ----------
    url : str
        ``https://…``; plain ``http`` only to this machine.
    secret : str
        Where the key of the signatures is found (a name, never the key).
    events : tuple of str
        Beginnings of the types wanted, such as ``appointment.``; empty = all.
    clinics : tuple of str
        Whose events; empty = all.
    deduplicates : bool
        The receiver knows an event that it has had already by its id.
    holder : str or None
        By whose rights it gets them, looked up with each; None = somebody vouched for it.
    cursor, number : str, int
        How far the feed has been read for it, and how many deliveries that made.
    """

    id: str
    organisation: str
    url: str
    secret: str
    events: tuple[str, ...] = ()
    clinics: tuple[str, ...] = ()
    deduplicates: bool = True
    cursor: str = ""
    number: int = 0
    ended_at: datetime | None = None
    holder: str | None = None
    version: int = 1

    def wants(self, type_: str, clinic: str) -> bool:
        """Tell whether an event is for this receiver; what tells of its own failures is not."""
        if type_.startswith("staff.delivery-") or (self.clinics and clinic not in self.clinics):
            return False
        return not self.events or type_.startswith(self.events)


@dataclass(frozen=True)
class Delivery:
    """One event for one receiver.

    Attributes
    ----------
    stream : str
        The appointment, task or other thing it is about: deliveries of one stream are in order.
    number : int
        Grows along the feed.
    body : str
        JSON, as it is signed and sent.
    """

    id: str
    organisation: str
    clinic: str
    subscription: str
    event: str
    stream: str
    number: int
    body: str
    created_at: datetime
    state: LetterState = LetterState.PENDING
    receipt: str = ""
    attempt: str | None = None
    sending_at: datetime | None = None
    sent_at: datetime | None = None
    version: int = 1
