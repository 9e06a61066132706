"""None suits: the patient says when they can; the task keeps its place and staff take over."""

from __future__ import annotations

from timevalg.booking.acting import Act, clinic_of
from timevalg.booking.opening import open_if_time
from timevalg.booking.ports import Ports
from timevalg.booking.running import picture_of, run
from timevalg.booking.use_cases import use_case
from timevalg.model.errors import InvalidInput
from timevalg.model.principal import Principal
from timevalg.model.records import CaseKind
from timevalg.model.task import Task

LONGEST_NOTE = 1000
"""Characters of "when I can"."""


@use_case("none suits")
def none_suits(
    ports: Ports, principal: Principal, key: str, when_i_can: str = "", version: int | None = None
) -> Task:
    """Hand the task to staff with the patient's own words on when they can.

    Raises
    ------
    IllegalMove, StaleVersion, NotFound, NotAllowed
    InvalidInput
        If the words are too long.
    """
    if len(when_i_can) > LONGEST_NOTE:
        raise InvalidInput.single("when_i_can", f"at most {LONGEST_NOTE} characters")
    picture = picture_of(ports, principal)

    def body(act: Act) -> Task:
        task = act.task(key, version)
        task = open_if_time(act, clinic_of(picture, task), task)
        task = act.advance(task, "none suits", note=when_i_can)
        act.case(
            CaseKind.NONE_SUITS, task.clinic, "none of the offers suits the patient", task=task.id
        )
        return act.advance(task, "hand to staff")

    return run(ports, principal, "none suits", body)
