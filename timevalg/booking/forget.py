"""Forget the answers to idempotency keys, once they have been kept long enough."""

from __future__ import annotations

from timevalg.booking.acting import Act
from timevalg.booking.once import KEPT
from timevalg.booking.ports import Ports
from timevalg.booking.running import run
from timevalg.booking.use_cases import use_case
from timevalg.model.principal import Principal


@use_case("forget answers")
def forget_answers(ports: Ports, principal: Principal) -> int:
    """Delete every answer older than is promised; gives how many there were."""

    def body(act: Act) -> int:
        return act.unit.answers.forget(act.unit.now() - KEPT)

    return run(ports, principal, "forget answers", body)
