"""Undo, by staff, before the letter has gone: the task is with staff again, with a place."""

from __future__ import annotations

from timevalg.booking.acting import Act, require
from timevalg.booking.attempts import settle
from timevalg.booking.ports import Ports
from timevalg.booking.reliving import find_place, give_back, live_appointment
from timevalg.booking.use_cases import use_case
from timevalg.model.errors import IllegalMove
from timevalg.model.principal import Principal
from timevalg.model.task import Task
from timevalg.solver.picture import Picture
from timevalg.solver.places import Certificate


@use_case("undo")
def undo(
    ports: Ports, principal: Principal, key: str, reason: str, version: int | None = None
) -> Task:
    """Take back a chosen, assigned or confirmed time that no letter has told yet.

    Raises
    ------
    IllegalMove
        If the letter has gone: cancel or move the appointment instead.
    """

    def find(picture: Picture) -> Certificate | None:
        task = picture.tasks.get(key)
        return find_place(picture, task) if task is not None else None

    def body(act: Act, picture: Picture, certificate: Certificate | None) -> Task:
        task = act.task(key, version)
        require(task, "undo")
        appointment = live_appointment(act, task)
        if appointment is None:
            raise IllegalMove("task", task.id, task.state, "undo", "its appointment is gone")
        if appointment.lettered_at is not None:
            hint = "the letter has gone; cancel or move the appointment"
            raise IllegalMove("task", task.id, task.state, "undo", hint)
        return give_back(act, picture, task, certificate, "undo")

    return settle(ports, principal, "undo", find, body, reason=reason)
