"""Exact slot search: the complete set of feasible starts, as one bitmap.

`RULES` reads like "When is a start feasible?" in docs/clinic-file.md: one function for each rule,
named after it, each giving the starts it leaves; the answer is what all of them leave.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from timevalg.solver.ask import Ask
from timevalg.solver.bits import cells, lowest, stretch
from timevalg.solver.frame import Frame
from timevalg.solver.index import Index
from timevalg.solver.look import Look
from timevalg.solver.tally import counts


class Starts:
    """A set of starts.

    Parameters
    ----------
    bits : int
        Bit i = the start `i * grid` minutes after `base`.
    frame : Frame
        What the bits count in.
    """

    __slots__ = ("bits", "frame")

    def __init__(self, bits: int, frame: Frame) -> None:
        self.bits, self.frame = bits, frame

    @property
    def base(self) -> datetime:
        """UTC instant of bit 0."""
        return self.frame.origin

    @property
    def grid(self) -> int:
        """Minutes from one bit to the next."""
        return self.frame.grid

    def instants(self) -> list[datetime]:
        """Give the starts in order, UTC."""
        return self.frame.moments(cells(self.bits))

    def first(self) -> datetime | None:
        """Give the earliest start, if there is any."""
        return self.frame.moment(lowest(self.bits)) if self.bits else None

    def last(self) -> datetime | None:
        """Give the latest start, if there is any."""
        return self.frame.moment(self.bits.bit_length() - 1) if self.bits else None

    def __len__(self) -> int:
        return self.bits.bit_count()

    def __bool__(self) -> bool:
        return bool(self.bits)

    def __contains__(self, start: object) -> bool:
        if not isinstance(start, datetime):
            return False
        cell, rest = divmod(start - self.base, timedelta(minutes=self.grid))
        return not rest and cell >= 0 and bool(self.bits >> cell & 1)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Starts) and self.instants() == other.instants()

    def __hash__(self) -> int:
        return hash((self.first(), self.last(), len(self)))

    def __repr__(self) -> str:
        return f"<Starts: {len(self)} from {self.first()} to {self.last()}>"


def opening(look: Look) -> int:
    """Rule 1: raster starts of released openings; the visit inside one of the task's times."""
    return look.window.opening()


def closed(look: Look) -> int:
    """Rule 2: not on holidays, closed days, or after planned_until."""
    return look.window.closed()


def window(look: Look) -> int:
    """Rule 3: after now, and between the bounds of notice, horizon, task and ask."""
    return look.window.window() & -1 << max(0, look.frame.cell(look.ask.now) + 1)


def preparation(look: Look) -> int:
    """Rule 4: late enough for every preparation that limits and is not done."""
    return look.window.preparation()


def resources(look: Look) -> int:
    """Rule 5: every role copy can be given its own resource."""
    return look.variant().served(look.only)


def quota(look: Look) -> int:
    """Rule 6: no quota that counts the pool is reached."""
    bits = -1
    clinic = look.pool.clinic.id
    for number, rule in look.pool.together:
        if rule.max <= 0:
            return 0
        tally = look.index.tally(clinic, number)
        if tally is not None:
            mine = look.periods((clinic, number), look.ignored)
            places = look.ask.count_places
            bits &= ~tally.mask(look.window.days, rule, look.ask.now, mine, places)
    return bits


def patient(look: Look) -> int:
    """Rule 7: the visit overlaps nothing of the same patient's, in any clinic."""
    bits = -1
    if look.ask.patient is None:
        return bits
    for session in look.index.by_patient(look.ask.patient):
        if session.id in look.ask.ignore:
            continue
        if counts(session, look.ask.now, look.ask.count_places):
            start, end = look.frame.range(session.visit)
            bits &= ~stretch(start - look.window.length + 1, min(end, look.frame.size))
    return bits


RULES: Mapping[str, Callable[[Look], int]] = {
    "opening": opening,
    "closed": closed,
    "window": window,
    "preparation": preparation,
    "resources": resources,
    "quota": quota,
    "patient": patient,
}
"""Rules 1 to 7: what each leaves (−1 = everything). `feasible` gives what all of them leave."""


def feasible(index: Index, ask: Ask) -> Starts:
    """Give every feasible start, and nothing else (docs/clinic-file.md, rules 1–7).

    Rules 1 to 4 come remembered from the window; the rule that costs most is asked last.

    Parameters
    ----------
    index : Index
    ask : Ask

    Returns
    -------
    Starts
        The complete set.
    """
    look = Look(index, ask)
    bits = look.window.starts
    if bits:
        soonest = look.frame.cell(ask.now) + 1
        if soonest > 0:
            bits &= -1 << soonest
    if bits and look.pool.together:
        bits &= quota(look)
    if bits and ask.task is not None:
        bits &= patient(look)
    if bits:
        bits &= resources(look)
    return Starts(bits, look.frame)


def first(index: Index, ask: Ask) -> datetime | None:
    """Give the earliest feasible start, UTC; None if there is none."""
    return feasible(index, ask).first()
