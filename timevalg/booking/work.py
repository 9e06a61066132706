"""Do work: take a lease, call the one use case of its kind, and mark it done with it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from timevalg.booking.access import scope_of
from timevalg.booking.acting import use_case
from timevalg.booking.answer import silence
from timevalg.booking.check import check
from timevalg.booking.due import fall_due
from timevalg.booking.expire import expire_holds
from timevalg.booking.forget import forget_answers
from timevalg.booking.opening import open_task
from timevalg.booking.ports import Ports, UnitOfWork
from timevalg.booking.prepare import follow_preparation
from timevalg.booking.seal import seal_audit
from timevalg.booking.write import send_letter, write_letter
from timevalg.model.errors import LeaseLost
from timevalg.model.principal import Principal, RoleName
from timevalg.model.records import Work, WorkState

LEASE = timedelta(minutes=2)
"""How long a worker may take before another does the work."""
ATTEMPTS = 5
"""After so many failures work is parked for an operator."""
PAUSE = timedelta(seconds=30)
"""Before the second attempt; doubled for each further one."""

Doing = Callable[[Ports, Principal, Work], object]


def _letter(ports: Ports, principal: Principal, work: Work) -> object:
    kind = work.effect.removeprefix(f"letter:{work.entity}:").split(":")[0]
    return write_letter(ports, principal, kind, work.entity)


KINDS: Mapping[str, Doing] = {
    "open": lambda ports, who, work: open_task(ports, who, work.entity),
    "fall due": lambda ports, who, work: fall_due(ports, who, work.entity),
    "check": lambda ports, who, work: check(ports, who, work.entity),
    "silence": lambda ports, who, work: silence(ports, who, work.entity),
    "preparation": lambda ports, who, work: follow_preparation(ports, who, work.entity),
    "letter": _letter,
    "send letter": lambda ports, who, work: send_letter(ports, who, work.entity),
    "expire hold": lambda ports, who, work: expire_holds(ports, who),
    "forget answers": lambda ports, who, work: forget_answers(ports, who),
    "seal audit": lambda ports, who, work: seal_audit(ports, who),
}
"""Each kind of work and the one use case that does it."""


@dataclass(frozen=True)
class Done:
    """What came of a piece of work: ``done``, ``failed``, ``parked`` or ``taken``."""

    work: str
    outcome: str
    error: str = ""


def worker(organisation: str) -> Principal:
    """Give the principal that workers act as."""
    return Principal("worker", RoleName.WORKER, organisation, channel="worker")


def due_work(
    ports: Ports, organisation: str, limit: int = 100, kinds: Collection[str] | None = None
) -> list[Work]:
    """Give work that is due and free to take, of kinds known here; unknown kinds wait."""
    wanted = frozenset(KINDS if kinds is None else kinds) & frozenset(KINDS)
    return ports.store.run(
        organisation, lambda unit: unit.work.due(unit.now(), limit, wanted), write=False
    )


@use_case("do work", keyed=False)
def do_work(ports: Ports, principal: Principal, key: str) -> Done:
    """Do one piece of work if it is due and nobody else has it.

    A failure is kept on the work with its cause, and tried again later; after `ATTEMPTS` it is
    parked. Nothing is ever deleted.
    """
    scope_of("do work", principal)

    def take(unit: UnitOfWork) -> Work | None:
        now = unit.now()
        return unit.work.lease(key, now, now + LEASE)

    work = ports.store.run(principal.organisation, take)
    if work is None:
        return Done(key, "taken")
    try:
        KINDS[work.kind](replace(ports, in_hand=work), principal, work)
    except LeaseLost:
        return Done(key, "taken")
    except Exception as error:
        # Whatever went wrong is kept on the work for an operator; nothing is swallowed or lost.
        return _fail(ports, principal, work, error)
    return Done(key, "done")


def _fail(ports: Ports, principal: Principal, work: Work, error: Exception) -> Done:
    parked = work.attempts >= ATTEMPTS
    why = f"{type(error).__name__}: {error}"

    def body(unit: UnitOfWork) -> bool:
        pause = PAUSE * 2 ** (work.attempts - 1)
        return unit.work.finish(
            replace(
                work,
                state=WorkState.PARKED if parked else WorkState.WAITING,
                due_at=work.due_at if parked else unit.now() + pause,
                leased_until=None,
                error=why[:500],
            )
        )

    ports.store.run(principal.organisation, body)
    return Done(work.id, "parked" if parked else "failed", why)
