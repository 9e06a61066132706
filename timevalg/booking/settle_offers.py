"""Settle offers: all safe offers of a task, those that only a prover finds included."""

from __future__ import annotations

from timevalg.booking.acting import picture_of, run, use_case
from timevalg.booking.look import require_choosable
from timevalg.booking.ports import Ports
from timevalg.model.principal import Principal
from timevalg.solver.settle_offers import SettledOffers, offers_settled


@use_case("settle offers")
def settle_offers(
    ports: Ports, principal: Principal, key: str, limit: int | None = None
) -> SettledOffers:
    """Give the best safe offers for a task, with as much time as it takes.

    Raises
    ------
    NotFound, NotAllowed
    IllegalMove
        If nothing can be chosen in the task's state.
    """
    task = run(ports, principal, "settle offers", lambda act: act.task(key))
    picture = picture_of(ports, principal)
    require_choosable(picture, task)
    session = ports.keys.new("session")
    return offers_settled(picture, task, picture.now, ports.prover.solve, key=session, limit=limit)
