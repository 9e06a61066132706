"""Two acts on one task are told in the order in which they happened."""

import threading

import pytest

from tests.integration.truth.scenes import own_ports, patient, side_by_side
from tests.world import oslo
from timevalg.booking import cancel, reliving
from timevalg.booking.acting import Act
from timevalg.model.states import AppointmentState


@pytest.mark.parametrize("guarded", [True, False])
def test_cancel_beside_check(on_postgres, guarded):
    """A check that starts once a cancellation has begun to write comes after it, or not at all."""
    world = on_postgres.world()
    task = world.invited("p-1", ("manual",))
    visit = world.patient("p-1").choose(task, oslo(2027, 1, 20, 9))
    void, begun, checked = reliving.void_preparations, threading.Event(), threading.Event()

    def slowly(act, visit):
        void(act, visit)  # the first that a cancellation writes
        begun.set()
        checked.wait(1.0)  # in vain, where the check has to wait for the cancellation

    def check():
        begun.wait(10)
        try:
            return world.desk.check(task, confirm=True)
        finally:
            checked.set()

    on_postgres.patch.setattr(reliving, "void_preparations", slowly)
    if not guarded:
        on_postgres.patch.setattr(Act, "_alone", lambda act, key: False)
    who = patient("p-1")
    side_by_side(lambda: cancel.cancel(own_ports(world), who, visit.id), check)

    told = [e.type for e in world.events() if e.appointment == visit.id]
    assert (told[-1] == "appointment.cancelled") is guarded, told
    # Without the guard the cancellation is overtaken, and refused as stale.
    assert (world.visit(task).state is AppointmentState.CANCELLED) is guarded
