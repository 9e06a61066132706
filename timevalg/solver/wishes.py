"""What a patient would like: wishes rank starts, unless they are musts; then they filter.

Every wish is a bitmap of the starts that keep it, so thousands of starts are judged at once. What
a wish can say of the clinician concerns who leads the visit: the service's first role for a
clinician. "The same clinician" is kept by anybody of the visit who is known. Where a role takes
several, one of them has a seat of their own: named for the role, and for no other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import cached_property
from itertools import combinations

from timevalg.model.clinic import Clinic
from timevalg.model.resource import Kind, Resource
from timevalg.model.roster import Hours
from timevalg.model.time import MINUTES_A_DAY
from timevalg.solver.masks import Only
from timevalg.solver.opening import visits_inside
from timevalg.solver.plan import PoolPlan
from timevalg.solver.window import Window

OF_CLINICIAN = ("sex", "language")
SAME = "clinicians"
Seat = tuple[int, str]
"""Number of a role, resource id."""


@dataclass(frozen=True)
class Wishes:
    """A patient's wishes; what is left out does not matter.

    Attributes
    ----------
    days : frozenset of int
        Weekdays, Monday = 0.
    after, before : int or None
        Minutes after local midnight: the visit begins at or after the one, ends at or before the
        other.
    not_on : frozenset of date
        Local dates that do not suit.
    earliest, latest : date or None
        Local dates, both included.
    clinicians : frozenset of str
        Who saw the patient last time; ranked by the term `same_clinician`. Patients need not say:
        their visits tell.
    sex, language : str or None
        Of the clinician who leads the visit.
    places : frozenset of str
        Clinics by id or by the name of their place, in any language.
    modes : frozenset of str
        ``physical``, ``video``, ``phone``, ``home``.
    must : frozenset of str
        Names of the wishes above that are conditions: what does not keep them is not given.
    """

    days: frozenset[int] = frozenset()
    after: int | None = None
    before: int | None = None
    not_on: frozenset[date] = frozenset()
    earliest: date | None = None
    latest: date | None = None
    clinicians: frozenset[str] = frozenset()
    sex: str | None = None
    language: str | None = None
    places: frozenset[str] = frozenset()
    modes: frozenset[str] = frozenset()
    must: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        known = {f.name for f in fields(self)} - {"must"}
        if not self.must <= known:
            raise ValueError(f"must names no wish: {', '.join(sorted(self.must - known))}")
        if not self.days <= set(range(7)):
            raise ValueError(f"days {sorted(self.days)} are not weekdays 0 … 6")
        for name in ("after", "before"):
            minute = getattr(self, name)
            if minute is not None and not 0 <= minute <= MINUTES_A_DAY:
                raise ValueError(f"{name} {minute} is no minute of a day")

    @cached_property
    def given(self) -> tuple[str, ...]:
        """The wishes that say something, by name."""
        return tuple(
            f.name
            for f in fields(self)
            if f.name != "must" and getattr(self, f.name) not in (None, frozenset())
        )

    @cached_property
    def soft(self) -> tuple[str, ...]:
        """Those that the term `wishes` counts: neither musts nor "the same clinician"."""
        return tuple(name for name in self.given if name not in self.must and name != SAME)


NOTHING = Wishes()


def kept(wishes: Wishes, window: Window) -> Mapping[str, int]:
    """Give for each wish about time, place and mode the starts that keep it (−1 = all)."""
    clinic, days, frame = window.pool.clinic, window.days, window.frame
    out: dict[str, int] = {}
    for name in wishes.given:
        if name == "days":
            out[name] = days.bits(Hours(days=wishes.days))
        elif name == "after":
            after = wishes.after or 0
            out[name] = days.bits(Hours(start=after)) if after < MINUTES_A_DAY else 0
        elif name == "before":
            length = window.pool.service.length + window.extra
            hours = [Hours(end=wishes.before)] if wishes.before else []
            out[name] = visits_inside(days, hours, length)
        elif name == "not_on":
            out[name] = -1
            for day in wishes.not_on:
                if days.first <= day <= days.last:
                    out[name] &= ~days.dates(day, day)
        elif name == "earliest" and wishes.earliest is not None:
            out[name] = -1 << days.midnight(wishes.earliest)
        elif name == "latest" and wishes.latest is not None:
            end = days.dates(days.first, wishes.latest) if wishes.latest >= days.first else 0
            out[name] = end & (1 << frame.size) - 1
        elif name == "places":
            out[name] = -1 if wishes.places & places_of(clinic) else 0
        elif name == "modes":
            out[name] = -1 if window.pool.service.mode in wishes.modes else 0
    return out


@dataclass(frozen=True)
class Staffing:
    """A way to choose clinicians that keeps some wishes.

    Attributes
    ----------
    kept : int
        Soft wishes about the clinician that it keeps.
    same : bool
        Whether somebody known to the patient is among them.
    only : frozenset
        Role → who may serve it.
    seat : (int, str) or None
        A role, by its number, that takes several, and one who must be among them; by `only`, no
        other role may be served by that one.
    """

    kept: int
    same: bool
    only: Only
    seat: Seat | None = None


def staffings(wishes: Wishes, plan: PoolPlan, only: Only) -> Iterator[Staffing]:
    """Give the ways to choose clinicians for whom there is anybody; none if a must fails.

    Parameters
    ----------
    only : frozenset
        The task's named resources; they hold whatever is wished.
    """
    roles = plan.service.roles
    clinicians = [n for n, role in enumerate(roles) if role.kind == Kind.CLINICIAN]
    named = dict(only)
    asked = [name for name in OF_CLINICIAN if name in wishes.given]
    musts = [name for name in asked if name in wishes.must]
    soft = [name for name in asked if name not in wishes.must]
    for size in range(len(soft), -1, -1):
        for some in combinations(soft, size):
            wanted = [*musts, *some]
            if wanted and not clinicians:
                continue
            fitting = {
                number: [
                    r.id
                    for r in plan.candidates[number]
                    if _allowed(r, named.get(role.id))
                    and (number not in clinicians[:1] or all(_has(r, wishes, n) for n in wanted))
                ]
                for number, role in enumerate(roles)
            }
            narrow = set(clinicians[:1] if wanted else ())
            for number in clinicians if wishes.clinicians else ():
                known = [name for name in fitting[number] if name in wishes.clinicians]
                if roles[number].count == 1:
                    new = {**fitting, number: known}
                    yield from _staffing(plan, only, size, True, new, {*narrow, number})
                    continue
                for name in known:
                    new = {
                        n: [x for x in names if n == number or x != name]
                        for n, names in fitting.items()
                    }
                    seat = number, name
                    others = {*plan.roles_of[name]} - {number}
                    yield from _staffing(plan, only, size, True, new, narrow | others, seat)
            if SAME not in wishes.must:
                yield from _staffing(plan, only, size, False, fitting, narrow)


def _staffing(
    plan: PoolPlan,
    only: Only,
    kept: int,
    same: bool,
    fitting: Mapping[int, Sequence[str]],
    narrow: Collection[int],
    seat: Seat | None = None,
) -> Iterator[Staffing]:
    """Give a staffing that narrows some roles to those who fit, if there are any for each."""
    if all(fitting[number] for number in narrow):
        new = {plan.service.roles[n].id: tuple(fitting[n]) for n in narrow}
        yield Staffing(kept, same, frozenset({**dict(only), **new}.items()), seat)


def _allowed(resource: Resource, names: Collection[str] | None) -> bool:
    return names is None or resource.id in names or resource.group in names


def _has(resource: Resource, wishes: Wishes, name: str) -> bool:
    if name == "sex":
        return resource.sex == wishes.sex
    return wishes.language in resource.languages


def places_of(clinic: Clinic) -> set[str]:
    """Give the words that `Wishes.places` may name a clinic by."""
    place = clinic.place
    return {clinic.id} | ({words for _, words in place.name.words} if place else set())
