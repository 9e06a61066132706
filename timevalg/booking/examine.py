"""Examine: is everything that must be true of an organisation's rows true?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from timevalg.booking.access import scope_of
from timevalg.booking.ports import Ports
from timevalg.booking.soundness import CHECKS, Chart
from timevalg.booking.use_cases import use_case
from timevalg.model.errors import InvalidInput
from timevalg.model.principal import Principal
from timevalg.model.soundness import Finding


@dataclass(frozen=True)
class Examined:
    """What an examination found.

    Attributes
    ----------
    looked_at : mapping
        How many rows of each kind.
    """

    findings: tuple[Finding, ...]
    looked_at: Mapping[str, int]


@use_case("examine")
def examine(ports: Ports, principal: Principal) -> Examined:
    """Do every check on one snapshot; bookings go on beside it. Nothing is changed or noted."""
    scope_of("examine", principal)
    organisation = principal.organisation
    try:
        chart = ports.store.run(organisation, Chart.read, write=False)
    except (ValueError, InvalidInput) as error:
        what = f"a row is not what it must be: {error}"
        cure = "the database's checks are gone (timevalg doctor); restore from a backup"
        return Examined((Finding("rows", what, cure, organisation),), {})
    findings = tuple(
        Finding(name, what, cure, organisation)
        for name, check in CHECKS.items()
        for what, cure in check(chart)
    )
    counts = {
        "sessions": len(chart.sessions),
        "claims": len(chart.claims),
        "tasks": len(chart.tasks),
        "appointments": len(chart.appointments),
    }
    return Examined(findings, counts)
