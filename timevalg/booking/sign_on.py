"""Sign on: from who a token speaks of to who acts here, with which rights.

Whom a token names acts by what is registered here: staff and systems by their rights, patients by
their identity number, representatives by what makes them that. It is looked up at sign-on, and
again in the transaction of each act.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from timevalg.booking.patients import surviving
from timevalg.booking.ports import Ports
from timevalg.booking.standing import GRANTABLE, clinics_of
from timevalg.booking.unit_of_work import UnitOfWork
from timevalg.model.errors import NotAllowed, NotSignedOn
from timevalg.model.identity import Asking, Identity
from timevalg.model.principal import PERSONAL, Principal, RoleName
from timevalg.model.right import NOWHERE, Clinics, both

INNER = frozenset({RoleName.WORKER})
"""Roles that nobody signs on to."""


def sign_on(ports: Ports, identity: Identity, channel: str, asking: Asking) -> Principal:
    """Give the principal of a token.

    Parameters
    ----------
    asking : Asking
        As whom and in which organisation, where the token leaves that open.

    Raises
    ------
    NotSignedOn
        If it does not say enough.
    NotAllowed
        If nothing here gives its bearer the role.
    """
    found = _found(ports, identity, channel, asking)
    return replace(found, address=identity.client)


def _found(ports: Ports, identity: Identity, channel: str, asking: Asking) -> Principal:
    if identity.granted:
        return granted(identity, channel)
    if identity.organisation is not None:
        return _employed(ports, identity, channel, asking)
    if identity.person is None:
        raise NotSignedOn("the token names neither a person nor an organisation")
    if not asking.organisation:
        raise NotSignedOn("the token names no organisation")
    return _citizen(ports, identity.person, channel, asking)


def granted(identity: Identity, channel: str) -> Principal:
    """Give the principal of a token that is a right in itself (development only).

    Raises
    ------
    NotSignedOn
        If it does not say enough.
    """
    said = identity.granted
    try:
        role, organisation = RoleName(said["role"]), said["organisation"]
    except (KeyError, ValueError):
        raise NotSignedOn("the token names no role, or no organisation") from None
    if role in INNER or (role in PERSONAL and not said.get("patient")):
        raise NotSignedOn(f"the token does not say enough for a {role}")
    clinics = frozenset({said["clinic"]}) if said.get("clinic") else None
    patient = said.get("patient") if role in PERSONAL else None
    return Principal(identity.subject, role, organisation, clinics, patient, channel)


def acting_as(
    ports: Ports, organisation: str, holder: str, role: RoleName, channel: str
) -> Principal:
    """Give the principal of a holder of rights, wherever their role stands at this moment.

    Raises
    ------
    NotAllowed
        If it does nowhere.
    """
    clinics = ports.store.run(
        organisation, lambda unit: clinics_of(unit, holder, role), write=False
    )
    if clinics == NOWHERE:
        raise NotAllowed("sign on", role, "no right here stands")
    return Principal(holder, role, organisation, clinics, None, channel, by_rights=True)


def holders_of(ports: Ports, identity: Identity) -> Iterator[str]:
    """Give the names under which the bearer of a token may hold rights; a person before all."""
    if identity.professional is not None:
        yield f"hpr:{identity.professional}"
    if identity.person is not None:
        yield ports.pseudonym(identity.person)
    if identity.professional is None and identity.person is None and identity.client:
        yield f"client:{identity.client}"


def _employed(ports: Ports, identity: Identity, channel: str, asking: Asking) -> Principal:
    """Find the rights of staff or of a system; a token for one unit reaches no further."""
    organisation = identity.organisation or ""
    if asking.organisation not in {"", organisation}:
        raise NotSignedOn("the token is for another organisation")
    roles = [r for r in GRANTABLE if asking.role in {"", r}]

    def look(unit: UnitOfWork) -> tuple[str, RoleName, Clinics] | None:
        units = unit.units.find(id=identity.unit) if identity.unit else []
        only = frozenset(units[0].clinics) if units else None
        for role in roles:
            for holder in holders_of(ports, identity):
                clinics = both(clinics_of(unit, holder, role), only)
                if clinics != NOWHERE:
                    return holder, role, clinics
        return None

    found = ports.store.run(organisation, look, write=False)
    if found is None:
        raise NotAllowed("sign on", asking.role or "stranger", "no right here stands")
    holder, role, clinics = found
    return Principal(holder, role, organisation, clinics, None, channel, by_rights=True)


def _citizen(ports: Ports, number: str, channel: str, asking: Asking) -> Principal:
    """Find the patient that a person is, or (unless they name themselves) acts for."""
    person = ports.pseudonym(number)

    def look(unit: UnitOfWork) -> tuple[str, bool]:
        found = unit.patients.find(person=person)
        own = found[0].id if found else person
        patient = asking.patient or own
        return patient, patient == own or surviving(unit, patient).id == own

    patient, is_own = ports.store.run(asking.organisation, look, write=False)
    role = RoleName.PATIENT if is_own else RoleName.REPRESENTATIVE
    if asking.role not in {"", role}:
        raise NotAllowed("sign on", asking.role, "people sign on as themselves, or for a patient")
    return Principal(person, role, asking.organisation, None, patient, channel, by_rights=True)
