"""What the use cases need from outside, as Protocols owned here.

What they read and write in a transaction is in ``timevalg.booking.unit_of_work``; ids, channels and
the typesetter of letters are handed in by ``timevalg.wiring``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from timevalg.booking.line import Line
from timevalg.booking.unit_of_work import Store, UnitOfWork
from timevalg.model.errors import InvalidInput
from timevalg.model.letter import Document, LetterFacts
from timevalg.model.outgoing import Delivery, Subscription
from timevalg.model.records import (
    Letter,
    Patient,
    Work,
)
from timevalg.solver.picture import Picture
from timevalg.solver.problem import Problem, Solution


class Keys(Protocol):
    """New ids."""

    def new(self, kind: str) -> str:
        """Give an id nobody has, beginning with the kind's letters: ``a-…``."""
        ...


class Channel(Protocol):
    """A way out to patients: e-mail, SMS, print spool, a folder."""

    @property
    def name(self) -> str:
        """What it is called in letters and limits."""
        ...

    @property
    def deduplicates(self) -> bool:
        """Whether the same effect twice is harmless."""
        ...

    @property
    def rate(self) -> int:
        """Letters a minute, over all workers; 0 = no limit."""
        ...

    def address(self, letter: Letter, patient: Patient) -> str | None:
        """Give where it would send the letter; None if it does not reach the patient with it."""
        ...

    def send(self, effect: str, letter: Letter) -> str:
        """Send to ``letter.address``; gives the receipt.

        Raises
        ------
        NotDelivered
            If it is certain that nothing has left. Any other error leaves that open.
        """
        ...


class Hooks(Protocol):
    """The way out to record systems."""

    def send(self, subscription: Subscription, delivery: Delivery) -> str:
        """Send an event; gives the receipt; `NotDelivered` as for `Channel.send`."""
        ...


class Typesetter(Protocol):
    """Makes letters."""

    def render(self, kind: str, facts: LetterFacts) -> Document:
        """Give the letter's subject, HTML and plain text."""
        ...


class Pictures(Protocol):
    """Holds the index of each organisation, fed by the change feed."""

    def current(self, organisation: str, unit: UnitOfWork | None = None) -> Picture:
        """Give the picture with every change committed before the call.

        Parameters
        ----------
        unit : UnitOfWork or None
            A transaction to read in that has written nothing; default one of its own.
        """
        ...

    def within(self, unit: UnitOfWork) -> Picture:
        """Give the picture as a transaction sees it, with what it has itself changed.

        True until the transaction ends if it holds the organisation's lock exclusive.
        """
        ...


@dataclass(frozen=True)
class Once:
    """The call that an idempotency key belongs to.

    Attributes
    ----------
    id, payload : str
        Digests of who asks with which key, and of what they ask.
    answer : Any
        The type of the answer.
    """

    id: str
    verb: str
    payload: str
    answer: Any


class Prover(Protocol):
    """Finds what repair does not, and proves what cannot be."""

    def solve(self, problems: Sequence[Problem]) -> Sequence[Solution]:
        """Give one solution for each problem, in order; an empty one where there is no answer.

        It takes seconds: never called while a transaction or lock is held. Nothing that goes wrong
        in it is raised, and no answer is believed before the verifier has seen it.
        """
        ...

    def sitting(self, seconds: float) -> Prover:
        """Give a prover whose runs take no more than so many seconds together: somebody waits."""
        ...


def _unseen(picture: Picture) -> None:
    """Do nothing: nobody asks what was seen."""


def no_pseudonym(number: str) -> str:
    """Refuse to name a person: there is nothing to do it with."""
    raise InvalidInput.single("identity", "no identity numbers can be used here")


@dataclass(frozen=True)
class Ports:
    """All of them, put together once in ``timevalg.wiring``.

    `channels` stand in the order in which they are tried; `owner` says in leases who holds them.
    """

    store: Store
    pictures: Pictures
    keys: Keys
    channels: tuple[Channel, ...]
    hooks: Hooks
    typesetter: Typesetter
    prover: Prover
    owner: str = ""
    pseudonym: Callable[[str], str] = no_pseudonym
    """Gives the name of the person with an identity number."""
    in_hand: Work | None = None
    """The leased work that the next transaction completes, for workers."""
    key: str | None = None
    """The caller's idempotency key for the next use case; None = none."""
    once: Once | None = None
    """The call whose answer the next transaction keeps."""
    in_flight: dict[tuple[str, str], object] = field(default_factory=dict)
    """Calls with idempotency keys that have begun in this process and not ended."""
    lines: dict[str, Line[Any]] = field(default_factory=dict)
    """Organisation → those of this process who wait to claim time in it."""
    saw: Callable[[Picture], None] = _unseen
    """Told the picture that a use case plans on."""
