"""Planning outside the locks, and anew where a plan was overtaken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from timevalg.booking.access import scope_of
from timevalg.booking.acting import Act
from timevalg.booking.ports import Ports
from timevalg.booking.running import picture_of, run
from timevalg.model.errors import TimeTaken
from timevalg.model.principal import Principal
from timevalg.solver.picture import Picture

R = TypeVar("R")
C = TypeVar("C")

ATTEMPTS = 3
"""How often a stale certificate is repaired before the time counts as taken."""


def settle(
    ports: Ports,
    principal: Principal,
    verb: str,
    find: Callable[[Picture], C],
    body: Callable[[Act, Picture, C], R],
    *,
    reason: str = "",
    wish: str = "",
) -> R:
    """Plan with `find`, then do `body` in one transaction; plan anew if the plan was overtaken.

    Raises
    ------
    NotAllowed
        If the principal's role has no right to the verb at all.
    TimeTaken
        If `find` says so, or three plans in a row were overtaken.
    """

    def attempt(picture: Picture) -> R:
        plan = find(picture)
        follow = partial(_follow, body, picture, plan)
        with overtaking():
            return run(ports, principal, verb, follow, reason=reason, wish=wish)

    scope_of(verb, principal)
    return attempts(ports, principal, attempt, find)


class Overtaken(Exception):
    """What a plan rested on has changed; not for callers of use cases."""

    def __init__(self, error: TimeTaken) -> None:
        super().__init__(str(error))
        self.error = error


@contextmanager
def overtaking(planned: Callable[[], bool] = lambda: True) -> Iterator[None]:
    """Tell a plan that was overtaken from one that could not be made."""
    try:
        yield
    except TimeTaken as error:
        if planned():
            raise Overtaken(error) from error
        raise


def attempts(
    ports: Ports,
    principal: Principal,
    attempt: Callable[[Picture], R],
    seek: Callable[[Picture], object],
) -> R:
    """Try some plans; in the end `seek` says what else is free, if this is not."""
    for left in reversed(range(ATTEMPTS)):
        try:
            return attempt(picture_of(ports, principal))
        except Overtaken as overtaken:
            if not left:
                seek(picture_of(ports, principal))
                raise overtaken.error from None
    raise AssertionError("unreachable")


def _follow(body: Callable[[Act, Picture, C], R], picture: Picture, plan: C, act: Act) -> R:
    return body(act, picture, plan)
