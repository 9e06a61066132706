"""What leaves the house: once where the receiver deduplicates, elsewhere at most once.

An effect is a row with an id (its key) and a state, pending → sending → sent. The row says
``sending`` before anything leaves and ``sent`` after. One that is found ``sending`` may have left
or not: it is sent again only to a receiver that deduplicates, else it is ``unknown`` and on the
staff list.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from timevalg.booking.access import allow, scope_of
from timevalg.booking.acting import Act
from timevalg.booking.ports import Ports
from timevalg.booking.running import finish, run
from timevalg.booking.together import read_ahead
from timevalg.booking.unit_of_work import Records, UnitOfWork
from timevalg.model.errors import Busy, LeaseLost, NotDelivered, NotYet, Unsure
from timevalg.model.outgoing import Delivery
from timevalg.model.principal import Principal
from timevalg.model.records import CaseKind, Letter, Work
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
    report: Callable[[Act, V, CaseKind, str], None]


def put_out(effect: Effect[V], ports: Ports, principal: Principal, key: str) -> V:
    """Send what one row holds, and mark the work in hand as done with it.

    Raises
    ------
    NotDelivered
        If nothing has left; the row is pending again.
    LeaseLost, NotYet, NotFound, NotAllowed
    """
    sending = _Sending(effect, ports.keys.new("attempt"))
    between, verb, work = replace(ports, in_hand=None), effect.verb, ports.in_hand
    value, way = surely(
        lambda: run(between, principal, verb, lambda act: sending.take(act, key, work))
    )
    if way is None:
        return run(ports, principal, verb, lambda act: sending.read(act, key))
    try:
        receipt = way.send(value)
    except NotDelivered as error:
        why_not, after = error, ports if error.forever else between
        value = surely(
            lambda: run(after, principal, verb, lambda act: sending.take_back(act, key, why_not))
        )
        if not error.forever:
            raise
        return value
    return surely(lambda: run(ports, principal, verb, lambda act: sending.mark(act, key, receipt)))


def put_out_all(
    effect: Effect[V],
    ports: Ports,
    principal: Principal,
    works: Sequence[Work],
    may_go_on: Callable[[], bool],
) -> list[Work]:
    """Send what many rows hold to receivers that deduplicate; gives the work that is done.

    What is special about a row, a receiver that does not deduplicate among that, is left to
    `put_out`, and so is all the rest once something has gone wrong. Where a process dies on the
    way, another sends all of them, and the receivers drop those that they had.
    """
    sending = _Sending(effect, ports.keys.new("attempt"))
    organisation, verb = principal.organisation, effect.verb
    scope_of(verb, principal)

    def take_all(unit: UnitOfWork) -> list[tuple[Work, V, Way[V]]]:
        gathered = read_ahead(unit, works)
        gathered.know_work(works)
        taken: list[tuple[Work, V, Way[V]]] = []
        for work in works:
            act = Act(ports, gathered.unit, principal, verb)
            found = sending.take_plain(act, work)
            if found is not None:
                value, way = found
                taken.append((work, value, way))
            act.log.write(gathered.unit)
        gathered.write()
        return taken

    def mark_all(unit: UnitOfWork) -> None:
        gathered = read_ahead(unit, [work for work, _ in sent])
        for work, receipt in sent:
            act = Act(ports, gathered.unit, principal, verb)
            sending.mark(act, work.entity, receipt)
            finish(act, work)
            act.log.write(gathered.unit)
        gathered.write()

    sent: list[tuple[Work, str]] = []
    for work, value, way in surely(lambda: ports.store.run(organisation, take_all)):
        if not may_go_on():
            break
        try:
            sent.append((work, way.send(value)))
        except Exception:  # whatever it is, it comes again, and is kept, when that is sent alone
            break
    if sent:
        surely(lambda: ports.store.run(organisation, mark_all))
    return [work for work, _ in sent]


@dataclass(frozen=True)
class _Sending(Generic[V]):
    """One attempt, and its steps, each in a transaction of its own."""

    effect: Effect[V]
    attempt: str

    def read(self, act: Act, key: str) -> V:
        """Give the row, to those who may."""
        value = self.effect.records(act.unit).get(key)
        allow(act.verb, act.principal, kind=self.effect.kind, key=key, clinic=value.clinic)
        return value

    def take(self, act: Act, key: str, work: Work | None) -> tuple[V, Way[V] | None]:
        """Say that it is being sent, and how; None = it is not to be sent (again)."""
        effect, value = self.effect, self.read(act, key)
        _require_lease(act, work)
        if value.state is LetterState.PENDING and not effect.is_wanted(act, value):
            return self._move(act, value, "stop"), None
        if value.state not in {LetterState.PENDING, LetterState.SENDING}:
            return value, None
        way = effect.way(act, value)
        if value.state is LetterState.SENDING and value.attempt != self.attempt:
            if way is None or not way.deduplicates:
                why = f"{effect.kind} {key} may have been sent or not"
                return self._give_up(act, value, "lose", "unknown", why), None
            return effect.records(act.unit).save(replace(value, attempt=self.attempt)), way
        if way is None:
            why = f"{effect.kind} {key} reaches nobody: no channel takes it"
            return self._give_up(act, value, "stop", "refused", why), None
        return self._begin(act, value, way), way

    def take_plain(self, act: Act, work: Work) -> tuple[V, Way[V]] | None:
        """Say that it is being sent, and how, if it is in order and the receiver deduplicates."""
        value = self.read(act, work.entity)
        _require_lease(act, work)
        is_new = value.state is LetterState.PENDING and self.effect.is_wanted(act, value)
        if not (is_new or self._is_mine(value)):
            return None
        try:
            way = self.effect.way(act, value)
        except NotYet:
            return None
        if way is None or not way.deduplicates:
            return None
        return self._begin(act, value, way), way

    def mark(self, act: Act, key: str, receipt: str) -> V:
        """Say that it was sent."""
        value = self.read(act, key)
        if not self._is_mine(value):
            return value
        return self._move(act, value, "receipt", receipt=receipt, sent_at=act.unit.now())

    def take_back(self, act: Act, key: str, error: NotDelivered) -> V:
        """Say that it has not left: not yet, or never will."""
        value = self.read(act, key)
        if not self._is_mine(value):
            return value
        if error.forever:
            why = f"{self.effect.kind} {key} was not taken: {error.why}"
            return self._give_up(act, value, "stop", "refused", why)
        return self._move(act, value, "try again")

    def _begin(self, act: Act, value: V, way: Way[V]) -> V:
        if value.state is LetterState.SENDING:  # noted in a commit that was not answered
            return value
        now = act.unit.now()
        return self._move(act, value, "send", attempt=self.attempt, sending_at=now, **way.fields)

    def _is_mine(self, value: V) -> bool:
        return value.state is LetterState.SENDING and value.attempt == self.attempt

    def _move(self, act: Act, value: V, verb: str, **changes: Any) -> V:
        state = LetterState(target(self.effect.kind, value.id, value.state, verb))
        saved = self.effect.records(act.unit).save(replace(value, state=state, **changes))
        self.effect.note(act, saved, value)
        return saved

    def _give_up(self, act: Act, value: V, verb: str, kind: str, why: str) -> V:
        self.effect.report(act, value, CaseKind(f"{self.effect.kind}-{kind}"), why)
        return self._move(act, value, verb)


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
