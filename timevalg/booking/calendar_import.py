"""Import: a whole calendar, row by row as sync takes it in, and going on whatever a row is like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from timevalg.booking.access import scope_of
from timevalg.booking.ports import Ports
from timevalg.booking.running import picture_of, run
from timevalg.booking.sync import chunks
from timevalg.booking.take_in import Came, take_in
from timevalg.booking.use_cases import use_case
from timevalg.model.calendar_row import CalendarRow
from timevalg.model.errors import Busy, Conflict, InvalidInput
from timevalg.model.principal import Principal

WAITS = 20
"""How often one transaction waits for its locks (3 s each on PostgreSQL) before it is given up."""

Numbered = tuple[int, CalendarRow | str]
"""A line's number and its row, or why it is none."""


@dataclass(frozen=True)
class Rejected:
    """A row that was not taken in: its line, counted from 1, its ref if it has one, and why."""

    line: int
    ref: str
    reason: str


@dataclass(frozen=True)
class Imported:
    """How many rows there were, and what came of them.

    Attributes
    ----------
    applied : int
        Taken in, be it new, moved or cancelled.
    broken : int
        Of those, the ones that break a rule, and are on the staff list.
    known : int
        Taken in before, in this or a later version.
    rejected : int
        Not taken in. Those that overlap or name something unknown are on the staff list too.
    """

    rows: int
    applied: int
    broken: int
    known: int
    rejected: int


@use_case("import", keyed=False)
def import_calendar(
    ports: Ports,
    principal: Principal,
    rows: Iterable[Numbered],
    reject: Callable[[Rejected], None] = lambda rejected: None,
) -> Imported:
    """Take in a calendar, however long, with room for one transaction's rows only.

    Stopped at any point and started again from the beginning it ends the same: what has been taken
    in is recognised by ref and version.

    Parameters
    ----------
    reject : callable
        Told of each row that is not taken in, when its turn comes; the others go on.

    Raises
    ------
    Busy
        If others keep the organisation busy for a minute.
    """
    scope_of("import", principal)
    came: Counter[str] = Counter()

    def refuse(line: int, ref: str, reason: str) -> None:
        came["rejected"] += 1
        reject(Rejected(line, ref, reason))

    def readable() -> Iterator[tuple[int, CalendarRow]]:
        for line, row in rows:
            if isinstance(row, str):
                refuse(line, "", row)
            else:
                yield line, row

    for some in chunks(readable(), lambda numbered: numbered[1].ref):
        outcome = _take(ports, principal, [row for _, row in some])
        for line, row in some:
            what, why = outcome[row.ref]
            if what in {"conflicts", "rejected"}:
                refuse(line, row.ref, why)
            else:
                came[what] += 1
    applied = came["applied"] + came["broken"]
    return Imported(came.total(), applied, came["broken"], came["stale"], came["rejected"])


def _take(ports: Ports, principal: Principal, rows: list[CalendarRow]) -> dict[str, Came]:
    """Take in rows in one transaction; where the database refuses one of them, in halves."""
    try:
        return _patiently(ports, principal, rows)
    except (InvalidInput, Conflict) as error:
        if len(rows) == 1:
            return {rows[0].ref: Came("rejected", str(error))}
    half = len(rows) // 2
    return _take(ports, principal, rows[:half]) | _take(ports, principal, rows[half:])


def _patiently(ports: Ports, principal: Principal, rows: list[CalendarRow]) -> dict[str, Came]:
    for wait in range(1, WAITS + 1):
        try:
            picture_of(ports, principal)  # caught up here, so that little is left under the lock
            return run(ports, principal, "import", partial(take_in, rows))
        except Busy:
            if wait == WAITS:
                raise
    raise AssertionError("unreachable")
