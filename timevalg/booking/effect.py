"""What leaves the house: once where the receiver deduplicates, elsewhere at most once.

An effect is a row with an id (its key) and a state, pending → sending → sent. The row says
``sending`` before anything leaves and ``sent`` after. One that is found ``sending`` may have left
or not: it is sent again only to a receiver that deduplicates, else it is ``unknown`` and on the
staff list.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from timevalg.booking.access import allow
from timevalg.booking.acting import Act, run
from timevalg.booking.ports import Ports, Records, UnitOfWork
from timevalg.model.errors import Busy, LeaseLost, NotDelivered, Unsure
from timevalg.model.outgoing import Delivery
from timevalg.model.principal import Principal
from timevalg.model.records import Letter, Work
from timevalg.model.states import LetterState, target

V = TypeVar("V", Letter, Delivery)
R = TypeVar("R")

TRIES, FIRST_PAUSE, LONGEST_PAUSE = 12, 0.05, 1.0
"""How often, and after how many seconds, a database that is away is asked again."""


@dataclass(frozen=True)
class Way(Generic[V]):
    """How one effect leaves; `fields` are what its row notes of that."""

    send: Callable[[V], str]
    deduplicates: bool
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Effect(Generic[V]):
    """What letters and deliveries do each in their own way.

    Attributes
    ----------
    verb, kind : str
        The use case, and the table of states.
    way : callable
        How it leaves (a half-sent one: how it left); None = there is no way (any more).
    is_wanted : callable
        Whether it still says how things are.
    note : callable
        Called with the row's new value, and the one before.
    """

    verb: str
    kind: str
    records: Callable[[UnitOfWork], Records[V]]
    way: Callable[[Act, V], Way[V] | None]
    is_wanted: Callable[[Act, V], bool]
    note: Callable[[Act, V, V], None]
    report: Callable[[Act, V, str, str], None]


def put_out(effect: Effect[V], ports: Ports, principal: Principal, key: str) -> V:
    """Send what one row holds, and mark the work in hand as done with it.

    Raises
    ------
    NotDelivered
        If nothing has left; the row is pending again.
    LeaseLost, NotYet, NotFound, NotAllowed
    """
    attempt = ports.keys.new("attempt")
    between = replace(ports, in_hand=None)

    def read(act: Act) -> V:
        value = effect.records(act.unit).get(key)
        allow(act.verb, principal, kind=effect.kind, key=key, clinic=value.clinic)
        return value

    def move(act: Act, value: V, verb: str, **changes: Any) -> V:
        state = LetterState(target(effect.kind, value.id, value.state, verb))
        saved = effect.records(act.unit).save(replace(value, state=state, **changes))
        effect.note(act, saved, value)
        return saved

    def give_up(act: Act, value: V, verb: str, kind: str, why: str) -> V:
        effect.report(act, value, f"{effect.kind}-{kind}", why)
        return move(act, value, verb)

    def take(act: Act) -> tuple[V, Way[V] | None]:
        value = read(act)
        _require_lease(act, ports.in_hand)
        if value.state is LetterState.PENDING and not effect.is_wanted(act, value):
            return move(act, value, "stop"), None
        if value.state not in {LetterState.PENDING, LetterState.SENDING}:
            return value, None
        way = effect.way(act, value)
        if value.state is LetterState.SENDING and value.attempt != attempt:
            if way is None or not way.deduplicates:
                why = f"{effect.kind} {key} may have been sent or not"
                return give_up(act, value, "lose", "unknown", why), None
            return effect.records(act.unit).save(replace(value, attempt=attempt)), way
        if way is None:
            why = f"{effect.kind} {key} reaches nobody: no channel takes it"
            return give_up(act, value, "stop", "refused", why), None
        if value.state is LetterState.SENDING:  # noted in a commit that was not answered
            return value, way
        now = act.unit.now()
        return move(act, value, "send", attempt=attempt, sending_at=now, **way.fields), way

    def is_mine(value: V) -> bool:
        return value.state is LetterState.SENDING and value.attempt == attempt

    def mark(act: Act, receipt: str) -> V:
        value = read(act)
        if not is_mine(value):
            return value
        return move(act, value, "receipt", receipt=receipt, sent_at=act.unit.now())

    def take_back(act: Act, error: NotDelivered) -> V:
        value = read(act)
        if not is_mine(value):
            return value
        if error.forever:
            why = f"{effect.kind} {key} was not taken: {error.why}"
            return give_up(act, value, "stop", "refused", why)
        return move(act, value, "try again")

    value, way = surely(lambda: run(between, principal, effect.verb, take))
    if way is None:
        return run(ports, principal, effect.verb, read)
    try:
        receipt = way.send(value)
    except NotDelivered as error:
        why_not, after = error, ports if error.forever else between
        value = surely(
            lambda: run(after, principal, effect.verb, lambda act: take_back(act, why_not))
        )
        if not error.forever:
            raise
        return value
    return surely(lambda: run(ports, principal, effect.verb, lambda act: mark(act, receipt)))


def surely(change: Callable[[], R]) -> R:
    """Make a change that knows whether it was made already, while the database comes and goes."""
    for n in range(TRIES):
        try:
            return change()
        except (Busy, Unsure):
            time.sleep(min(FIRST_PAUSE * 2**n, LONGEST_PAUSE))
    return change()


def _require_lease(act: Act, work: Work | None) -> None:
    """Refuse a worker whose work has been given to another.

    Raises
    ------
    LeaseLost
    """
    if work is not None and act.unit.work.get(work.id).fence != work.fence:
        raise LeaseLost(work.id)
