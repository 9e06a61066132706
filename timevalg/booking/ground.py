"""What stands in the way of claims: read under locks, and what to lock for that."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from timevalg.booking.unit_of_work import Between
from timevalg.model.errors import TimeTaken
from timevalg.model.session import Session, SessionKind
from timevalg.model.time import instant
from timevalg.solver.picture import Picture

_TICK = timedelta.resolution


class Ground:
    """What stands, read under the locks, and what becomes of it certificate by certificate."""

    def __init__(self, picture: Picture, standing: Iterable[Session]) -> None:
        self._picture = picture
        self._standing: dict[str, Session] = {}
        self._beside: dict[str, dict[str, Session]] = {}
        self.gone: set[str] = set()
        self.new: dict[str, Session] = {}
        for session in standing:
            self._put(session)

    def copy(self) -> Ground:
        """Give another that is as this one is now."""
        ground = Ground(self._picture, ())
        ground._standing = dict(self._standing)
        ground._beside = {key: dict(sessions) for key, sessions in self._beside.items()}
        ground.gone, ground.new = set(self.gone), dict(self.new)
        return ground

    def give_up(self, old: Session) -> None:
        """Take a session away; refuse if it is not as it was when the plan was made.

        Raises
        ------
        TimeTaken
        """
        if self._standing.get(old.id) != old:
            raise TimeTaken("the time, or a place that would move aside for it,")
        del self._standing[old.id]
        for key in lock_keys(self._picture, [old]):
            del self._beside[key][old.id]
        if self.new.pop(old.id, None) is None:
            self.gone.add(old.id)

    def require_only_hold(self, hold: Session) -> None:
        """Refuse a hold beside another of the patient's, which it would have replaced.

        Raises
        ------
        TimeTaken
        """
        others = (s for s in self.beside(hold) if s.patient == hold.patient)
        if any(s.kind is SessionKind.HOLD for s in others):
            raise TimeTaken("the patient holds another time meanwhile; this one")

    def take(self, session: Session) -> None:
        """Add a session that is to be claimed."""
        self.new[session.id] = session
        self._put(session)

    def beside(self, session: Session) -> list[Session]:
        """Give the others that share a subject, or the period of a quota, with a session."""
        found: dict[str, Session] = {}
        for key in lock_keys(self._picture, [session]):
            found |= self._beside.get(key, {})
        found.pop(session.id, None)
        return list(found.values())

    def _put(self, session: Session) -> None:
        self._standing[session.id] = session
        for key in lock_keys(self._picture, [session]):
            self._beside.setdefault(key, {})[session.id] = session


def lock_keys(picture: Picture, sessions: Iterable[Session]) -> set[str]:
    """Give what to lock for sessions; whoever could be in each other's way has a key in common.

    Of a resource that is each day (UTC) on which it is taken. A patient is locked whole: of their
    holds there is one at most, whenever it is. Quotas are locked by their periods.
    """
    keys: set[str] = set()
    for session in sessions:
        for resource, span in session.spans.items():
            first, last = span.start.toordinal(), (span.end - _TICK).toordinal()
            keys.update(f"r:{resource}:{day}" for day in range(first, last + 1))
        if session.patient is not None:
            keys.add(f"p:{session.patient}")
        if session.pool is None:
            continue
        clinic = picture.index.organisation.clinic(session.clinic)
        day = session.local_date(clinic.timezone)
        for number, quota in enumerate(clinic.quotas):
            if session.pool in quota.pools:
                keys.add(f"q:{clinic.id}:{number}:{quota.period(day)}")
    return keys


def periods(
    picture: Picture, sessions: Iterable[Session]
) -> Iterable[tuple[str, frozenset[str], Between]]:
    """Give the periods of the quotas that count the sessions: clinic, pools, from when to when."""
    found = {}
    for session in sessions:
        if session.pool is None:
            continue
        clinic = picture.index.organisation.clinic(session.clinic)
        for number, quota in enumerate(clinic.quotas):
            if session.pool in quota.pools:
                first = quota.period(session.local_date(clinic.timezone))
                after = first + timedelta(days=1 if quota.per == "day" else 7)
                low, high = (instant(day, 0, clinic.timezone) for day in (first, after))
                found[clinic.id, number, first] = clinic.id, quota.pools, Between(low, high)
    return found.values()
