"""Rights: trust → unit → clinic, given on and taken back; nobody gives more than they have.

Whether a right stands is worked out at each act, along the chain of rights it was given from: its
role, clinics and time are those that every link of the chain has. So what the giver loses is lost
by all who have it from them, at the same moment, and there is nothing to be cleared away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from timevalg.booking.access import scope_of
from timevalg.booking.acting import Act
from timevalg.booking.own import require_whole
from timevalg.booking.ports import Ports
from timevalg.booking.running import run
from timevalg.booking.standing import GRANTABLE, chain_of, covers, reach_of
from timevalg.booking.unit_of_work import UnitOfWork
from timevalg.booking.use_cases import use_case
from timevalg.booking.versions import require_number, require_version
from timevalg.model.errors import InvalidInput, NotAllowed, NotFound
from timevalg.model.principal import Principal, RoleName
from timevalg.model.right import NOWHERE, Clinics, Right, Unit, within

HOLDERS = ("hpr:", "person:", "client:")
"""How the names of those who can hold rights begin."""


@dataclass(frozen=True)
class Gift:
    """What is to be given; fields as in `timevalg.model.right.Right`."""

    holder: str
    role: RoleName
    unit: str | None = None
    clinic: str | None = None
    starts: datetime | None = None
    ends: datetime | None = None
    may_delegate: bool = False

    def __post_init__(self) -> None:
        if not self.holder.startswith(HOLDERS) or self.holder in HOLDERS:
            raise InvalidInput.single("holder", f"begins with one of {', '.join(HOLDERS)}")
        if self.role not in GRANTABLE:
            raise InvalidInput.single("role", f"{self.role} is nobody's to give")
        if self.unit is not None and self.clinic is not None:
            raise InvalidInput.single("clinic", "give a unit or a clinic, not both")
        if self.starts is not None and self.ends is not None and self.ends <= self.starts:
            raise InvalidInput.single("ends", "is not after starts")


@dataclass(frozen=True)
class Standing:
    """A right, and where it holds now: nowhere, some clinics, or (None) all."""

    right: Right
    clinics: Clinics


@use_case("give right")
def give_right(
    ports: Ports, principal: Principal, gift: Gift, giver: str | None = None, reason: str = ""
) -> Right:
    """Give somebody a right, of one's own or (an operator, at the machine) of the organisation's.

    Parameters
    ----------
    giver : str or None
        One's own right that it is given from.

    Raises
    ------
    NotFound
        If `giver` is not one's own, or the unit is not known.
    NotAllowed
        If it is more than one has: in role, place or time.
    """
    scope_of("give right", principal)

    def body(act: Act) -> Right:
        now = act.unit.now()
        if gift.unit is not None:
            act.unit.units.get(gift.unit)
        right = Right(
            id=act.ports.keys.new("right"),
            organisation=act.unit.organisation,
            holder=gift.holder,
            role=gift.role,
            unit=gift.unit,
            clinic=gift.clinic,
            starts=gift.starts or now,
            ends=gift.ends,
            given_at=now,
            by=principal.id,
            giver=giver,
            may_delegate=gift.may_delegate,
        )
        if giver is None:
            _require_operator(principal)
        else:
            _require_less(act.unit, principal, right, giver)
        act.unit.rights.add(right)
        act.audit("right", right.id)
        return right

    return run(ports, principal, "give right", body, reason=reason)


@use_case("revoke right", keyed=False)
def revoke_right(
    ports: Ports, principal: Principal, key: str, reason: str = "", version: int | None = None
) -> Right:
    """Take a right back, and with it all that was given from it; again changes nothing.

    Its holder may, whoever it was given by, and those they have their own from.

    Raises
    ------
    NotFound
        If it is none of theirs.
    StaleVersion
    """
    scope_of("revoke right", principal)

    def body(act: Act) -> Right:
        act.unit.lock([f"right:{key}"])
        right = act.unit.rights.get(key)
        if not _is_above(act.unit, principal, right):
            raise NotFound("right", key)
        require_version(act.unit, right, version)
        if right.revoked_at is not None:
            return right
        act.audit("right", key)
        now = act.unit.now()
        return act.unit.rights.save(replace(right, revoked_at=now, revoked_by=principal.id))

    return run(ports, principal, "revoke right", body, reason=reason)


@use_case("list rights", keyed=False)
def list_rights(
    ports: Ports, principal: Principal, holder: str = "", after: str = "", limit: int | None = None
) -> list[Standing]:
    """Give one's own rights and all that were given from them, with where each holds now.

    Parameters
    ----------
    holder : str
        Only this one's; empty = all.
    after : str
        The last id of the page before; they come in the order in which they were given.
    """
    scope_of("list rights", principal)

    def body(act: Act) -> list[Standing]:
        act.audit("right list", principal.organisation)
        known = {right.id: right for right in act.unit.rights.find()}
        mine = [
            right
            for right in sorted(known.values(), key=_age)
            if (_is_operator(principal) or principal.id in _holders(right, known))
            and holder in {"", right.holder}
        ]
        if after:
            last = next((right for right in mine if right.id == after), None)
            if last is None:
                raise NotFound("right", after)
            mine = [right for right in mine if _age(right) > _age(last)]
        units = _units(act.unit)
        now = act.unit.now()
        return [Standing(right, reach_of(right, known, units, now)) for right in mine[:limit]]

    return run(ports, principal, "list rights", body)


def read_right(ports: Ports, principal: Principal, key: str) -> Standing:
    """Give one of them."""
    scope_of("list rights", principal)

    def body(act: Act) -> Standing:
        act.audit("right", key)
        known = chain_of(act.unit, [key])
        right = known.get(key)
        if right is None or not _is_above(act.unit, principal, right):
            raise NotFound("right", key)
        return Standing(right, reach_of(right, known, _units(act.unit), act.unit.now()))

    return run(ports, principal, "list rights", body)


def list_units(ports: Ports, principal: Principal) -> list[Unit]:
    """Give the organisation's units, to whoever may give rights in them."""
    scope_of("list rights", principal)

    def body(act: Act) -> list[Unit]:
        act.audit("unit list", principal.organisation)
        return act.unit.units.find()

    return run(ports, principal, "list rights", body)


@use_case("set unit", keyed=False)
def set_unit(
    ports: Ports, principal: Principal, unit: Unit, reason: str = "", version: int | None = None
) -> Unit:
    """Say which clinics a unit has; rights in the unit follow at once.

    Parameters
    ----------
    version : int or None
        As it was read, 0 where there is none yet; None = whatever is.

    Raises
    ------
    NotAllowed
        If the principal acts for some clinics only.
    InvalidInput
        If a clinic has not been published.
    StaleVersion
    """
    require_whole(principal, "set unit")

    def body(act: Act) -> Unit:
        _require_clinics(act.unit, unit)
        act.unit.lock([f"unit:{unit.id}"])
        act.audit("unit", unit.id)
        known = act.unit.units.find(id=unit.id)
        require_number("unit", unit.id, known[0].version if known else 0, version)
        if known:
            return act.unit.units.save(replace(unit, version=known[0].version))
        act.unit.units.add(unit)
        return unit

    return run(ports, principal, "set unit", body, reason=reason)


def _require_clinics(unit: UnitOfWork, asked: Unit) -> None:
    missing = [c for c in sorted(set(asked.clinics)) if not unit.publications.count(clinic=c)]
    if missing:
        known = sorted(unit.publications.newest())
        there_is = f"name one of {', '.join(known)}, or " if known else ""
        raise InvalidInput.single(
            "clinics",
            f"there is no clinic {' nor '.join(missing)}; {there_is}publish its file first",
        )


def _age(right: Right) -> tuple[datetime, str]:
    return right.given_at, right.id


def _require_operator(principal: Principal) -> None:
    if not _is_operator(principal):
        raise NotAllowed("give right", principal.role, "say which of your own it is given from")


def _is_operator(principal: Principal) -> bool:
    """Tell whether somebody is at the machine itself, and has no right that ends elsewhere."""
    whole = principal.clinics is None and not principal.by_rights
    return principal.role is RoleName.OPERATOR and whole


def _require_less(unit: UnitOfWork, principal: Principal, right: Right, giver: str) -> None:
    """Refuse what is more than the giver's own right, in any respect."""
    known = chain_of(unit, [giver])
    own = known.get(giver)
    if own is None or own.holder != principal.id:
        raise NotFound("right", giver)
    units = _units(unit)
    have = reach_of(own, known, units, unit.now())
    asked = reach_of(replace(right, giver=None), {}, units, right.starts)
    rules = (
        (own.may_delegate, "it may not be given on"),
        (have != NOWHERE, "it does not hold now"),
        (covers(own.role, right.role), f"a {right.role} may do what a {own.role} may not"),
        (within(asked, have), "it reaches further"),
        (right.starts >= own.starts, "it begins before"),
        (own.ends is None or (right.ends is not None and right.ends <= own.ends), "it ends after"),
    )
    for kept, why in rules:
        if not kept:
            raise NotAllowed("give right", principal.role, why)


def _holders(right: Right, known: Mapping[str, Right]) -> set[str]:
    """Give the holders of a right and of those it was given from."""
    holders, seen, link = set[str](), set[str](), known.get(right.id)
    while link is not None and link.id not in seen:
        seen.add(link.id)
        holders.add(link.holder)
        link = known.get(link.giver or "")
    return holders


def _is_above(unit: UnitOfWork, principal: Principal, right: Right) -> bool:
    known = chain_of(unit, [right.id])
    return _is_operator(principal) or principal.id in _holders(right, known)


def _units(unit: UnitOfWork) -> dict[str, Unit]:
    return {found.id: found for found in unit.units.find()}
