"""Services: kinds of visit, the roles they need and the preparations before them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from timevalg.model.resource import Kind, Resource
from timevalg.model.text import Text


@dataclass(frozen=True)
class Role:
    """`count` resources of a kind, with these skills, for a part of the visit.

    Attributes
    ----------
    start : int
        Minutes from the patient's start; may be negative.
    length : int
        Minutes.
    """

    id: str
    kind: Kind
    length: int
    start: int = 0
    skills: frozenset[str] = frozenset()
    count: int = 1

    def fits(self, resource: Resource) -> bool:
        """Tell whether the resource has the kind and at least the skills."""
        return resource.kind == self.kind and self.skills <= resource.skills


@dataclass(frozen=True)
class Together:
    """Pairings: the resources of these roles, in this order, must form one of the rows."""

    roles: tuple[str, ...]
    allowed: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class PreparationRule:
    """What must be done before a visit, in local calendar days before it.

    Attributes
    ----------
    due, start : int or None
        Days before the visit's date; at least one is given.
    limits : bool
        Whether a visit too early for it is impossible; otherwise it is then due at once.
    by : str
        ``patient`` or ``staff``.
    """

    id: str
    name: Text
    kind: str = "instruction"
    due: int | None = None
    start: int | None = None
    limits: bool = True
    by: str = "patient"

    @property
    def lead(self) -> int:
        """Days that must lie between today and the visit, if it limits."""
        return max(self.due or 0, self.start or 0)

    def dates(self, visit: date, today: date) -> tuple[date | None, date]:
        """Give the dates on which it starts (if it says) and is due, never before today."""
        start = None if self.start is None else max(today, visit - timedelta(days=self.start))
        due = visit if self.due is None else max(today, visit - timedelta(days=self.due))
        return start, due


@dataclass(frozen=True)
class Service:
    """A kind of visit; `length` is the minutes the patient is told."""

    id: str
    name: Text
    length: int
    roles: tuple[Role, ...]
    mode: str = "physical"
    together: tuple[Together, ...] = ()
    preparations: tuple[PreparationRule, ...] = ()

    def role(self, role: str) -> Role:
        """Give a role by its id."""
        return next(r for r in self.roles if r.id == role)
