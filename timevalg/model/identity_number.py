"""National identity numbers, D-numbers and help numbers: eleven digits, two of them control.

Source: the Norwegian Tax Administration on numbers issued before and from 2032 (which may have a
remainder of 0 to 3 by the first control digit) and on the synthetic ones for tests (month + 80).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from timevalg.model.errors import InvalidInput

_FIRST = (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)
_SECOND = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)
_FROM_2032 = frozenset({0, 1, 2, 3})
_CENTURIES = (  # individual numbers, years, century
    (range(500), range(100), 1900),
    (range(500, 1000), range(40), 2000),
    (range(500, 750), range(54, 100), 1800),
    (range(900, 1000), range(40, 100), 1900),
)


class Sort(StrEnum):
    """Who issues a number, and to whom."""

    NATIONAL = "national"
    D = "d"
    HELP = "help"


@dataclass(frozen=True, repr=False)
class IdentityNumber:
    """A number whose form, date and control digits hold; it is never shown.

    Attributes
    ----------
    birth : date or None
        The date of birth, where the number carries its century: those from 2032 do not.
    synthetic : bool
        Nobody's: made for tests.
    """

    digits: str
    sort: Sort
    synthetic: bool
    birth: date | None

    @classmethod
    def read(cls, text: str) -> IdentityNumber:
        """Read a number, with or without a space after the date.

        Raises
        ------
        InvalidInput
            If it is none; the message does not repeat it.
        """
        digits = text.replace(" ", "")
        if len(digits) != 11 or not (digits.isascii() and digits.isdecimal()):
            raise _wrong("is not eleven digits")
        if _sum(digits, _SECOND) or _sum(digits, _FIRST) not in _FROM_2032:
            raise _wrong("has control digits that do not hold: look for a slip of the pen")
        day, month, year = int(digits[:2]), int(digits[2:4]), int(digits[4:6])
        sort, synthetic = Sort.NATIONAL, month > 80
        if day > 40:
            sort, day = Sort.D, day - 40
        if synthetic:
            month -= 80
        elif month > 40:
            sort, month = Sort.HELP, month - 40
        century = _century(int(digits[6:9]), year) if _sum(digits, _FIRST) == 0 else None
        birth = _date((century or 2000) + year, month, day)
        if birth is None:
            raise _wrong("names a day that is not in the calendar")
        return cls(digits, sort, synthetic, birth if century else None)


def is_identity_number(text: str) -> bool:
    """Tell whether a text is an identity number, which may be the name of nothing."""
    try:
        IdentityNumber.read(text)
    except InvalidInput:
        return False
    return True


def _sum(digits: str, weights: tuple[int, ...]) -> int:
    return sum(w * int(d) for w, d in zip(weights, digits, strict=False)) % 11


def _century(individual: int, year: int) -> int | None:
    return next((c for i, years, c in _CENTURIES if individual in i and year in years), None)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _wrong(why: str) -> InvalidInput:
    return InvalidInput.single("identity", f"an identity number {why}")
