"""Decline: "no longer needed"; the place goes to others."""

from __future__ import annotations

from timevalg.booking.acting import Act, clinic_of
from timevalg.booking.claiming import release_all
from timevalg.booking.opening import open_if_time
from timevalg.booking.ports import Ports
from timevalg.booking.running import picture_of, run
from timevalg.booking.use_cases import use_case
from timevalg.model.principal import Principal
from timevalg.model.records import CaseKind
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
    picture = picture_of(ports, principal)

    def body(act: Act) -> Task:
        task = act.task(key, version)
        task = act.advance(open_if_time(act, clinic_of(picture, task), task), "decline")
        release_all(act, task)
        act.case(
            CaseKind.DECLINED, task.clinic, "the patient no longer needs the visit", task=task.id
        )
        return task

    return run(ports, principal, "decline", body, reason=reason)
