"""Saying how many there are."""

from __future__ import annotations


def counted(number: int, one: str, several: str = "") -> str:
    """Give a number with what is counted: ``1 visit``, ``2 visits``, ``0 entries``.

    Parameters
    ----------
    one, several : str
        What follows 1, and any other number; without the latter it is the former with an s.
    """
    return f"{number} {one if number == 1 else several or one + 's'}"
