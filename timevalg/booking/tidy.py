"""Tidy places: planned anew where a look has left many starts open, so that the next show more."""

from __future__ import annotations

from functools import partial

from timevalg.booking.acting import Act
from timevalg.booking.attempts import settle
from timevalg.booking.claiming import claim
from timevalg.booking.look import is_choosable
from timevalg.booking.ports import Ports
from timevalg.booking.running import glance
from timevalg.booking.use_cases import use_case
from timevalg.model.principal import Principal
from timevalg.model.task import Task
from timevalg.solver.certificates import Certificate
from timevalg.solver.picture import Picture
from timevalg.solver.tidy import tidied


@use_case("tidy places", keyed=False)
def tidy_places(ports: Ports, principal: Principal, key: str) -> int:
    """Move places, near to a task, so that looks leave fewer starts open; gives how many.

    Everybody keeps a place: the moves are checked and made as those of a choice are.

    Raises
    ------
    NotFound, NotAllowed
    TimeTaken
        If others were quicker each time.
    """
    task = glance(ports, principal, "tidy places", lambda act: act.task(key))
    return settle(ports, principal, "tidy places", partial(_find, task), _move)


def _find(task: Task, picture: Picture) -> Certificate | None:
    return tidied(picture, task, picture.now) if is_choosable(task) else None


def _move(act: Act, picture: Picture, certificate: Certificate | None) -> int:
    if certificate is None:
        return 0
    claim(act, picture, certificate, None)
    return 1 + len(certificate.moved)
