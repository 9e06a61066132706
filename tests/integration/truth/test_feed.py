"""The event feed beside 16 writers, one of whom keeps its transaction open: none is skipped."""

import threading
from dataclasses import replace

import psycopg
import pytest

from benchmarks import servers
from tests.integration.truth.scenes import (
    WAIT,
    Kept,
    Scratch,
    own_ports,
    patient,
    side_by_side,
)
from tests.world import ORGANISATION, oslo
from timevalg.booking import cancel, choose, hold
from timevalg.booking.feed import read_events
from timevalg.model.errors import TimeTaken
from timevalg.model.principal import Principal, RoleName
from timevalg.store.migrate import upgrade

DIPS = Principal("dips", RoleName.SYSTEM, ORGANISATION)
POLLS = 5


@pytest.fixture
def alone(monkeypatch):
    """A world on a server that nobody else uses: the feed waits for all of its transactions."""
    server = servers.postgres(private=True)
    try:
        upgrade(server.url)
        scratch = Scratch(server.url, monkeypatch)
        yield scratch
        scratch.close()
    finally:
        server.stop()


class Reader:
    """Two readers of one feed: by its cursor, and by the highest number seen."""

    def __init__(self, world, raw):
        self.seen, self.plain = [], []
        self._ports, self._raw = own_ports(world), raw
        self._cursor, self._highest = "", 0

    def poll(self):
        while page := read_events(self._ports, DIPS, self._cursor, limit=7):
            self.seen += page
            self._cursor = page[-1].cursor
        rows = self._raw.execute(
            "SELECT seq, id FROM events WHERE subject <> 'session' AND seq > %s ORDER BY seq",
            [self._highest],
        ).fetchall()
        self.plain += [key for _, key in rows]
        self._highest = rows[-1][0] if rows else self._highest


def test_a_cursor_reader_misses_nothing_and_a_plain_number_does(alone):
    world = alone.world()
    late = world.invited("late")
    tasks = [world.invited(f"p-{n}") for n in range(15)]
    written, go = threading.Event(), threading.Event()
    running = [len(tasks)]
    ended = threading.Lock()

    def keep():
        ports = own_ports(world)
        ports = replace(ports, store=Kept(ports.store, written, go))
        return cancel.withdraw(ports, DIPS, task=late.id)

    def write(number, task):
        def go_on():
            assert written.wait(WAIT)
            ports, who = own_ports(world), patient(task.patient)
            # On one day, whose lock lets one after the other write: only who is kept open is late.
            start = oslo(2027, 1, 11, 8 + number // 2, 30 * (number % 2))
            try:
                hold.hold(ports, who, task.id, start)
                choose.choose(ports, who, task.id, start)
            except TimeTaken:
                pass  # several at once may have planned on what is no longer so
            finally:
                with ended:
                    running[0] -= 1

        return go_on

    def read():
        try:
            assert written.wait(WAIT)
            while running[0]:
                reader.poll()
            for _ in range(POLLS):
                reader.poll()
                polled.append([e.id for e in reader.seen])
        finally:
            go.set()

    polled = []
    with psycopg.connect(alone.url, autocommit=True) as raw:
        reader = Reader(world, raw)
        reader.poll()
        first = len(reader.seen)
        outcomes = side_by_side(keep, *map(write, range(15), tasks), read)
        assert [o for o in outcomes if isinstance(o, Exception)] == []
        reader.poll()
        truth = raw.execute("SELECT id, key FROM events WHERE subject <> 'session'").fetchall()
    everything = {key for key, _ in truth}
    (missed,) = (e.id for e in reader.seen if e.key == late.id and e.type == "task.withdrawn")

    seen = [e.id for e in reader.seen]
    assert len(seen) == len(set(seen))
    assert set(seen) == everything  # the cursor: each once, none skipped
    assert polled == [seen[:first]] * POLLS  # it waited for the one that was open
    assert seen[first] == missed
    assert everything - set(reader.plain) == {missed}  # the highest number: gone past it

    versions = {}
    for event in reader.seen:  # of each thing in the order in which it changed
        assert event.version >= versions.get(event.key, 0)
        versions[event.key] = event.version
    assert len([e for e in reader.seen if e.type == "appointment.chosen"]) > 1
