"""Sync: the record system's calendar, row by row; late and repeated messages do no harm."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

from timevalg.booking.access import may_see
from timevalg.booking.ports import Ports
from timevalg.booking.running import picture_of, run
from timevalg.booking.take_in import take_in
from timevalg.booking.unit_of_work import Between
from timevalg.booking.use_cases import use_case
from timevalg.model.calendar_row import CalendarRow
from timevalg.model.principal import Principal
from timevalg.model.states import AppointmentState
from timevalg.model.time import require_aware

__all__ = ["CalendarRow", "Synced", "chunks", "sync"]

T = TypeVar("T")

AT_ONCE = 200
"""Rows taken in by one transaction, under the organisation's lock."""


@dataclass(frozen=True)
class Synced:
    """What came of the rows, by ref.

    Attributes
    ----------
    applied, stale : tuple of str
        Taken in; known already in this or a later version.
    missing : tuple of str
        Visits here, starting within the window, that the rows do not name.
    conflicts : tuple of str
        Not taken in; why, and what is free near it, is on the staff list. A later sync of the same
        row tries again.
    broken : tuple of str
        Of those applied, the ones that break a rule: booked, and on the staff list.
    """

    applied: tuple[str, ...]
    stale: tuple[str, ...]
    missing: tuple[str, ...]
    conflicts: tuple[str, ...]
    broken: tuple[str, ...] = ()


@use_case("sync", keyed=False)
def sync(
    ports: Ports,
    principal: Principal,
    rows: Iterable[CalendarRow],
    window: tuple[datetime, datetime] | None = None,
) -> Synced:
    """Take in rows of the record system's calendar.

    A row that overlaps a booking or a block is a conflict for staff, with proposals. What one that
    breaks a rule is, and whether rows may touch visits made here, goes by who owns appointments
    (`timevalg.booking.own`).

    Parameters
    ----------
    rows : iterable of CalendarRow
        In any order, any number of times.
    window : pair of datetime or None
        If given, the rows are all there is between the two: what is missing is reported.
    """
    outcome: dict[str, list[str]] = {"applied": [], "stale": [], "conflicts": [], "broken": []}
    seen: set[str] = set()
    for some in chunks(rows, lambda row: row.ref):
        seen.update(row.ref for row in some)
        picture_of(ports, principal)  # caught up here, so that little is left to do under the lock
        for ref, came in run(ports, principal, "sync", partial(take_in, some)).items():
            outcome[came.what].append(ref)
            if came.what == "broken":
                outcome["applied"].append(ref)
    missing: tuple[str, ...] = ()
    if window is not None:
        between = Between(*(require_aware(w, "window") for w in window))
        known = ports.store.run(
            principal.organisation,
            lambda unit: unit.appointments.find(start=between, state=AppointmentState.BOOKED),
            write=False,
        )
        missing = tuple(
            sorted(
                a.ref for a in known if a.ref and a.ref not in seen and may_see(principal, a.clinic)
            )
        )
    return Synced(
        tuple(outcome["applied"]),
        tuple(outcome["stale"]),
        missing,
        tuple(outcome["conflicts"]),
        tuple(outcome["broken"]),
    )


def chunks(rows: Iterable[T], ref: Callable[[T], str]) -> Iterator[list[T]]:
    """Cut rows into what one transaction takes in: so many at most, none about the same visit."""
    some: dict[str, T] = {}
    for row in rows:
        key = ref(row)
        if key in some or len(some) == AT_ONCE:
            yield list(some.values())
            some = {}
        some[key] = row
    if some:
        yield list(some.values())
