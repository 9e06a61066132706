"""Choose: book the time, and move the places of others in the same transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from timevalg.booking.acting import Act, clinic_of, require
from timevalg.booking.at_once import settle_at_once
from timevalg.booking.claiming import Wanted
from timevalg.booking.look import MOST, look, require_choosable
from timevalg.booking.opening import open_if_time
from timevalg.booking.ports import Ports
from timevalg.booking.use_cases import use_case
from timevalg.booking.visits import make_appointment
from timevalg.model.appointment import Appointment, Origin
from timevalg.model.errors import TimeTaken
from timevalg.model.principal import Principal
from timevalg.model.session import Assignment, Session, SessionKind, clinicians_of
from timevalg.model.task import Task
from timevalg.model.time import require_aware
from timevalg.solver.ask import Ask
from timevalg.solver.picture import Picture
from timevalg.solver.places import Certificate
from timevalg.solver.recall import recall
from timevalg.solver.safety import safe
from timevalg.solver.search import feasible

NEAREST = 5
"""Alternatives that a refusal carries."""


@use_case("choose", at_once=True)
def choose(
    ports: Ports,
    principal: Principal,
    key: str,
    start: datetime,
    pool: str | None = None,
    version: int | None = None,
    shown: Assignment | None = None,
) -> Appointment:
    """Book a start for an open task; its own hold, if any, is turned into the booking.

    Parameters
    ----------
    start : datetime
        Aware; one of the offers.
    pool : str or None
        Which of the task's pools; default the first that has the start.
    version : int or None
        The task's version as the caller knows it; None = whatever it is.
    shown : mapping or None
        The offer's resources: the visit is with the same clinicians, or not at all.

    Raises
    ------
    TimeTaken
        With the nearest alternatives.
    IllegalMove, StaleVersion, NotFound, NotAllowed
    """
    session_id = ports.keys.new("session")

    def find(act: Act, picture: Picture) -> tuple[Wanted, Task]:
        task = to_choose_for(act, picture, key, version)
        ask, certificate = certify(
            ports, picture, task, start, pool, key=session_id, shown=shown, hurried=act.hurried
        )
        return Wanted(certificate, ask), task

    def body(act: Act, picture: Picture, task: Task, booked: Session) -> Appointment:
        task = act.advance(task, "choose")
        clinic = clinic_of(picture, task)
        appointment = make_appointment(act, clinic, booked, Origin.CHOSEN, task)
        act.work("check", task.id, task.clinic, act.unit.now(), f"check:{task.version}")
        return appointment

    return settle_at_once(ports, principal, "choose", key, find, body)


def to_choose_for(act: Act, picture: Picture, key: str, version: int | None = None) -> Task:
    """Give a task that a time can be chosen for, opened if no worker has got to that yet.

    Raises
    ------
    IllegalMove, StaleVersion, NotFound, NotAllowed
    """
    task = act.task(key, version)
    task = open_if_time(act, clinic_of(picture, task), task, stored=not act.planning)
    require_choosable(task)
    require(task, "choose")
    return task


def certify(
    ports: Ports,
    picture: Picture,
    task: Task,
    start: datetime,
    pool: str | None,
    *,
    key: str,
    kind: SessionKind = SessionKind.BOOKING,
    until: datetime | None = None,
    rules: Callable[[Ask], Ask] = lambda ask: ask,
    shown: Assignment | None = None,
    hurried: bool = False,
) -> tuple[Ask, Certificate]:
    """Prove that the task can have the start without stranding anybody.

    Where a search for this start alone finds no way, the way by which a look shows it will do.

    Parameters
    ----------
    shown : mapping or None
        The offer's resources: the visit is with the same clinicians, or not at all.
    hurried : bool
        Do not look: neither for a way by which it would be shown, nor for alternatives.

    Raises
    ------
    TimeTaken
        If none of its pools has it, or it could not be proven safe; with alternatives.
    """
    moment = require_aware(start, "start")
    passed = moment < picture.now
    held = [s for s in picture.index.by_task(task.id) if s.until is not None and s.start == moment]
    free, tried = False, list[tuple[Ask, frozenset[str] | None]]()
    for name in (pool,) if pool else task.pools:
        ask = rules(Ask.for_task(picture.index, task, name, picture.now, changing=True))
        service = clinic_of(picture, task).service_of(name)
        kept = [s.clinicians(service) for s in held if s.pool == name]
        met = [*kept, None] if shown is None else [clinicians_of(service, shown)]
        for clinicians in met:
            certificate = safe(
                picture,
                task,
                name,
                moment,
                picture.now,
                kind=kind,
                key=key,
                until=until,
                ask=ask,
                clinicians=clinicians,
            )
            if certificate is not None:
                return ask, certificate
            tried.append((ask, clinicians))
        free = free or (not hurried and moment in feasible(picture.index, ask))
    if hurried:
        raise TimeTaken(moment.isoformat(), passed=passed)
    offers = look(ports, picture, task, rules, MOST if free else NEAREST).offers
    ways = {**picture.settled, task.id: tuple(o.certificate for o in offers)}
    for ask, clinicians in tried if free else ():
        certificate = recall(
            replace(picture, settled=ways),
            task,
            ask,
            moment,
            key=key,
            kind=kind,
            until=until,
            clinicians=clinicians,
        )
        if certificate is not None:
            return ask, certificate
    zone = clinic_of(picture, task).timezone
    local = moment.astimezone(zone)
    why = ", which others who are invited may need," if free else ""
    raise TimeTaken(f"{local:%Y-%m-%d %H:%M}{why}", offers[:NEAREST], zone, passed=passed)
