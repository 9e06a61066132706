"""What is already taken of one resource.

A diary is a value that a change replaces by a new one. It keeps its claims by UTC day, so that
giving one back costs the claims of its day and not those of the year, and hands its bitmaps on to
the changed diary with the change made in them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from operator import itemgetter
from typing import NamedTuple

from timevalg.model.session import Session, SessionKind
from timevalg.model.time import MINUTES_A_DAY, Span
from timevalg.solver.bits import fill, stretch
from timevalg.solver.frame import EPOCH_DAY, Frame, end_cell, first_cell
from timevalg.solver.masks import ALWAYS
from timevalg.solver.memory import remember
from timevalg.solver.tally import QuotaKey, Tally, counts

Entry = tuple[int, int, str]
"""First cell and end cell counted from 1970, session id."""

Tidy = tuple[int, bytes]
"""Starts that leave a resource no useless gap: as bits, and for single look-ups as bytes."""

_FRAMES = 4
_TICK = timedelta.resolution


class Fixed(NamedTuple):
    """Cells taken for good, by whom is not known: a bit each, in place of objects.

    Attributes
    ----------
    first : int
        The cell of bit 0, counted from 1970.
    bits : int
    """

    first: int
    bits: int

    @classmethod
    def of(cls, spans: Iterable[Span], per_day: int) -> Fixed:
        """Give the cells that spans touch."""
        step, an_hour = MINUTES_A_DAY // per_day, per_day // 24
        zero = EPOCH_DAY * per_day
        # What `first_cell` and `end_cell` give, without a call for each of millions.
        rows = [
            (
                (a := s.start).toordinal() * per_day + a.hour * an_hour + a.minute // step - zero,
                (b := s.end - _TICK).toordinal() * per_day
                + (b.hour * an_hour + b.minute // step + 1 - zero),
            )
            for s in spans
        ]
        if not rows:
            return cls(0, 0)
        first = min(rows)[0] // per_day * per_day
        return cls(first, fill(rows, max(map(itemgetter(1), rows)) - first, first))

    def based(self, frame: Frame) -> Fixed:
        """Give the same counted from a frame's first cell if none lies outside the frame.

        What is then `inside` the frame is this very bitmap, so that it is kept only once.
        """
        by = self.first - frame.offset
        if by <= 0 or self.bits.bit_length() + by > frame.size:
            return self
        return Fixed(frame.offset, self.bits << by)

    def inside(self, frame: Frame) -> int:
        """Give those of a frame, as its cells."""
        by = frame.offset - self.first
        if by == 0 and self.bits.bit_length() <= frame.size:
            return self.bits
        bits = self.bits >> by if by > 0 else self.bits << -by
        return bits & (1 << frame.size) - 1 if bits.bit_length() > frame.size else bits


class Layer:
    """Claims of one sort on one resource, by UTC day.

    Parameters
    ----------
    days : mapping
        Day counted from 1970 → the claims that touch it.
    per_day : int
        Cells a day.
    fixed : Fixed or None
        Cells that are taken beside them and stay so.
    """

    __slots__ = ("_bits", "_by_id", "_days", "_fixed", "_per_day")

    def __init__(
        self, days: dict[int, tuple[Entry, ...]], per_day: int, fixed: Fixed | None = None
    ) -> None:
        self._days, self._per_day, self._fixed = days, per_day, fixed
        self._bits: dict[Frame, int] = {}
        self._by_id: dict[str, Entry] | None = None

    @classmethod
    def of(cls, entries: Iterable[Entry], per_day: int, fixed: Fixed | None = None) -> Layer:
        """Make a layer of many claims at once."""
        days: dict[int, list[Entry]] = {}
        for entry in entries:
            for day in range(entry[0] // per_day, (entry[1] - 1) // per_day + 1):
                days.setdefault(day, []).append(entry)
        return cls({day: tuple(rows) for day, rows in days.items()}, per_day, fixed)

    def __bool__(self) -> bool:
        return bool(self._days) or self._fixed is not None

    def touching(self, start: int, end: int) -> set[Entry]:
        """Give the claims that share a cell with ``[start, end)``."""
        return {
            entry
            for day in range(start // self._per_day, (end - 1) // self._per_day + 1)
            for entry in self._days.get(day, ())
            if entry[0] < end and start < entry[1]
        }

    def by_id(self) -> Mapping[str, Entry]:
        """Give all claims, by the id of their session."""
        if self._by_id is None:
            self._by_id = {e[2]: e for of_day in self._days.values() for e in of_day}
        return self._by_id

    def changed(self, added: Collection[Entry], removed: Collection[Entry]) -> Layer:
        """Give the layer after some claims came and went; known bitmaps are carried over."""
        days, per_day = self._days.copy(), self._per_day
        for entry in removed:
            for day in range(entry[0] // per_day, (entry[1] - 1) // per_day + 1):
                left = tuple(e for e in days.get(day, ()) if e != entry)
                if left:
                    days[day] = left
                else:
                    days.pop(day, None)
        for entry in added:
            for day in range(entry[0] // per_day, (entry[1] - 1) // per_day + 1):
                days[day] = (*days.get(day, ()), entry)
        new = Layer(days, per_day, self._fixed)
        if self._by_id is not None:
            new._by_id = by_id = self._by_id.copy()
            for entry in removed:
                by_id.pop(entry[2], None)
            by_id.update((entry[2], entry) for entry in added)
        for frame, bits in list(self._bits.items()):
            shift, size = frame.offset, frame.size
            if removed:
                bits = new._without(bits, frame, removed)
            for start, end, _ in added:
                bits |= stretch(start - shift, min(end - shift, size))
            new._bits[frame] = bits
        return new

    def _without(self, bits: int, frame: Frame, removed: Collection[Entry]) -> int:
        """Take claims out of a bitmap. Others may overlap them (imports): theirs is set again."""
        shift, old = frame.offset, bits
        for start, end, _ in removed:
            bits &= ~stretch(start - shift, end - shift)
        if self._fixed is not None:
            bits |= old & self._fixed.inside(frame)
        for gone in removed:
            for start, end, _ in self.touching(gone[0], gone[1]):
                bits |= stretch(start - shift, min(end - shift, frame.size))
        return bits

    def bits(self, frame: Frame) -> int:
        """Give the cells of the frame that are taken."""
        found = self._bits.get(frame)
        if found is None:
            shift = frame.offset
            found = fill(
                {
                    (start - shift, end - shift)
                    for day in range(frame.base, frame.base + frame.days)
                    for start, end, _ in self._days.get(day, ())
                },
                frame.size,
            )
            if self._fixed is not None:
                self._fixed = self._fixed.based(frame)
                found = found | self._fixed.inside(frame) if found else self._fixed.inside(frame)
            remember(self._bits, frame, found, _FRAMES)
        return found


class Diary:
    """Everything that is taken of one resource.

    Parameters
    ----------
    firm, places : Layer
        Bookings and blocks; places of the guarantee.
    holds : tuple of (Entry, Session)
        Holds, live or expired: which of them count depends on the instant.
    tallies : mapping
        The quotas that count `each` resource of its kind, for this one.

    Attributes
    ----------
    tidy : dict
        What ranking remembers of it, where no hold makes it depend on the instant.
    """

    __slots__ = ("_held", "_steady", "firm", "holds", "places", "tallies", "tidy")

    def __init__(
        self,
        firm: Layer,
        places: Layer,
        holds: tuple[tuple[Entry, Session], ...] = (),
        tallies: Mapping[QuotaKey, Tally] | None = None,
    ) -> None:
        self.firm, self.places, self.holds = firm, places, holds
        self.tallies = tallies or {}
        self.tidy: dict[tuple[object, ...], Tidy] = {}
        self._held: dict[tuple[Frame, bool], tuple[datetime, datetime, int]] = {}
        self._steady = ALWAYS[1], ALWAYS[0]  # at no instant

    @classmethod
    def empty(cls, per_day: int) -> Diary:
        """Make the diary of a resource that nothing is taken of."""
        return cls(Layer({}, per_day), Layer({}, per_day))

    @classmethod
    def of(
        cls, claims: Iterable[tuple[Entry, Session]], per_day: int, fixed: Fixed | None = None
    ) -> Diary:
        """Make a diary of many claims at once, without tallies."""
        firm, places, holds = _sorted(claims)
        return cls(Layer.of(firm, per_day, fixed), Layer.of(places, per_day), tuple(holds))

    def changed(
        self,
        added: Collection[tuple[Entry, Session]],
        removed: Collection[tuple[Entry, Session]],
        tallies: Mapping[QuotaKey, Tally],
    ) -> Diary:
        """Give the diary after some claims came and went, with its tallies as they are then."""
        firm, places, holds = _sorted(added)
        not_firm, not_places, not_holds = _sorted(removed)
        if not_holds:
            gone = {entry[2] for entry, _ in not_holds}
            holds = [*(h for h in self.holds if h[0][2] not in gone), *holds]
        elif self.holds:
            holds = [*self.holds, *holds]
        new = Diary(
            self.firm.changed(firm, not_firm) if firm or not_firm else self.firm,
            self.places.changed(places, not_places) if places or not_places else self.places,
            tuple(holds),
            tallies,
        )
        if not not_holds:
            new._remember(self, holds[len(self.holds) :])
        return new

    def _remember(self, other: Diary, more: Collection[tuple[Entry, Session]]) -> None:
        """Take over what another remembers of its holds, which are all but some of its own."""
        self._steady = _until_one_expires(other._steady, more)
        if not more:
            self._held = other._held
            return
        for (frame, places), (since, until, bits) in list(other._held.items()):
            span = _until_one_expires((since, until), more)
            for (start, end, _), session in more:
                if counts(session, since, places):
                    bits |= stretch(start - frame.offset, min(end - frame.offset, frame.size))
            self._held[frame, places] = *span, bits

    def with_places(self, places: Layer, tallies: Mapping[QuotaKey, Tally]) -> Diary:
        """Give the diary with other places."""
        new = Diary(self.firm, places, self.holds, tallies)
        new._remember(self, ())
        return new

    def without(self, claims: Collection[tuple[Entry, Session]]) -> Diary:
        """Give the diary as if some claims were not in it; its tallies stay as they are."""
        return self.changed((), claims, self.tallies)

    def taken(self, frame: Frame, now: datetime, places: bool) -> int:
        """Give the cells that are taken at an instant, by places too if asked."""
        bits = self.firm.bits(frame)
        if places and self.places:
            bits |= self.places.bits(frame)
        return bits | self._taken_by_holds(frame, now, places) if self.holds else bits

    def _taken_by_holds(self, frame: Frame, now: datetime, places: bool) -> int:
        """Give the cells that holds take; remembered for as long as none of them expires."""
        known = self._held.get((frame, places))
        if known is not None and known[0] <= now < known[1]:
            return known[2]
        bits = 0
        for (start, end, _), session in self.holds:
            if counts(session, now, places):
                bits |= stretch(start - frame.offset, min(end - frame.offset, frame.size))
        return remember(self._held, (frame, places), (*self.steady(now), bits), _FRAMES)[2]

    def steady(self, now: datetime) -> tuple[datetime, datetime]:
        """Give since and until when, around an instant, the same holds have not expired."""
        if not self._steady[0] <= now < self._steady[1]:
            ends = [session.until for _, session in self.holds if session.until is not None]
            since = max((end for end in ends if end <= now), default=ALWAYS[0])
            self._steady = since, min((end for end in ends if end > now), default=ALWAYS[1])
        return self._steady

    def touching(self, start: int, end: int) -> set[str]:
        """Give the ids of the sessions that share a cell with ``[start, end)``."""
        found = {e[2] for e in self.firm.touching(start, end)}
        found |= {e[2] for e in self.places.touching(start, end)}
        return found | {e[2] for e, _ in self.holds if e[0] < end and start < e[1]}


def _until_one_expires(
    span: tuple[datetime, datetime], holds: Collection[tuple[Entry, Session]]
) -> tuple[datetime, datetime]:
    """Give the first part of a time in which some holds do not expire."""
    since, until = span
    ends = [session.until for _, session in holds if session.until is not None]
    return since, min([until, *(end for end in ends if since < end)])


def entry_of(session: Session, resource: str, grid: int) -> Entry:
    """Give a session's claim on a resource."""
    span = session.spans[resource]
    return first_cell(span.start, grid), end_cell(span.end, grid), session.id


def _sorted(
    claims: Iterable[tuple[Entry, Session]],
) -> tuple[list[Entry], list[Entry], list[tuple[Entry, Session]]]:
    firm: list[Entry] = []
    places: list[Entry] = []
    holds: list[tuple[Entry, Session]] = []
    for entry, session in claims:
        if session.kind is SessionKind.HOLD:
            holds.append((entry, session))
        elif session.kind is SessionKind.PLACE:
            places.append(entry)
        else:
            firm.append(entry)
    return firm, places, holds
