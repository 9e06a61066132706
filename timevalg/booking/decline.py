"""Decline: "no longer needed"; the place goes to others."""

from __future__ import annotations

from timevalg.booking.acting import Act, picture_of, run, use_case
from timevalg.booking.choose import current_task
from timevalg.booking.claiming import release_all
from timevalg.booking.ports import Ports
from timevalg.model.principal import Principal
from timevalg.model.task import Task


@use_case("decline")
def decline(
    ports: Ports, principal: Principal, key: str, reason: str = "", version: int | None = None
) -> Task:
    """Decline an open task; staff are told and may take it up again.

    Raises
    ------
    IllegalMove, StaleVersion, NotFound, NotAllowed
    """
    current_task(ports, principal, "decline", picture_of(ports, principal), key)

    def body(act: Act) -> Task:
        task = act.advance(act.task(key, version), "decline")
        release_all(act, task)
        act.case("declined", task.clinic, "the patient no longer needs the visit", task=task.id)
        return task

    return run(ports, principal, "decline", body, reason=reason)
