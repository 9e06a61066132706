"""Builds the frozen values of a clinic from its checked rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from timevalg.clinic.check import Checked
from timevalg.clinic.days_off import country_holidays
from timevalg.clinic.format import (
    AwayRow,
    ChangeRow,
    ClinicRow,
    HoursRow,
    OpeningRow,
    PoolRow,
    PreparationRow,
    QuotaRow,
    ResourceRow,
    Roster,
    ServiceRow,
    WorkingRow,
)
from timevalg.clinic.grid import all_outward, outward, to_instant
from timevalg.clinic.names import Names, member_ids
from timevalg.clinic.pairing import written_out
from timevalg.model.clinic import Clinic, Closure, VisitPlace
from timevalg.model.pool import WEIGHTS, ChangePolicy, Pool, Quota
from timevalg.model.resource import Absence, Kind, Resource
from timevalg.model.roster import Hours, Opening, WorkingHours
from timevalg.model.service import PreparationRule, Role, Service, Together
from timevalg.model.text import Text
from timevalg.model.time import DAY_NAMES, MINUTES_A_DAY, Span, day_span

Lent = Callable[[str, str], ResourceRow | None]
"""Gives the row of a borrowed resource by the clinic that owns it and its id."""

Calendar = Callable[[str], Iterable[tuple[datetime, datetime]]]
"""Gives the busy times of the calendar of this name."""


def build_clinic(checked: Checked, lent: Lent, calendar: Calendar, grid: int) -> Clinic:
    """Build a clinic.

    Parameters
    ----------
    checked : Checked
        Its file, without findings.
    grid : int
        Minutes; busy times and absences are rounded outward to it.
    """
    row = checked.clinic
    assert row is not None
    zone = ZoneInfo(row.timezone)
    taken: dict[str, list[tuple[datetime, datetime]]] = {}
    for _, busy in checked.rows["busy"]:
        for member in checked.names.members(busy.resource):
            times = (to_instant(busy.from_, zone), to_instant(busy.to, zone))
            taken.setdefault(member, []).append(times)
    resources = [
        resource
        for _, resource_row in checked.rows["resources"]
        for resource in _resources(resource_row, row, checked.names, lent, calendar, taken, grid)
    ]
    services = [_service(service, checked.names) for _, service in checked.rows["services"]]
    pools = [_pool(pool, row.id, checked.names) for _, pool in checked.rows["pools"]]
    return Clinic(
        id=row.id,
        organisation=row.organisation,
        name=row.name or Text.plain(row.id),
        timezone=zone,
        cell=row.cell,
        holidays=_holidays(row.holidays),
        closed=tuple(Closure(c.from_, c.to, c.reason) for c in row.closed),
        planned_until=row.planned_until,
        hours=tuple(map(_working, row.hours)),
        place=None if row.place is None else VisitPlace(row.place.name, row.place.room),
        contact=row.contact,
        resources={r.id: r for r in resources},
        services={s.id: s for s in services},
        pools={p.id: p for p in pools},
        quotas=tuple(_quota(quota) for _, quota in checked.rows["quotas"]),
    )


def _holidays(value: str | tuple[date, ...]) -> frozenset[date]:
    if isinstance(value, str):
        return country_holidays(value) or frozenset()
    return frozenset(value)


def _resources(
    row: ResourceRow,
    clinic: ClinicRow,
    names: Names,
    lent: Lent,
    calendar: Calendar,
    taken: Mapping[str, list[tuple[datetime, datetime]]],
    grid: int,
) -> list[Resource]:
    owned = None if row.owner is None else lent(row.owner, row.id)
    zone = ZoneInfo(clinic.timezone)
    skills = row.skills if row.skills is not None or owned is None else owned.skills
    name = row.name or (owned.name if owned else None)
    events = list(calendar(row.busy)) if row.busy else []
    away = tuple(a for away_row in row.away if (a := _absence(away_row, zone, grid)) is not None)
    hours = None if row.hours is None else tuple(map(_working, row.hours))
    is_group = row.id in names.groups
    members = member_ids(row.id, names.groups[row.id]) if is_group else [row.id]
    return [
        Resource(
            id=member,
            kind=Kind(row.kind),
            clinic=clinic.id,
            name=_member_name(name, member, number if is_group else None),
            skills=frozenset(skills or ()),
            sex=row.sex or (owned.sex if owned else None),
            languages=tuple(row.languages or (owned.languages if owned else ())),
            owner=row.owner,
            group=row.id if is_group else None,
            hours=hours,
            away=away,
            busy=all_outward([*events, *taken.get(member, ())], grid),
        )
        for number, member in enumerate(members, 1)
    ]


def _member_name(name: Text | None, member: str, number: int | None) -> Text:
    if name is None:
        return Text.plain(member)
    if number is None:
        return name
    return Text(tuple((language, f"{words} {number}") for language, words in name.words))


def _roster(row: Roster) -> dict[str, Any]:
    valid = row.valid
    return {
        "days": frozenset(range(7) if row.days is None else map(DAY_NAMES.index, row.days)),
        "weeks": frozenset(row.weeks or ()),
        "of": row.of or 1,
        "since": row.since,
        "valid_from": None if valid is None else valid.from_,
        "valid_to": None if valid is None else valid.to,
    }


def hours(row: HoursRow) -> Hours:
    """Build recurring hours."""
    return Hours(start=row.from_, end=row.to, **_roster(row))


def _working(row: WorkingRow) -> WorkingHours:
    pools = None if row.for_ is None else frozenset(row.for_)
    return WorkingHours(start=row.from_, end=row.to, pools=pools, **_roster(row))


def _opening(row: OpeningRow) -> Opening:
    return Opening(start=row.from_, end=row.to, release=row.release, **_roster(row))


def _absence(row: AwayRow, zone: ZoneInfo, grid: int) -> Absence | None:
    first, last = row.from_, row.to
    span: Span | None
    if isinstance(first, datetime) and isinstance(last, datetime):
        span = outward(to_instant(first, zone), to_instant(last, zone), grid)
        return None if span is None else Absence(span=span, reason=row.reason)
    if isinstance(first, date) and isinstance(last, date):
        return Absence(span=day_span(first, last, zone), reason=row.reason)
    assert isinstance(first, int | None) and isinstance(last, int | None)
    start = (first or 0) // grid * grid
    end = MINUTES_A_DAY if last is None else min(-(-last // grid) * grid, MINUTES_A_DAY)
    return Absence(hours=Hours(start=start, end=end, **_roster(row)), reason=row.reason)


def preparation(row: PreparationRow) -> PreparationRule:
    """Build a preparation."""
    name = row.name or Text.plain(row.id)
    return PreparationRule(row.id, name, row.kind, row.due, row.start, row.limits, row.by)


def _service(row: ServiceRow, names: Names) -> Service:
    roles = tuple(
        Role(
            id=role.id,
            kind=Kind(role.kind),
            length=row.length if role.length is None else role.length,
            start=role.start,
            skills=frozenset(role.skills),
            count=role.count,
        )
        for role in row.roles
    )
    together = tuple(
        Together(
            tuple(pairing.roles),
            tuple(
                dict.fromkeys(
                    chosen
                    for allowed in pairing.allowed
                    for chosen in written_out([names.members(name) for name in allowed])
                )
            ),
        )
        for pairing in row.together
    )
    return Service(
        id=row.id,
        name=row.name or Text.plain(row.id),
        length=row.length,
        roles=roles,
        mode=row.mode,
        together=together,
        preparations=tuple(map(preparation, row.preparations)),
    )


def _pool(row: PoolRow, clinic: str, names: Names) -> Pool:
    resources = None
    if row.resources is not None:
        resources = frozenset(m for name in row.resources for m in names.members(name))
    weights = row.weights.model_dump(exclude_none=True) if row.weights else {}
    return Pool(
        id=row.id,
        clinic=clinic,
        service=row.service,
        open=tuple(map(_opening, row.open)),
        raster=row.raster,
        horizon=row.horizon,
        resources=resources,
        notice=row.notice,
        fallback_notice=row.notice if row.fallback_notice is None else row.fallback_notice,
        check=row.check,
        fallback=row.fallback,
        hold=row.hold,
        letter=row.letter,
        check_rules=tuple(row.check_rules),
        weights={**WEIGHTS, **{name: float(weight) for name, weight in weights.items()}},
        change=_change(row.change),
        cancel=_change(row.cancel),
    )


def _change(row: ChangeRow | None) -> ChangePolicy | None:
    return None if row is None else ChangePolicy(row.until, row.times)


def _quota(row: QuotaRow) -> Quota:
    each = None if row.each is None else Kind(row.each)
    return Quota(frozenset(row.pools), row.per, row.max, each)
