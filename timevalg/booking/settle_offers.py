"""Settle offers: all safe offers of a task, those that only a prover finds included.

What a prover finds is written into the feed, where the index of every process reads it; the task's
next look offers it, and a choice books it, if it still keeps every rule then.
"""

from __future__ import annotations

from timevalg.booking.acting import Act
from timevalg.booking.look import is_choosable, require_choosable
from timevalg.booking.ports import Ports
from timevalg.booking.running import glance, picture_of, run
from timevalg.booking.use_cases import use_case
from timevalg.model.codec import dump
from timevalg.model.principal import Principal
from timevalg.model.records import SETTLED
from timevalg.solver.settle_offers import SettledOffers, offers_settled
from timevalg.solver.wishes import NOTHING, Wishes

MOST = 20
"""Offers kept for a task at most, the best of them."""


@use_case("settle offers")
def settle_offers(
    ports: Ports,
    principal: Principal,
    key: str,
    limit: int | None = None,
    wishes: Wishes = NOTHING,
) -> SettledOffers:
    """Give the best safe offers for a task, with as much time as it takes.

    Raises
    ------
    NotFound, NotAllowed
    IllegalMove
        If nothing can be chosen in the task's state; for a worker there are no offers then.
    """

    def keep(act: Act) -> None:
        task = act.task(key)
        best = found.proved[:MOST]
        if best:
            kept = dump([o.certificate for o in best])
            act.event(SETTLED, "session", task.clinic, task.id, 1, task=task, new={"found": kept})

    task = glance(ports, principal, "settle offers", lambda act: act.task(key))
    picture = picture_of(ports, principal)
    found = SettledOffers(())
    if ports.in_hand is None:
        require_choosable(task)
    if is_choosable(task):
        session = ports.keys.new("session")
        found = offers_settled(
            picture, task, picture.now, ports.prover.solve, key=session, limit=limit, wishes=wishes
        )
    run(ports, principal, "settle offers", keep)
    return found
