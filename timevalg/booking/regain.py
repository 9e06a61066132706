"""Regain places: whoever has lost theirs gets one as soon as time has come back."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from timevalg.booking.acting import Act
from timevalg.booking.attempts import settle
from timevalg.booking.claiming import Wanted, claim_all
from timevalg.booking.ports import Ports
from timevalg.booking.reliving import homeless
from timevalg.booking.running import regain_later
from timevalg.booking.unit_of_work import UnitOfWork
from timevalg.booking.use_cases import use_case
from timevalg.model.errors import TimeTaken
from timevalg.model.principal import Principal, worker
from timevalg.model.records import CaseKind
from timevalg.solver.picture import Picture
from timevalg.solver.places import Plan, plan

STEPS = 4_000
"""Steps of a plan for those who have lost their places before others are invited."""


@use_case("regain places", keyed=False)
def regain_places(ports: Ports, principal: Principal, steps: int | None = None) -> int:
    """Give those who have lost their places new ones, as far as there are any; gives how many.

    It is done within a minute after time has come back, before others are invited, and every day
    for as long as somebody is without.

    Parameters
    ----------
    steps : int or None
        See `timevalg.solver.places.plan`.

    Raises
    ------
    NotAllowed
    TimeTaken
        If others were quicker each time.
    """

    def find(picture: Picture) -> Plan:
        return plan(picture, homeless(picture), picture.now, steps=steps)

    def body(act: Act, picture: Picture, made: Plan) -> int:
        tasks = {c.claim.task or "": picture.tasks[c.claim.task or ""] for c in made.placed}
        if tasks:
            act.unit.lock([f"t:{key}" for key in tasks])
            if {t.id: t for t in act.unit.tasks.find(id=frozenset(tasks))} != tasks:
                raise TimeTaken("a task has changed meanwhile; its place")
            claim_all(act, picture, map(Wanted, made.placed))
            act.close(kind=CaseKind.CAPACITY_LOSS, task=frozenset(tasks))
        if made.unplaced:
            regain_later(act, timedelta(days=1))
        return len(tasks)

    return settle(ports, principal, "regain places", find, body)


def with_places_regained(picture: Picture) -> Picture:
    """Give the picture in which `regain_first` would leave everybody."""
    return plan(picture, homeless(picture), picture.now, steps=STEPS).picture


def regain_first(ports: Ports, organisation: str) -> None:
    """Let those go before others who have lost their places, if there are any.

    Where others are quicker each time, they are left to the work that waits for them.
    """

    def lost(unit: UnitOfWork) -> int:
        return unit.cases.count(kind=CaseKind.CAPACITY_LOSS, closed_at=None)

    if ports.store.run(organisation, lost, write=False):
        by_itself = replace(ports, key=None, once=None, in_hand=None)
        with suppress(TimeTaken):
            regain_places(by_itself, worker(organisation), STEPS)
