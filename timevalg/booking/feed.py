"""Read: the event feed, and single things, by those who may."""

from __future__ import annotations

from dataclasses import replace

from timevalg.booking.access import scope_of
from timevalg.booking.acting import Act
from timevalg.booking.patients import (
    keep,
    require_not_of_others,
    require_pseudonymous,
    require_theirs,
    surviving,
)
from timevalg.booking.ports import Ports
from timevalg.booking.running import run
from timevalg.booking.unit_of_work import UnitOfWork
from timevalg.booking.use_cases import use_case
from timevalg.booking.verification import (
    admitted,
    is_for_verification,
)
from timevalg.booking.versions import require_version
from timevalg.model.appointment import Appointment, Preparation
from timevalg.model.errors import CursorLost, InvalidInput, NotFound
from timevalg.model.identity_number import IdentityNumber
from timevalg.model.principal import Principal
from timevalg.model.records import Event, Letter, Patient, is_email
from timevalg.model.states import AppointmentState
from timevalg.model.task import Task

MOST_EVENTS = 1000


@use_case("read events")
def read_events(
    ports: Ports, principal: Principal, after: str = "", limit: int = 500
) -> list[Event]:
    """Give what happened after a cursor, in commit order, none skipped; at least once.

    A cursor is the id of the last event read: where the event stands in the feed may change when
    the database is restored.

    Raises
    ------
    CursorLost
        If there is no such event: the reader knows of things that never happened here.
    """
    scope_of("read events", principal)
    limit = max(1, min(limit, MOST_EVENTS))

    def body(unit: UnitOfWork) -> list[Event]:
        own: list[Event] = []
        place = unit.events.place_of(after) if after else ""
        if place is None:
            raise CursorLost(after)
        while True:
            page = unit.events.read(place, limit)
            own += [e for e in page if principal.clinics is None or e.clinic in principal.clinics]
            if len(own) >= limit or len(page) < limit:
                return [replace(e, cursor=e.id) for e in own[:limit]]
            place = page[-1].cursor

    found = ports.store.run(principal.organisation, body, write=False)
    if found:
        run(ports, principal, "read events", lambda act: act.audit("event feed", found[-1].id))
    return found


@use_case("read")
def read_task(ports: Ports, principal: Principal, key: str) -> Task:
    """Give a task."""
    return run(ports, principal, "read", lambda act: act.task(key))


def read_appointment(ports: Ports, principal: Principal, key: str) -> Appointment:
    """Give an appointment by id or by the record system's ref."""
    return run(ports, principal, "read", lambda act: act.appointment(key))


def appointment_of(ports: Ports, principal: Principal, task: str) -> Appointment | None:
    """Give the appointment of a task that stands, else the newest, if it has one."""

    def body(act: Act) -> Appointment | None:
        found = act.unit.appointments.find(order="-created_at", task=act.task(task).id)
        standing = [a for a in found if a.state is not AppointmentState.CANCELLED]
        return next(iter(standing + found), None)

    return run(ports, principal, "read", body)


def preparations_of(ports: Ports, principal: Principal, appointment: str) -> list[Preparation]:
    """Give what must be done before a visit, by date."""
    return run(
        ports,
        principal,
        "read",
        lambda act: act.unit.preparations.find(
            order="due", appointment=act.appointment(appointment).id
        ),
    )


def letters_of(ports: Ports, principal: Principal, appointment: str) -> list[Letter]:
    """Give the letters about a visit, oldest first."""
    return run(
        ports,
        principal,
        "read",
        lambda act: act.unit.letters.find(
            order="created_at", appointment=act.appointment(appointment).id
        ),
    )


def read_letter(ports: Ports, principal: Principal, key: str) -> Letter:
    """Give a letter, to whoever may read what it is about."""

    def body(act: Act) -> Letter:
        letter = act.unit.letters.get(key)
        try:
            if letter.appointment is not None:
                act.appointment(letter.appointment)
            else:
                act.task(letter.task or "")
        except NotFound:  # it must not tell what the letter is about
            raise NotFound("letter", key) from None
        return letter

    return run(ports, principal, "read", body)


@use_case("find patient", keyed=False)
def find_patient(
    ports: Ports, principal: Principal, identity: str | None = None, *, key: str | None = None
) -> Patient:
    """Give the patient with an identity number, found by a keyed hash of it, or with an id.

    Raises
    ------
    NotFound
        If there is none; the message does not repeat the number.
    """
    scope_of("find patient", principal)
    if (identity is None) == (key is None):
        raise InvalidInput.single("identity", "give either an identity number or an id")
    require_pseudonymous(key or "")
    person = None if identity is None else ports.pseudonym(IdentityNumber.read(identity).digits)

    def body(act: Act) -> Patient:
        if person is not None:
            found = act.unit.patients.find(person=person)
        else:
            found = act.unit.patients.find(id=surviving(act.unit, key or "").id)
        if not found and key is not None:
            raise NotFound("patient", key)
        if not found:
            raise NotFound("patient", "with this identity number")
        require_theirs(act.unit, principal.clinics, found[0].id)
        act.audit("patient", found[0].id, found[0].id)
        return found[0]

    return run(ports, principal, "find patient", body)


@use_case("register patient")
def register_patient(
    ports: Ports,
    principal: Principal,
    patient: Patient,
    confidential: bool | None = None,
    version: int | None = None,
) -> Patient:
    """Store (or change) a patient's name, language and addresses; its event says of whom only.

    An identity number or date of birth that is known stays if none is given; the date of birth
    is taken from the number.

    Parameters
    ----------
    confidential : bool or None
        Whether the patient lives at a confidential address; None = as it was.
    version : int or None
        As it was read, 0 where nothing is known yet; None = whatever is.

    Raises
    ------
    StaleVersion
        If somebody has changed it meanwhile.
    NotFound
        If it is a patient of other clinics than the principal's.
    InvalidInput
        If the id is itself an identity number, or the number may not be used here.
    Conflict
        If another patient has the number.
    """
    scope_of("register patient", principal)
    require_pseudonymous(patient.id)
    if patient.email is not None and not is_email(patient.email):
        raise InvalidInput.single("email", "is not one plain address, as kari@example.no is")

    def body(act: Act) -> Patient:
        act.unit.lock([f"p:{surviving(act.unit, patient.id).id}"])
        known = surviving(act.unit, patient.id)
        require_not_of_others(act.unit, principal.clinics, known.id)
        require_version(act.unit, known, version)
        act.audit("patient", known.id, known.id)
        fields = ("language", "name", "email", "phone")
        said = {field: getattr(patient, field) for field in fields}
        said |= {
            "birth": patient.birth or known.birth,
            "confidential": known.confidential if confidential is None else confidential,
        }
        if patient.identity is not None:
            number = admitted(act.unit, patient.identity)
            said |= {"identity": number.digits, "person": ports.pseudonym(number.digits)}
            said["birth"] = said["birth"] or number.birth
        elif known.identity is None and is_for_verification(act.unit):
            raise InvalidInput.single("identity", "is needed here, and must be synthetic")
        kept = keep(act.unit, replace(known, **said))
        act.event("patient.registered", "patient", "", kept.id, kept.version)
        return kept

    return run(ports, principal, "register patient", body)
