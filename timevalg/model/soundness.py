"""What an examination of a database finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it must be.

    Attributes
    ----------
    check : str
        The check that found it.
    what : str
        What is wrong, with what: ids, never people's names.
    cure : str
        What to do about it.
    organisation : str or None
        Whose it is; None = the database itself.
    """

    check: str
    what: str
    cure: str
    organisation: str | None = None
