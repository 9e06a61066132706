"""The only composition root: puts the ports together, and holds the index of each organisation."""

from __future__ import annotations

import os
import secrets
import socket
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from timevalg.booking.ports import Channel, Hooks, Keys, Ports, Prover
from timevalg.booking.unit_of_work import Clock, Store, UnitOfWork
from timevalg.channels.sink import Sink
from timevalg.channels.webhook import Webhook
from timevalg.clinic import read_sources
from timevalg.identity.pseudonyms import Pseudonyms
from timevalg.letters import Letters
from timevalg.model.clinic import Organisation
from timevalg.model.codec import load
from timevalg.model.records import SETTLED, Event
from timevalg.model.session import Session, SessionKind
from timevalg.model.states import LIVE, TaskState
from timevalg.model.task import Task
from timevalg.prover import CpSat
from timevalg.solver.certificates import Certificate, as_place
from timevalg.solver.index import Index
from timevalg.solver.picture import Picture
from timevalg.store import Database
from timevalg.store.vault import DataKeys, KeysInText

PLANNED = LIVE | {
    TaskState.DRAFT,
    TaskState.DECLINED,
    TaskState.CHOSEN,
    TaskState.ASSIGNED,
    TaskState.CONFIRMED,
}
"""States of the tasks that planning looks at."""
Holds = Mapping[str, Session]
AT_ONCE = 1000
"""Events read in one go."""


class RandomKeys:
    """Ids that nobody can guess and nobody else has."""

    def new(self, kind: str) -> str:
        """Give a new id: the kind's first letter and 80 random bits."""
        return f"{kind[0]}-{secrets.token_hex(10)}"


@dataclass
class _Kept:
    """One organisation's picture and how far it has read.

    Attributes
    ----------
    seen : frozenset of str
        Ids of the events that it read last: those beyond the cursor come again until all before
        them have ended, and what they speak of has been looked at.
    holds, expired : mapping
        Those that had not expired yet when they were last gone through, and those that had.
    expires : datetime or None
        No hold expires before this.
    """

    picture: Picture
    cursor: str
    seen: frozenset[str] = frozenset()
    holds: Holds = field(default_factory=dict)
    expired: Holds = field(default_factory=dict)
    expires: datetime | None = None

    def follow_holds(self, gone: Iterable[str], come: Holds) -> None:
        """Forget the holds that have gone, and know of those that have come."""
        gone = list(gone)
        self.holds, self.expired = _without(self.holds, gone), _without(self.expired, gone)
        if come:
            self.holds = {**self.holds, **come}
            self.expires = _earliest([self.expires, *(s.until for s in come.values())])

    def now_expired(self) -> list[Session]:
        """Give the holds that have expired; goes through all only when one more may have."""
        now = self.picture.now
        if self.expires is not None and self.expires <= now:
            gone = {key: s for key, s in self.holds.items() if not s.is_live(now)}
            self.expired = {**self.expired, **gone}
            self.holds = _without(self.holds, gone)
            self.expires = _earliest(s.until for s in self.holds.values())
        return [s for s in self.expired.values() if not s.is_live(now)]


def _without(holds: Holds, keys: Iterable[str]) -> Holds:
    if not (gone := [key for key in keys if key in holds]):
        return holds
    left = dict(holds)
    for key in gone:
        del left[key]
    return left


def _earliest(moments: Iterable[datetime | None]) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)


class IndexKeeper:
    """Holds a picture for each organisation and keeps it current from the event feed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: dict[str, _Kept] = {}
        self._begun: Counter[str] = Counter()  # how often an organisation was read
        self._read: Counter[str] = Counter()  # the last time that it was, to the end
        self._lock = threading.Lock()

    def current(self, organisation: str, unit: UnitOfWork | None = None) -> Picture:
        """Give the picture with every change committed before the call.

        Expired holds are gone from it; where one was its task's place, the place stands. Calls
        that wait for each other share what the first of them reads, if it begins after they came.
        """
        came = self._begun[organisation]
        with self._lock:
            if self._read[organisation] <= came:
                self._begun[organisation] += 1
                read = partial(self._catch_up, kept=self._kept.get(organisation))
                run = self._store.run
                found = read(unit) if unit else run(organisation, read, write=False)
                self._kept[organisation] = found
                self._read[organisation] = self._begun[organisation]
            return _without_expired(self._kept[organisation])

    def within(self, unit: UnitOfWork) -> Picture:
        """Give the picture as a transaction sees it; what it may yet undo is not kept."""
        return _without_expired(self._catch_up(unit, self._kept.get(unit.organisation)))

    def _catch_up(self, unit: UnitOfWork, kept: _Kept | None) -> _Kept:
        if kept is None:
            return _load(unit)
        known = kept.seen
        picture = replace(kept.picture, now=unit.now())
        kept = replace(kept, picture=picture, seen=frozenset())
        while True:
            events = unit.events.read(kept.cursor, AT_ONCE, internal=True)
            kept.seen |= {e.id for e in events}
            news = [e for e in events if e.id not in known]
            if any(e.subject == "clinic" for e in news):
                return replace(_load(unit), seen=kept.seen)
            _follow(unit, kept, news)
            before = kept.cursor
            kept.cursor = (events[-1].cursor if events else "") or before
            if len(events) < AT_ONCE or kept.cursor == before:
                return kept


def _load(unit: UnitOfWork) -> _Kept:
    """Read everything: at the start, and when a clinic's file changes."""
    cursor = unit.events.last()
    newest = unit.publications.newest()
    sources = {c: p.source for c, p in newest.items()}
    versions = {c: p.version for c, p in newest.items()}
    organisation = (
        read_sources(sources).organisation if sources else Organisation(unit.organisation)
    )
    sessions = unit.sessions.find()
    tasks = {t.id: t for t in unit.tasks.find(state=PLANNED)}
    picture = Picture(Index.of(organisation, sessions), tasks, unit.now(), versions)
    kept = _Kept(picture, cursor)
    kept.follow_holds((), {s.id: s for s in sessions if s.kind is SessionKind.HOLD})
    return kept


def _follow(unit: UnitOfWork, kept: _Kept, events: Iterable[Event]) -> None:
    """Bring up to date whatever the events speak of, as it is in this transaction's view.

    An event only says what to look at again: near the end of the feed their order need not be
    the order in which things happened.
    """
    sessions: set[str] = set()
    tasks: set[str] = set()
    for event in events:
        if event.type == SETTLED and event.task is not None and event.new is not None:
            certificates = load(tuple[Certificate, ...], event.new["found"])
            settled = {**kept.picture.settled, event.task: certificates}
            kept.picture = replace(kept.picture, settled=settled)
        elif event.subject == "session":
            sessions.add(event.key)
        if event.task is not None:
            tasks.add(event.task)
    if sessions:
        present = {s.id: s for s in unit.sessions.find(id=frozenset(sessions))}
        holds = {k: s for k, s in present.items() if s.kind is SessionKind.HOLD}
        kept.follow_holds(sessions, holds)
        kept.picture = kept.picture.apply(present.values(), sessions - present.keys())
    if tasks:
        found = {t.id: t for t in unit.tasks.find(id=frozenset(tasks))}
        known: dict[str, Task] = {**kept.picture.tasks, **found}
        for key in tasks:
            if key in known and (key not in found or known[key].state not in PLANNED):
                del known[key]
        settled = {k: c for k, c in kept.picture.settled.items() if k in known}
        kept.picture = replace(kept.picture, tasks=known, settled=settled)


def _without_expired(kept: _Kept) -> Picture:
    picture = kept.picture
    expired = kept.now_expired()
    places = [
        as_place(s)
        for s in expired
        if s.is_place and (task := picture.tasks.get(s.task or "")) is not None and task.is_live
    ]
    return picture.apply(places, [s.id for s in expired]) if expired else picture


def open_ports(
    url: str,
    *,
    clock: Clock | None = None,
    channel: Channel | None = None,
    first: Sequence[Channel] = (),
    letters_folder: Path | None = None,
    keys: Keys | None = None,
    hooks: Hooks | None = None,
    data_keys: DataKeys | None = None,
) -> Ports:
    """Put everything together on a database.

    Parameters
    ----------
    url : str
        ``sqlite:///file.db`` or ``postgresql://…``.
    clock : Clock or None
        In the database's stead, for demo and tests.
    channel : Channel or None
        Where letters go that no other takes; default a sink that writes them to
        `letters_folder`, if given.
    first : sequence of Channel
        Ways out to patients that are tried before it, in this order.
    keys : Keys or None
        Default random ones.
    hooks : Hooks or None
        The way out to record systems; default webhooks with keys from the environment.
    data_keys : DataKeys or None
        What personal data are sealed with, as from a key management system; default those of the
        environment.
    """
    last = channel or Sink(letters_folder)
    secret = data_keys or KeysInText(os.environ.get("TIMEVALG_DATA_KEYS", ""))
    return ports_on(Database(url, clock, keys=secret), last, keys, first=first, hooks=hooks)


def ports_on(
    store: Store,
    channel: Channel,
    keys: Keys | None = None,
    *,
    first: Sequence[Channel] = (),
    hooks: Hooks | None = None,
    prover: Prover | None = None,
) -> Ports:
    """Put everything together on a store; without another prover it is CP-SAT."""
    return Ports(
        store=store,
        pictures=IndexKeeper(store),
        keys=keys or RandomKeys(),
        channels=(*first, channel),
        hooks=hooks or Webhook(os.environ),
        typesetter=Letters(),
        prover=prover or CpSat(),
        pseudonym=Pseudonyms(os.environ.get("TIMEVALG_SEARCH_KEY", "")),
        owner=f"{socket.gethostname()}:{os.getpid()}",
    )
