"""The program's own role cannot change the audit log, and can do all else that it does."""

import base64
import uuid
from itertools import product

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import errors, sql
from typer.testing import CliRunner

from tests.waiting import until
from tests.world import ORGANISATION, World, oslo
from timevalg.booking.seal import seal_audit, verify_audit
from timevalg.cli.app import app
from timevalg.model.errors import InvalidInput
from timevalg.model.principal import Principal, RoleName, worker
from timevalg.store import Database
from timevalg.store.grants import APPENDED, grant
from timevalg.store.health import health
from timevalg.store.refusals import AppendOnly
from timevalg.store.reseal import reseal
from timevalg.store.vault import KeysInText

CHANGES = (
    "UPDATE {} SET id = id",
    "DELETE FROM {}",
    "TRUNCATE {}",
    "ALTER TABLE {} DISABLE TRIGGER ALL",
    "DROP TABLE {}",
)


@pytest.fixture
def role_url(postgres_url):
    """The address of a database for a role that has been granted what the program needs."""
    role, password = f"timevalg_{uuid.uuid4().hex[:8]}", uuid.uuid4().hex
    name = sql.Identifier(role)
    with psycopg.connect(postgres_url, autocommit=True) as owner:
        owner.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(name, password))
        done = CliRunner().invoke(app, ["db", "grant", role, "--database", postgres_url])
        assert done.exit_code == 0, done.output
        url = sa.make_url(postgres_url).set(username=role, password=password)
        yield url.render_as_string(hide_password=False)
        owner.execute(sql.SQL("DROP OWNED BY {}").format(name))
        owner.execute(sql.SQL("DROP ROLE {}").format(name))


@pytest.fixture
def world(role_url):
    made = []

    def store(clock):
        made.append(Database(role_url, clock))
        return made[0]

    yield World(store)
    made[0].close()


def test_the_program_does_all_it_does(world):
    task, visit = world.chosen()
    world.work()
    world.patient().change(visit, oslo(2027, 1, 21, 9))
    world.dips.register("p-1", name="Kari", identity="30108299920")
    world.valg.operator().give("hpr:1", "planner")
    world.patient().withhold(world.task(task))
    # transactions of other tests on the same server hold it back, not for long
    until(lambda: seal_audit(world.ports, worker(ORGANISATION)))
    auditor = Principal("auditor", RoleName.AUDITOR, ORGANISATION)
    assert verify_audit(world.ports, auditor).broken == ()


def test_it_cannot_change_the_log(world, role_url):
    world.chosen()
    before = world.dump()["audit"]
    with psycopg.connect(role_url, autocommit=True) as mine:
        for change, table in product(CHANGES, APPENDED):
            with pytest.raises(errors.InsufficientPrivilege):
                mine.execute(change.format(table))
    assert before
    assert world.dump()["audit"] == before


def test_the_owner_could_so_the_program_is_not_the_owner(postgres_url):
    """The guard off: by the owner's role a trigger is taken away, and the log changed."""
    made = Database(postgres_url)
    World(lambda clock: made).invited()
    made.close()
    with psycopg.connect(postgres_url) as owner:
        with pytest.raises(psycopg.Error, match="append_only"), owner.transaction():
            owner.execute("UPDATE audit SET reason = 'x'")
        owner.execute("ALTER TABLE audit DISABLE TRIGGER ALL")
        assert owner.execute("UPDATE audit SET reason = 'x'").rowcount > 0


def test_doctor_says_in_production_whether_the_role_could(postgres_url, role_url):
    assert health(role_url, production=True) == []
    found = health(postgres_url, production=True)
    assert {f.check for f in found} == {"audit"}
    assert "update, delete, truncate, trigger in audit" in found[0].what
    assert health(postgres_url) == []


def test_granting_again_takes_back_what_was_too_much(postgres_url, role_url):
    role = sa.make_url(role_url).username
    with psycopg.connect(postgres_url) as owner:
        owner.execute(sql.SQL("GRANT ALL ON audit TO {}").format(sql.Identifier(role)))
    assert health(role_url, production=True)
    grant(postgres_url, role)
    assert health(role_url, production=True) == []


def test_the_log_is_sealed_anew_by_its_owner_alone(world, role_url, postgres_url):
    """The program's own role reseals all else, and is told who can do the rest."""
    world.dips.register("p-1", name="Kari")
    world.desk.withdraw(task=world.invited().id, reason="called")
    keys = KeysInText(f"2027:{base64.b64encode(bytes(32)).decode()}")
    with pytest.raises(InvalidInput, match="by the owner of its table; the rest is done"):
        reseal(role_url, keys, lambda *said: None)
    assert {f.what.split(":")[0] for f in health(postgres_url, keys=keys)} == {"audit.reason"}
    reseal(postgres_url, keys, lambda *said: None)
    assert health(postgres_url, keys=keys) == []
    with psycopg.connect(postgres_url) as owner, pytest.raises(psycopg.errors.RestrictViolation):
        owner.execute("UPDATE audit SET reason = 'x'")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET reason = 'x'",
        "DELETE FROM audit",
        "REPLACE INTO audit SELECT * FROM audit",
        "DELETE FROM audit_seals",
        "UPDATE audit_seals SET digest = 'x'",
    ],
)
def test_sqlite_refuses_by_triggers(sqlite_url, change):
    store = Database(sqlite_url)
    world = World(lambda clock: store)
    world.invited()
    seal_audit(world.ports, worker(ORGANISATION))
    before = world.dump()["audit"]
    with pytest.raises(AppendOnly), store._engine.begin() as connection:
        connection.exec_driver_sql(change)
    assert world.dump()["audit"] == before
    store.close()


def test_only_postgresql_has_roles(sqlite_url):
    with pytest.raises(InvalidInput, match="only PostgreSQL"):
        grant(sqlite_url, "x")
