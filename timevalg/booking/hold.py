"""Hold: keep a time for the patient for some minutes, while they confirm."""

from __future__ import annotations

from datetime import datetime, timedelta

from timevalg.booking.acting import Act, clinic_of, require, use_case
from timevalg.booking.choose import certify, current_task
from timevalg.booking.claiming import claim, settle
from timevalg.booking.look import require_choosable
from timevalg.booking.ports import Ports
from timevalg.model.principal import Principal
from timevalg.model.session import Session, SessionKind
from timevalg.solver.ask import Ask
from timevalg.solver.picture import Picture
from timevalg.solver.places import Certificate


@use_case("hold")
def hold(
    ports: Ports, principal: Principal, key: str, start: datetime, pool: str | None = None
) -> Session:
    """Hold a start; an earlier hold of the same patient is given up for it.

    Parameters
    ----------
    start : datetime
        Aware.
    pool : str or None
        Which of the task's pools; default the first that has the start.

    Returns
    -------
    Session
        With ``until``, when the hold expires. Nothing need be done then: the time is free again.

    Raises
    ------
    TimeTaken
        With the nearest alternatives.
    """
    session_id = ports.keys.new("session")

    def find(picture: Picture) -> tuple[Ask, Certificate]:
        task = current_task(ports, principal, "hold", picture, key)
        require_choosable(picture, task)
        require(task, "choose")
        minutes = clinic_of(picture, task).pool(pool or task.pools[0]).hold
        return certify(
            ports,
            picture,
            task,
            start,
            pool,
            key=session_id,
            kind=SessionKind.HOLD,
            until=picture.now + timedelta(minutes=minutes),
        )

    def body(act: Act, picture: Picture, found: tuple[Ask, Certificate]) -> Session:
        ask, certificate = found
        task = act.task(key)
        require(task, "choose")
        claim(act, picture, certificate, ask)
        act.event(
            "task.held",
            "task",
            task.clinic,
            task.id,
            task.version,
            task=task,
            new={"start": certificate.claim.start.isoformat()},
        )
        until = certificate.claim.until or act.unit.now()
        act.work("expire hold", certificate.claim.id, task.clinic, until, "expires")
        return certificate.claim

    return settle(ports, principal, "hold", find, body)
