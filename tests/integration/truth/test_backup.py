"""Backups taken while patients choose, restored into a new database, and booked on."""

import json
import subprocess
import threading
import time
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from benchmarks import servers
from tests.integration.truth.scenes import WAIT, Scratch, own_ports, patient
from tests.world import ORGANISATION
from timevalg.booking import choose, decline
from timevalg.booking.feed import read_events
from timevalg.cli.app import app
from timevalg.model.errors import CursorLost, InvalidInput, TimeTaken
from timevalg.model.principal import Principal, RoleName

DIPS = Principal("dips", RoleName.SYSTEM, ORGANISATION)
PATIENTS, BEFORE, AFTER = 8, 2, 2


def command(*words):
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return done.stdout


def run(program, *words):
    argv = [servers.postgres_program(program), *words]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def another(request, tmp_path):
    """Where a backup goes, and an empty database to restore it into."""
    made = []

    def make(scratch):
        if not scratch.is_postgres:
            return tmp_path / "backup.sqlite", f"sqlite:///{tmp_path}/backup.sqlite"
        made.append(request.getfixturevalue("postgres").create_database())
        return tmp_path / "backup.dump", made[-1]

    yield make
    for url in made:
        request.getfixturevalue("postgres").drop_database(url)


def take_backup(scratch, file):
    if scratch.is_postgres:
        run("pg_dump", "--format=custom", f"--file={file}", scratch.url)
    else:
        command("db", "backup", "--database", scratch.url, file)


def restore(scratch, file, url):
    if scratch.is_postgres:
        run("pg_restore", "--no-owner", "--exit-on-error", f"--dbname={url}", file)
    command("db", "restored", "--database", url)


def findings(url):
    done = CliRunner().invoke(app, ["doctor", "--database", url, "--deep", "--json"])
    return json.loads(done.stdout)["findings"]


def chosen(world, number, task, start):
    ports = replace(own_ports(world), key=f"key-{number}")
    return choose.choose(ports, patient(task.patient), task.id, start)


def feed(world, after=""):
    """Read to the end, which comes when transactions of other tests on the server have ended."""
    last, events, deadline = world.events()[-1].id, [], time.monotonic() + WAIT
    while not events or events[-1].id != last:
        assert time.monotonic() < deadline
        page = read_events(own_ports(world), DIPS, after)
        events += page
        after = page[-1].cursor if page else after
    return events


def test_a_backup_taken_while_patients_choose(own, another, monkeypatch):
    world = own.world()
    tasks = [world.invited(f"p-{n}") for n in range(PATIENTS)]
    stranger = world.invited("stranger")
    file, url = another(own)
    begun, taken, visits = threading.Event(), threading.Event(), []

    def choosing():
        for number, task in enumerate(tasks):
            if number == PATIENTS - AFTER:
                taken.wait(WAIT)
            start = world.patient(task.patient).offers(task).offers[0].start
            visits.append(chosen(world, number, task, start))
            if number == BEFORE:
                begun.set()

    thread = threading.Thread(target=choosing)
    thread.start()
    begun.wait(WAIT)
    take_backup(own, file)
    taken.set()
    thread.join(WAIT)
    assert len(visits) == PATIENTS
    told = feed(world)

    restore(own, file, url)
    assert findings(url) == []
    fresh = Scratch(url, monkeypatch)
    again = fresh.world()
    kept = again.read(lambda unit: unit.appointments.find())
    assert BEFORE < len(kept) <= PATIENTS - AFTER
    assert all(visit in visits for visit in kept)

    # A reader that is ahead notices, and finds in the feed what did happen.
    with pytest.raises(CursorLost):
        feed(again, told[-1].cursor)
    assert {e.id for e in feed(again)} < {e.id for e in told}

    # Everybody asks again with their key: who is in the backup is answered, the others are booked.
    answers = [chosen(again, n, tasks[n], visits[n].start) for n in range(PATIENTS)]
    assert [a.start for a in answers] == [v.start for v in visits]
    assert [a for a in answers if a in kept] == [v for v in visits if v in kept]
    for visit in visits:  # nor can anybody else have these times
        with pytest.raises(TimeTaken):
            choose.choose(own_ports(again), patient("stranger"), stranger.id, visit.start)
    bookings = again.sessions(kind="booking")
    assert len(bookings) == len({s.task for s in bookings}) == PATIENTS
    assert again.overlaps() == []
    assert findings(url) == []
    fresh.close()


def test_a_feed_numbered_by_another_server(postgres_url, monkeypatch):
    """There the count of transactions was ahead of this server's."""
    own = Scratch(postgres_url, monkeypatch)
    world = own.world()
    task = world.invited("p-1")
    known = feed(world)
    own.raw("UPDATE events SET txid = txid + 1000000000000")
    assert (
        read_events(own_ports(world), DIPS) == []
    )  # and whatever happens now would come before what did
    assert [f["check"] for f in findings(own.url)] == ["feed"]
    command("db", "restored", "--database", own.url)
    assert findings(own.url) == []
    assert [e.id for e in feed(world)] == [e.id for e in known]
    decline.decline(own_ports(world), patient(), task.id)
    assert feed(world, known[-1].cursor) == feed(world)[len(known) :] != []
    own.close()


def test_what_cannot_be_copied(on_postgres, on_sqlite, tmp_path):
    for url, file in (
        (on_postgres.url, tmp_path / "x"),
        (on_sqlite.url, tmp_path),
        (f"sqlite:///{tmp_path}/none", tmp_path / "x"),
    ):
        done = CliRunner().invoke(app, ["db", "backup", "--database", url, str(file)])
        assert isinstance(done.exception, InvalidInput)
        assert not (tmp_path / "x").exists()
