"""Who may act for a patient: parents by the child's age, and holders of a power of attorney.

Source: the Norwegian act on patients' and users' rights (health authority from 16, chapter 4), the
rules of the national portal for parents' access and for confidential addresses.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

AREA = "appointments"
"""The area of a power of attorney that all here belongs to."""


class Basis(StrEnum):
    """What makes somebody a representative."""

    PARENT = "parent"
    GUARDIAN = "guardian"
    ATTORNEY = "attorney"


OF_CHILDREN = frozenset({Basis.PARENT, Basis.GUARDIAN})


@dataclass(frozen=True)
class Representation:
    """That somebody may act for a patient, from the one date to the other, both included.

    Attributes
    ----------
    representative : str
        ``person:…``, the pseudonym of their identity number.
    shares_address : bool
        A parent who lives where the child is registered.
    consents : bool
        A parent who lets the child act for themself (before they may by age).
    areas : tuple of str
        What a power of attorney is for; empty = everything.
    by : str
        Who registered it.
    """

    id: str
    organisation: str
    patient: str
    representative: str
    basis: Basis
    starts: date
    registered_at: datetime
    by: str
    ends: date | None = None
    shares_address: bool = False
    consents: bool = False
    areas: tuple[str, ...] = ()
    version: int = 1

    def stands(self, today: date) -> bool:
        """Tell whether it holds on a day, by itself: age and addresses may forbid it."""
        begun = self.starts <= today and (self.ends is None or today <= self.ends)
        return begun and (not self.areas or AREA in self.areas)


@dataclass(frozen=True)
class Withholding:
    """What was decided about a task and its visits (``t:…``) or a visit without one (``a:…``).

    Attributes
    ----------
    id : str
        The task or visit.
    withheld : bool
        Whether representatives see nothing of it; False = a parent sees it, though the child's
        age would withhold it.
    """

    id: str
    organisation: str
    patient: str
    withheld: bool
    since: datetime
    by: str
    version: int = 1


@dataclass(frozen=True)
class AgeRules:
    """From which age on what holds, in years; in force from `first` to `last`, both included."""

    first: date
    last: date | None
    source: str
    withheld: int
    with_consent: int
    own: int


AGE_RULES = (
    AgeRules(
        date(1901, 1, 1),
        None,
        "act on patients' and users' rights; the national portal's rules of access",
        withheld=12,
        with_consent=13,
        own=16,
    ),
)
"""A change of law is a new row, and an end to the one before."""


def rules_on(today: date) -> AgeRules:
    """Give the rules in force on a day."""
    return next(r for r in AGE_RULES if r.first <= today and (r.last is None or today <= r.last))


def age_on(birth: date, today: date) -> int:
    """Give somebody's age in whole years; who is born on 29 February turns it on 1 March."""
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))


def may_act_alone(
    birth: date | None, representations: Iterable[Representation], today: date
) -> bool:
    """Tell whether a patient may act for themself; whose age is not known may."""
    if birth is None:
        return True
    rules, age = rules_on(today), age_on(birth, today)
    if age >= rules.own:
        return True
    parents = [r for r in representations if r.basis in OF_CHILDREN and r.stands(today)]
    return age >= rules.with_consent and any(r.consents for r in parents)


def basis_of(
    representative: str,
    birth: date | None,
    confidential: bool,
    representations: Iterable[Representation],
    today: date,
) -> Basis | None:
    """Give what makes somebody a representative of a patient today; None = nothing.

    Parameters
    ----------
    birth, confidential
        The patient's; whoever does not live with a child at a confidential address learns nothing.
    """
    standing = [r for r in representations if r.stands(today)]
    own = [r for r in standing if r.representative == representative]
    if any(r.basis is Basis.ATTORNEY for r in own):
        return Basis.ATTORNEY
    of_child = [r for r in own if r.basis in OF_CHILDREN]
    if not of_child or birth is None or age_on(birth, today) >= rules_on(today).own:
        return None
    if any(r.basis is Basis.GUARDIAN for r in of_child):
        return Basis.GUARDIAN
    near = [r for r in (of_child if confidential else standing) if r.basis is Basis.PARENT]
    return Basis.PARENT if any(r.shares_address for r in near) else None


def is_withheld_by_age(basis: Basis | None, birth: date | None, today: date) -> bool:
    """Tell whether a visit is withheld unless somebody has decided otherwise.

    Of whom it is not known what makes them a representative nothing is taken for granted.
    """
    if basis is Basis.ATTORNEY or birth is None:
        return False
    return rules_on(today).withheld <= age_on(birth, today) < rules_on(today).own
