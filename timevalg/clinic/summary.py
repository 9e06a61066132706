"""What `timevalg check` says of a file that is right."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from math import lcm

from timevalg.model.clinic import Clinic
from timevalg.model.contents import Contents
from timevalg.model.roster import Hours

MAX_WEEKS = 520
_MONDAY = date(2027, 1, 4)


@dataclass(frozen=True)
class ClinicSummary:
    """One clinic in numbers.

    Attributes
    ----------
    clinic, name : str
        Its id, and its name in bokmål.
    resources : int
        Those in its file, members of capacities counted, borrowed ones too.
    pools, services, bookings, tasks : int
        In its file.
    bookable_hours_a_week : float
        Hours on the rosters of the clinic's own clinicians in a mean week: for each clinician the
        union of the hours of each day (the clinic's hours for those without their own), averaged
        over the weeks of the roster. What is limited by `valid` is left out, as it is no part of
        the ordinary week; absences, calendars, holidays and closures are not taken off.
    """

    clinic: str
    name: str
    resources: int
    services: int
    pools: int
    bookings: int
    tasks: int
    bookable_hours_a_week: float


def summary(contents: Contents) -> tuple[ClinicSummary, ...]:
    """Summarise each clinic, in the order of the files."""
    return tuple(
        ClinicSummary(
            clinic=clinic.id,
            name=str(clinic.name),
            resources=len(clinic.resources),
            services=len(clinic.services),
            pools=len(clinic.pools),
            bookings=sum(b.session.clinic == clinic.id for b in contents.bookings),
            tasks=sum(t.clinic == clinic.id for t in contents.tasks),
            bookable_hours_a_week=_hours_a_week(clinic),
        )
        for clinic in contents.organisation.clinics.values()
    )


def _hours_a_week(clinic: Clinic) -> float:
    minutes = Fraction()
    for resource in clinic.resources.values():
        if resource.kind == "clinician" and resource.owner is None:
            hours = clinic.hours if resource.hours is None else resource.hours
            minutes += _mean_minutes(hours)
    return round(float(minutes / 60), 2)


def _mean_minutes(hours: tuple[Hours, ...]) -> Fraction:
    ordinary = [h for h in hours if not _is_limited(h)]
    weeks = min(lcm(*(h.of for h in ordinary if h.weeks)), MAX_WEEKS)
    total = 0
    for number in range(7 * weeks):
        day = _MONDAY + timedelta(days=number)
        total += _covered([(h.start, h.end) for h in ordinary if h.covers(day)])
    return Fraction(total, weeks)


def _is_limited(hours: Hours) -> bool:
    return hours.valid_from is not None or hours.valid_to is not None


def _covered(stretches: list[tuple[int, int]]) -> int:
    total, until = 0, 0
    for start, end in sorted(stretches):
        total += max(0, end - max(start, until))
        until = max(until, end)
    return total
