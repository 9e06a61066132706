"""What is a use case: a verb with an access rule, done once for each idempotency key."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from timevalg.booking.access import ACCESS, scope_of
from timevalg.booking.again import answer_once
from timevalg.booking.ports import Ports
from timevalg.booking.standing import require_standing
from timevalg.booking.unit_of_work import UnitOfWork
from timevalg.model.errors import InvalidInput
from timevalg.model.principal import Principal

UseCase = TypeVar("UseCase", bound=Callable[..., Any])

USE_CASES: dict[str, Callable[..., Any]] = {}
"""Every use case by its verb."""


def use_case(
    verb: str, *, keyed: bool = True, at_once: bool = False
) -> Callable[[UseCase], UseCase]:
    """Register a use case under its verb; refuse one without an access rule.

    Called with ports that carry an idempotency key it is done once.

    Parameters
    ----------
    keyed : bool
        Whether it takes such keys: where all it does, but for opening a task whose time has come,
        is one transaction, which keeps the answer.
    at_once : bool
        Whether it reads nothing, and does nothing that takes long, before that transaction: which
        then asks alone for the principal's rights and for an answer that is known.

    Raises
    ------
    LookupError
        At import, if ``access.ACCESS`` has no row for the verb.
    """
    if verb not in ACCESS:
        raise LookupError(f"use case {verb!r} has no access rule; add a row to booking.access")

    def register(function: UseCase) -> UseCase:
        @wraps(function)
        def called(ports: Ports, principal: Principal, *given: Any, **named: Any) -> Any:
            if (
                principal.by_rights and not at_once
            ):  # asked again in the transaction, where there is one
                scope_of(verb, principal)
                look: Callable[[UnitOfWork], None]
                look = lambda unit: require_standing(unit, principal, verb)  # noqa: E731 - typed
                ports.store.run(principal.organisation, look, write=False)
            if ports.key is None:
                return function(ports, principal, *given, **named)
            scope_of(verb, principal)
            if not keyed:
                why = f"{verb!r} takes none: done twice it is as once"
                raise InvalidInput.single("idempotency_key", why)
            return answer_once(
                ports, principal, verb, function, *given, look_first=not at_once, **named
            )

        USE_CASES[verb] = called
        return cast(UseCase, called)

    return register
