"""At the end of ``due``: nobody who does not answer is without a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from timevalg.booking.acting import Act, clinic_of, require
from timevalg.booking.attempts import settle
from timevalg.booking.change import displace, report_lost, require_reason, staff_ask, staff_session
from timevalg.booking.claiming import claim
from timevalg.booking.last_day import last_valid_day
from timevalg.booking.look import known, last_visit
from timevalg.booking.opening import open_if_time
from timevalg.booking.ports import Ports
from timevalg.booking.reliving import another_place, keep_place
from timevalg.booking.running import glance, run
from timevalg.booking.use_cases import use_case
from timevalg.booking.visits import make_appointment
from timevalg.model.appointment import Appointment, Origin
from timevalg.model.errors import TimeTaken
from timevalg.model.principal import Principal
from timevalg.model.records import CaseKind
from timevalg.model.session import Assignment, Session, SessionKind
from timevalg.model.states import BOOKED_STATES, TaskState
from timevalg.model.task import Task
from timevalg.model.time import instant, local_date, require_aware
from timevalg.solver.ask import Ask
from timevalg.solver.offers import candidates, settle_way, with_fallback_notice
from timevalg.solver.picture import Picture
from timevalg.solver.places import Certificate, own_place
from timevalg.solver.repair import Budget
from timevalg.solver.safety import STEPS_A_LOOK, Settling
from timevalg.solver.search import feasible

Found = tuple[Ask, Certificate] | None

UNANSWERED = frozenset({TaskState.SCHEDULED, TaskState.OPEN, TaskState.OVERDUE})
WAITING = frozenset({TaskState.OVERDUE, TaskState.NONE_SUITS, TaskState.WITH_STAFF})


@use_case("fall due")
def fall_due(ports: Ports, principal: Principal, key: str) -> Task:
    """Do what the pool's fallback says when `due` has passed; do nothing if all is settled.

    ``assign`` books the best safe start by the fallback notice, at worst the task's place, or
    another that it could have where that has run out.
    ``staff`` hands the task over; it keeps its place, and on the last day on which that is valid
    the fallback happens all the same, unless staff has said not to. So it does for tasks that
    staff have already. Of a task's pools of both kinds those that assign come first; where they
    have no safe start, and the place is in another, the task is handed over with it. A place that
    has run out because staff wait is followed by another, or by a capacity loss; whoever is
    without one is looked at again every day.
    """

    def find(picture: Picture) -> tuple[Found, Certificate | None]:
        task = picture.tasks.get(key)
        if task is None or task.state in BOOKED_STATES:
            return None, None
        ways = fallback_pools(picture, task)
        if ways:
            who, where = task.patient, task.clinic
            before = glance(ports, principal, "fall due", lambda act: last_visit(act, who, where))
            each = (best_fallback(ports, picture, task, pools, before) for pools in ways)
            if found := next(filter(None, each), None):
                return found, None
        place = another_place(picture, task)
        if place is not None and any(place.claim.pool in pools for pools in ways):
            return _at_place(picture, task, place, ports.keys.new("session")), None
        return None, place

    def body(act: Act, picture: Picture, plan: tuple[Found, Certificate | None]) -> Task:
        found, certificate = plan
        task = act.task(key)
        clinic = clinic_of(picture, task)
        today = local_date(act.unit.now(), clinic.timezone)
        if local_date(picture.now, clinic.timezone) != today:
            raise TimeTaken(f"a new day has begun meanwhile; the time of task {key}")
        task = open_if_time(act, clinic, task)
        if task.state is TaskState.OPEN and today > task.due:
            task = act.advance(task, "fall due")
        if task.state not in WAITING or today <= task.due:
            return task
        if found is not None:
            return book_fallback(act, picture, task, found)
        if task.state is TaskState.OVERDUE:
            task = act.advance(task, "hand to staff")
            act.case(CaseKind.OVERDUE, task.clinic, "not answered by the due date", task=task.id)
        why = "staff said to wait" if task.staff_may_wait else "no time is left to assign"
        keep_place(act, picture, task, certificate, f"{why}, and no other place is valid")
        tomorrow = instant(today + timedelta(days=1), 0, clinic.timezone)
        act.work("fall due", task.id, task.clinic, tomorrow, f"last-day:{today}")
        return task

    return settle(ports, principal, "fall due", find, body)


def fallback_pools(picture: Picture, task: Task) -> list[tuple[str, ...]]:
    """Give the pools that a time is to be set in now, in turn until one of them has a start."""
    clinic = clinic_of(picture, task)
    today = local_date(picture.now, clinic.timezone)
    if today <= task.due or task.state not in UNANSWERED | WAITING:
        return []
    place, ways = own_place(picture, task), list[tuple[str, ...]]()
    assigning = tuple(p for p in task.pools if clinic.pool(p).fallback == "assign")
    if assigning and task.state in UNANSWERED:
        ways.append(assigning)
    if place and not task.staff_may_wait and today >= last_valid_day(clinic, task, place):
        ways.append(task.pools)
    return ways


def best_fallback(
    ports: Ports,
    picture: Picture,
    task: Task,
    pools: tuple[str, ...],
    before: Appointment | None,
) -> Found:
    """Give the best safe start in some of a task's pools, at worst the task's place in one.

    Parameters
    ----------
    before : Appointment or None
        The patient's last visit.
    """
    key = ports.keys.new("session")
    rules, asked = with_fallback_notice(picture, task), replace(task, pools=pools)
    settling: Settling | None = None
    for best in candidates(picture, asked, picture.now, rules, known(picture, before)):
        settling = settling or Settling(
            picture, task, picture.now, best.ask.ignore, key=key, budget=Budget(STEPS_A_LOOK)
        )
        for way in best.ways():
            found = settle_way(settling, way)
            if isinstance(found, Certificate):
                return way.ask, found
    place = own_place(picture, task)
    if place is None or place.pool not in pools:
        return None
    ask, booked = _at_place(picture, task, Certificate((place,), (place,)), key)
    if place.start not in feasible(picture.index, ask):
        return None  # the worker came too late
    return ask, booked


def _at_place(
    picture: Picture, task: Task, place: Certificate, key: str
) -> tuple[Ask, Certificate]:
    """Book a place that the task has or could have."""
    booking = replace(place.claim, id=key, kind=SessionKind.BOOKING, until=None, is_place=False)
    ask = Ask.for_task(picture.index, task, booking.pool or "", picture.now, changing=True)
    return ask, replace(place, claims=(booking,))


def book_fallback(act: Act, picture: Picture, task: Task, found: tuple[Ask, Certificate]) -> Task:
    """Book what was found for someone who has not chosen."""
    ask, certificate = found
    claim(act, picture, certificate, ask)
    if task.state is TaskState.NONE_SUITS:
        task = act.advance(task, "hand to staff")
    return _assigned(act, picture, task, certificate.claim)


@use_case("assign")
def assign(
    ports: Ports,
    principal: Principal,
    key: str,
    start: datetime,
    resources: Assignment,
    pool: str | None = None,
    reason: str = "",
    override: bool = False,
    version: int | None = None,
) -> Task:
    """Book a time for a task that staff have.

    Raises
    ------
    TimeTaken, RuleBroken, WouldStrand, IllegalMove, StaleVersion
    """
    require_reason(override, reason)
    session_id = ports.keys.new("session")

    def find(picture: Picture) -> tuple[Ask | None, Certificate, tuple[Session, ...]]:
        task = glance(ports, principal, "assign", lambda act: act.task(key, version))
        require(task, "assign")
        clinic = clinic_of(picture, task)
        name = pool or task.pools[0]
        service = clinic.service_of(name)
        wanted = _wanted(task, name, service.id, service.length, require_aware(start, "start"))
        session = staff_session(picture, wanted, start, resources, session_id)
        released = tuple(picture.index.by_task(task.id))
        ask = staff_ask(picture, session, wanted)
        certificate, lost = displace(picture, session, released, override=override)
        return ask, certificate, lost

    def body(
        act: Act, picture: Picture, found: tuple[Ask | None, Certificate, tuple[Session, ...]]
    ) -> Task:
        ask, certificate, lost = found
        task = act.task(key, version)
        require(task, "assign")
        claim(act, picture, certificate, ask, override=override)
        report_lost(act, picture, lost)
        return _assigned(act, picture, task, certificate.claim)

    return settle(ports, principal, "assign", find, body, reason=reason)


@use_case("keep waiting")
def keep_waiting(
    ports: Ports, principal: Principal, key: str, reason: str, version: int | None = None
) -> Task:
    """Say, as staff, that the fallback shall not happen on the last valid day."""

    def body(act: Act) -> Task:
        task = act.task(key, version)
        require(task, "assign")
        if task.staff_may_wait:
            return task
        waiting = act.unit.tasks.save(replace(task, staff_may_wait=True))
        act.event(
            "task.kept-waiting",
            "task",
            task.clinic,
            task.id,
            waiting.version,
            task=waiting,
            old={"staff_may_wait": False},
            new={"staff_may_wait": True},
        )
        return waiting

    return run(ports, principal, "keep waiting", body, reason=reason)


def _assigned(act: Act, picture: Picture, task: Task, booking: Session) -> Task:
    assigned = act.advance(task, "assign")
    clinic = clinic_of(picture, task)
    make_appointment(act, clinic, booking, Origin.ASSIGNED, assigned)
    act.work("check", task.id, task.clinic, act.unit.now(), f"check:{assigned.version}")
    return assigned


def _wanted(task: Task, pool: str, service: str, length: int, start: datetime) -> Appointment:
    return Appointment(
        id="",
        organisation=task.organisation,
        clinic=task.clinic,
        service=service,
        start=start,
        wall="",
        zone="",
        length=length + task.extra,
        resources={},
        origin=Origin.ASSIGNED,
        patient=task.patient,
        pool=pool,
        task=task.id,
    )
