"""Rules about hours, closures, absences and busy times."""

from __future__ import annotations

from datetime import date, datetime

from timevalg.clinic.format import AwayRow, BusyRow, ClosedRow, HoursRow, Roster, Valid
from timevalg.clinic.rule import Breaches, clock, moment
from timevalg.model.time import MINUTES_A_DAY


def hours_begin_before_they_end(row: HoursRow, _: object) -> Breaches:
    """Hours are not empty."""
    if row.from_ >= row.to:
        yield ("from",), f"{clock(row.from_)} is not before `to` ({clock(row.to)})"


def days_begin_before_they_end(row: ClosedRow, _: object) -> Breaches:
    """A closure has at least one day."""
    if row.from_ > row.to:
        yield ("from",), f"{row.from_} is after `to` ({row.to})"


def busy_begins_before_it_ends(row: BusyRow, _: object) -> Breaches:
    """A busy time is not empty."""
    if row.from_ >= row.to:
        yield ("from",), f"{moment(row.from_)} is not before `to` ({moment(row.to)})"


def validity_says_something(row: Valid, _: object) -> Breaches:
    """A validity has a first or a last day, in order."""
    if row.from_ is None and row.to is None:
        yield (), "is empty; give `from`, `to` or both"
    elif row.from_ is not None and row.to is not None and row.from_ > row.to:
        yield ("from",), f"{row.from_} is after `to` ({row.to})"


def weeks_need_of_and_since(row: Roster, _: object) -> Breaches:
    """`weeks`, `of` and `since` come together, and the weeks lie in the roster."""
    if row.weeks is None:
        for key in ("of", "since"):
            if getattr(row, key) is not None:
                yield (key,), f"`{key}` means nothing without `weeks`"
        return
    for key in ("of", "since"):
        if getattr(row, key) is None:
            yield ("weeks",), f"`weeks` needs `{key}`"
    for index, week in enumerate(row.weeks):
        if row.of is not None and week > row.of:
            yield ("weeks", index), f"week {week} is not in a roster of {row.of} weeks"


def away_has_one_shape(row: AwayRow, _: object) -> Breaches:
    """An absence is two dates, two date-times, or has the shape of hours."""
    recurs = bool({"days", "weeks", "of", "since", "valid"} & row.model_fields_set)
    edges = {key: edge for key, edge in (("from", row.from_), ("to", row.to)) if edge is not None}
    if not edges and not recurs:
        yield (), "says no time; give `from` and `to`, or `days`"
        return
    kinds = {key: _kind(edge) for key, edge in edges.items()}
    if recurs:
        for key, kind in kinds.items():
            if kind != "time of day":
                yield (key,), f"{kind} does not go with recurring days; give a time of day"
        return
    for key in ("from", "to"):
        if key not in edges and set(kinds.values()) != {"time of day"}:
            yield (key,), "is required"
    if len(set(kinds.values())) > 1:
        yield ("to",), f"`from` is a {kinds['from']} and `to` a {kinds['to']}; give two of a kind"


def away_begins_before_it_ends(row: AwayRow, _: object) -> Breaches:
    """An absence is not empty."""
    first, last = row.from_, row.to
    if isinstance(first, datetime) and isinstance(last, datetime):
        if first >= last:
            yield ("from",), f"{moment(first)} is not before `to` ({moment(last)})"
    elif type(first) is date and type(last) is date:
        if first > last:
            yield ("from",), f"{first} is after `to` ({last})"
    elif isinstance(first, int | None) and isinstance(last, int | None):
        begins, ends = first or 0, MINUTES_A_DAY if last is None else last
        if begins >= ends:
            yield ("from",), f"{clock(begins)} is not before `to` ({clock(ends)})"


def _kind(edge: date | datetime | int) -> str:
    if isinstance(edge, int):
        return "time of day"
    return "date-time" if isinstance(edge, datetime) else "date"
