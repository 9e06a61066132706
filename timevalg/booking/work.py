"""Do work: take a lease, call the one use case of its kind, and mark it done with it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from timevalg.booking.access import scope_of
from timevalg.booking.answer import silence
from timevalg.booking.check import check
from timevalg.booking.due import fall_due
from timevalg.booking.effect import surely
from timevalg.booking.expire import expire_holds
from timevalg.booking.forget import forget_answers
from timevalg.booking.opening import open_task
from timevalg.booking.parked import report_parked
from timevalg.booking.ports import Ports
from timevalg.booking.prepare import follow_preparation
from timevalg.booking.regain import regain_places
from timevalg.booking.remind import remind
from timevalg.booking.seal import seal_audit
from timevalg.booking.settle_offers import settle_offers
from timevalg.booking.tell_systems import deliver
from timevalg.booking.tidy import tidy_places
from timevalg.booking.together import do_in_one
from timevalg.booking.unit_of_work import UnitOfWork
from timevalg.booking.use_cases import use_case
from timevalg.booking.write import send_letter, send_letters, write_letter
from timevalg.model.errors import Busy, LeaseLost, NotYet, TimevalgError, Unsure, places
from timevalg.model.principal import Principal
from timevalg.model.records import Work
from timevalg.model.states import WorkState, target

LEASE = timedelta(seconds=15)
"""How long a worker may take before another does the work."""
ATTEMPTS = 8
"""After so many failures work is parked for an operator."""
PAUSE = timedelta(seconds=2)
"""Before the second attempt; doubled for each further one, up to `LONGEST_PAUSE`."""
LONGEST_PAUSE = timedelta(hours=1)
SHARE = 100
"""Pieces of one kind of one clinic that are announced at a time: others get their turn."""

Doing = Callable[[Ports, Principal, Work], object]
Together = Callable[[Ports, Principal, Sequence[Work], Callable[[], bool]], Sequence[Work]]


@dataclass(frozen=True)
class Kind:
    """One kind of work.

    Attributes
    ----------
    do : callable
        The one use case that does it.
    urgency : int
        What is due is done in this order, lowest first.
    together : callable or None
        Does many pieces in few transactions; gives those that are done. The rest is done alone.
    """

    do: Doing
    urgency: int = 1
    together: Together | None = None
    attempts: int = ATTEMPTS
    lease: timedelta = LEASE


def _letter(ports: Ports, principal: Principal, work: Work) -> object:
    kind = work.effect.removeprefix(f"letter:{work.entity}:").split(":")[0]
    return write_letter(ports, principal, kind, work.entity)


def _remind(ports: Ports, principal: Principal, work: Work) -> object:
    moves = work.effect.removeprefix(f"remind:{work.entity}:").split(":")[0]
    return remind(ports, principal, work.entity, int(moves))


def _in_one(
    ports: Ports, principal: Principal, works: Sequence[Work], may_go_on: Callable[[], bool]
) -> Sequence[Work]:
    do_in_one(ports, principal, works, KINDS[works[0].kind].do)
    return works


KINDS: Mapping[str, Kind] = {
    "fall due": Kind(lambda ports, who, work: fall_due(ports, who, work.entity), urgency=0),
    "check": Kind(
        lambda ports, who, work: check(ports, who, work.entity), urgency=0, together=_in_one
    ),
    "silence": Kind(lambda ports, who, work: silence(ports, who, work.entity), urgency=0),
    "open": Kind(lambda ports, who, work: open_task(ports, who, work.entity), together=_in_one),
    "expire hold": Kind(lambda ports, who, work: expire_holds(ports, who)),
    "forget answers": Kind(lambda ports, who, work: forget_answers(ports, who)),
    "seal audit": Kind(lambda ports, who, work: seal_audit(ports, who)),
    "preparation": Kind(
        lambda ports, who, work: follow_preparation(ports, who, work.entity), together=_in_one
    ),
    "remind": Kind(_remind, together=_in_one),
    # A receiver may be away for a day.
    "deliver": Kind(lambda ports, who, work: deliver(ports, who, work.entity), attempts=35),
    "letter": Kind(_letter, urgency=2, together=_in_one),
    "send letter": Kind(
        lambda ports, who, work: send_letter(ports, who, work.entity),
        urgency=2,
        together=send_letters,
    ),
    "regain places": Kind(
        lambda ports, who, work: regain_places(ports, who), lease=timedelta(minutes=1)
    ),
    # Plans and provers take their time: nothing waits for them, and leases outlast their limits.
    "tidy places": Kind(
        lambda ports, who, work: tidy_places(ports, who, work.entity),
        urgency=3,
        lease=timedelta(minutes=1),
    ),
    "settle offers": Kind(
        lambda ports, who, work: settle_offers(ports, who, work.entity),
        urgency=3,
        lease=timedelta(minutes=1),
    ),
}
"""Each kind of work."""


@dataclass(frozen=True)
class Done:
    """What came of a piece of work: ``done``, ``failed``, ``parked``, ``put off`` or ``taken``."""

    work: str
    outcome: str
    error: str = ""


def due_work(
    ports: Ports,
    organisation: str,
    limit: int = 100,
    kinds: Collection[str] | None = None,
    share: int | None = None,
) -> list[Work]:
    """Give work that is due and free to take, most urgent first; unknown kinds wait.

    Parameters
    ----------
    share : int or None
        At most so many of each kind of each clinic.
    """
    wanted = frozenset(KINDS if kinds is None else kinds) & frozenset(KINDS)

    def body(unit: UnitOfWork) -> list[Work]:
        now = unit.now()
        found: dict[str, Work] = {}
        for depth in unit.work.depths(now):
            if depth.kind in wanted and depth.state is not WorkState.PARKED:
                most = limit if share is None else share
                mine = unit.work.due(now, most, {depth.kind}, depth.clinic)
                found |= {work.id: work for work in mine}
        order = sorted(found.values(), key=lambda w: (KINDS[w.kind].urgency, w.due_at, w.id))
        return order[:limit]

    return ports.store.run(organisation, body, write=False)


def take_work(
    ports: Ports, principal: Principal, keys: Sequence[str], lease: timedelta = LEASE
) -> list[Work]:
    """Take a lease on work that is due and that nobody else has."""
    scope_of("do work", principal)

    def body(unit: UnitOfWork) -> list[Work]:
        now = unit.now()
        return unit.work.lease(keys, now, now + lease, ports.owner)

    return ports.store.run(principal.organisation, body)


@use_case("do work", keyed=False)
def do_work(ports: Ports, principal: Principal, key: str) -> Done:
    """Do one piece of work if it is due and nobody else has it."""
    taken = take_work(ports, principal, [key])
    return do_taken(ports, principal, taken[0]) if taken else Done(key, "taken")


def do_works(
    ports: Ports,
    principal: Principal,
    kind: str,
    keys: Sequence[str],
    stopping: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[Work, Done]]:
    """Do some pieces of work of one kind: together where they can be, else one after the other.

    What has not been begun when a third of the lease is over, or when it is time to stop, is
    given back.
    """
    lease, began = KINDS[kind].lease, time.monotonic()
    left = take_work(ports, principal, keys, lease)

    def may_go_on() -> bool:
        return not stopping() and time.monotonic() - began < lease.total_seconds() / 3

    together = KINDS[kind].together
    if together is not None and len(left) > 1 and may_go_on():
        done = _together(together, ports, principal, left, may_go_on)
        yield from ((work, Done(work.id, "done")) for work in done)
        left = [work for work in left if work not in done]
    while left and may_go_on():
        work = left.pop(0)
        yield work, do_taken(ports, principal, work)
    give_back(ports, principal, left)


def _together(
    together: Together,
    ports: Ports,
    principal: Principal,
    works: Sequence[Work],
    may_go_on: Callable[[], bool],
) -> Sequence[Work]:
    try:
        return together(ports, principal, works, may_go_on)
    except Exception:
        return ()  # all is as it was; whose failure it is shows, and is kept, when each is alone


def do_taken(ports: Ports, principal: Principal, work: Work) -> Done:
    """Do a piece of work on which one has the lease.

    A failure is kept on the work with its cause, and tried again later; after `ATTEMPTS` it is
    parked. Nothing is ever deleted.
    """
    scope_of("do work", principal)
    try:
        KINDS[work.kind].do(replace(ports, in_hand=work), principal, work)
    except LeaseLost:
        return Done(work.id, "taken")
    except NotYet as early:
        return _put_off(ports, principal, work, early)
    except (Busy, Unsure) as error:
        return _fail(ports, principal, replace(work, attempts=work.attempts - 1), error)
    except Exception as error:
        # Whatever went wrong is kept on the work for an operator; nothing is swallowed or lost.
        return _fail(ports, principal, work, error)
    return Done(work.id, "done")


def give_back(ports: Ports, principal: Principal, works: Sequence[Work]) -> None:
    """Let others do what one has taken and will not begin."""
    scope_of("do work", principal)

    def body(unit: UnitOfWork) -> None:
        for work in works:
            _finish(unit, work, "put off", attempts=work.attempts - 1)

    if works:
        ports.store.run(principal.organisation, body)


def _put_off(ports: Ports, principal: Principal, work: Work, early: NotYet) -> Done:
    def body(unit: UnitOfWork) -> bool:
        attempts = work.attempts - 1
        return _finish(unit, work, "put off", due_at=early.until, attempts=attempts)

    surely(lambda: ports.store.run(principal.organisation, body))
    return Done(work.id, "put off", str(early))


def _fail(ports: Ports, principal: Principal, work: Work, error: Exception) -> Done:
    parked = work.attempts >= KINDS[work.kind].attempts
    why = f"{type(error).__name__}: {_words(error)}"[:500]

    def body(unit: UnitOfWork) -> bool:
        if not parked:
            due = unit.now() + pause_after(work.attempts)
            return _finish(unit, work, "fail", due_at=due, attempts=work.attempts, error=why)
        if _finish(unit, work, "park", error=why):
            report_parked(ports, unit, principal, work, why)
        return True

    surely(lambda: ports.store.run(principal.organisation, body))
    return Done(work.id, "parked" if parked else "failed", why)


def _words(error: Exception) -> str:
    """Say what went wrong; of foreign errors only where: their words may name a patient."""
    if isinstance(error, TimevalgError):
        return str(error)
    return f"in {' '.join(places(error, 1))}"


def pause_after(attempts: int) -> timedelta:
    """Give how long to wait after so many failures: doubled each time, with jitter of a half."""
    doubled: timedelta = PAUSE * 2 ** min(max(attempts - 1, 0), 20)
    longest = min(doubled, LONGEST_PAUSE)
    return longest * random.uniform(0.5, 1.0)


def _finish(unit: UnitOfWork, work: Work, verb: str, **changes: object) -> bool:
    state = WorkState(target("work", work.id, work.state, verb))
    return unit.work.finish(replace(work, state=state, leased_until=None, **changes))  # type: ignore[arg-type]  # fields by name
