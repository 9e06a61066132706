"""Who owns appointments: the record system, or timevalg. Set once for an organisation.

timevalg always owns tasks, holds and places. Where the *record system* owns appointments (as it
does until somebody says otherwise), its calendar is the truth: its rows move and cancel any visit,
and one that breaks a rule of its pool is booked all the same, with the broken rules on the staff
list. Where *timevalg* owns them, a row may not move or cancel a visit that was chosen or assigned
here, nor break a rule: it is a conflict for staff. Visits that came from the record system remain
its to move and cancel. Whoever owns them, nothing overlaps: such a row is always a conflict.
"""

from __future__ import annotations

from dataclasses import replace

from timevalg.booking.access import scope_of
from timevalg.booking.acting import Act
from timevalg.booking.ports import Ports
from timevalg.booking.running import run
from timevalg.booking.unit_of_work import UnitOfWork
from timevalg.booking.use_cases import use_case
from timevalg.model.errors import NotAllowed
from timevalg.model.principal import Principal
from timevalg.model.records import Owner, Ownership

APPOINTMENTS = "appointments"


def owner_of_appointments(unit: UnitOfWork) -> Owner:
    """Give who owns the organisation's appointments."""
    found = unit.ownerships.find(id=APPOINTMENTS)
    return found[0].owner if found else Owner.RECORD_SYSTEM


@use_case("set owner")
def set_owner(ports: Ports, principal: Principal, owner: Owner, reason: str = "") -> Ownership:
    """Set who owns the organisation's appointments; the same again changes nothing.

    Raises
    ------
    NotAllowed
        If the principal acts for some clinics only: it concerns them all.
    """

    def body(act: Act) -> Ownership:
        act.unit.lock((), whole=True)  # no row is half taken in by the one rule, half by the other
        found = act.unit.ownerships.find(id=APPOINTMENTS)
        was = found[0] if found else None
        if was is not None and was.owner is owner:
            return was
        now = act.unit.now()
        new = Ownership(APPOINTMENTS, principal.organisation, owner, now, principal.id)
        if was is None:
            act.unit.ownerships.add(new)
        else:
            new = act.unit.ownerships.save(replace(new, version=was.version))
        act.audit("organisation", principal.organisation)
        act.event(
            "organisation.owner-set",
            "organisation",
            "",
            principal.organisation,
            new.version,
            old={"appointments": was.owner if was else Owner.RECORD_SYSTEM},
            new={"appointments": owner},
        )
        return new

    require_whole(principal, "set owner")
    return run(ports, principal, "set owner", body, reason=reason)


def require_whole(principal: Principal, verb: str) -> None:
    """Refuse whoever acts for some clinics only what concerns the whole organisation.

    Raises
    ------
    NotAllowed
    """
    scope_of(verb, principal)
    if principal.clinics is not None:
        raise NotAllowed(verb, principal.role, "it concerns every clinic, not only some")
