"""Small changes of a clinic's file: a pool on or off, an absence. Each is a new version of it.

So what patients are offered is said in one place, every change is in its history, and the next
file that a planner publishes counts again.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import date, datetime
from typing import Any

from timevalg.booking.access import allow
from timevalg.booking.acting import Act
from timevalg.booking.change import require_reason
from timevalg.booking.clinic_files import newest_of, put_source, require_newest
from timevalg.booking.ports import Ports
from timevalg.booking.publish import Published
from timevalg.booking.running import run
from timevalg.booking.unit_of_work import Between
from timevalg.booking.use_cases import use_case
from timevalg.model.errors import IllegalMove, InvalidInput, NotFound, WouldStrand
from timevalg.model.principal import Principal
from timevalg.model.records import CaseKind

Change = Callable[[Act, dict[str, Any]], None]
"""Changes a document in place."""
Edge = date | datetime
"""A local date, or a local date-time without an offset."""
AT_ONCE = 10
"""Versions of a file that are read at once."""


@use_case("switch pool")
def switch_pool(
    ports: Ports,
    principal: Principal,
    clinic: str,
    pool: str,
    on: bool,
    reason: str = "",
    override: bool = False,
    version: int | None = None,
) -> Published:
    """Open a pool for choice, or close it: then it has no openings, and nothing is offered in it.

    Switched on, it has the openings that it had last. Whoever has a place in a pool that is closed
    gets another, in one of their other pools.

    Parameters
    ----------
    override : bool
        Close it although some have no other place: named capacity losses.

    Raises
    ------
    WouldStrand
        Naming the tasks that would have no place, unless it is overridden.
    IllegalMove
        If it never had openings.
    InvalidInput
        If it is overridden without a reason.
    """
    require_reason(override, reason)

    def change(act: Act, document: dict[str, Any]) -> None:
        row = _row(document, "pools", "pool", pool)
        if on and not row["open"]:
            row["open"] = _last_openings(act, clinic, pool)
        elif not on:
            row["open"] = []

    def body(act: Act) -> Published:
        open_losses = act.unit.cases.find(kind=CaseKind.CAPACITY_LOSS, closed_at=None)
        lost_before = {case.task for case in open_losses}
        done = _edit(act, clinic, version, change)
        stranded = sorted(set(done.lost) - lost_before)
        if stranded and not on and not override:
            raise WouldStrand(stranded)
        return done

    return run(ports, principal, "switch pool", body, reason=reason)


@use_case("add absence")
def add_absence(
    ports: Ports,
    principal: Principal,
    clinic: str,
    resource: str,
    first: Edge,
    last: Edge,
    reason: str = "",
    version: int | None = None,
) -> Published:
    """Say that a resource is away; places move, visits that cannot stand are for `replan`.

    Parameters
    ----------
    first, last : date or datetime
        Two local dates, both included; or two local date-times, the last one not included.

    Raises
    ------
    NotFound
        If the clinic's file has no such resource.
    InvalidInput
        If the two do not go together.
    """

    def change(_: Act, document: dict[str, Any]) -> None:
        row = _row(document, "resources", "resource", resource)
        absence = {"from": _written(first), "to": _written(last)}
        row["away"] = [*row.get("away", []), absence | ({"reason": reason} if reason else {})]

    return run(ports, principal, "add absence", lambda act: _edit(act, clinic, version, change))


@use_case("remove absence")
def remove_absence(
    ports: Ports,
    principal: Principal,
    clinic: str,
    resource: str,
    number: int,
    version: int | None = None,
) -> Published:
    """Take an absence back.

    Parameters
    ----------
    number : int
        Which one, counted from 0 in the version that was read.
    """

    def change(_: Act, document: dict[str, Any]) -> None:
        row = _row(document, "resources", "resource", resource)
        away = row.get("away", [])
        if not 0 <= number < len(away):
            raise NotFound("absence", f"{resource}:{number}")
        row["away"] = [a for n, a in enumerate(away) if n != number]

    return run(ports, principal, "remove absence", lambda act: _edit(act, clinic, version, change))


def _edit(act: Act, clinic: str, version: int | None, change: Change) -> Published:
    act.unit.lock((), whole=True)
    allow(act.verb, act.principal, kind="clinic", key=clinic, clinic=clinic)
    newest = newest_of(act, clinic)
    if newest is None:
        raise NotFound("clinic", clinic)
    require_newest(newest, clinic, version)
    document = deepcopy(dict(newest.document))
    change(act, document)
    return put_source(act, clinic, document, newest.calendars)


def _row(document: dict[str, Any], section: str, kind: str, key: str) -> dict[str, Any]:
    for row in document.get(section, []):
        if row["id"] == key:
            found: dict[str, Any] = row
            return found
    raise NotFound(kind, key)


def _last_openings(act: Act, clinic: str, pool: str) -> list[Any]:
    find, before = act.unit.publications.find, Between()
    while some := find(order="-version", limit=AT_ONCE, clinic=clinic, version=before):
        for publication in some:
            for row in publication.document.get("pools", []):
                if row["id"] == pool and row["open"]:
                    return list(row["open"])
        before = Between(high=some[-1].version)
    raise IllegalMove("pool", pool, "closed", "switch on", "no version of the file opens it")


def _written(edge: Edge) -> str:
    """Write an end as clinic files do."""
    if isinstance(edge, datetime) and edge.tzinfo is not None:
        raise InvalidInput.single("from", "write the clinic's local time, without an offset")
    return edge.isoformat(timespec="minutes") if isinstance(edge, datetime) else edge.isoformat()
