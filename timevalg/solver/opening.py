"""Rule 1 on bitmaps: the starts that a pool's openings give, and a task's possible times."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from timevalg.model.roster import Hours, Opening
from timevalg.model.time import MINUTES_A_DAY, instant
from timevalg.solver.bits import stretch
from timevalg.solver.frame import LocalDays, end_cell
from timevalg.solver.plan import PoolPlan
from timevalg.solver.spans import Rows


def opening_rows(days: LocalDays, plan: PoolPlan, extra: int) -> Rows:
    """Give the starts of a pool's openings, those with the same release together."""
    length = plan.service.length + extra
    rows: dict[int | None, int] = {}
    for opening in plan.pool.open:
        bits = _starts(days, opening, plan.pool.raster, length)
        rows[opening.release] = rows.get(opening.release, 0) | bits
    return tuple(rows.items())


def released(days: LocalDays, rows: Rows, today: date) -> int:
    """Give the starts that are released as seen from a day."""
    bits = 0
    for release, starts in rows:
        if release is None:
            bits |= starts
        else:
            end = days.midnight(today + timedelta(days=release + 1))
            bits |= starts & ((1 << end) - 1)
    return bits


def visits_inside(days: LocalDays, hours: Iterable[Hours], length: int) -> int:
    """Give the starts from which `length` minutes lie inside one of the hours."""
    grid = days.frame.grid
    cells = -(-length // grid)
    bits = 0
    for row in hours:
        midnights, others = days.on(row)
        first, end = -(-row.start // grid), row.end // grid - cells + 1
        if end > first:
            bits |= (midnights << end) - (midnights << first)
        for day in others:
            begins, ends = days.span(row, day)
            if begins < ends:
                bits |= stretch(days.frame.cell(begins), days.frame.cell(ends) - cells + 1)
    return bits


def _starts(days: LocalDays, opening: Opening, raster: int, length: int) -> int:
    grid = days.frame.grid
    midnights, others = days.on(opening)
    pattern = 0
    for minute in range(opening.start, opening.end - length + 1, raster):
        pattern |= 1 << minute // grid
    bits = midnights * pattern
    visit = timedelta(minutes=length)
    for day in others:
        begins, ends = days.span(opening, day)
        # Every k: a time that the clocks skip counts as the later one it means.
        for minute in range(opening.start, MINUTES_A_DAY, raster):
            start = instant(day, minute, days.zone)
            if begins <= start and start + visit <= ends:
                bits |= 1 << end_cell(start, grid) - days.frame.offset
    return bits
