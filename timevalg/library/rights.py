"""What whoever holds rights can do with them; and operators, at the machine itself."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from timevalg.booking import rights, verification
from timevalg.booking.ports import Ports
from timevalg.booking.rights import Standing
from timevalg.library.patient import key_of, made
from timevalg.model.principal import Principal, RoleName
from timevalg.model.records import Verification
from timevalg.model.right import Right, Unit


@dataclass(frozen=True)
class Rights:
    """What whoever holds rights can do with them."""

    ports: Ports
    principal: Principal

    def give(
        self,
        holder: str,
        role: RoleName | str,
        *,
        giver: Right | str | None = None,
        reason: str = "",
        idempotency_key: str | None = None,
        **more: Any,
    ) -> Right:
        """Give somebody a right of one's own (`giver`) or, as operator, of the organisation's.

        Parameters
        ----------
        **more
            ``unit`` or ``clinic``, ``starts``, ``ends``, ``may_delegate``.
        """
        gift = made(lambda: rights.Gift(holder, RoleName(role), **more))
        own = None if giver is None else key_of(giver)
        ports = self.ports if idempotency_key is None else replace(self.ports, key=idempotency_key)
        return rights.give_right(ports, self.principal, gift, own, reason)

    def revoke(self, right: Right | str, reason: str = "", version: int | None = None) -> Right:
        """Take a right back, and all that was given from it."""
        return rights.revoke_right(self.ports, self.principal, key_of(right), reason, version)

    def list(
        self, holder: str = "", after: str = "", limit: int | None = None
    ) -> builtins.list[Standing]:
        """Give one's own rights and all that were given from them, with where each holds now."""
        return rights.list_rights(self.ports, self.principal, holder, after, limit)

    def standing(self, right: Right | str) -> Standing:
        """Give one of them."""
        return rights.read_right(self.ports, self.principal, key_of(right))

    def set_unit(
        self,
        number: str,
        name: str,
        clinics: Iterable[str],
        reason: str = "",
        version: int | None = None,
    ) -> Unit:
        """Say which clinics a unit has (operators only)."""
        unit = Unit(number, self.principal.organisation, name, tuple(sorted(set(clinics))))
        return rights.set_unit(self.ports, self.principal, unit, reason, version)

    def units(self) -> builtins.list[Unit]:
        """Give the organisation's units."""
        return rights.list_units(self.ports, self.principal)

    def mark_for_verification(self, reason: str = "") -> Verification:
        """Say that nobody is treated in the organisation (operators only); it stays so."""
        return verification.mark_for_verification(self.ports, self.principal, reason)
