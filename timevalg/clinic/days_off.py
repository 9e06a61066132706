"""Public holidays of a country."""

from __future__ import annotations

import warnings
from datetime import date
from functools import cache

import holidays

FIRST_YEAR, LAST_YEAR = 2000, 2100


@cache
def country_holidays(code: str) -> frozenset[date] | None:
    """Give a country's public holidays of the years 2000–2100; None if there is no such country.

    Parameters
    ----------
    code : str
        Country code of the `holidays` library, such as ``NO``.
    """
    if code not in known_countries():
        return None
    with warnings.catch_warnings():
        # Some countries are known for fewer years: those are then all there is.
        warnings.simplefilter("ignore")
        days = holidays.country_holidays(code, years=range(FIRST_YEAR, LAST_YEAR + 1))
    return frozenset(days)


@cache
def known_countries() -> tuple[str, ...]:
    """Give the country codes that the library knows."""
    return tuple(sorted(holidays.list_supported_countries(include_aliases=True)))
