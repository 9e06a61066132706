"""Verification in production: an organisation of nobody, in which everything else is real.

One that is marked takes only patients with synthetic identity numbers, its letters are kept and
never sent, and it is counted in no figure. Everywhere else synthetic numbers are refused. A mark
stays: its patients would otherwise be counted, or get letters, one day.
"""

from __future__ import annotations

from timevalg.booking.acting import Act
from timevalg.booking.own import require_whole
from timevalg.booking.ports import Ports
from timevalg.booking.running import run
from timevalg.booking.unit_of_work import Between, UnitOfWork
from timevalg.booking.use_cases import use_case
from timevalg.model.errors import IllegalMove, InvalidInput
from timevalg.model.identity_number import IdentityNumber
from timevalg.model.principal import Principal
from timevalg.model.records import Verification

MARK = "verification"


@use_case("mark for verification", keyed=False)
def mark_for_verification(ports: Ports, principal: Principal, reason: str = "") -> Verification:
    """Mark the organisation; again changes nothing.

    Raises
    ------
    IllegalMove
        If it has patients, with whom it began otherwise.
    """

    def body(act: Act) -> Verification:
        act.unit.lock((), whole=True)
        if found := act.unit.verifications.find(id=MARK):
            return found[0]
        if act.unit.patients.count() or act.unit.tasks.count() or act.unit.appointments.count():
            raise IllegalMove("organisation", act.unit.organisation, "in use", act.verb)
        mark = Verification(MARK, act.unit.organisation, act.unit.now(), principal.id)
        act.unit.verifications.add(mark)
        act.audit("organisation", act.unit.organisation)
        return mark

    require_whole(principal, "mark for verification")
    return run(ports, principal, "mark for verification", body, reason=reason)


def is_for_verification(unit: UnitOfWork) -> bool:
    """Tell whether nothing here is about anybody."""
    return unit.verifications.count(id=MARK, since=Between()) > 0


def admitted(unit: UnitOfWork, text: str) -> IdentityNumber:
    """Read the identity number of somebody who may be a patient here.

    Raises
    ------
    InvalidInput
        If it is none, or synthetic where people are treated, or real where nobody is.
    """
    number = IdentityNumber.read(text)
    if number.synthetic and not is_for_verification(unit):
        why = "is synthetic: it belongs in an organisation marked for verification"
        raise InvalidInput.single("identity", why)
    if not number.synthetic and is_for_verification(unit):
        why = "may be somebody's: this organisation, marked for verification, has none of them"
        raise InvalidInput.single("identity", why)
    return number
