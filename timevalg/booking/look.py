"""List offers: the safe starts a patient may choose from now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from timevalg.booking.acting import Act
from timevalg.booking.at_once import look_at_once
from timevalg.booking.gathered import Gathered
from timevalg.booking.ports import Ports
from timevalg.booking.running import picture_of, run
from timevalg.booking.unit_of_work import Between, UnitOfWork
from timevalg.booking.use_cases import use_case
from timevalg.model.appointment import Appointment
from timevalg.model.errors import IllegalMove
from timevalg.model.principal import Principal
from timevalg.model.session import clinicians_of
from timevalg.model.states import (
    BOOKED_STATES,
    AppointmentState,
    PreparationState,
    TaskState,
    target,
)
from timevalg.model.task import Mode, Task
from timevalg.model.time import local_date
from timevalg.solver.ask import Ask
from timevalg.solver.offers import Offers, offers
from timevalg.solver.picture import Picture
from timevalg.solver.tidy import MANY
from timevalg.solver.wishes import NOTHING, SAME, Wishes

NEWEST = "-start"
LIMIT = 20
"""Offers a look gives unless told otherwise."""
MOST = 100
"""Offers a look gives at most."""
MET = frozenset({AppointmentState.BOOKED, AppointmentState.ARRIVED, AppointmentState.FULFILLED})
"""States of a visit at which, once it has begun, the patient has met its clinicians."""
Since = tuple[datetime, str] | None
"""The start and pool after which offers are given in order of time; None: the best first."""
LATER: Mapping[str, Callable[[Offers, int], bool]] = {
    "tidy places": lambda found, limit: found.undecided > MANY,
    "settle offers": lambda found, limit: found.undecided > 0 and len(found.offers) < limit,
}
"""Work for workers, and what a look with a limit leaves for which it is worthwhile."""
_CHOOSABLE = {TaskState.OPEN, TaskState.OVERDUE, TaskState.WITH_STAFF, *BOOKED_STATES}


@use_case("list offers")
def list_offers(
    ports: Ports,
    principal: Principal,
    key: str,
    limit: int = LIMIT,
    wishes: Wishes = NOTHING,
    since: Since = None,
) -> Offers:
    """Give the best safe offers for a task: to choose from, or to change to.

    Parameters
    ----------
    wishes : Wishes
        What the patient would like, or must have. Whom the patient met last time is known.
    since : (datetime, str) or None
        Give them in order of time instead, those after this start and pool.

    Raises
    ------
    NotFound, NotAllowed
    IllegalMove
        If nothing can be chosen in the task's state.
    """
    task, before = look_at_once(
        ports,
        principal,
        "list offers",
        key,
        lambda act: _with_last_visit(act, act.task(key)),
        _know_last_visits,
    )
    picture = picture_of(ports, principal)
    require_choosable(task)
    wishes = known(picture, before, wishes)
    found = look(ports, picture, task, limit=limit, wishes=wishes, since=since)
    later = [kind for kind, leaves in LATER.items() if leaves(found, limit)]
    if later:
        run(ports, principal, "list offers", lambda act: _leave(act, task, later))
    return found


@use_case("list offers to change")
def list_offers_to_change(
    ports: Ports,
    principal: Principal,
    appointment: str,
    limit: int = LIMIT,
    wishes: Wishes = NOTHING,
    since: Since = None,
) -> Offers:
    """Give the best safe offers to move a visit to, whether or not it came of a task.

    Raises
    ------
    NotFound, NotAllowed, IllegalMove
    """
    (visit, done), before = run(
        ports,
        principal,
        "list offers to change",
        lambda act: (
            prepared(act, found := act.appointment(appointment)),
            last_visit(act, found.patient, found.clinic),
        ),
    )
    picture = picture_of(ports, principal)
    target("appointment", visit.id, visit.state, "change")
    wishes = known(picture, before, wishes)
    return look(ports, picture, *asker(picture, visit, done), limit, wishes, since)


def last_visit(act: Act, patient: str | None, clinic: str) -> Appointment | None:
    """Give the patient's newest visit to a clinic that has begun and was not missed."""
    if patient is None:
        return None
    met = _met(act.unit, clinic)
    found = act.unit.appointments.find(order=NEWEST, limit=1, patient=patient, **met)
    return found[0] if found else None


def _met(unit: UnitOfWork, clinic: str) -> dict[str, Any]:
    """Give the criteria of visits to a clinic that have begun and were not missed."""
    return {"clinic": clinic, "start": Between(high=unit.now()), "state": MET}


def _know_last_visits(gathered: Gathered, tasks: Sequence[Task]) -> None:
    """Read at once what `last_visit` asks for about some tasks."""
    for clinic in {task.clinic for task in tasks}:
        patients = {task.patient for task in tasks if task.clinic == clinic}
        met = _met(gathered.unit, clinic)
        gathered.know_last("appointments", "patient", patients, NEWEST, **met)


def known(picture: Picture, before: Appointment | None, wishes: Wishes = NOTHING) -> Wishes:
    """Give wishes with the clinicians of the last visit filled in, where none are named.

    Where nobody is known, there is nobody whom a must could ask for.
    """
    if wishes.clinicians:
        return wishes
    met: frozenset[str] = frozenset()
    if before is not None:
        service = picture.index.organisation.clinic(before.clinic).services.get(before.service)
        met = frozenset() if service is None else clinicians_of(service, before.resources)
    must = wishes.must if met else wishes.must - {SAME}
    return replace(wishes, clinicians=met, must=must)


def _with_last_visit(act: Act, task: Task) -> tuple[Task, Appointment | None]:
    return task, last_visit(act, task.patient, task.clinic)


def prepared(act: Act, visit: Appointment) -> tuple[Appointment, frozenset[str]]:
    """Give a visit with its preparations that are done."""
    done = act.unit.preparations.find(appointment=visit.id, state=PreparationState.DONE)
    return visit, frozenset(p.rule for p in done)


def asker(
    picture: Picture, visit: Appointment, done: frozenset[str]
) -> tuple[Task, Callable[[Ask], Ask]]:
    """Give the task that a visit came of, and the rules by which another start is sought.

    A visit that came of no task (allotted, imported) is sought for like one of a task without
    particulars, within the pool's horizon.

    Raises
    ------
    IllegalMove
        If the visit is in no pool, so that nothing is open for it.
    """
    task = picture.tasks.get(visit.task or "")
    own = frozenset({visit.session} if visit.session else ())
    if task is None:
        if visit.pool is None or visit.patient is None:
            hint = "it belongs to no pool; the clinic moves it"
            raise IllegalMove("appointment", visit.id, visit.state, "change", hint)
        clinic = picture.index.organisation.clinic(visit.clinic)
        today = local_date(picture.now, clinic.timezone)
        pool = clinic.pool(visit.pool)
        task = Task(
            id=f"visit:{visit.id}",
            organisation=visit.organisation,
            clinic=visit.clinic,
            patient=visit.patient,
            pools=(pool.id,),
            opens=today,
            due=today,
            not_after=today + timedelta(days=pool.horizon),
            extra=max(0, visit.length - clinic.service_of(pool.id).length),
            state=TaskState.CONFIRMED,
        )
    return task, lambda ask: replace(ask, ignore=ask.ignore | own, done=ask.done | done)


def look(
    ports: Ports,
    picture: Picture,
    task: Task,
    rules: Callable[[Ask], Ask] = lambda ask: ask,
    limit: int = LIMIT,
    wishes: Wishes = NOTHING,
    since: Since = None,
) -> Offers:
    """Give the best safe offers, without asking who wants them."""
    key = ports.keys.new("session")
    limit = max(1, min(limit, MOST))
    return offers(
        picture, task, picture.now, limit=limit, key=key, rules=rules, wishes=wishes, since=since
    )


def _leave(act: Act, task: Task, kinds: Iterable[str]) -> None:
    """Leave work for the next look, of each kind once in ten minutes."""
    now = act.unit.now()
    spell = f"{now:%Y-%m-%dT%H}:{now.minute // 10}"
    for kind in kinds:
        act.work(kind, task.id, task.clinic, now, spell)


def is_choosable(task: Task) -> bool:
    """Tell whether the task's patient has something to choose now."""
    if task.mode is Mode.ALLOT and task.state not in BOOKED_STATES:
        return False
    return task.state in _CHOOSABLE


def require_choosable(task: Task) -> None:
    """Refuse a task whose patient has nothing to choose now.

    Raises
    ------
    IllegalMove
    """
    if is_choosable(task):
        return
    hint = f"it opens on {task.opens}" if task.state is TaskState.SCHEDULED else ""
    if task.mode is Mode.ALLOT:
        hint = "the hospital sets this time"
    raise IllegalMove("task", task.id, task.state, "choose", hint)
