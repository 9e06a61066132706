"""Races through the real use cases, and the guards that may be taken away for them.

All sides plan on the same picture (they meet at a barrier once they have it), then go on at once,
each with ports of its own, as processes have.
"""

import threading
from dataclasses import replace
from functools import partial
from itertools import count

import psycopg

from tests.meanwhile import in_threads
from tests.world import ORGANISATION, Post, World
from timevalg.booking import at_once, change, claiming
from timevalg.model.principal import Principal, RoleName
from timevalg.store import Database
from timevalg.store.database import dialect_of
from timevalg.store.postgres import Postgres
from timevalg.wiring import ports_on

WAIT = 10
CLAIMERS = (at_once, change)


def patient(name="p-1"):
    return Principal(name, RoleName.PATIENT, ORGANISATION, patient=name)


class Once:
    """A barrier at which each thread waits the first time only; repeats go past it."""

    def __init__(self, parties):
        self._barrier = threading.Barrier(parties)
        self._been = set()

    def wait(self):
        me = threading.get_ident()
        if me not in self._been:
            self._been.add(me)
            self._barrier.wait(WAIT)


class Meeting:
    """Pictures that all sides wait to have before any goes on; `see` changes the first."""

    def __init__(self, pictures, meet, see):
        self._pictures, self._meet, self._see = pictures, meet, see

    def current(self, organisation, unit=None):
        picture = self._pictures.current(organisation, unit)
        if self._meet is None:
            return picture
        meet, self._meet = self._meet, None
        meet()
        return self._see(picture)


class Kept:
    """A store that keeps the transactions of its writers open until told."""

    def __init__(self, store, written, go):
        self._store, self._written, self._go = store, written, go

    def run(self, organisation, body, *, write=True):
        def kept(unit):
            result = body(unit)
            if write:
                assert unit.connection  # which has by now what is inserted
                self._written.set()
                assert self._go.wait(3 * WAIT)
            return result

        return self._store.run(organisation, kept, write=write)


def own_ports(world):
    return ports_on(world.store, Post())


def side_by_side(*calls):
    """Do the calls in threads; gives their results or errors in order."""
    threads, outcomes = in_threads(calls)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    assert not [t for t in threads if t.is_alive()]
    return outcomes


def race(world, *calls, see=lambda number, picture: picture):
    """Do the calls, each given its ports, once all have planned on what `see` makes of it."""
    barrier = threading.Barrier(len(calls))

    def start(number, call):
        ports = own_ports(world)
        meeting = Meeting(ports.pictures, lambda: barrier.wait(WAIT), partial(see, number))
        return lambda: call(replace(ports, pictures=meeting))

    return side_by_side(*map(start, count(), calls))


def won(outcomes):
    return [o for o in outcomes if not isinstance(o, Exception)]


def lost(outcomes):
    return [o for o in outcomes if isinstance(o, Exception)]


_OTHERS_END = (
    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
_CONSTRAINT = (
    "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'ex_claims_no_overlap'"
)


class Scratch:
    """A database for one test; each ``no_…`` takes a guard away, `close` puts it back."""

    def __init__(self, url, monkeypatch):
        self.url, self.patch = url, monkeypatch
        self.is_postgres = url.startswith("postgresql")
        self._stores, self._put_back = [], []
        if self.is_postgres:  # so that a deadlock, where one is wanted, takes no second
            with psycopg.connect(url, autocommit=True) as connection:
                name = connection.info.dbname
                connection.execute(f'ALTER DATABASE "{name}" SET deadlock_timeout = 20')
            self._deadlocks = self._count_deadlocks()

    def world(self, *source, patience=WAIT):
        def store(clock):
            self._stores.append(Database(self.url, clock, patience=patience))
            return self._stores[-1]

        return World(store, *source)

    def close(self):
        for store in self._stores:
            store.close()
        if self._put_back:
            self.raw(*(f"DELETE FROM {table}" for table in ("claims", "sessions", "appointments")))
            self.raw(*self._put_back)

    def raw(self, *statements):
        engine = dialect_of(self.url).engine(self.url)
        with engine.begin() as connection:
            for statement in statements:
                result = connection.exec_driver_sql(statement)
            rows = [tuple(row) for row in result] if result.returns_rows else []
        engine.dispose()
        return rows

    def deadlocks(self):
        """Count them since the start."""
        return self._count_deadlocks() - self._deadlocks

    def _count_deadlocks(self):
        """Read the server's count, once all connections have ended and told it what they saw."""
        for store in self._stores:
            store.close()
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(_OTHERS_END)
            return connection.execute(_DEADLOCKS).fetchone()[0]

    def no_constraint(self):
        """The database lets claims overlap."""
        if self.is_postgres:
            name = "ex_claims_no_overlap"
            ((was,),) = self.raw(_CONSTRAINT)
            self._put_back.append(f"ALTER TABLE claims ADD CONSTRAINT {name} {was}")
            self.raw(f"ALTER TABLE claims DROP CONSTRAINT {name}")
        else:
            verbs = ("insert", "update")
            self.raw(*(f"DROP TRIGGER ex_claims_no_overlap_{verb}" for verb in verbs))

    def no_index(self, name):
        """The database lets a unique index be broken."""
        if self.is_postgres:
            ((was,),) = self.raw(f"SELECT indexdef FROM pg_indexes WHERE indexname = '{name}'")
            self._put_back.append(was)
        self.raw(f"DROP INDEX {name}")

    def no_check(self, between=lambda: None):
        """Nobody takes locks or looks again: what was planned is written."""

        def claim(act, picture, certificate, ask, *, override=False):
            given_up = [s.id for s in (*certificate.released, *certificate.displaced)]
            act.unit.sessions.release(given_up)
            between()
            act.unit.sessions.claim([*certificate.claims, *certificate.moved])
            return certificate.claim

        for module in CLAIMERS:
            self.patch.setattr(module, "claim", claim)

    def no_lock(self, writers):
        """All look again, and find the same, before any writes."""
        all_looked, real = Once(writers), claiming.broken

        def broken(*args):
            verdict = real(*args)
            if threading.current_thread() is not threading.main_thread():
                all_looked.wait()
            return verdict

        self.patch.setattr(Postgres, "lock", lambda *args: None)
        self.patch.setattr(claiming, "broken", broken)
