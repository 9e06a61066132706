"""Crowds: who goes beyond a quota together, counted in one pass over the sessions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from timevalg.model.clinic import Clinic, Organisation
from timevalg.model.pool import Quota
from timevalg.model.session import Session, SessionKind


@dataclass(frozen=True)
class Crowd:
    """More sessions than a quota allows in one of its periods.

    Attributes
    ----------
    period : date
        The day, or the Monday of the week.
    resource : str
        Of an `each` quota whose visits they are; else empty.
    """

    clinic: str
    quota: Quota
    period: date
    resource: str
    sessions: tuple[Session, ...]

    def __str__(self) -> str:
        whose = f" of {self.resource}" if self.resource else ""
        pools, per = ", ".join(sorted(self.quota.pools)), self.quota.per
        return (
            f"{len(self.sessions)} visits{whose} in {pools} in the {per} of {self.period},"
            f" where {self.clinic} allows {self.quota.max}"
        )


def crowds(organisation: Organisation, sessions: Iterable[Session]) -> Iterator[Crowd]:
    """Give the crowds among sessions, by clinic, quota, period and resource; blocks never count."""
    quotas = {
        (clinic.id, pool): [
            (number, quota) for number, quota in enumerate(clinic.quotas) if pool in quota.pools
        ]
        for clinic in organisation.clinics.values()
        for pool in clinic.pools
    }
    found: dict[tuple[str, int, date, str], list[Session]] = defaultdict(list)
    for session in sessions:
        if session.pool is None or session.kind is SessionKind.BLOCK:
            continue
        for number, quota in quotas.get((session.clinic, session.pool), ()):
            clinic = organisation.clinics[session.clinic]
            period = quota.period(session.local_date(clinic.timezone))
            for name in _counted_for(clinic, session, quota):
                found[clinic.id, number, period, name].append(session)
    for (where, number, period, name), together in sorted(found.items(), key=lambda row: row[0]):
        quota = organisation.clinics[where].quotas[number]
        if len(together) > quota.max:
            yield Crowd(where, quota, period, name, tuple(together))


def _counted_for(clinic: Clinic, session: Session, quota: Quota) -> list[str]:
    if quota.each is None:
        return [""]
    known = clinic.resources
    return [name for name in session.spans if name in known and known[name].kind == quota.each]
