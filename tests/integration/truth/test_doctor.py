"""`timevalg doctor` names each way in which a database can be corrupted behind its guards."""

import json
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.world import oslo
from timevalg.cli.app import app
from timevalg.store.health import health
from timevalg.store.vault import new_key

AT = oslo(2027, 1, 20, 9)


def doctor(url, *options):
    done = CliRunner().invoke(app, ["doctor", "--database", url, "--json", *options])
    return done.exit_code, json.loads(done.stdout)


def checks(url, *options):
    status, said = doctor(url, *options)
    assert status == (1 if said["findings"] else 0)
    assert all(f["what"] and f["cure"] for f in said["findings"])
    found = {}
    for finding in said["findings"]:
        found.setdefault(finding["check"], []).append(finding["what"])
    return {check: "; ".join(whats) for check, whats in found.items()}


def busy(scratch):
    """A clinic with a visit, a hold and some places; gives the visit's session."""
    world = scratch.world()
    task = world.invited("p-1")
    visit = world.patient("p-1").choose(task, AT)
    held = world.invited("p-2")
    world.patient("p-2").hold(held, AT + timedelta(hours=1))
    world.invited("p-3")
    return visit.session


def test_a_sound_database(scratch):
    busy(scratch)
    status, said = doctor(scratch.url, "--deep")
    assert (status, said["findings"], said["sound"], said["deep"]) == (0, [], True, True)
    assert said["looked_at"]["tasks"] == 3
    assert said["looked_at"]["appointments"] == 1


def test_keys_that_are_none_or_are_missing_are_named(scratch, monkeypatch):
    busy(scratch)
    issuer = {"issuer": "https://i.test", "audience": "a", "profile": "idporten"}
    monkeypatch.setenv("TIMEVALG_ISSUERS", json.dumps([issuer | {"keys": "http://127.0.0.1:1/"}]))
    monkeypatch.setenv("TIMEVALG_DATA_KEYS", "2027:short")
    found = checks(scratch.url)
    assert found.keys() == {"keys"}
    assert "no key set of https://i.test" in found["keys"]
    assert "32 bytes" in found["keys"]
    monkeypatch.setenv("TIMEVALG_ISSUERS", "[]")
    monkeypatch.setenv("TIMEVALG_DATA_KEYS", new_key("2027"))
    assert "tasks.note" not in checks(scratch.url)["keys"]  # none is written
    assert "events.new: some are not sealed" in checks(scratch.url)["keys"]
    monkeypatch.delenv("TIMEVALG_DATA_KEYS")
    assert checks(scratch.url) == {}
    monkeypatch.setenv("TIMEVALG_MODE", "production")
    assert "TIMEVALG_SEARCH_KEY" in checks(scratch.url)["keys"]


OVERLAP = (
    "INSERT INTO sessions (id, organisation, kind, clinic, start, length, resources, is_place)"
    " SELECT 's-x', organisation, 'block', clinic, start, length, '{{}}', is_place"
    " FROM sessions WHERE id = '{0}'",
    "INSERT INTO claims (organisation, session_id, subject, starts_at, ends_at)"
    " SELECT organisation, 's-x', subject, starts_at + 60000000, ends_at + 60000000"
    " FROM claims WHERE session_id = '{0}' AND subject = 'r:room'",
)
CORRUPTIONS = (
    ("overlaps", OVERLAP, "room is taken twice at 2027-01-20T08:01:00+00:00: by sessions"),
    (
        "claims",
        ("DELETE FROM claims WHERE session_id = '{0}' AND subject > 'r:' AND subject < 'r:room'",),
        "booking {0} does not claim what it says: the patient, dr-",
    ),
    ("claims", ("UPDATE claims SET ends_at = ends_at - 60000000 WHERE subject = 'p:p-1'",), ""),
    (
        "claims",
        ("UPDATE claims SET session_id = 's-gone' WHERE subject = 'p:p-2'",),
        "claims of session s-gone, which is not there",
    ),
    (
        "claims",
        (OVERLAP[0].replace("s-x", "s-y"),),
        "block s-y claims nothing",
    ),
    ("events", ("DELETE FROM tasks WHERE patient = 'p-3'",), "which is not there"),
    ("tasks", (), "has sessions but is not there"),
)


def test_each_corruption_is_named(own):
    """Behind guards that have been taken away."""
    session = busy(own)
    unguarded(own, *(s.format(session) for _, how, _ in CORRUPTIONS for s in how))
    found = checks(own.url, "--deep")
    for check, _, what in CORRUPTIONS:
        assert what.format(session) in found[check], found
    assert "no overlap" in found


def test_a_row_that_cannot_be_is_named(own):
    session = busy(own)
    unguarded(own, f"UPDATE sessions SET length = 0 WHERE id = '{session}'")
    assert f"session {session} lasts 0 minutes" in checks(own.url, "--deep")["rows"]


def unguarded(scratch, *statements):
    if scratch.is_postgres:
        scratch.raw(
            "ALTER TABLE claims DROP CONSTRAINT ex_claims_no_overlap",
            "ALTER TABLE sessions DROP CONSTRAINT ck_sessions_length",
            "ALTER TABLE claims DROP CONSTRAINT fk_claims_sessions",
            *statements,
        )
    else:
        file = sqlite3.connect(scratch.url.removeprefix("sqlite:///"))
        file.execute("PRAGMA ignore_check_constraints = ON")  # foreign keys are off here
        with file:
            for verb in ("insert", "update"):
                file.execute(f"DROP TRIGGER ex_claims_no_overlap_{verb}")
            for statement in statements:
                file.execute(statement)
        file.close()


SQLITE = {
    "no overlap": "DROP TRIGGER ex_claims_no_overlap_update",
    "trigger": "DROP TRIGGER tr_audit_append_only_update",
    "index": "DROP INDEX uq_appointments_organisation_task_live",
    "tables": "ALTER TABLE tasks DROP COLUMN note",
}
POSTGRES = {
    "no overlap": "ALTER TABLE claims DROP CONSTRAINT ex_claims_no_overlap",
    "btree_gist": "DROP EXTENSION btree_gist",
    "constraints": "ALTER TABLE claims DROP CONSTRAINT ck_claims_span",
    "audit": "ALTER TABLE audit DISABLE TRIGGER tr_audit_append_only",
    "tables": "DROP INDEX uq_appointments_organisation_task_live",
}


def test_each_guard_that_is_missing_is_named(own):
    assert checks(own.url) == {}
    guards = POSTGRES if own.is_postgres else SQLITE
    own.raw(*guards.values())
    assert guards.keys() <= checks(own.url).keys()
    own.raw("UPDATE alembic_version SET version_num = '0001'")
    assert checks(own.url, "--deep")["migrations"].startswith("it is at 0001, not at ")


def test_a_journal_that_keeps_readers_out(on_sqlite):
    """The program sets WAL whenever it connects: only a file that cannot have it is named."""
    on_sqlite.patch.setattr("timevalg.store.sqlite._PRAGMAS", ("journal_mode=DELETE",))
    assert "journal" in checks(on_sqlite.url)


def test_clocks_that_are_apart(scratch):
    dialect = type(scratch.world().store._dialect)
    real = dialect.now
    scratch.patch.setattr(dialect, "now", lambda *a: real(*a) + timedelta(seconds=7))
    assert checks(scratch.url)["clock"].endswith("7 s apart")


@pytest.mark.parametrize(
    "url", ["sqlite:////nowhere/at/all.db", "postgresql://nobody@127.0.0.1:1/none"]
)
def test_a_database_that_does_not_answer(url):
    assert set(checks(url, "--deep")) == {"reachable"}


def test_what_is_no_address_is_wrong_input():
    done = CliRunner().invoke(app, ["doctor", "--database", "mysql://x"])
    assert done.exit_code != 0
    assert type(done.exception).__name__ == "InvalidInput"


def test_redis(sqlite_url, redis_url):
    assert checks(sqlite_url, "--redis", redis_url) == {}
    assert set(checks(sqlite_url, "--redis", "redis://127.0.0.1:1/0")) == {"redis"}


def test_people_are_told_what_to_do(on_sqlite):
    on_sqlite.raw("DROP INDEX uq_appointments_organisation_task_live")
    done = CliRunner().invoke(app, ["doctor", "--database", on_sqlite.url])
    assert done.exit_code == 1
    what = "index: the index uq_appointments_organisation_task_live is missing or another\n"
    assert f"{what}    to do: " in done.stdout
    assert done.stdout.endswith("2 findings\n")


def test_nothing_is_changed(on_sqlite):
    busy(on_sqlite)
    file = Path(on_sqlite.url.removeprefix("sqlite:///"))
    before = file.read_bytes()
    health(on_sqlite.url)
    doctor(on_sqlite.url, "--deep")
    assert file.read_bytes() == before
