"""Sign on: from who a token speaks of to who acts here, with which rights."""

from __future__ import annotations

from timevalg.model.errors import NotSignedOn
from timevalg.model.identity import Identity
from timevalg.model.principal import Principal, RoleName

PERSONAL = frozenset({RoleName.PATIENT, RoleName.REPRESENTATIVE})
"""Roles that need to say which patient they act for."""
INNER = frozenset({RoleName.WORKER})
"""Roles that nobody signs on to."""


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
