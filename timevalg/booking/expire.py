"""Expire holds: only tidying up, since an expired hold counts for nothing anyway."""

from __future__ import annotations

from timevalg.booking.acting import Act
from timevalg.booking.claiming import drop_holds
from timevalg.booking.ports import Ports
from timevalg.booking.running import run
from timevalg.booking.use_cases import use_case
from timevalg.model.principal import Principal


@use_case("expire holds")
def expire_holds(ports: Ports, principal: Principal) -> int:
    """Remove every hold that has expired; one that was its task's place leaves the place."""

    def body(act: Act) -> int:
        expired = act.unit.sessions.expired(act.unit.now())
        act.unit.lock([c.subject for hold in expired for c in hold.claims()])
        drop_holds(act, expired)
        return len(expired)

    return run(ports, principal, "expire holds", body)
