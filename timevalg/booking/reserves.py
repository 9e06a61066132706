"""List reserves: the place of every live task, and what is missing where there is none."""

from __future__ import annotations

from dataclasses import replace

from timevalg.booking.access import scope_of
from timevalg.booking.ports import Ports
from timevalg.booking.running import picture_of, run
from timevalg.booking.use_cases import use_case
from timevalg.model.principal import Principal
from timevalg.solver.reserves import Reserves, reserve


@use_case("list reserves")
def list_reserves(ports: Ports, principal: Principal) -> Reserves:
    """Say what every live task of the principal's clinics can count on; changes nothing.

    A task that lost its place to a capacity loss gets one here if there is any: where it could go,
    not where it is.
    """
    scope_of("list reserves", principal)
    run(
        ports,
        principal,
        "list reserves",
        lambda act: act.audit("reserves", principal.organisation),
    )
    picture = picture_of(ports, principal)
    found = reserve(picture, ports.prover.solve)
    if principal.clinics is None:
        return found
    return replace(
        found,
        places={k: s for k, s in found.places.items() if s.clinic in principal.clinics},
        unservable=tuple(row for row in found.unservable if row[0].clinic in principal.clinics),
    )
