"""Figures of a period: how often times are re-planned, chosen, missed; what is lost, who waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from timevalg.booking.access import allow, scope_of
from timevalg.booking.acting import Act
from timevalg.booking.ports import Ports
from timevalg.booking.running import picture_of, run
from timevalg.booking.use_cases import use_case
from timevalg.booking.verification import is_for_verification
from timevalg.model.errors import InvalidInput
from timevalg.model.figures import MEASURES, Figures, Period
from timevalg.model.principal import Principal
from timevalg.solver.picture import Picture

LONGEST = timedelta(days=3660)
"""Of a period."""
TOUCHES = frozenset(
    {
        "amend",
        "assign",
        "cancel",
        "change",
        "check",
        "choose",
        "decline",
        "hand to staff",
        "hold",
        "keep waiting",
        "move",
        "none suits",
        "rebook",
        "refuse",
        "renew hold",
        "reopen",
        "undo",
        "withdraw",
        "write letter",
    }
)
"""Verbs by which staff touch an invitation or a visit: not looking, inviting or attending."""
NOW = "stranded_now"
"""What is so at this moment, whatever the period."""


@dataclass(frozen=True)
class Report:
    """The figures of a period.

    Attributes
    ----------
    clinics : mapping
        Clinic → its figures.
    together : Figures
        Of all of them.
    counted : bool
        False for an organisation marked for verification, which counts in no figure.
    months : mapping
        Month (``2027-01``) → what of the period lies in it, of all clinics, if asked for; without
        what is so at this moment only.
    """

    first: date
    last: date
    clinics: Mapping[str, Figures]
    together: Figures
    counted: bool = True
    months: Mapping[str, Figures] = field(default_factory=dict)


@use_case("figures", keyed=False)
def figures(
    ports: Ports,
    principal: Principal,
    first: date | None = None,
    last: date | None = None,
    clinic: str | None = None,
    by_month: bool = False,
) -> Report:
    """Count what happened in some local days.

    Parameters
    ----------
    first, last : date or None
        Both included; default from 1 January of the last one's year, until today.
    clinic : str or None
        Only this one; default all that are the principal's.
    by_month : bool
        Count each month by itself too.

    Raises
    ------
    InvalidInput
        If it is no period of at most ten years.
    """
    scope_of("figures", principal)
    picture = picture_of(ports, principal)
    clinics = picture.index.organisation.clinics
    if clinic is not None:
        allow("figures", principal, kind="clinic", key=clinic, clinic=clinic)
        picture.index.organisation.clinic(clinic)
    mine = [
        name
        for name in clinics
        if clinic in {None, name} and (principal.clinics is None or name in principal.clinics)
    ]

    period = _period(picture, mine, first, last)

    def body(act: Act) -> Report:
        act.audit("figures", clinic or principal.organisation)
        counted = not is_for_verification(act.unit)
        if not mine or not counted:
            return Report(period.first, period.last, {}, Figures({}), counted)
        of = _count(act, period, mine, picture)
        months = {}
        for month in _months(picture, mine, period) if by_month else ():
            found = Figures.together(_count(act, month, mine, picture).values())
            known = {n: c for n, c in found.counts.items() if n != NOW}
            months[f"{month.first:%Y-%m}"] = replace(found, counts=known)
        return Report(period.first, period.last, of, Figures.together(of.values()), months=months)

    return run(ports, principal, "figures", body)


def _count(
    act: Act, period: Period, clinics: Sequence[str], picture: Picture
) -> dict[str, Figures]:
    counts: dict[str, dict[str, float]] = {n: dict.fromkeys(MEASURES, 0) for n in clinics}
    waited: dict[str, Counter[int]] = {n: Counter() for n in clinics}
    clinicians = _clinicians(picture)
    for one in act.unit.tallies.count(period, TOUCHES):
        if one.clinic in counts and (one.resource is None or one.resource in clinicians):
            counts[one.clinic][one.measure] += one.count
            if one.days is not None:
                waited[one.clinic][one.days] += one.count
    return {name: Figures(counts[name], waited[name]) for name in clinics}


def _months(picture: Picture, clinics: Sequence[str], period: Period) -> Iterator[Period]:
    """Give the months of a period, the first and the last as far as they lie in it."""
    first = period.first
    while first <= period.last:
        after = (first.replace(day=1) + timedelta(days=31)).replace(day=1)
        yield _period(picture, clinics, first, min(after - timedelta(days=1), period.last))
        first = after


def _period(
    picture: Picture, clinics: Sequence[str], first: date | None, last: date | None
) -> Period:
    """Give the period by the clock of the first clinic, which is that of the others too.

    Raises
    ------
    InvalidInput
    """
    here = picture.index.organisation.clinics
    zone: tzinfo = here[clinics[0]].timezone if clinics else UTC
    today = picture.now.astimezone(zone).date()
    last = last or max(today, first or today)
    first = first or last.replace(month=1, day=1)
    if not timedelta() <= last - first <= LONGEST:
        raise InvalidInput.single("last", "give a period of at most ten years, its first day first")
    since, until = (
        datetime.combine(day, time(), zone).astimezone(UTC)
        for day in (first, last + timedelta(days=1))
    )
    return Period(first, last, since, until, today)


def _clinicians(picture: Picture) -> frozenset[str]:
    clinics = picture.index.organisation.clinics.values()
    return frozenset(
        r.id for clinic in clinics for r in clinic.resources.values() if r.kind == "clinician"
    )
