"""What patients decide and are told about who acts for them."""

from __future__ import annotations

from timevalg.api.schemas import privacy as shapes
from timevalg.api.schemas.given import Id
from timevalg.api.surface import OnPorts, Surface, Version, Who
from timevalg.booking.export import export_own
from timevalg.booking.represent import list_representations, withhold
from timevalg.model.principal import PERSONAL

router = Surface(prefix="/v1/patient", tags=["patient"], roles=PERSONAL)


@router.operation("GET", "/representatives", "list representations")
def who_may_act_for_me(ports: OnPorts, who: Who) -> shapes.RepresentativesOut:
    """Tell who may act for me, or might, those whose time is over too."""
    found = list_representations(ports, who, who.patient or "")
    return shapes.RepresentativesOut(
        representatives=[shapes.RepresentativeOut.of(one) for one in found]
    )


@router.operation("POST", "/tasks/{task}/withholding", "withhold", changes=True)
def withhold_a_task(
    ports: OnPorts, who: Who, task: Id, given: shapes.WithholdingIn, version: Version
) -> shapes.WithholdingOut:
    """Decide whether representatives of the patient see a task and its visits."""
    done = withhold(ports, who, "task", task, given.withheld, given.reason, version)
    return shapes.WithholdingOut.of(done)


@router.operation("POST", "/appointments/{appointment}/withholding", "withhold", changes=True)
def withhold_a_visit(
    ports: OnPorts, who: Who, appointment: Id, given: shapes.WithholdingIn, version: Version
) -> shapes.WithholdingOut:
    """Decide whether representatives of the patient see a visit."""
    done = withhold(ports, who, "appointment", appointment, given.withheld, given.reason, version)
    return shapes.WithholdingOut.of(done)


@router.operation("GET", "/data", "export own")
def all_my_data(ports: OnPorts, who: Who) -> shapes.DataOut:
    """Give everything that is kept about me."""
    return shapes.DataOut(**export_own(ports, who))
