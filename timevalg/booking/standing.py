"""Does what a principal acts by stand at this moment? Asked in the transaction of each act."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from timevalg.booking.access import ACCESS
from timevalg.booking.represented import require_own, require_representative
from timevalg.booking.unit_of_work import UnitOfWork
from timevalg.model.errors import NotAllowed
from timevalg.model.principal import PERSONAL, Principal, RoleName
from timevalg.model.right import NOWHERE, Clinics, Right, Unit, both, within

GRANTABLE = tuple(r for r in RoleName if r not in PERSONAL and r is not RoleName.WORKER)
"""Roles that rights can be given to; the first that somebody has is theirs unless they say."""


def covers(role: RoleName, other: RoleName) -> bool:
    """Tell whether one role may do all that another may, by the table of access itself."""
    return all(role in row and row[role] == row[other] for row in ACCESS.values() if other in row)


def require_standing(unit: UnitOfWork, principal: Principal, verb: str) -> None:
    """Refuse whoever acts by rights that do not stand (any more), or not so far.

    Raises
    ------
    NotAllowed
    NotFound
        Of a patient who is not theirs.
    """
    if not principal.by_rights:
        return
    if principal.role is RoleName.PATIENT:
        require_own(unit, principal)
        return
    if principal.role is RoleName.REPRESENTATIVE:
        require_representative(unit, principal)
        return
    held = clinics_of(unit, principal.id, principal.role)
    if held == NOWHERE or not within(principal.clinics, held):
        raise NotAllowed(verb, principal.role, "the right to it does not stand; sign on again")


def clinics_of(unit: UnitOfWork, holder: str, role: RoleName) -> Clinics:
    """Give where somebody has a role at this moment, by all their rights together."""
    own = [right for right in unit.rights.find(holder=holder) if covers(right.role, role)]
    if not own:
        return NOWHERE
    known = chain_of(unit, [right.id for right in own])
    units = {found.id: found for found in unit.units.find()}
    reaches = [reach_of(right, known, units, unit.now()) for right in own]
    found: set[str] = set()
    for reach in reaches:
        if reach is None:
            return None
        found |= reach
    return frozenset(found)


def may(unit: UnitOfWork, holder: str, verb: str, clinics: Clinics) -> bool:
    """Tell whether somebody has the right to a verb in some clinics, in whichever role."""
    roles = [role for role in ACCESS[verb] if role in GRANTABLE]
    held = (clinics_of(unit, holder, role) for role in roles)
    return any(reach != NOWHERE and within(clinics, reach) for reach in held)


def chain_of(unit: UnitOfWork, keys: Iterable[str]) -> dict[str, Right]:
    """Give rights with all that they were given from, by id."""
    known: dict[str, Right] = {}
    wanted = frozenset(keys)
    while wanted:
        found = unit.rights.find(id=wanted)
        known |= {right.id: right for right in found}
        wanted = frozenset(right.giver for right in found if right.giver) - known.keys()
    return known


def reach_of(
    right: Right, known: Mapping[str, Right], units: Mapping[str, Unit], now: datetime
) -> Clinics:
    """Give where a right holds at an instant: what every link of its chain has in common."""
    reach: Clinics = None
    seen: set[str] = set()
    link = right
    while link.stands(now) and link.id not in seen:
        seen.add(link.id)
        reach = both(reach, _place(link, units))
        if link.giver is None:
            return reach
        giver = known.get(link.giver)
        if giver is None or not giver.may_delegate or not covers(giver.role, link.role):
            return NOWHERE
        link = giver
    return NOWHERE


def _place(right: Right, units: Mapping[str, Unit]) -> Clinics:
    if right.clinic is not None:
        return frozenset({right.clinic})
    if right.unit is not None:
        unit = units.get(right.unit)
        return frozenset(unit.clinics) if unit else NOWHERE
    return None
