"""The audit log shows when it was changed behind the application's back."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from tests.world import ORGANISATION, World, document
from timevalg import Timevalg
from timevalg.booking.seal import seal_audit, verify_audit
from timevalg.cli.app import app
from timevalg.model.contents import Source
from timevalg.model.errors import NotAllowed
from timevalg.model.principal import Principal, RoleName, worker
from timevalg.store import Database, SetClock
from timevalg.store.memory import Memory
from timevalg.store.migrate import upgrade

AUDITOR = Principal("auditor", RoleName.AUDITOR, ORGANISATION)


def verdict(world):
    return verify_audit(world.ports, AUDITOR)


def seal(world):
    return seal_audit(world.ports, worker(ORGANISATION))


def sealed(world):
    """Two seals, each over some entries; other tests on the server can delay them."""
    for patient in ("p-1", "p-2"):
        world.chosen(patient)
        assert any(seal(world) for _ in range(10_000))
    return world


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/audit.sqlite"
        return
    postgres = request.getfixturevalue("postgres")
    made = postgres.create_database()
    yield made
    postgres.drop_database(made)


@pytest.fixture
def world(url):
    upgrade(url)
    made = []

    def store(clock):
        made.append(Database(url, clock))
        return made[0]

    yield sealed(World(store))
    made[0].close()


def behind_its_back(url, *statements):
    """Change the log as its owner could, with the triggers off."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text("ALTER TABLE audit DISABLE TRIGGER ALL"))
        else:
            for event in ("update", "delete"):
                connection.execute(sa.text(f"DROP TRIGGER IF EXISTS tr_audit_append_only_{event}"))
        for statement in statements:
            assert connection.execute(sa.text(statement)).rowcount == 1
    engine.dispose()


def test_a_log_as_it_was_written_holds(world):
    found = verdict(world)
    assert (found.seals, found.broken) == (2, ())
    assert found.entries - found.unsealed >= 4
    assert verdict(world).head == found.head


FIRST = "(SELECT min(seq) FROM audit)"
LAST = "(SELECT until FROM audit_seals WHERE number = 2)"


@pytest.mark.parametrize(
    ("statement", "seal"),
    [
        (
            f"UPDATE audit SET principal = 'somebody else' WHERE seq = {FIRST}",
            "seal 1 does not fit",
        ),
        (f"UPDATE audit SET time = time + 1 WHERE seq = {FIRST}", "seal 1 does not fit"),
        (f"UPDATE audit SET patient = NULL WHERE seq = {FIRST} + 1", "seal 1 does not fit"),
        (f"UPDATE audit SET address = 'x' WHERE seq = {FIRST}", "seal 1 does not fit"),
        (f"DELETE FROM audit WHERE seq = {FIRST}", "seal 1 covers"),
        (
            "INSERT INTO audit (txid, id, time, organisation, principal, role, verb, subject, key,"
            " channel, reason) SELECT txid, 'slipped-in', time, organisation, principal, role,"
            f" verb, subject, key, channel, reason FROM audit WHERE seq = {FIRST}",
            "seal",
        ),
    ],
    ids=["who", "when", "whom", "whence", "removed", "slipped in"],
)
def test_what_was_done_behind_its_back_shows(world, url, statement, seal):
    if "slipped" in statement and url.startswith("sqlite"):
        statement = statement.replace("(txid,", "(seq, txid,").replace(
            "SELECT txid,", "SELECT 0, txid,", 1
        )
    behind_its_back(url, statement)
    found = verdict(world)
    assert len(found.broken) == 1
    assert seal in found.broken[0]
    done = CliRunner().invoke(app, ["audit", "verify", "--database", url, "--json"])
    assert done.exit_code == 1
    assert json.loads(done.stdout)[ORGANISATION]["broken"] == list(found.broken)


def test_a_seal_that_was_changed_shows(world, url):
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text("ALTER TABLE audit_seals DISABLE TRIGGER ALL"))
        else:
            connection.execute(sa.text("DROP TRIGGER tr_audit_seals_append_only_update"))
        connection.execute(sa.text("UPDATE audit_seals SET digest = 'x' WHERE number = 1"))
    engine.dispose()
    assert len(verdict(world).broken) == 2


@pytest.mark.parametrize("table", ["audit", "audit_seals"])
def test_the_application_can_only_add(world, url, table):
    engine = sa.create_engine(url)
    for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET id = 'x'"):
        with pytest.raises(sa.exc.DBAPIError, match="append_only"), engine.begin() as connection:
            connection.execute(sa.text(statement))
    engine.dispose()


def test_sealing_goes_on_by_itself_every_hour():
    world = World(Memory)
    for patient in ("p-1", "p-2", "p-3"):
        world.chosen(patient)
        world.later(hours=1)
    assert verdict(world).seals == 3
    assert len(world.read(lambda unit: unit.work.find(kind="seal audit", state="waiting"))) == 1


def test_many_who_seal_at_the_same_moment_seal_once(world):
    world.chosen("p-3")
    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(seal, world) for _ in range(8)]:
            future.result()
    assert any(verdict(world).seals >= 3 or not seal(world) for _ in range(10_000))
    assert verdict(world).broken == ()


def test_a_log_whose_seals_were_made_anew_shows_by_the_digest_that_was_kept(world, url):
    kept = verdict(world).head
    world.chosen("p-4")
    assert any(seal(world) for _ in range(10_000))
    assert verify_audit(world.ports, AUDITOR, kept).broken == ()  # it has grown since
    without_seals(url)
    assert any(seal(world) for _ in range(10_000))  # as the worker does
    assert verdict(world).broken == ()
    (said,) = verify_audit(world.ports, AUDITOR, kept).broken
    assert said.startswith(f"no seal has the digest {kept}")
    done = CliRunner().invoke(app, ["audit", "verify", "--database", url, "--expect", kept])
    assert (done.exit_code, said in done.output) == (1, True)


def without_seals(url):
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text("ALTER TABLE audit_seals DISABLE TRIGGER ALL"))
        else:
            connection.execute(sa.text("DROP TRIGGER tr_audit_seals_append_only_delete"))
        connection.execute(sa.text("DELETE FROM audit_seals"))
    engine.dispose()


def test_entries_that_no_seal_covers_for_long_show():
    world = World(Memory)
    world.chosen("p-1")
    written = verdict(world).entries
    world.clock.advance(timedelta(hours=2))
    assert verdict(world).overdue == 0
    world.clock.advance(timedelta(seconds=1))
    found = verdict(world)
    assert (found.overdue, found.broken) == (written + 1, ())  # and the look itself
    seal(world)
    assert verdict(world).overdue == 0


def test_the_command_says_what_no_seal_covers(tmp_path):
    upgrade(url := f"sqlite:///{tmp_path}/audit.sqlite")
    clock = SetClock(datetime.now(UTC) - timedelta(hours=3))
    with Timevalg.open(url, organisation=ORGANISATION, clock=clock) as valg:
        valg.planner("anna").publish({"clinic": Source(document())})
    done = CliRunner().invoke(app, ["audit", "verify", "--database", url])
    assert done.exit_code == 1
    assert "the audit log is as it was written" in done.output
    assert "1 entry is older than two hours and not sealed" in done.output


def test_only_auditors_verify():
    world = World(Memory)
    with pytest.raises(NotAllowed):
        verify_audit(world.ports, Principal("anna", RoleName.PLANNER, ORGANISATION))


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_what_a_running_transaction_may_still_add_is_not_sealed(world, url):
    engine = sa.create_engine(url)
    with engine.connect() as slow:
        slow.execute(sa.text("SELECT pg_current_xact_id()"))
        world.desk.register("p-9")
        assert seal(world) == 0
        slow.rollback()
    assert any(seal(world) for _ in range(10_000))
    assert verdict(world).broken == ()
    engine.dispose()
