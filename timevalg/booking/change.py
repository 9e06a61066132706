"""Change: one event from the old time to the new, by the patient or by the hospital."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from timevalg.booking.acting import Act, clinic_of
from timevalg.booking.attempts import settle
from timevalg.booking.choose import certify
from timevalg.booking.claiming import claim, release
from timevalg.booking.look import asker, prepared
from timevalg.booking.ports import Ports
from timevalg.booking.reliving import lose
from timevalg.booking.running import glance
from timevalg.booking.use_cases import use_case
from timevalg.booking.visits import (
    as_chosen,
    booking_of,
    last_instant,
    plan_preparations,
    times_of,
)
from timevalg.model.appointment import Appointment
from timevalg.model.clinic import Clinic
from timevalg.model.errors import IllegalMove, InvalidInput, WouldStrand
from timevalg.model.principal import Principal, RoleName
from timevalg.model.records import CaseKind
from timevalg.model.session import Assignment, Session, SessionKind, resource_spans
from timevalg.model.states import TaskState, target
from timevalg.model.time import require_aware
from timevalg.solver.ask import Ask
from timevalg.solver.picture import Picture
from timevalg.solver.places import Certificate, make_room

PATIENTS = frozenset({RoleName.PATIENT, RoleName.REPRESENTATIVE})


@use_case("change")
def change(
    ports: Ports,
    principal: Principal,
    appointment: str,
    start: datetime,
    pool: str | None = None,
    version: int | None = None,
    reason: str = "",
    shown: Assignment | None = None,
) -> Appointment:
    """Move a visit to another offered start; the old time is freed if and only if it works.

    Moving it to where it is changes nothing.

    Parameters
    ----------
    shown : mapping or None
        The offer's resources: the visit is with the same clinicians, or not at all.

    Raises
    ------
    TimeTaken
        With the nearest alternatives; the old time stands.
    IllegalMove
        If patients may not change it, may no longer, or have done so too often.
    """
    key = ports.keys.new("session")

    def find(picture: Picture) -> tuple[Ask, Certificate] | None:
        found, done = glance(
            ports,
            principal,
            "change",
            lambda act: prepared(act, act.appointment(appointment, version)),
        )
        target("appointment", found.id, found.state, "change")
        if found.start == require_aware(start, "start") and pool in {None, found.pool}:
            return None
        task, rules = asker(picture, found, done)
        if principal.role in PATIENTS:
            require_changeable(clinic_of(picture, task), found, picture.now)
        ask, certificate = certify(
            ports, picture, task, start, pool, key=key, rules=rules, shown=shown
        )
        booking = replace(certificate.claim, task=found.task)
        return ask, replace(certificate, claims=(booking,))

    def body(act: Act, picture: Picture, found: tuple[Ask, Certificate] | None) -> Appointment:
        visit = act.appointment(appointment, version)
        if found is None:
            return visit
        ask, certificate = found
        clinic = picture.index.organisation.clinic(visit.clinic)
        if principal.role in PATIENTS:
            require_changeable(clinic, visit, act.unit.now())
        claim(act, picture, certificate, ask)
        return move_visit(act, clinic, visit, certificate.claim)

    return settle(ports, principal, "change", find, body, reason=reason)


def require_changeable(clinic: Clinic, visit: Appointment, now: datetime) -> None:
    """Refuse what the pool's policy does not allow patients.

    Raises
    ------
    IllegalMove
    """
    pool = clinic.pools.get(visit.pool or "")
    policy = pool.change if pool is not None else None
    until = last_instant(clinic, policy, visit)
    hint = ""
    if policy is None or until is None:
        hint = "this kind of visit is changed by the clinic; call them"
    elif now >= until:
        hint = f"it could be changed until {until.astimezone(clinic.timezone):%Y-%m-%d %H:%M}"
    elif policy.times is not None and visit.moves_by_patient >= policy.times:
        hint = f"it has been changed {policy.times} times already; call the clinic"
    if hint:
        raise IllegalMove("appointment", visit.id, visit.state, "change", hint)


def move_visit(act: Act, clinic: Clinic, visit: Appointment, session: Session) -> Appointment:
    """Write the new time on the appointment, in one event, with what follows from it."""
    task = act.unit.tasks.get(visit.task) if visit.task else None
    mine = act.principal.role in PATIENTS
    times = times_of(session, clinic)
    if mine:
        times["chosen"] = as_chosen(replace(visit, **times), clinic, act.unit.now()).chosen
    moved = act.save(
        visit,
        "appointment.changed",
        "change",
        moves=visit.moves + 1,
        moves_by_patient=visit.moves_by_patient + mine,
        acknowledged_at=None,
        **times,
    )
    plan_preparations(act, clinic, moved, task)
    act.close(kind=CaseKind.CONFLICT, appointment=moved.id)
    if task is not None and task.state is TaskState.CHOSEN:
        act.work(
            "check", task.id, task.clinic, act.unit.now(), f"check:{task.version}:{moved.moves}"
        )
    if moved.lettered_at is not None and (task is None or task.letters):
        act.work("letter", moved.id, clinic.id, act.unit.now(), f"change:{moved.moves}")
    return moved


@use_case("move")
def move(
    ports: Ports,
    principal: Principal,
    appointment: str,
    start: datetime,
    resources: Assignment | None = None,
    reason: str = "",
    version: int | None = None,
    override: bool = False,
) -> Appointment:
    """Move a visit, as the hospital: any start, and resources of its choice.

    Parameters
    ----------
    resources : mapping or None
        Role id → ids; None = the same resources as before.
    override : bool
        Break the rules, and take the places of others if need be (a named capacity loss). Nothing
        may ever overlap.

    Raises
    ------
    TimeTaken, RuleBroken, WouldStrand, StaleVersion, IllegalMove
    InvalidInput
        If it is overridden without a reason.
    """
    require_reason(override, reason)
    key = ports.keys.new("session")

    def find(picture: Picture) -> tuple[Ask | None, Certificate, tuple[Session, ...]]:
        visit = glance(ports, principal, "move", lambda act: act.appointment(appointment, version))
        target("appointment", visit.id, visit.state, "change")
        session = staff_session(picture, visit, start, resources, key)
        old = picture.index.sessions.get(visit.session)
        ask = staff_ask(picture, session, visit)
        released = () if old is None else (old,)
        certificate, lost = displace(picture, session, released, override=override)
        return ask, certificate, lost

    def body(
        act: Act, picture: Picture, found: tuple[Ask | None, Certificate, tuple[Session, ...]]
    ) -> Appointment:
        ask, certificate, lost = found
        visit = act.appointment(appointment, version)
        claim(act, picture, certificate, ask, override=override or ask is None)
        release(act, booking_of(act, visit))
        report_lost(act, picture, lost)
        clinic = picture.index.organisation.clinic(visit.clinic)
        return move_visit(act, clinic, visit, certificate.claim)

    return settle(ports, principal, "move", find, body, reason=reason)


def require_reason(override: bool, reason: str) -> None:
    """Refuse to override without saying why, for whoever is left without a time.

    Raises
    ------
    InvalidInput
    """
    if override and not reason:
        raise InvalidInput.single("reason", "say why the rules and others' places are overridden")


def staff_session(
    picture: Picture,
    visit: Appointment,
    start: datetime,
    resources: Mapping[str, tuple[str, ...]] | None,
    key: str,
) -> Session:
    """Make the booking that staff (or the record system) want for a visit.

    Raises
    ------
    InvalidInput
        If the clinic has no such roles or resources.
    """
    for role, ids in (resources or {}).items():
        if isinstance(ids, str):
            raise InvalidInput.single(f"resources.{role}", "is one text, not several ids")
    clinic = picture.index.organisation.clinic(visit.clinic)
    service = clinic.services[visit.service]
    chosen = {r: tuple(ids) for r, ids in (resources or visit.resources).items()}
    roles = [r for r in chosen if r not in {role.id for role in service.roles}]
    unknown = [r for ids in chosen.values() for r in ids if r not in clinic.resources]
    if roles or unknown:
        raise InvalidInput.single(
            "resources", f"{clinic.id} has nothing called {', '.join([*roles, *unknown])}"
        )
    extra = visit.length - service.length
    moment = require_aware(start, "start")
    return Session(
        id=key,
        kind=SessionKind.BOOKING,
        clinic=visit.clinic,
        start=moment,
        length=visit.length,
        service=visit.service,
        pool=visit.pool,
        task=visit.task,
        patient=visit.patient,
        resources=chosen,
        spans=resource_spans(service, moment, max(0, extra), chosen),
    )


def staff_ask(picture: Picture, session: Session, visit: Appointment) -> Ask | None:
    """Give the rules for a staff booking, which gives up no hold; None outside every pool."""
    if session.pool is None:
        return None
    return Ask(session.clinic, session.pool, picture.now, picture.tasks.get(visit.task or ""))


def displace(
    picture: Picture, session: Session, released: tuple[Session, ...], *, override: bool
) -> tuple[Certificate, tuple[Session, ...]]:
    """Make room for a staff booking; gives the certificate, and the places that are lost by it.

    Raises
    ------
    WouldStrand
        If somebody would lose their place, unless it is overridden.
    """
    bare = picture.apply(removed=[s.id for s in released])
    found, lost = make_room(bare, session, picture.now, override=override)
    if lost and not override:
        raise WouldStrand([s.task or s.id for s in lost])
    return replace(found, released=(*released, *found.released)), lost


def report_lost(act: Act, picture: Picture, lost: tuple[Session, ...]) -> None:
    """Name the capacity losses that an override causes."""
    for session in lost:
        task = picture.tasks[session.task or ""]
        lose(act, task, f"its place was taken by an override: {act.reason or 'no reason given'}")
