"""The three logs in SQL: events (facts), work (what is to be done), audit (who looked)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Insert,
    Select,
    Table,
    Update,
    and_,
    bindparam,
    func,
    or_,
    select,
)

from timevalg.booking.unit_of_work import Between
from timevalg.model.records import AuditEntry, Depth, Event, Work
from timevalg.model.states import WorkState
from timevalg.store.columns import Instant, Words
from timevalg.store.criteria import Term, asked
from timevalg.store.cursor import position
from timevalg.store.dialect import Dialect
from timevalg.store.kinds import AUDIT, EVENTS, WORK, Kind
from timevalg.store.records import SqlRecords
from timevalg.store.session_events import SUBJECT
from timevalg.store.statements import columns, condition, found, limit, updated
from timevalg.store.tables import ONCE, TABLES

if TYPE_CHECKING:
    from timevalg.store.unit import SqlUnit

T = TypeVar("T")

_EVENTS, _WORK = TABLES[EVENTS.table], TABLES[WORK.table]


class SqlEvents:
    """Facts in commit order: by transaction, below the oldest one that still runs.

    A sequence alone is drawn before the commit: a reader that keeps the highest number it saw
    misses whoever commits later with a lower one.

    A transaction gets its number with its first write. Two that touch the same thing come in the
    order in which they touched it if both lock it before they write anything at all; else the
    versions in the events tell.
    """

    def __init__(self, unit: SqlUnit) -> None:
        self._unit = unit
        self._records = SqlRecords(unit, EVENTS)

    def add(self, event: Event) -> None:
        """Append."""
        self._records.add(event)

    def add_all(self, events: Iterable[Event]) -> None:
        """Append many."""
        self._records.add_all(events)

    def remove(self, keys: Collection[str]) -> int:
        """Delete some by id."""
        return self._records.remove(keys)

    def read(self, after: str = "", limit: int = 500, internal: bool = False) -> list[Event]:
        """Give events after a cursor, none skipped; those of sessions only if `internal`.

        Internal readers also get what is visible above the oldest running transaction, all of
        it, under the cursor before it: it comes again until that transaction ends.
        """
        rows = self._rows(after, limit, internal)
        if internal and len(rows) == limit and not rows[-1].safe:
            rows = self._rows(after, None, internal)
        return _with_cursors(EVENTS, rows, after)

    def of(self, subject: str, key: str, *, above: int) -> list[Event]:
        """Give what happened to a thing after a version of it, in order of its versions."""
        later = Between(above + 1)
        return self._records.find(order="version", subject=subject, key=key, version=later)

    def place_of(self, key: str) -> str | None:
        """Give where an event stands."""
        row = self._unit.execute(_placed(), id_equal=key).first()
        return None if row is None else f"{row.txid}.{row.seq}"

    def told(self) -> Iterator[tuple[str, str, int, Mapping[str, Any]]]:
        """Give what events of tasks and appointments told, those above the oldest too."""
        for row in self._unit.execute(_told()):
            yield row.subject, row.key, row.version, row.new or {}

    def last(self) -> str:
        """Give the cursor of the last event that no running transaction can come before."""
        row = self._unit.execute(_last(self._unit.dialect)).first()
        return "" if row is None else f"{row.txid}.{row.seq}"

    def _rows(self, after: str, limit: int | None, internal: bool) -> list[Any]:
        query = _after(EVENTS, self._unit.dialect, limit is not None)
        if not internal:
            query = _outside(self._unit.dialect, limit is not None)
        return _read(self._unit, query, after, limit)


def _read(unit: SqlUnit, query: Select[Any], after: str, limit: int | None) -> list[Any]:
    transaction, sequence = position(after)
    parameters = {"transaction": transaction, "sequence": sequence}
    if limit is not None:
        parameters["limit"] = limit
    return list(unit.execute(query, **parameters))


def _with_cursors(kind: Kind[T], rows: Iterable[Any], cursor: str) -> list[T]:
    """Make values of rows; one above the oldest running transaction has the cursor before it."""
    make: Callable[..., T] = kind.type
    values = []
    for row in rows:
        cursor = f"{row.txid}.{row.seq}" if row.safe else cursor
        fields = dict(zip(kind.fields, row, strict=False))
        values.append(make(**fields, cursor=cursor))
    return values


@cache
def _after(kind: Kind[Any], dialect: Dialect, limited: bool) -> Select[Any]:
    table = TABLES[kind.table]
    order, safe = (table.c.txid, table.c.seq), _is_safe(table, dialect)
    query = (
        select(*columns(kind), *order, safe.label("safe"))
        .where(condition(table), dialect.after(*order))
        .order_by(*order)
    )
    return query.limit(limit()) if limited else query


@cache
def _outside(dialect: Dialect, limited: bool) -> Select[Any]:
    safe = _is_safe(_EVENTS, dialect)
    return _after(EVENTS, dialect, limited).where(_EVENTS.c.subject != SUBJECT, safe)


@cache
def _audited(dialect: Dialect) -> Select[Any]:
    safe = _is_safe(TABLES[AUDIT.table], dialect)
    return _after(AUDIT, dialect, limited=True).where(safe)


@cache
def _placed() -> Select[Any]:
    return select(_EVENTS.c.txid, _EVENTS.c.seq).where(condition(_EVENTS, ("id", "equal")))


@cache
def _told() -> Select[Any]:
    events = _EVENTS.c
    facts = select(events.subject, events.key, events.version, events.new)
    of_these = events.subject.in_(("task", "appointment"))
    return facts.where(condition(_EVENTS), of_these).order_by(events.txid, events.seq)


@cache
def _last(dialect: Dialect) -> Select[Any]:
    events = _EVENTS.c
    return (
        select(events.txid, events.seq)
        .where(condition(_EVENTS), _is_safe(_EVENTS, dialect))
        .order_by(events.txid.desc(), events.seq.desc())
        .limit(1)
    )


def _is_safe(table: Table, dialect: Dialect) -> ColumnElement[bool]:
    return table.c.txid < dialect.oldest_running


class SqlWork:
    """What is to be done, with leases and fencing tokens."""

    def __init__(self, unit: SqlUnit) -> None:
        self._unit = unit
        self._records = SqlRecords(unit, WORK)

    def add(self, work: Work) -> bool:
        """Append unless work with this effect is there."""
        insert = _unless_there(self._unit.dialect)
        row = self._unit.connection.execute(insert, self._records.row(work)).first()
        self._unit.rouses |= row is not None and work.due_at <= self._unit.now()
        return row is not None

    def add_all(self, works: Iterable[Work]) -> None:
        """Append many, but for those whose effect is there."""
        works = list(works)
        self._records.add_all(works)
        self._unit.rouses |= any(work.due_at <= self._unit.now() for work in works)

    def remove(self, keys: Collection[str]) -> int:
        """Delete some by id."""
        return self._records.remove(keys)

    def get(self, key: str) -> Work:
        """Give one by id."""
        return self._records.get(key)

    def find(
        self, *, order: str = "due_at", limit: int | None = None, **criteria: Any
    ) -> list[Work]:
        """Give those that meet all criteria."""
        return self._records.find(order=order, limit=limit, **criteria)

    def due(
        self,
        now: datetime,
        limit: int,
        kinds: Collection[str] | None = None,
        clinic: str | None = None,
    ) -> list[Work]:
        """Give work that can be taken, oldest first; a writer skips what others are taking."""
        criteria: dict[str, Any] = {} if kinds is None else {"kind": kinds}
        terms, parameters = asked(criteria | ({} if clinic is None else {"clinic": clinic}))
        parameters |= {"now": now, "limit": limit}
        found: list[Work] = []
        for state in (WorkState.WAITING, WorkState.LEASED):  # each in the order of an index
            query = _due(terms, state, self._unit.write)
            found += self._records.values(self._unit.execute(query, **parameters))
        return sorted(found, key=lambda work: (work.due_at, work.id))[:limit]

    def depths(self, now: datetime) -> list[Depth]:
        """Give how much is due and not done, for each kind, clinic and state."""
        rows: Iterable[Any] = self._unit.execute(_depths(), now=now)
        return [Depth(*row) for row in rows]

    def lease(
        self, keys: Collection[str], now: datetime, until: datetime, owner: str
    ) -> list[Work]:
        """Take what is free of some work, raise its fence and count the attempt."""
        values = {"id_any": list(keys), "now": now, "end": until, "holder": owner}
        taken = self._records.values(self._unit.execute(_taken(), **values))
        return sorted(taken, key=lambda work: (work.due_at, work.id))

    def finish(self, work: Work) -> bool:
        """Store the outcome unless someone has taken the work since, or finished it."""
        return self._store(work, _held())

    def finish_all(self, works: Collection[Work]) -> bool:
        """Finish many at once; False if not all were still the holder's."""
        rows = [_outcome(work) for work in works]
        self._unit.rouses |= any(work.state is WorkState.WAITING for work in works)
        return self._unit.execute_many(_held(), rows) == len(rows)

    def settle(self, work: Work) -> bool:
        """Store an operator's verdict on work that nobody holds; False if somebody does."""
        return self._store(work, _unheld())

    def _store(self, work: Work, update: Update) -> bool:
        done = self._unit.execute(update, **_outcome(work))
        self._unit.rouses |= work.state is WorkState.WAITING
        return bool(done.rowcount)


OUTCOME = ("state", "due_at", "attempts", "leased_until", "error", "done_at")
"""What `finish` and `settle` store."""


def _outcome(work: Work) -> dict[str, Any]:
    values = {name: getattr(work, name) for name in OUTCOME}
    return values | {"id_equal": work.id, "fence_equal": work.fence}


@cache
def _unless_there(dialect: Dialect) -> Insert:
    insert: Insert = dialect.insert(_WORK).on_conflict_do_nothing(index_elements=ONCE[_WORK])
    return insert.returning(_WORK.c.id)


@cache
def _due(terms: tuple[Term, ...], state: WorkState, write: bool) -> Select[Any]:
    query = found(WORK, terms).where(_free(state))
    query = query.order_by(_WORK.c.due_at, _WORK.c.id).limit(limit())
    return query.with_for_update(skip_locked=True) if write else query


@cache
def _depths() -> Select[Any]:
    work = _WORK.c
    group = (work.kind, work.clinic, work.state)
    open_ = (WorkState.WAITING, WorkState.LEASED, WorkState.PARKED)
    return (
        select(*group, func.count(), func.min(work.due_at), func.max(work.attempts))
        .where(condition(_WORK), work.state.in_(open_), work.due_at <= _now())
        .group_by(*group)
        .order_by(*group)
    )


@cache
def _taken() -> Update:
    states = (_free(state) for state in (WorkState.WAITING, WorkState.LEASED))
    free = select(_WORK.c.id).where(condition(_WORK, ("id", "any")), or_(*states))
    # Looked for once, first: left to itself PostgreSQL may look again for every piece there is.
    looks = free.with_for_update(skip_locked=True).cte("looks")
    looks = looks.prefix_with("MATERIALIZED", dialect="postgresql")
    return (
        updated(WORK, ())
        .where(_WORK.c.id.in_(select(looks.c.id)))
        .values(
            state=WorkState.LEASED,
            owner=bindparam("holder", type_=Words()),
            leased_until=bindparam("end", type_=Instant()),
            fence=_WORK.c.fence + 1,
            attempts=_WORK.c.attempts + 1,
        )
        .returning(*columns(WORK))
    )


@cache
def _held() -> Update:
    return _same().where(_WORK.c.state == WorkState.LEASED)


@cache
def _unheld() -> Update:
    return _same().where(_WORK.c.state != WorkState.LEASED)


def _same() -> Update:
    return updated(WORK, (("id", "equal"), ("fence", "equal")))


def _free(state: WorkState) -> ColumnElement[bool]:
    work, now = _WORK.c, _now()
    free = and_(work.state == state, work.due_at <= now)
    return and_(free, work.leased_until <= now) if state is WorkState.LEASED else free


def _now() -> BindParameter[datetime]:
    return bindparam("now", type_=Instant())


class SqlAudit:
    """Who looked at and changed what; triggers refuse any change."""

    def __init__(self, unit: SqlUnit) -> None:
        self._unit = unit
        self._records = SqlRecords(unit, AUDIT)

    def read(self, after: str = "", limit: int = 500) -> list[AuditEntry]:
        """Give entries after a cursor in the order of the log, none skipped."""
        rows = _read(self._unit, _audited(self._unit.dialect), after, limit)
        return _with_cursors(AUDIT, rows, after)

    def add(self, entry: AuditEntry) -> None:
        """Append."""
        self._records.add(entry)

    def add_all(self, entries: Iterable[AuditEntry]) -> None:
        """Append many."""
        self._records.add_all(entries)

    def find(
        self, *, order: str = "time", limit: int | None = None, **criteria: Any
    ) -> list[AuditEntry]:
        """Give those that meet all criteria."""
        return self._records.find(order=order, limit=limit, **criteria)
