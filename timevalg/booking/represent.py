"""Representation: registered with its dates, ended, and withheld from for one task or visit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

from timevalg.booking.access import scope_of
from timevalg.booking.acting import Act
from timevalg.booking.patients import (
    require_not_of_others,
    require_pseudonymous,
    require_theirs,
    surviving,
)
from timevalg.booking.ports import Ports
from timevalg.booking.represented import thread_of, today
from timevalg.booking.running import run
from timevalg.booking.use_cases import use_case
from timevalg.booking.verification import admitted
from timevalg.booking.versions import require_version
from timevalg.model.errors import InvalidInput, NotAllowed, NotFound
from timevalg.model.principal import PERSONAL, Principal
from timevalg.model.representation import OF_CHILDREN, Basis, Representation, Withholding


@dataclass(frozen=True)
class Bond:
    """What is to be registered; fields as in `timevalg.model.representation.Representation`.

    Attributes
    ----------
    identity : str
        The representative's identity number.
    """

    patient: str
    identity: str
    basis: Basis
    starts: date | None = None
    ends: date | None = None
    shares_address: bool = False
    consents: bool = False
    areas: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.starts and self.ends and self.ends < self.starts:
            raise InvalidInput.single("ends", "is before starts")
        if self.basis not in OF_CHILDREN and (self.shares_address or self.consents):
            raise InvalidInput.single("basis", f"an {self.basis} has neither address nor consent")


@use_case("register representation")
def register_representation(
    ports: Ports, principal: Principal, bond: Bond, reason: str = ""
) -> Representation:
    """Register that somebody may act for a patient; what stood between the two ends with it.

    Raises
    ------
    InvalidInput
        If the number is none, or may not be used here.
    NotAllowed
        If it is the patient's own.
    """
    scope_of("register representation", principal)
    require_pseudonymous(bond.patient)

    def body(act: Act) -> Representation:
        patient = surviving(act.unit, bond.patient)
        require_not_of_others(act.unit, principal.clinics, patient.id)
        act.unit.lock([f"p:{patient.id}"])
        person = ports.pseudonym(admitted(act.unit, bond.identity).digits)
        if person == patient.person:
            raise NotAllowed(act.verb, principal.role, "nobody represents themself")
        starts = bond.starts or today(act.unit)
        made = Representation(
            id=ports.keys.new("representation"),
            organisation=act.unit.organisation,
            patient=patient.id,
            representative=person,
            basis=bond.basis,
            starts=starts,
            ends=bond.ends,
            shares_address=bond.shares_address,
            consents=bond.consents,
            areas=bond.areas,
            registered_at=act.unit.now(),
            by=principal.id,
        )
        for other in act.unit.representations.find(patient=patient.id, representative=person):
            if other.basis is bond.basis:
                _end(act, other, starts)
        act.unit.representations.add(made)
        act.audit("representation", made.id, patient.id)
        return made

    return run(ports, principal, "register representation", body, reason=reason)


@use_case("end representation", keyed=False)
def end_representation(
    ports: Ports, principal: Principal, key: str, reason: str = "", version: int | None = None
) -> Representation:
    """End a representation now; again changes nothing.

    Raises
    ------
    NotFound
        If it is of a patient who is not theirs.
    StaleVersion
    """
    scope_of("end representation", principal)

    def body(act: Act) -> Representation:
        found = act.unit.representations.get(key)
        require_theirs(act.unit, principal.clinics, found.patient)
        act.unit.lock([f"p:{found.patient}"])
        found = act.unit.representations.get(key)
        require_version(act.unit, found, version)
        act.audit("representation", key, found.patient)
        return _end(act, found, today(act.unit))

    return run(ports, principal, "end representation", body, reason=reason)


@use_case("list representations", keyed=False)
def list_representations(ports: Ports, principal: Principal, patient: str) -> list[Representation]:
    """Give who may act, or might, for a patient, those that have ended too.

    Raises
    ------
    NotFound
        If the patient is another than the principal.
    """
    scope_of("list representations", principal)

    def body(act: Act) -> list[Representation]:
        known = surviving(act.unit, patient)
        if principal.role in PERSONAL and surviving(act.unit, principal.patient or "") != known:
            raise NotFound("patient", patient)
        require_theirs(act.unit, principal.clinics, known.id)
        act.audit("representation list", known.id, known.id)
        return act.unit.representations.find(order="starts", patient=known.id)

    return run(ports, principal, "list representations", body)


@use_case("withhold", keyed=False)
def withhold(
    ports: Ports,
    principal: Principal,
    kind: str,
    key: str,
    withheld: bool,
    reason: str = "",
    version: int | None = None,
) -> Withholding:
    """Decide whether representatives see a task with its visits, or a visit without a task.

    Parameters
    ----------
    kind : str
        ``task`` or ``appointment``.
    withheld : bool
        False shows it to a parent from whom the child's age would withhold it.

    Raises
    ------
    NotFound
        If it is not theirs.
    """
    if kind not in {"task", "appointment"}:
        raise InvalidInput.single("kind", f"{kind!r} is neither task nor appointment")

    def body(act: Act) -> Withholding:
        thing = act.task(key, version) if kind == "task" else act.appointment(key, version)
        if thing.patient is None:
            raise NotFound(kind, key)
        thread = thread_of(thing)
        now, by = act.unit.now(), principal.id
        made = Withholding(thread, act.unit.organisation, thing.patient, withheld, now, by)
        known = act.unit.withholdings.find(id=thread)
        if not known:
            act.unit.withholdings.add(made)
            return made
        return act.unit.withholdings.save(replace(made, version=known[0].version))

    return run(ports, principal, "withhold", body, reason=reason)


def _end(act: Act, found: Representation, day: date) -> Representation:
    """Let it end before a day, if it does not."""
    last = day - timedelta(days=1)
    if found.ends is not None and found.ends <= last:
        return found
    return act.unit.representations.save(replace(found, ends=last))
