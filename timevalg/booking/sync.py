"""Sync: the record system's calendar, row by row; late and repeated messages do no harm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from timevalg.booking.acting import Act, picture_of, run, use_case
from timevalg.booking.cancel import cancel_visit
from timevalg.booking.outside import Outside
from timevalg.booking.ports import Between, Ports
from timevalg.booking.visits import booking_of, make_appointment, plan_preparations, times_of
from timevalg.model.appointment import Appointment, Origin
from timevalg.model.clinic import Organisation
from timevalg.model.contents import FileBooking
from timevalg.model.principal import Principal
from timevalg.model.session import Assignment, Session, SessionKind, resource_spans
from timevalg.model.states import AppointmentState, TaskState
from timevalg.model.time import require_aware

AT_ONCE = 200
"""Rows taken in by one transaction, under the organisation's lock."""


@dataclass(frozen=True)
class CalendarRow:
    """One visit as the record system has it.

    Attributes
    ----------
    ref, version : str, int
        The record system's own id, and a number that grows with every change of it.
    deleted : bool
        The visit is gone; nothing else need be given then.
    start : datetime or None
        Aware.
    """

    ref: str
    version: int
    deleted: bool = False
    clinic: str = ""
    service: str = ""
    start: datetime | None = None
    resources: Assignment = field(default_factory=dict)
    patient: str | None = None
    pool: str | None = None


@dataclass(frozen=True)
class Synced:
    """What came of the rows, by ref.

    Attributes
    ----------
    applied, stale : tuple of str
        Taken in; known already in this or a later version.
    missing : tuple of str
        Visits here, starting within the window, that the rows do not name.
    conflicts : tuple of str
        Not taken in, and why is on the staff list; a later sync of the same row tries again.
    """

    applied: tuple[str, ...]
    stale: tuple[str, ...]
    missing: tuple[str, ...]
    conflicts: tuple[str, ...]


@use_case("sync", keyed=False)
def sync(
    ports: Ports,
    principal: Principal,
    rows: Iterable[CalendarRow],
    window: tuple[datetime, datetime] | None = None,
) -> Synced:
    """Take in rows of the record system's calendar.

    Parameters
    ----------
    rows : iterable of CalendarRow
        In any order, any number of times.
    window : pair of datetime or None
        If given, the rows are all there is between the two: what is missing is reported.
    """
    outcome: dict[str, list[str]] = {"applied": [], "stale": [], "conflicts": []}
    seen: set[str] = set()
    for some in _chunks(rows):
        seen.update(row.ref for row in some)
        picture_of(ports, principal)  # caught up here, so that little is left to do under the lock
        for ref, came in run(ports, principal, "sync", partial(_take_in, some)).items():
            outcome[came].append(ref)
    missing: tuple[str, ...] = ()
    if window is not None:
        between = Between(*(require_aware(w, "window") for w in window))
        known = ports.store.run(
            principal.organisation,
            lambda unit: unit.appointments.find(start=between, state=AppointmentState.BOOKED),
            write=False,
        )
        missing = tuple(
            sorted(
                a.ref
                for a in known
                if a.ref and a.ref not in seen and _may_see(principal, a.clinic)
            )
        )
    return Synced(
        tuple(outcome["applied"]), tuple(outcome["stale"]), missing, tuple(outcome["conflicts"])
    )


def bring_in(act: Act, outside: Outside, bookings: Iterable[FileBooking]) -> tuple[str, ...]:
    """Take in bookings that a clinic file lists; gives the cases of those that could not be."""
    cases = []
    for booking in bookings:
        known = act.unit.appointments.find(id=booking.session.id)
        if not known and booking.ref:
            known = act.unit.appointments.find(ref=booking.ref)
        if known:
            continue
        session = booking.session
        fixed = outside.in_the_way(session)
        if fixed:
            why = _overlaps(session, fixed)
            cases.append(act.case("conflict", session.clinic, why, ref=booking.ref).id)
            continue
        outside.book(session)
        _book(act, outside, session, booking.origin, id=session.id, ref=booking.ref)
    return tuple(cases)


def _chunks(rows: Iterable[CalendarRow]) -> Iterator[list[CalendarRow]]:
    """Cut rows into what one transaction takes in: so many at most, none about the same visit."""
    some: dict[str, CalendarRow] = {}
    for row in rows:
        if row.ref in some or len(some) == AT_ONCE:
            yield list(some.values())
            some = {}
        some[row.ref] = row
    if some:
        yield list(some.values())


def _take_in(rows: Sequence[CalendarRow], act: Act) -> dict[str, str]:
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
    if row.deleted:
        _delete(act, outside, row, visit)
        return "applied"
    why, session = _session(act, outside.organisation, row, visit)
    if session is not None and visit is not None and _is_same(session, visit):
        act.save(visit, "appointment.synced", None, ref_version=row.version)
        return "applied"
    own = list(booking_of(act, visit)) if visit is not None else []
    if session is not None:
        fixed = outside.in_the_way(session, own)
        why = _overlaps(session, fixed) if fixed else ""
    act.close(kind="conflict", ref=row.ref)
    if session is None or why:
        act.case(
            "conflict",
            visit.clinic if visit else row.clinic,
            why,
            ref=row.ref,
            detail={"version": row.version},
            appointment=visit.id if visit else None,
        )
        return "conflicts"
    outside.book(session, own)
    if visit is None:
        more = {"ref": row.ref, "ref_version": row.version}
        _book(act, outside, session, Origin.IMPORTED, **more)
    else:
        _move(act, outside, visit, session, row.version)
    return "applied"


def _overlaps(session: Session, fixed: Iterable[Session]) -> str:
    return f"{session.start.isoformat()} overlaps {', '.join(s.id for s in fixed)}"


def _may_see(principal: Principal, clinic: str) -> bool:
    return principal.clinics is None or clinic in principal.clinics


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
    if clinic is None or not _may_see(act.principal, clinic.id):
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


def _book(act: Act, outside: Outside, session: Session, origin: Origin, **more: object) -> None:
    task = act.unit.tasks.find(id=session.task) if session.task else []
    make_appointment(
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
