"""Take in: rows and bookings from outside, one by one, each booked, stale, or told to staff."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from timevalg.booking.access import may_see
from timevalg.booking.acting import Act
from timevalg.booking.cancel import cancel_visit
from timevalg.booking.gathered import Gathered
from timevalg.booking.outside import Outside, Prospect
from timevalg.booking.patients import NO_NAME, known_patients
from timevalg.booking.proposals import in_words, named, proposals
from timevalg.booking.visits import booking_of, make_appointment, plan_preparations, times_of
from timevalg.model.appointment import Appointment, Origin
from timevalg.model.calendar_row import CalendarRow
from timevalg.model.clinic import Organisation
from timevalg.model.contents import FileBooking
from timevalg.model.identity_number import is_identity_number
from timevalg.model.records import CaseKind, Owner
from timevalg.model.session import Session, SessionKind, resource_spans
from timevalg.model.states import AppointmentState, TaskState
from timevalg.model.time import require_aware

MADE_HERE = frozenset({Origin.CHOSEN, Origin.ASSIGNED})
"""Visits that are timevalg's own where it owns appointments."""
YEARS = range(1971, 2199)
"""In which a visit can be: the store takes no other times."""
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
            case = act.case(CaseKind.CONFLICT, session.clinic, why, ref=booking.ref, detail=detail)
            cases.append(case.id)
            continue
        outside.book(prospect)
        _book(act, outside, session, booking.origin, id=session.id, ref=booking.ref)
    return tuple(cases)


class Came(NamedTuple):
    """What came of a row: ``applied``, ``broken`` (applied too), ``stale`` or ``conflicts``."""

    what: str
    why: str = ""


def take_in(rows: Sequence[CalendarRow], act: Act) -> dict[str, Came]:
    """Take in rows about different visits; gives what came of each, by ref."""
    known = _known(act, rows)
    if not any(_is_news(row, known.get(row.ref)) for row in rows):
        return {row.ref: Came("stale") for row in rows}
    taking = _Taking(act, rows)
    outcome = {row.ref: taking.take(row) for row in rows}
    taking.finish()
    return outcome


def _known(act: Act, rows: Iterable[CalendarRow]) -> dict[str, Appointment]:
    found = act.unit.appointments.find(ref=frozenset(row.ref for row in rows))
    return {visit.ref: visit for visit in found if visit.ref}


def _is_news(row: CalendarRow, visit: Appointment | None) -> bool:
    return visit is None or visit.ref_version is None or row.version > visit.ref_version


class _Taking:
    """Rows being taken in by one transaction, with all that is known of them read at once."""

    def __init__(self, act: Act, rows: Sequence[CalendarRow]) -> None:
        self.outside = Outside(act)
        self._gathered = Gathered(act.unit)
        self.act = replace(act, unit=self._gathered.unit)
        self._visits = _known(act, rows)
        self._patients = known_patients(act.unit, (row.patient for row in rows if row.patient))
        refs = frozenset(row.ref for row in rows)
        cases = act.unit.cases.find(kind=CaseKind.CONFLICT, ref=refs, closed_at=None)
        self._cases = {case.ref: case for case in cases}

    def take(self, row: CalendarRow) -> Came:
        """Book, move or cancel what a row says, or tell staff why not."""
        visit = self._visits.get(row.ref)
        if not _is_news(row, visit):
            return Came("stale")
        patient = self._patients.get(row.patient or "")
        if patient is not None:
            row = replace(row, patient=patient.id)
        if row.patient is not None and is_identity_number(row.patient):
            self.act.audit("appointment", visit.id if visit else row.ref)
            return self._refuse(row, visit, f"its patient {NO_NAME}")
        self.act.audit(
            "appointment", visit.id if visit else row.ref, visit.patient if visit else row.patient
        )
        is_booked = visit is not None and visit.state is AppointmentState.BOOKED
        ours = visit is not None and visit.origin in MADE_HERE
        ours = ours and self.outside.owner is Owner.TIMEVALG
        if row.deleted and not (ours and is_booked):
            _delete(self.act, self.outside, row, visit)
            return self._applied(row)
        if row.deleted:
            return self._refuse(row, visit, f"the visit is timevalg's own: {CANCEL_HERE}")
        if patient is not None and patient.deceased_at is not None:
            return self._refuse(row, visit, "the patient is deceased")
        why, session = _session(self.act, self.outside.organisation, row, visit)
        if session is None:
            return self._refuse(row, visit, why)
        if visit is not None and _is_same(session, visit):
            self.act.save(visit, "appointment.synced", None, ref_version=row.version)
            return self._applied(row)
        return self._take_time(row, visit, session, ours=ours)

    def finish(self) -> None:
        """Claim what was booked, find other places for those that gave way, write it all."""
        self.outside.finish()
        self._gathered.write()

    def _take_time(
        self, row: CalendarRow, visit: Appointment | None, session: Session, *, ours: bool
    ) -> Came:
        act, outside = self.act, self.outside
        own = booking_of(act, visit) if visit is not None else ()
        task = act.unit.tasks.get(visit.task) if visit is not None and visit.task else None
        prospect = outside.consider(session, own, task)
        why = ""
        if prospect.in_the_way:
            why = in_words(outside.picture, session, prospect.in_the_way)
        elif ours:
            why = f"the visit is timevalg's own: {MOVE_HERE}"
        elif outside.owner is Owner.TIMEVALG:
            why = "; ".join(prospect.faults)
        if why:
            return self._refuse(row, visit, why, prospect)
        outside.book(prospect)
        if visit is None:
            more = {"ref": row.ref, "ref_version": row.version}
            visit = _book(act, outside, session, Origin.IMPORTED, **more)
        else:
            _move(act, outside, visit, session, row.version)
        if not prospect.faults:
            return self._applied(row)
        why = "; ".join(prospect.faults)
        self._tell(row, visit, why, prospect)
        return Came("broken", why)

    def _applied(self, row: CalendarRow) -> Came:
        if row.ref in self._cases:
            self.act.close(kind=CaseKind.CONFLICT, ref=row.ref)
        return Came("applied")

    def _refuse(
        self,
        row: CalendarRow,
        visit: Appointment | None,
        why: str,
        prospect: Prospect | None = None,
    ) -> Came:
        self._tell(row, visit, why, prospect)
        return Came("conflicts", why)

    def _tell(
        self, row: CalendarRow, visit: Appointment | None, why: str, prospect: Prospect | None
    ) -> None:
        """Put a row on the staff list; one that is there already is brought up to date."""
        detail = {"version": row.version, "broken": [], "in_the_way": [], "proposals": []}
        if prospect is not None:
            detail |= troubles(self.act, self.outside, prospect)
        case = self._cases.get(row.ref)
        if case is not None and case.reason == why:
            self.act.unit.cases.save(replace(case, detail=detail))
            return
        if case is not None:
            self.act.close(kind=CaseKind.CONFLICT, ref=row.ref)
        clinic = visit.clinic if visit else row.clinic
        key = visit.id if visit else None
        self.act.case(CaseKind.CONFLICT, clinic, why, ref=row.ref, detail=detail, appointment=key)


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
        act.case(CaseKind.CANCELLED, task.clinic, "deleted in the record system", task=task.id)
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
    if row.start.year not in YEARS:
        return f"the row starts in {row.start.year}", None
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
