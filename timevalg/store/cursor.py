"""Cursors of the event feed: opaque to readers, a transaction and a number to the stores."""

from __future__ import annotations

from timevalg.model.errors import InvalidInput


def position(cursor: str) -> tuple[int, int]:
    """Give the transaction and the sequence number that a cursor stands for.

    Raises
    ------
    InvalidInput
        If nobody can have been given this cursor.
    """
    if not cursor:
        return -1, -1
    transaction, _, sequence = cursor.partition(".")
    if not (_is_number(transaction) and _is_number(sequence)):
        raise InvalidInput.single("after", f"{cursor!r} is no cursor; hand back one you were given")
    return int(transaction), int(sequence)


def _is_number(digits: str) -> bool:
    return digits.isascii() and digits.isdecimal() and len(digits) < 19
