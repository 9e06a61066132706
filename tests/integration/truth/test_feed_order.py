"""Two acts on one task are told in the order in which they happened."""

import threading

import pytest

from tests.integration.truth.scenes import own_ports, patient, side_by_side
from tests.world import oslo
from timevalg.booking import cancel
from timevalg.booking.acting import Act
from timevalg.model.states import AppointmentState


@pytest.mark.parametrize("guarded", [True, False])
def test_cancel_beside_check(on_postgres, guarded):
    """A check that starts once a cancellation has begun to write comes after it, or not at all."""
    world = on_postgres.world()
    task = world.invited("p-1", ("manual",))
    visit = world.patient("p-1").choose(task, oslo(2027, 1, 20, 9))
    audit, begun, checked = Act.audit, threading.Event(), threading.Event()

    def slowly(act, *about):
        audit(act, *about)
        if act.verb == "cancel":
            begun.set()
            checked.wait(1.0)  # in vain, where the check has to wait for the cancellation

    def check():
        begun.wait(10)
        try:
            return world.desk.check(task, confirm=True)
        finally:
            checked.set()

    on_postgres.patch.setattr(Act, "audit", slowly)
    if not guarded:
        on_postgres.patch.setattr(Act, "_alone", lambda act, key: False)
    who = patient("p-1")
    side_by_side(lambda: cancel.cancel(own_ports(world), who, visit.id), check)

    told = [e.type for e in world.events() if e.appointment == visit.id]
    after = [e for e in told[told.index("appointment.cancelled") :] if e != "appointment.cancelled"]
    assert world.visit(task).state is AppointmentState.CANCELLED
    assert bool(after) is not guarded, told
