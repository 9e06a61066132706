"""Hold, and renew: keep a time for the patient for some minutes, while they confirm."""

from __future__ import annotations

from datetime import datetime, timedelta

from timevalg.booking.acting import Act, clinic_of
from timevalg.booking.at_once import settle_at_once
from timevalg.booking.choose import certify, to_choose_for
from timevalg.booking.claiming import Wanted
from timevalg.booking.ports import Ports
from timevalg.booking.use_cases import use_case
from timevalg.model.errors import IllegalMove, OnlyChoosable, TimeTaken
from timevalg.model.principal import Principal
from timevalg.model.session import Assignment, Session, SessionKind
from timevalg.model.task import Task
from timevalg.model.time import require_aware
from timevalg.solver.picture import Picture

RENEWALS = 2
"""How often a hold is extended before it must be confirmed or let go.

So with a pool's 10 minutes nobody keeps others from a time for more than half an hour.
"""


@use_case("hold", at_once=True)
def hold(
    ports: Ports,
    principal: Principal,
    key: str,
    start: datetime,
    pool: str | None = None,
    shown: Assignment | None = None,
) -> Session:
    """Hold a start; an earlier hold of the same patient is given up for it.

    Holding what is held already renews it.

    Parameters
    ----------
    start : datetime
        Aware.
    pool : str or None
        Which of the task's pools; default the first that has the start.
    shown : mapping or None
        The offer's resources: the visit is with the same clinicians, or not at all.

    Returns
    -------
    Session
        With ``until``, when the hold expires. Nothing need be done then: the time is free again.

    Raises
    ------
    TimeTaken
        With the nearest alternatives.
    IllegalMove
        If it has been renewed as often as it may be, or can be chosen but not held: a hold that
        runs out must leave its task a place.
    """
    return _hold(ports, principal, "hold", key, start, pool, shown)


@use_case("renew hold", at_once=True)
def renew_hold(
    ports: Ports, principal: Principal, key: str, start: datetime, pool: str | None = None
) -> Session:
    """Hold a start for the pool's minutes from now on, at most `RENEWALS` times.

    A hold that has expired is taken anew, as confirming it would, if the time is still free.

    Raises
    ------
    IllegalMove
        If it has been renewed as often as it may be, or the patient holds another time by now.
    TimeTaken
        If it has expired and the time is gone; with the nearest alternatives.
    """
    return _hold(ports, principal, "renew hold", key, start, pool)


def _hold(
    ports: Ports,
    principal: Principal,
    verb: str,
    key: str,
    start: datetime,
    pool: str | None,
    shown: Assignment | None = None,
) -> Session:
    fresh, moment = ports.keys.new("session"), require_aware(start, "start")

    def find(act: Act, picture: Picture) -> tuple[Wanted, tuple[Task, int]]:
        task = to_choose_for(act, picture, key)
        held = [s for s in picture.index.by_patient(task.patient) if s.kind is SessionKind.HOLD]
        same = [s for s in held if s.task == key and s.start == moment and pool in {None, s.pool}]
        if verb == "renew hold" and held and not same:
            raise IllegalMove("task", key, task.state, verb, "another time is held by now")
        times = _times_held(act, same[0]) if same else 0
        if times > RENEWALS:
            hint = f"it has been renewed {RENEWALS} times; confirm it, or choose another"
            raise IllegalMove("task", key, task.state, "renew hold", hint)
        name = same[0].pool if same else pool
        minutes = clinic_of(picture, task).pool(name or task.pools[0]).hold
        try:
            ask, certificate = certify(
                ports,
                picture,
                task,
                moment,
                name,
                key=same[0].id if same else fresh,
                kind=SessionKind.HOLD,
                until=picture.now + timedelta(minutes=minutes),
                shown=shown,
                hurried=act.hurried,
            )
        except TimeTaken:
            if act.hurried:
                raise
            certify(ports, picture, task, moment, name, key=fresh, shown=shown)
            raise OnlyChoosable(key, task.state) from None
        return Wanted(certificate, ask), (task, times)

    def body(act: Act, picture: Picture, found: tuple[Task, int], held: Session) -> Session:
        task, times = found
        until = held.until or act.unit.now()
        _note(act, task, held, "task.hold-renewed" if times else "task.held")
        act.work("expire hold", held.id, task.clinic, until, f"expires:{times}")
        return held

    return settle_at_once(ports, principal, verb, key, find, body)


def _note(act: Act, task: Task, held: Session, type_: str) -> None:
    act.event(
        type_,
        "task",
        task.clinic,
        task.id,
        task.version,
        task=task,
        new={"start": held.start.isoformat(), "until": held.until and held.until.isoformat()},
    )


def _times_held(act: Act, hold: Session) -> int:
    """Count how often a hold has been taken, by the work of removing it that each time writes."""
    return len(act.unit.work.find(kind="expire hold", entity=hold.id))
