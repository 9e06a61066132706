"""Acknowledge, arrive, no-show, fulfil: what happens around the visit itself."""

from __future__ import annotations

from timevalg.booking.acting import Act
from timevalg.booking.claiming import release
from timevalg.booking.ports import Ports
from timevalg.booking.running import run
from timevalg.booking.use_cases import use_case
from timevalg.booking.versions import require_version
from timevalg.booking.visits import booking_of
from timevalg.model.appointment import Appointment
from timevalg.model.principal import Principal


@use_case("acknowledge")
def acknowledge(
    ports: Ports, principal: Principal, appointment: str, version: int | None = None
) -> Appointment:
    """Note the patient's "I am coming", with its time; saying it twice changes nothing.

    Raises
    ------
    StaleVersion
        If the visit has changed since: the patient said it of another time.
    """

    def body(act: Act) -> Appointment:
        visit = act.appointment(appointment)
        if visit.acknowledged_at is not None:
            return visit
        require_version(act.unit, visit, version)
        return act.save(
            visit, "appointment.acknowledged", "acknowledge", acknowledged_at=act.unit.now()
        )

    return run(ports, principal, "acknowledge", body)


@use_case("arrive")
def arrive(
    ports: Ports, principal: Principal, appointment: str, version: int | None = None
) -> Appointment:
    """Note that the patient is here."""
    return _note(ports, principal, appointment, version, "arrive")


@use_case("fulfil")
def fulfil(
    ports: Ports, principal: Principal, appointment: str, version: int | None = None
) -> Appointment:
    """Note that the visit has taken place."""
    return _note(ports, principal, appointment, version, "fulfil")


@use_case("no show")
def no_show(
    ports: Ports, principal: Principal, appointment: str, version: int | None = None
) -> Appointment:
    """Note that the patient did not come; what is left of the time is free."""

    def body(act: Act) -> Appointment:
        visit = act.appointment(appointment, version)
        release(act, booking_of(act, visit))
        return act.save(visit, "appointment.no-show", "no show", session=None)

    return run(ports, principal, "no show", body)


def _note(
    ports: Ports, principal: Principal, appointment: str, version: int | None, verb: str
) -> Appointment:
    event = {"arrive": "appointment.arrived", "fulfil": "appointment.fulfilled"}[verb]
    return run(
        ports,
        principal,
        verb,
        lambda act: act.save(act.appointment(appointment, version), event, verb),
    )
