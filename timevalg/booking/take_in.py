"""Take in: rows and bookings from outside, one by one, each booked, stale, or told to staff."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from timevalg.booking.acting import Act
from timevalg.booking.cancel import cancel_visit
from timevalg.booking.outside import Outside, Prospect
from timevalg.booking.proposals import in_words, named, proposals
from timevalg.booking.visits import booking_of, make_appointment, plan_preparations, times_of
from timevalg.model.appointment import Appointment, Origin
from timevalg.model.calendar_row import CalendarRow
from timevalg.model.clinic import Organisation
from timevalg.model.contents import FileBooking
from timevalg.model.principal import Principal
from timevalg.model.records import Owner
from timevalg.model.session import Session, SessionKind, resource_spans
from timevalg.model.states import AppointmentState, TaskState
from timevalg.model.time import require_aware

MADE_HERE = frozenset({Origin.CHOSEN, Origin.ASSIGNED})
"""Visits that are timevalg's own where it owns appointments."""
MOVE_HERE = "it stands as it is; move it here"
CANCEL_HERE = "it stands; cancel it here"


def bring_in(act: Act, outside: Outside, bookings: Iterable[FileBooking]) -> tuple[str, ...]:
    """Take in bookings that a clinic file lists; gives the cases of those that could not be.

    The rules of pools do not bind them: who writes the file writes the rules.
    """
    cases = []
    for booking in bookings:
        known = act.unit.appointments.find(id=booking.session.id)
        if not known and booking.ref:
            known = act.unit.appointments.find(ref=booking.ref)
        if known:
            continue
        session = booking.session
        prospect = outside.consider(session)
        if prospect.in_the_way:
            why = in_words(outside.picture, session, prospect.in_the_way)
            detail = troubles(act, outside, prospect)
            case = act.case("conflict", session.clinic, why, ref=booking.ref, detail=detail)
            cases.append(case.id)
            continue
        outside.book(prospect)
        _book(act, outside, session, booking.origin, id=session.id, ref=booking.ref)
    return tuple(cases)


def take_in(rows: Sequence[CalendarRow], act: Act) -> dict[str, str]:
    """Take in rows about different visits; gives what came of each, by ref."""
    if not _news(rows, _known(act, rows)):
        return {row.ref: "stale" for row in rows}
    outside = Outside(act)
    known = _known(act, rows)
    news = _news(rows, known)
    outcome = {row.ref: "stale" for row in rows}
    for row in news:
        outcome[row.ref] = _take(act, outside, row, known.get(row.ref))
    outside.finish()
    return outcome


def _known(act: Act, rows: Iterable[CalendarRow]) -> dict[str, Appointment]:
    found = act.unit.appointments.find(ref=frozenset(row.ref for row in rows))
    return {visit.ref: visit for visit in found if visit.ref}


def _news(rows: Iterable[CalendarRow], known: Mapping[str, Appointment]) -> list[CalendarRow]:
    """Give the rows that say something that is not known already."""
    versions = {ref: visit.ref_version for ref, visit in known.items()}
    return [
        row for row in rows if (version := versions.get(row.ref)) is None or row.version > version
    ]


def _take(act: Act, outside: Outside, row: CalendarRow, visit: Appointment | None) -> str:
    act.audit(
        "appointment", visit.id if visit else row.ref, visit.patient if visit else row.patient
    )
    ours = outside.owner is Owner.TIMEVALG and visit is not None and visit.origin in MADE_HERE
    if row.deleted:
        if ours and visit is not None and visit.state is AppointmentState.BOOKED:
            return _refuse(act, outside, row, visit, f"the visit is timevalg's own: {CANCEL_HERE}")
        _delete(act, outside, row, visit)
        act.close(kind="conflict", ref=row.ref)
        return "applied"
    why, session = _session(act, outside.organisation, row, visit)
    if session is None:
        return _refuse(act, outside, row, visit, why)
    if visit is not None and _is_same(session, visit):
        act.save(visit, "appointment.synced", None, ref_version=row.version)
        act.close(kind="conflict", ref=row.ref)
        return "applied"
    own = booking_of(act, visit) if visit is not None else ()
    task = act.unit.tasks.get(visit.task) if visit is not None and visit.task else None
    prospect = outside.consider(session, own, task)
    if prospect.in_the_way:
        why = in_words(outside.picture, session, prospect.in_the_way)
    elif ours:
        why = f"the visit is timevalg's own: {MOVE_HERE}"
    elif outside.owner is Owner.TIMEVALG:
        why = "; ".join(prospect.faults)
    if why:
        return _refuse(act, outside, row, visit, why, prospect)
    outside.book(prospect)
    if visit is None:
        more = {"ref": row.ref, "ref_version": row.version}
        visit = _book(act, outside, session, Origin.IMPORTED, **more)
    else:
        _move(act, outside, visit, session, row.version)
    if prospect.faults:
        _tell(act, outside, row, visit, "; ".join(prospect.faults), prospect)
        return "broken"
    act.close(kind="conflict", ref=row.ref)
    return "applied"


def _refuse(
    act: Act,
    outside: Outside,
    row: CalendarRow,
    visit: Appointment | None,
    why: str,
    prospect: Prospect | None = None,
) -> str:
    _tell(act, outside, row, visit, why, prospect)
    return "conflicts"


def _tell(
    act: Act,
    outside: Outside,
    row: CalendarRow,
    visit: Appointment | None,
    why: str,
    prospect: Prospect | None,
) -> None:
    """Put a row on the staff list; one that is there already is brought up to date."""
    detail = {"version": row.version, "broken": [], "in_the_way": [], "proposals": []}
    if prospect is not None:
        detail |= troubles(act, outside, prospect)
    known = act.unit.cases.find(kind="conflict", ref=row.ref, closed_at=None)
    if known and known[0].reason == why:
        act.unit.cases.save(replace(known[0], detail=detail))
        return
    act.close(kind="conflict", ref=row.ref)
    clinic = visit.clinic if visit else row.clinic
    key = visit.id if visit else None
    act.case("conflict", clinic, why, ref=row.ref, detail=detail, appointment=key)


def troubles(act: Act, outside: Outside, prospect: Prospect) -> dict[str, Any]:
    """Give what stands in the way of a booking from outside, and what is free near it."""
    own = prospect.own
    return {
        "broken": list(prospect.faults),
        "in_the_way": named(act.unit, prospect.in_the_way),
        "proposals": proposals(outside.picture, prospect.session, own, prospect.task),
    }


def _is_same(session: Session, visit: Appointment) -> bool:
    told = (visit.start, visit.service, visit.pool, visit.length)
    asked = (session.start, session.service, session.pool, session.length)
    return told == asked and dict(visit.resources) == dict(session.resources)


def _delete(act: Act, outside: Outside, row: CalendarRow, visit: Appointment | None) -> None:
    """Cancel what the record system has deleted, and remember that it has.

    A deletion may overtake what it deletes: then a cancelled visit stands for it.
    """
    if visit is None:
        now = act.unit.now()
        gone = Appointment(
            id=act.ports.keys.new("appointment"),
            organisation=act.unit.organisation,
            clinic=row.clinic,
            service=row.service,
            start=row.start or now,
            wall="",
            zone="",
            length=0,
            resources={},
            origin=Origin.IMPORTED,
            state=AppointmentState.CANCELLED,
            ref=row.ref,
            ref_version=row.version,
            created_at=now,
        )
        act.unit.appointments.add(gone)
        return
    if visit.state is not AppointmentState.BOOKED:
        act.save(visit, "appointment.synced", None, ref_version=row.version)
        return
    task = act.unit.tasks.get(visit.task) if visit.task else None
    outside.free(booking_of(act, visit))
    cancel_visit(act, replace(visit, ref_version=row.version), task, letter=False)
    if task is not None and task.state in {TaskState.CHOSEN, TaskState.ASSIGNED}:
        verb = "hand to staff" if task.state is TaskState.CHOSEN else "undo"
        task = act.advance(task, verb)
        act.case("cancelled", task.clinic, "deleted in the record system", task=task.id)
        act.work("fall due", task.id, task.clinic, act.unit.now(), f"again:{task.version}")
        outside.revive(task)


def _session(
    act: Act, organisation: Organisation, row: CalendarRow, visit: Appointment | None
) -> tuple[str, Session | None]:
    if visit is not None and visit.state is not AppointmentState.BOOKED:
        return f"the visit is {visit.state} here", None
    if visit is not None and row.patient not in {None, visit.patient}:
        return "the visit is another patient's here", None
    clinic = organisation.clinics.get(row.clinic or (visit.clinic if visit else ""))
    if clinic is None or not may_see(act.principal, clinic.id):
        return f"there is no clinic {row.clinic!r}", None
    service = clinic.services.get(row.service or (visit.service if visit else ""))
    if service is None:
        return f"clinic {clinic.id} has no service {row.service!r}", None
    if row.start is None:
        return "the row has no start", None
    pool = row.pool or (visit.pool if visit else None)
    if pool is not None and (pool not in clinic.pools or clinic.service_of(pool) != service):
        return f"clinic {clinic.id} has no pool {pool!r} of {service.id}", None
    resources = row.resources or (visit.resources if visit else {})
    unknown = [r for ids in resources.values() for r in ids if r not in clinic.resources]
    roles = [r for r in resources if r not in {role.id for role in service.roles}]
    if unknown or roles:
        return f"unknown resources or roles: {', '.join([*unknown, *roles])}", None
    start = require_aware(row.start, "start")
    kept = visit is not None and visit.service == service.id
    length = visit.length if visit is not None and kept else service.length
    return "", Session(
        id=act.ports.keys.new("session"),
        kind=SessionKind.BOOKING,
        clinic=clinic.id,
        start=start,
        length=length,
        service=service.id,
        pool=pool,
        task=visit.task if visit else None,
        patient=row.patient or (visit.patient if visit else None),
        resources={r: tuple(ids) for r, ids in resources.items()},
        spans=resource_spans(service, start, max(0, length - service.length), resources),
    )


def _book(
    act: Act, outside: Outside, session: Session, origin: Origin, **more: object
) -> Appointment:
    task = act.unit.tasks.find(id=session.task) if session.task else []
    return make_appointment(
        act,
        outside.organisation.clinic(session.clinic),
        session,
        origin,
        task[0] if task else None,
        **more,
    )


def _move(act: Act, outside: Outside, visit: Appointment, session: Session, version: int) -> None:
    clinic = outside.organisation.clinic(session.clinic)
    fields = times_of(session, clinic) | {"ref_version": version}
    moved_time = session.start != visit.start
    if moved_time:
        fields["acknowledged_at"] = None
    moved = act.save(
        visit, "appointment.changed", "change", moves=visit.moves + moved_time, **fields
    )
    plan_preparations(act, clinic, moved, act.unit.tasks.get(moved.task) if moved.task else None)


def may_see(principal: Principal, clinic: str) -> bool:
    """Tell whether the principal acts for a clinic."""
    return principal.clinics is None or clinic in principal.clinics
