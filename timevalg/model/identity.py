"""Who a token speaks of, before anybody has asked what they may do here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Identity:
    """What a valid token says of its bearer.

    Attributes
    ----------
    issuer, subject : str
        Together they name the bearer; `subject` is pseudonymous.
    person : str or None
        National identity number; in no log, message or URL, so never shown.
    client : str
        The software that acts, by its client id.
    organisation, unit : str or None
        Numbers of the trust and of the unit under it on whose behalf a client acts.
    professional : str or None
        Number in the register of health personnel (HPR).
    level : str
        How surely the bearer was recognised.
    granted : mapping
        Rights the token itself gives; only the development issuer's do.
    """

    issuer: str
    subject: str
    person: str | None = field(default=None, repr=False)
    client: str = ""
    organisation: str | None = None
    unit: str | None = None
    professional: str | None = field(default=None, repr=False)
    level: str = ""
    granted: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asking:
    """As whom the bearer of a token would act, where the token leaves that open.

    Attributes
    ----------
    organisation : str
        Of those whose tokens name none.
    role : str
        One of those they have; empty = the first.
    patient : str
        For whom; empty = for themselves.
    """

    organisation: str = ""
    role: str = ""
    patient: str = ""
