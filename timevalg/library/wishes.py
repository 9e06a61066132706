"""A patient's wishes as people write them, in the words of `Wishes`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import get_args

from timevalg.clinic.format import Sex
from timevalg.clinic.scalars import clock_minute
from timevalg.model.errors import InvalidInput
from timevalg.model.letter import MODES
from timevalg.model.time import DAY_NAMES
from timevalg.solver.wishes import Wishes


def wishes_of(
    *,
    days: Collection[str] = (),
    after: str | None = None,
    before: str | None = None,
    not_on: Collection[date] = (),
    earliest: date | None = None,
    latest: date | None = None,
    clinicians: Collection[str] = (),
    sex: str | None = None,
    language: str | None = None,
    places: Collection[str] = (),
    modes: Collection[str] = (),
    must: Collection[str] = (),
) -> Wishes:
    """Give the wishes that the words mean.

    Parameters
    ----------
    days : collection of str
        ``mon`` … ``sun``.
    after, before : str or None
        Local times of day, ``08:00`` … ``24:00``.

    Raises
    ------
    InvalidInput
        If a day, a time of day, a sex or a mode is none, if no time can keep two of them, or if
        `must` names no wish, or one that is not given.
    """
    _require_among("days", days, DAY_NAMES)
    _require_among("sex", [sex] if sex is not None else [], get_args(Sex))
    _require_among("modes", modes, MODES)
    try:
        wishes = Wishes(
            days=frozenset(DAY_NAMES.index(day) for day in days),
            after=_minute("after", after),
            before=_minute("before", before),
            not_on=frozenset(not_on),
            earliest=earliest,
            latest=latest,
            clinicians=frozenset(clinicians),
            sex=sex,
            language=language,
            places=frozenset(places),
            modes=frozenset(modes),
            must=frozenset(must),
        )
    except ValueError as error:
        raise InvalidInput.single("must", str(error)) from error
    if missing := wishes.must.difference(wishes.given):
        said = f"names {', '.join(sorted(missing))}, but no such wish is given"
        raise InvalidInput.single("must", said)
    if wishes.after is not None and wishes.before is not None and wishes.after >= wishes.before:
        raise InvalidInput.single("before", f"{before} is not later than after, {after}")
    if earliest is not None and latest is not None and earliest > latest:
        raise InvalidInput.single("latest", f"{latest} comes before earliest, {earliest}")
    return wishes


def _require_among(name: str, given: Iterable[str], known: Sequence[str]) -> None:
    for one in given:
        if one not in known:
            raise InvalidInput.single(name, f"{one!r} is not one of {', '.join(known)}")


def _minute(name: str, text: str | None) -> int | None:
    if text is None:
        return None
    minute = clock_minute(text)
    if minute is None:
        raise InvalidInput.single(name, f"{text!r} is not a time of day such as 08:00 (… 24:00)")
    return minute
