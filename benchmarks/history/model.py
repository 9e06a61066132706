"""The plain model: a calendar as a dict, and what each verb may do to it.

Written from the promises (one booking an invitation, nothing twice, a hold is its owner's until it
expires, the old time is freed if and only if the new one is taken), not from the code: it knows no
store, no locks, no search.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from benchmarks.history.record import Change, Operation, Rules, Taken

OPEN, STAFF, CHOSEN, ASSIGNED, CONFIRMED, OVER, WITHDRAWN, DRAFT, NEW = [
    "open",
    "with-staff",
    "chosen",
    "assigned",
    "confirmed",
    "over",
    "withdrawn",
    "draft",
    "new",
]
_BOOKED = frozenset({CHOSEN, ASSIGNED, CONFIRMED})

MOVES: Mapping[str, Mapping[str, str]] = {
    "invite": {NEW: OPEN},
    "hold": {OPEN: OPEN, STAFF: STAFF},
    "choose": {OPEN: CHOSEN, STAFF: CHOSEN},
    "change": {state: state for state in _BOOKED},
    "cancel": {CHOSEN: STAFF, ASSIGNED: STAFF, CONFIRMED: OVER},
    "refuse": {CHOSEN: OPEN, ASSIGNED: STAFF},
    "confirm": {CHOSEN: CONFIRMED, ASSIGNED: CONFIRMED},
    "take": {OPEN: STAFF, CHOSEN: STAFF},
    "assign": {STAFF: ASSIGNED},
    "override": {STAFF: ASSIGNED},
    "withdraw": {s: WITHDRAWN for s in (OPEN, STAFF, CHOSEN, ASSIGNED, CONFIRMED, WITHDRAWN)}
    | {OVER: OVER},
}
"""Each verb: from which state of a task to which (README, "How a choice task lives")."""


@dataclass(frozen=True)
class Interval:
    """While something was perhaps so: from when its cause began until its end had ended."""

    what: Taken | str
    task: str
    begins: float
    ends: float

    def meets(self, operation: Operation) -> bool:
        """Tell whether it may have been so at some moment of the call."""
        ended = float("inf") if operation.ended is None else operation.ended
        return self.begins <= ended and operation.began <= self.ends


class Calendar:
    """What is taken and where each task is in its life, change by change.

    Attributes
    ----------
    live : dict
        Id → session, as the last change left them.
    past : list of Interval
        What was taken, and which state a task was in, and is not any more.
    """

    def __init__(self, rules: Rules, initial: Iterable[Taken]) -> None:
        self.rules = rules
        self.live: dict[str, Taken] = {}
        self.past: list[Interval] = []
        self._since: dict[str, float] = {}
        self._states: dict[str, tuple[str, float]] = defaultdict(lambda: (NEW, float("-inf")))
        self._used: set[str] = set()
        for taken in initial:
            self._put(taken, float("-inf"))
            self._states[taken.task] = (OPEN, float("-inf"))

    def apply(self, operation: Operation, change: Change) -> Iterator[str]:
        """Make a change, and say what it may not have done."""
        before = dict(self.live)
        stays = {(t.task, t.start) for key in change.released if (t := before.get(key))}
        ended = float("inf") if operation.ended is None else operation.ended
        for key in change.released:
            if key not in self.live:
                yield f"gives {key} back, which was not taken"
                continue
            self._drop(key, ended)
        for taken in change.claimed:
            yield from self._faults(operation, change, taken)
            if (taken.task, taken.start) not in stays:
                yield from self._too_many(operation, change, taken)
            self._put(taken, operation.began)
        yield from self._of_others(operation, change, before)
        yield from self._outcome(operation, change, before)
        yield from self._move(operation, change, ended)

    def intervals(self) -> list[Interval]:
        """Give everything that was so, with when it may have been so."""
        standing = [
            Interval(taken, taken.task, self._since[key], _end(taken, float("inf")))
            for key, taken in self.live.items()
        ]
        states = [Interval(s, task, at, float("inf")) for task, (s, at) in self._states.items()]
        return [*self.past, *standing, *states]

    def of(self, task: str) -> list[Taken]:
        """Give a task's sessions."""
        return [taken for taken in self.live.values() if taken.task == task]

    # -- the calendar ------------------------------------------------------------------------------

    def _put(self, taken: Taken, since: float) -> None:
        self.live[taken.id], self._since[taken.id] = taken, since
        self._used.add(taken.id)

    def _drop(self, key: str, ended: float) -> None:
        taken = self.live.pop(key)
        self.past.append(Interval(taken, taken.task, self._since.pop(key), _end(taken, ended)))

    def _faults(self, operation: Operation, change: Change, taken: Taken) -> Iterator[str]:
        """Say what is wrong with what was taken, whoever took it."""
        again = taken.kind == "place" or taken.id in change.released  # a hold that is renewed
        if taken.id in self.live or (taken.id in self._used and not again):
            yield f"takes {taken.id} a second time"
        wanted = {f"r:{r}" for r in self.rules.resources[taken.pool]} | {f"p:{taken.patient}"}
        span = (taken.start, taken.start + self.rules.length)
        if dict(taken.spans) != dict.fromkeys(wanted, span):
            yield f"{taken.id} takes {dict(taken.spans)}, not {sorted(wanted)} at {span}"
        for other in self.live.values():
            if overlap(taken, other):
                yield f"{taken.id} overlaps {other.id}"

    def _too_many(self, operation: Operation, change: Change, taken: Taken) -> Iterator[str]:
        """Say whether a day that was not as full before is too full now."""
        day = taken.start // self.rules.day
        same = [t for t in self.live.values() if t.start // self.rules.day == day]
        count = 1 + sum(counts(t, change.now) for t in same)
        if operation.verb != "override" and count > self.rules.per_day:
            yield f"{taken.id} is number {count} of its day, where {self.rules.per_day} may be"

    def _of_others(
        self, operation: Operation, change: Change, before: Mapping[str, Taken]
    ) -> Iterator[str]:
        """Say what was done to what is not the operation's own."""
        theirs: set[str] = set()
        stay = {
            t.id: t for t in change.claimed if t.kind == "hold" and operation.verb == "override"
        }
        for taken in (before[key] for key in change.released if key in before):
            if taken.task == operation.task:
                continue
            if taken.id in stay and replace(taken, is_place=False) == stay[taken.id]:
                theirs.add(taken.task)  # an override fills its day: the place alone is elsewhere
                continue
            if taken.kind == "booking":
                yield f"gives away the booking {taken.id} of {taken.task}"
            elif taken.kind == "hold":
                own = taken.patient == operation.patient and operation.verb != "expire"
                if not own and taken.until is not None and change.now < taken.until:
                    yield f"gives away the hold {taken.id} of {taken.task} before it expires"
            if taken.kind == "place" or taken.is_place:
                theirs.add(taken.task)
        for taken in change.claimed:
            if taken.task == operation.task:
                continue
            if taken.task not in theirs or (taken.kind != "place" and taken.id not in stay):
                yield f"takes {taken.id} for {taken.task}, which nobody asked for"
        if operation.verb != "override":
            for task in theirs - {taken.task for taken in change.claimed}:
                yield f"leaves {task} without its place"

    # -- the operation -----------------------------------------------------------------------------

    def _outcome(
        self, operation: Operation, change: Change, before: Mapping[str, Taken]
    ) -> Iterator[str]:
        """Say where the change is not what was asked for, or not what the caller was told."""
        verb, task = operation.verb, operation.task
        had = [t for t in before.values() if t.task == task and t.kind == "booking"]
        has = self.of(task)
        bookings = [t for t in has if t.kind == "booking"]
        made: list[Taken] = []
        if verb in {"choose", "assign", "override", "change"}:
            made = bookings
            if len(had) != (verb == "change"):
                yield f"had {len(had)} bookings"
            if len(bookings) != 1 or len(has) != 1:
                yield f"has {[t.id for t in has]}, not one booking alone"
        elif verb == "hold":
            made = [t for t in change.claimed if t.kind == "hold"]  # be it expired by now
            made += [t for t in self._holds(operation.patient, change.now) if t not in made]
            if len(made) != 1 or made[0].task != task:
                yield f"has the holds {[t.id for t in made]}, not one"
            elif (made[0].until or 0) > change.now + self.rules.hold:
                yield f"holds {made[0].id} too long"
        elif verb in {"cancel", "refuse", "take"} and (bookings or (not had and verb != "take")):
            yield f"had {len(had)} bookings and has {len(bookings)}"
        elif verb == "withdraw" and has:
            yield f"still has {[t.id for t in has]}"
        elif verb == "confirm" and (change.released or change.claimed or len(bookings) != 1):
            yield "was not a booking, or did not stay one"
        for taken in made:
            if (taken.start, taken.pool) != (operation.start, operation.pool):
                yield f"got {taken.start} in {taken.pool}"
            told = operation.told
            facts = {"session": taken.id, "start": taken.start, "until": taken.until}
            if {key: facts[key] for key in told} != told:
                yield f"was told {told}, not {facts}"

    def _holds(self, patient: str, now: int) -> list[Taken]:
        """Give a patient's holds that have not expired; the others may be there and count not."""
        return [t for t in self.live.values() if t.patient == patient and now < (t.until or 0)]

    def _move(self, operation: Operation, change: Change, ended: float) -> Iterator[str]:
        """Move the task on in its life."""
        if operation.verb == "expire":
            return
        state, since = self._states[operation.task]
        moves = MOVES[operation.verb]
        if state not in moves:
            yield f"was done to a task that was {state}"
        new = moves.get(state, state)
        if operation.verb == "invite" and not change.claimed:
            new = DRAFT
        if new != state:
            self.past.append(Interval(state, operation.task, since, ended))
            self._states[operation.task] = (new, operation.began)


def overlap(one: Taken, other: Taken) -> bool:
    """Tell whether two take the same thing at the same time."""
    return any(
        other.spans[subject][0] < end and start < other.spans[subject][1]
        for subject, (start, end) in one.spans.items()
        if subject in other.spans
    )


def counts(taken: Taken, now: float) -> bool:
    """Tell whether it still takes its time: a hold until it expires, as a place ever after."""
    return taken.until is None or taken.is_place or now < taken.until


def _end(taken: Taken, ended: float) -> float:
    if taken.until is None or taken.is_place:
        return ended
    return min(ended, float(taken.until))
