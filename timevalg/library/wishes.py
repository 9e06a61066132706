"""A patient's wishes as people write them, in the words of `Wishes`."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from timevalg.clinic.scalars import clock_minute
from timevalg.model.errors import InvalidInput
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
        If a day or a time of day is none, or `must` names no wish.
    """
    unknown = [day for day in days if day not in DAY_NAMES]
    if unknown:
        raise InvalidInput.single("days", f"{unknown[0]!r} is not one of {', '.join(DAY_NAMES)}")
    try:
        return Wishes(
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


def _minute(name: str, text: str | None) -> int | None:
    if text is None:
        return None
    minute = clock_minute(text)
    if minute is None:
        raise InvalidInput.single(name, f"{text!r} is not a time of day such as 08:00 (… 24:00)")
    return minute
