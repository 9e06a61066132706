"""The checker: is there an order in which this history could be true?

The order is given: each success carries a number drawn under its locks. Replayed in that order a
plain model must allow every success and end with what the database has; the order must respect
real time; each refusal must be explained by something that stood in its way during the call. An
operation whose reply was lost may have happened or not: some choice of these must do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice, product

from benchmarks.history.model import MOVES, Calendar, Interval, counts, overlap
from benchmarks.history.record import DONE, LOST, History, Operation, Taken

MOST_LOST = 10
"""Lost replies that may be either: every combination is tried."""


def faults(history: History) -> list[str]:
    """Say what cannot be true of a history; empty = it can.

    Raises
    ------
    ValueError
        If more replies were lost than can be tried.
    """
    lost = [o for o in history.operations if o.outcome == LOST and o.change is not None]
    if len(lost) > MOST_LOST:
        raise ValueError(f"{len(lost)} lost replies are too many to try: at most {MOST_LOST}")
    best: list[str] | None = None
    for happened in product((True, False), repeat=len(lost)):
        chosen = [o for o, did in zip(lost, happened, strict=True) if did]
        found = list(islice(_faults(history, chosen), 50))
        if not found:
            return []
        if best is None or len(found) < len(best):
            best = found
    return best or []


def _faults(history: History, happened: Sequence[Operation]) -> Iterator[str]:
    done = [o for o in history.operations if o.outcome == DONE]
    order = sorted(
        (o for o in (*done, *happened) if o.change is not None),
        key=lambda o: (o.change.number if o.change else 0, o.began),
    )
    yield from _out_of_time(order)
    calendar = Calendar(history.rules, history.initial)
    for operation in order:
        if operation.change is not None:
            for fault in calendar.apply(operation, operation.change):
                yield f"{_name(operation)}: {fault}"
    final = {taken.id: taken for taken in history.final}
    for key in sorted(calendar.live.keys() | final.keys()):
        if calendar.live.get(key) != final.get(key):
            yield f"at the end {key} is {final.get(key)}, not {calendar.live.get(key)}"
    intervals = calendar.intervals()
    for operation in history.operations:
        if operation.outcome not in {DONE, LOST}:
            yield from _unexplained(history, operation, intervals, order)
        elif operation.outcome == DONE and operation.change is None:
            yield from _without_a_change(operation, intervals)


def _out_of_time(order: Sequence[Operation]) -> Iterator[str]:
    """Say where the numbers contradict real time, or are used twice."""
    latest: Operation | None = None
    numbers: dict[int, Operation] = {}
    for operation in order:
        number = operation.change.number if operation.change else 0
        if number in numbers:
            yield f"{_name(operation)}: has the number of {_name(numbers[number])}"
        numbers[number] = operation
        if latest is not None and operation.ended is not None and operation.ended < latest.began:
            yield f"{_name(operation)}: ended before {_name(latest)} began, and comes after it"
        if latest is None or operation.began > latest.began:
            latest = operation


def _without_a_change(operation: Operation, intervals: Iterable[Interval]) -> Iterator[str]:
    """Say where nothing was done and something should have been."""
    if operation.verb == "expire":
        return
    if operation.verb == "change":  # to where it is
        for interval in _during(operation, intervals):
            there = interval.what
            is_booking = isinstance(there, Taken) and there.kind == "booking"
            if is_booking and (there.task, there.start) == (operation.task, operation.start):
                return
    elif operation.verb == "withdraw" and _states(operation, intervals) & {"withdrawn", "over"}:
        return
    yield f"{_name(operation)}: is done, and has done nothing"


def _unexplained(
    history: History,
    operation: Operation,
    intervals: Iterable[Interval],
    order: Sequence[Operation],
) -> Iterator[str]:
    """Say that a refusal has no reason, if it has none."""
    if operation.outcome == "Busy":
        return
    if operation.outcome == "IllegalMove":
        if not _states(operation, intervals) <= MOVES[operation.verb].keys():
            return
        if operation.verb == "hold" and _renewed_enough(history, operation, intervals, order):
            return
    elif operation.outcome == "OnlyChoosable":
        if _nothing_else_left(history, operation, intervals):
            return
    elif operation.outcome in {"TimeTaken", "WouldStrand"}:
        if operation.start is not None and _in_the_way(history, operation, intervals):
            return
        if _overtaken(history, operation, order):
            return
    yield f"{_name(operation)}: refused with {operation.outcome}, and nothing stood in its way"


def _renewed_enough(
    history: History,
    operation: Operation,
    intervals: Iterable[Interval],
    order: Iterable[Operation],
) -> bool:
    """Tell whether the start was held already, and that as often as it may be."""
    held = {
        interval.what.id
        for interval in _during(operation, intervals)
        if isinstance(interval.what, Taken) and interval.what.kind == "hold"
        if (interval.task, interval.what.start) == (operation.task, operation.start)
    }
    times = Counter(
        taken.id
        for other in order
        if other.verb == "hold" and other.change is not None and other.began <= operation.began
        for taken in other.change.claimed
        if taken.id in held
    )
    return any(count > history.rules.renewals for count in times.values())


def _nothing_else_left(
    history: History, operation: Operation, intervals: Sequence[Interval]
) -> bool:
    """Tell whether no other place was left, for after the hold: something was at each."""
    places = [(start, pool) for start in history.rules.places for pool in history.rules.resources]
    return all(
        _in_the_way(history, replace(operation, start=start, pool=pool), intervals)
        for start, pool in places
        if (start, pool) != (operation.start, operation.pool)
    )


def _in_the_way(history: History, operation: Operation, intervals: Iterable[Interval]) -> bool:
    """Tell whether somebody's time, or a full quota, was there at some moment of the call."""
    rules, start = history.rules, operation.start or 0
    span = (start, start + rules.length)
    subjects = [*(f"r:{r}" for r in rules.resources[operation.pool]), f"p:{operation.patient}"]
    spans = dict.fromkeys(subjects, span)
    wanted = Taken("", "", operation.task, operation.patient, operation.pool, start, spans)
    counted: set[str] = set()
    for interval in _during(operation, intervals):
        taken = interval.what
        if not isinstance(taken, Taken) or taken.task == operation.task:
            continue
        if taken.patient == operation.patient and taken.kind == "hold" and not taken.is_place:
            continue  # it would have been given up
        if overlap(wanted, taken):
            return True
        if taken.start // rules.day == start // rules.day and counts(taken, operation.began):
            counted.add(taken.id)
    return len(counted) >= rules.per_day


def _overtaken(history: History, operation: Operation, order: Iterable[Operation]) -> bool:
    """Tell whether others may have changed, during the call, what it rested on: often enough."""
    others = 0
    for other in order:
        if other is operation or other.change is None:
            continue
        touched = {t.task for t in other.change.claimed}
        if operation.start is not None and operation.task not in touched:
            continue
        others += Interval("", "", other.began, other.ended or float("inf")).meets(operation)
    return others >= history.rules.attempts


def _during(operation: Operation, intervals: Iterable[Interval]) -> Iterator[Interval]:
    return (interval for interval in intervals if interval.meets(operation))


def _states(operation: Operation, intervals: Iterable[Interval]) -> set[str]:
    """Give the states in which the operation's task may have been during the call."""
    return {
        interval.what
        for interval in _during(operation, intervals)
        if isinstance(interval.what, str) and interval.task == operation.task
    }


def _name(operation: Operation) -> str:
    number = operation.change.number if operation.change else "-"
    return f"{operation.verb} of {operation.task or 'holds'} ({number}, began {operation.began})"
