"""Rights: who may act as what, where, from when to when, and from whom they have it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from timevalg.model.principal import RoleName

Clinics = frozenset[str] | None
"""Some clinics; None = all of the organisation, those to come too."""
NOWHERE: Clinics = frozenset()


@dataclass(frozen=True)
class Unit:
    """A part of the organisation, between it and its clinics.

    Attributes
    ----------
    id : str
        Its number, as tokens name it.
    clinics : tuple of str
        The clinics that are its own at present.
    """

    id: str
    organisation: str
    name: str
    clinics: tuple[str, ...]
    version: int = 1


@dataclass(frozen=True)
class Right:
    """One role of one holder in the organisation, in one of its units or in one clinic.

    Attributes
    ----------
    holder : str
        ``hpr:…`` | ``person:…`` (a pseudonym) | ``client:…``.
    unit, clinic : str or None
        Where; both None = everywhere in the organisation.
    starts, ends : datetime, datetime or None
        From the one on and before the other; None = without end.
    giver : str or None
        The right it was given from; None = the organisation's own, given by an operator.
    by : str
        Who gave it.
    may_delegate : bool
        Whether the holder may give of it.
    """

    id: str
    organisation: str
    holder: str
    role: RoleName
    starts: datetime
    given_at: datetime
    by: str
    unit: str | None = None
    clinic: str | None = None
    ends: datetime | None = None
    giver: str | None = None
    may_delegate: bool = False
    revoked_at: datetime | None = None
    revoked_by: str = ""
    version: int = 1

    def stands(self, now: datetime) -> bool:
        """Tell whether it holds at an instant, by itself: what it was given from may not."""
        begun = self.starts <= now and (self.ends is None or now < self.ends)
        return begun and self.revoked_at is None


def both(one: Clinics, other: Clinics) -> Clinics:
    """Give the clinics that are in both."""
    if one is None or other is None:
        return one if other is None else other
    return one & other


def within(inner: Clinics, outer: Clinics) -> bool:
    """Tell whether all of the one are in the other."""
    return outer is None or (inner is not None and inner <= outer)
