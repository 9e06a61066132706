"""Sessions and their claims in SQL: where time is taken and given back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Integer,
    Select,
    and_,
    bindparam,
    collate,
    column,
    delete,
    func,
    literal_column,
    select,
    true,
    type_coerce,
    union_all,
)
from sqlalchemy.sql.dml import ReturningDelete
from sqlalchemy.types import Text

from timevalg.booking.unit_of_work import StoredClaim
from timevalg.model import codec
from timevalg.model.errors import NotFound
from timevalg.model.session import Claim, Session
from timevalg.model.time import Span
from timevalg.store.columns import Instant, Listed, Words
from timevalg.store.criteria import Term, asked, checked
from timevalg.store.kinds import SESSIONS
from timevalg.store.logs import SqlEvents
from timevalg.store.records import chunks
from timevalg.store.session_events import claimed, released
from timevalg.store.statements import condition
from timevalg.store.tables import claims, sessions

if TYPE_CHECKING:
    from timevalg.store.unit import SqlUnit

_FIELDS = tuple(SESSIONS.fields)
_ID = _FIELDS.index("id")
_IN_ARRAYS = -1
"""In the stead of how many spans a statement is for: for any number."""
_STRUCTURED = {name: f.hint for name, f in SESSIONS.fields.items() if f.is_structured}


class SqlSessions:
    """The sessions of one organisation."""

    def __init__(self, unit: SqlUnit, events: SqlEvents) -> None:
        self._unit, self._events = unit, events

    def get(self, key: str) -> Session:
        """Give one by id."""
        found = self.find(id=key)
        if not found:
            raise NotFound(SESSIONS.name, key)
        return found[0]

    def find(self, **criteria: Any) -> list[Session]:
        """Give those that meet all criteria, in order of start and id."""
        terms, parameters = asked(criteria)
        return self._sessions(_found(terms), parameters)

    def touching(self, claims: Iterable[Claim], *also: Mapping[str, Any]) -> list[Session]:
        """Give every session with a claim that overlaps one of these, or that meets criteria."""
        shapes: list[tuple[Term, ...]] = []
        parameters: dict[str, Any] = {}
        for number, criteria in enumerate(also):
            terms, wanted = asked(criteria)
            shapes.append(terms)
            parameters |= {f"{_of(number)}{name}": value for name, value in wanted.items()}
        asked_for = list(claims)
        if self._unit.dialect.takes_arrays:
            query = _touching(_IN_ARRAYS, tuple(shapes))
            return self._sessions(query, parameters | _arrays(asked_for))
        found: dict[str, Session] = {}
        for first in range(0, max(len(asked_for), bool(also)), 100):
            some = asked_for[first : first + 100]
            if len(some) > 10:  # the same statement for any number: the last is asked for again
                some += some[-1:] * (100 - len(some))
            for number, claim in enumerate(some):
                parameters[f"subject_{number}"] = claim.subject
                parameters[f"start_{number}"] = claim.span.start
                parameters[f"end_{number}"] = claim.span.end
            query = _touching(len(some), tuple(shapes))
            found |= {s.id: s for s in self._sessions(query, parameters)}
            shapes, parameters = [], {}  # asked for once
        return sorted(found.values(), key=lambda s: (s.start, s.id))

    def expired(self, now: datetime) -> list[Session]:
        """Give the holds that have expired."""
        return self._sessions(_expired(), {"now": now})

    def stored(self) -> list[StoredClaim]:
        """Give every claim as it is stored."""
        return list(map(StoredClaim._make, self._unit.execute(_stored())))

    def claim(self, new: Iterable[Session]) -> None:
        """Insert sessions with their claims and write their events."""
        new = list(new)
        if not new:
            return
        organisation = self._unit.organisation
        rows = [
            {"organisation": organisation, **{name: getattr(s, name) for name in _FIELDS}}
            for s in new
        ]
        taken = [
            {
                "organisation": organisation,
                "session_id": session.id,
                "subject": claim.subject,
                "starts_at": claim.span.start,
                "ends_at": claim.span.end,
            }
            for session in new
            for claim in session.claims()
        ]
        # everyone in the same order: writers that take no locks seldom deadlock
        taken.sort(key=lambda row: (row["subject"], row["starts_at"]))
        self._unit.writing.add(sessions, rows)
        self._unit.writing.add(claims, taken)
        self._events.add_all(claimed(self._unit, new))

    def release(self, keys: Collection[str]) -> int:
        """Delete sessions with their claims and write their events."""
        gone: list[tuple[str, str, str | None]] = []
        for some in chunks(keys):
            gone += [tuple(row) for row in self._unit.execute(_deleted(), id_any=some)]
        self._events.add_all(released(self._unit, sorted(gone)))
        return len(gone)

    def _sessions(self, query: Select[Any], parameters: Mapping[str, Any]) -> list[Session]:
        found: dict[str, list[Any]] = defaultdict(list)
        for row in self._unit.execute(query, **parameters):
            found[row[_ID]].append(row)
        return sorted(map(_session, found.values()), key=lambda s: (s.start, s.id))


def _session(rows: Sequence[Any]) -> Session:
    fields = dict(zip(_FIELDS, rows[0], strict=False))
    for name, hint in _STRUCTURED.items():
        fields[name] = codec.load(hint, fields[name])
    spans = {
        subject.removeprefix("r:"): Span(start, end)
        for *_, subject, start, end in rows
        if subject is not None and subject.startswith("r:")
    }
    return Session(**fields, spans=spans)


@cache
def _found(terms: tuple[Term, ...]) -> Select[Any]:
    """Give the SELECT of a row for each claim; resources stay text until a session is one."""
    checked(SESSIONS, [name for name, _ in terms])
    columns = [
        type_coerce(sessions.c[name], Text) if name in _STRUCTURED else sessions.c[name]
        for name in _FIELDS
    ]
    ours = and_(
        claims.c.organisation == sessions.c.organisation,
        claims.c.session_id == sessions.c.id,
    )
    return (
        select(*columns, claims.c.subject, claims.c.starts_at, claims.c.ends_at)
        .select_from(sessions.outerjoin(claims, ours))
        .where(condition(sessions, *terms))
    )


@cache
def _touching(subjects: int, also: tuple[tuple[Term, ...], ...]) -> Select[Any]:
    # Looked for once, first: left to itself PostgreSQL may look again for every session there is.
    those = (_those(terms, _of(number)) for number, terms in enumerate(also))
    these = [_in_arrays()] if subjects == _IN_ARRAYS else map(_overlapping, range(subjects))
    looks = union_all(*these, *those).cte("looks")
    looks = looks.prefix_with("MATERIALIZED", dialect="postgresql")
    ids = select(looks.c.session_id)
    if subjects == _IN_ARRAYS:  # else PostgreSQL may go through all sessions to find these few
        return _found(()).where(sessions.c.id == func.any(func.array(ids.scalar_subquery())))
    return _found(()).where(sessions.c.id.in_(ids))


def _of(number: int) -> str:
    """Give what the names of the parameters of the n-th criteria begin with."""
    return f"also_{number}_"


def _those(terms: tuple[Term, ...], prefix: str) -> Select[Any]:
    checked(SESSIONS, [name for name, _ in terms])
    met = condition(sessions, *terms, prefix=prefix)
    return select(sessions.c.id.label(claims.c.session_id.name)).where(met)


def _arrays(asked_for: Sequence[Claim]) -> dict[str, Any]:
    return {
        "subjects": [claim.subject for claim in asked_for],
        "starts": [claim.span.start for claim in asked_for],
        "ends": [claim.span.end for claim in asked_for],
    }


def _in_arrays() -> Select[Any]:
    """Give the claims that overlap any of the spans in three arrays, for PostgreSQL."""
    text, instants = Listed(Words()), Listed(Instant())
    columns = (bindparam("subjects", type_=text), bindparam("starts", type_=instants))
    wanted = func.unnest(*columns, bindparam("ends", type_=instants)).table_valued(
        column("subject", Words()), column("low", Instant()), column("high", Instant())
    )
    wanted = wanted.render_derived("wanted")
    one = _overlap(collate(wanted.c.subject, "C"), wanted.c.low, wanted.c.high, wanted)
    # OFFSET keeps it what it says: a look into the index for each.
    each = one.correlate(wanted).offset(literal_column("0", Integer)).lateral("each")
    return select(each.c.session_id).select_from(wanted.join(each, true()))


def _overlapping(number: int) -> Select[Any]:
    subject = bindparam(f"subject_{number}", type_=Words())
    start, end = (bindparam(f"{name}_{number}", type_=Instant()) for name in ("start", "end"))
    return _overlap(subject, start, end)


def _overlap(subject: Any, start: Any, end: Any, given: Any = None) -> Select[Any]:
    # Claims of a subject do not overlap, so of those that start before the span only the
    # last can reach into it: two short looks into ix_claims, however long the history.
    theirs = and_(condition(claims), claims.c.subject == subject)
    before = select(func.max(claims.c.starts_at)).where(theirs, claims.c.starts_at <= start)
    before = before.correlate(given)
    return select(claims.c.session_id).where(
        theirs,
        claims.c.starts_at >= func.coalesce(before.scalar_subquery(), start),
        claims.c.starts_at < end,
        claims.c.ends_at > start,
    )


@cache
def _expired() -> Select[Any]:
    return _found(()).where(sessions.c.until <= bindparam("now", type_=Instant()))


@cache
def _stored() -> Select[Any]:
    rows = select(claims.c.session_id, claims.c.subject, claims.c.starts_at, claims.c.ends_at)
    return rows.where(condition(claims)).order_by(claims.c.subject, claims.c.starts_at)


@cache
def _deleted() -> ReturningDelete[Any]:
    gone = delete(sessions).where(condition(sessions, ("id", "any")))
    return gone.returning(sessions.c.id, sessions.c.clinic, sessions.c.task)
