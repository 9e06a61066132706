"""A clinic small enough to reckon by hand; each test changes what it is about.

Tuesday 2027-01-12, Europe/Oslo (UTC+1). One pool `p`: a 60-minute visit with one clinician, open
09:00–12:00 every day, a start each half-hour. `kari` and `lie` work 08:00–16:00.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from timevalg.model.clinic import Clinic, Organisation
from timevalg.model.pool import Pool
from timevalg.model.resource import Kind, Resource
from timevalg.model.roster import Opening, WorkingHours
from timevalg.model.service import Role, Service
from timevalg.model.session import Session, SessionKind
from timevalg.model.task import Task
from timevalg.model.text import Text
from timevalg.model.time import Span
from timevalg.solver.ask import Ask
from timevalg.solver.index import Index
from timevalg.solver.search import feasible

OSLO = ZoneInfo("Europe/Oslo")
TODAY = date(2027, 1, 12)
NOW = datetime(2027, 1, 11, 23, 30, tzinfo=UTC)  # 00:30 on the 12th in Oslo
DAY = timedelta(days=1)
DOCTOR = Role("doctor", Kind.CLINICIAN, 60)


def resource(name: str, kind: Kind = Kind.CLINICIAN, **other) -> Resource:
    other.setdefault("hours", (WorkingHours(start=480, end=960),))
    return Resource(name, kind, other.pop("clinic", "c"), Text.plain(name), **other)


def service(*roles: Role, length: int = 60, **other) -> Service:
    return Service("v", Text.plain("visit"), length, roles or (DOCTOR,), **other)


def pool(name: str = "p", **other) -> Pool:
    other = {
        "open": (Opening(start=540, end=720),),
        "raster": 30,
        "horizon": 0,
        "clinic": "c",
    } | other
    return Pool(name, service="v", **other)


def clinic(*resources: Resource, name: str = "c", **other) -> Clinic:
    people = resources or (resource("kari"), resource("lie"))
    visit = other.pop("service", service())
    pools = other.pop("pools", (pool(),))
    return Clinic(
        name,
        "o",
        Text.plain(name),
        other.pop("timezone", OSLO),
        resources={r.id: r for r in people},
        services={visit.id: visit},
        pools={p.id: p for p in pools},
        **other,
    )


def organisation(*clinics: Clinic) -> Organisation:
    return Organisation("o", {c.id: c for c in clinics or (clinic(),)})


def at(hour: int, minute: int = 0, day: date = TODAY, zone: ZoneInfo = OSLO) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone).astimezone(UTC)


def taken(
    *names: str,
    start: datetime,
    minutes: int = 60,
    name: str = "b",
    kind: SessionKind = SessionKind.BOOKING,
    **other,
) -> Session:
    span = Span(start, start + timedelta(minutes=minutes))
    other = {"pool": "p", "clinic": "c", "service": "v"} | other
    return Session(
        name,
        kind,
        start=start,
        length=minutes,
        resources={"doctor": names},
        spans={n: span for n in names},
        **other,
    )


def task(**other) -> Task:
    other = {
        "pools": ("p",),
        "opens": TODAY,
        "due": TODAY,
        "not_after": TODAY + 30 * DAY,
        "patient": "ola",
    } | other
    return Task("t", "o", "c", **other)


def walls(here: Organisation | Clinic, *sessions: Session, ask: Ask | None = None, **asked):
    """The starts as local times of day, with the date where it is not today."""
    if isinstance(here, Clinic):
        here = organisation(here)
    index = Index.of(here, sessions)
    return told(index, ask or Ask("c", asked.pop("pool", "p"), asked.pop("now", NOW), **asked))


def told(index: Index, ask: Ask) -> list[str]:
    zone = index.organisation.clinic(ask.clinic).timezone
    local = [t.astimezone(zone) for t in feasible(index, ask).instants()]
    return [f"{t:%H:%M}" if t.date() == TODAY else f"{t:%d %H:%M}" for t in local]
