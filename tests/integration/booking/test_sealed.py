"""Personal data at rest: nothing of them is in the database's own bytes, and keys rotate."""

import base64
import dataclasses
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from tests.contract.samples import EXAMPLES, ORG
from tests.waiting import until
from tests.world import ORGANISATION, World
from timevalg.booking.seal import seal_audit, verify_audit
from timevalg.booking.tell_systems import pass_on_events
from timevalg.cli.app import app
from timevalg.model.errors import InvalidInput
from timevalg.model.principal import Principal, RoleName, worker
from timevalg.store import Database
from timevalg.store.health import health
from timevalg.store.kinds import KINDS
from timevalg.store.reseal import reseal, sealed_columns
from timevalg.store.vault import PREFIX, KeysInText, Vault

KEYS = {"2026": b"\x01", "2027": b"\x02"}
# Not drawn: the names of the tests that are given them would differ from run to run.
OLD, NEW = (f"{name}:{base64.b64encode(byte * 32).decode()}" for name, byte in KEYS.items())
NUMBER = "30108299920"
CANARIES = {
    "name": "Kanari Kanarisen",
    "email": "kanari@example.test",
    "phone": "+4740404040",
    "identity": NUMBER,
}
WORDS = ("only-on-canary-fridays", "canary-is-ill", "canary-has-no-infection", "1982-10-30")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request):
    name = {"sqlite": "sqlite_url", "postgresql": "emptied_postgres_url"}[request.param]
    return request.getfixturevalue(name)


def world_on(url, keys, opened):
    def store(clock):
        opened.append(Database(url, clock, keys=KeysInText(keys)))
        return opened[-1]

    return World(store)


@pytest.fixture
def opened():
    stores = []
    yield stores
    for store in stores:
        store.close()


def live(world):
    """What a patient leaves behind."""
    hook = world.dips.subscribe("https://dips.test/", "DIPS", after="")
    world.desk.register("p-1", idempotency_key="k-1", **CANARIES)
    task, visit = world.chosen()
    world.work_kinds("check")
    world.work_kinds("letter")
    world.patient().complete(world.preparations(visit)[0], WORDS[2])
    world.patient().cancel(visit, WORDS[1])
    other = world.invited()
    world.patient().none_suits(other, WORDS[0], idempotency_key="k-2")
    world.desk.withdraw(task=other.id, reason=WORDS[1])
    # transactions of other tests on the same server hold it back, not for long
    until(lambda: pass_on_events(world.ports, worker(ORGANISATION), hook.id))
    return task


def raw(url):
    """Every byte of the database: its files, or every row as the server has it."""
    if url.startswith("sqlite"):
        path = Path(sa.make_url(url).database)
        return b"".join(p.read_bytes() for p in path.parent.glob(f"{path.name}*"))
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        found = []
        for (table,) in tables:
            with connection.cursor().copy(f'COPY "{table}" TO STDOUT') as copied:
                found += [bytes(part) for part in copied]
    return b"".join(found)


def found_in(url):
    data = raw(url)
    return {c for c in (*CANARIES.values(), *WORDS) if c.encode() in data}


def test_nothing_of_a_patient_is_in_the_bytes_and_all_is_read(url, opened):
    world = world_on(url, OLD, opened)
    live(world)
    assert found_in(url) == set()
    (patient,) = world.read(lambda unit: unit.patients.find(person=world.ports.pseudonym(NUMBER)))
    assert {name: getattr(patient, name) for name in CANARIES} == CANARIES
    assert CANARIES["name"] in "".join(x.html + x.text for x in world.letters())
    assert WORDS[0] in {t.note for t in world.patient().tasks()}


def test_without_keys_it_is(url, opened):
    """The guard off: every canary is found."""
    live(world_on(url, "", opened))
    assert found_in(url) == {*CANARIES.values(), *WORDS}


def test_keys_rotate_and_the_log_says_what_it_said(url, opened):
    world = world_on(url, OLD, opened)
    live(world)
    # transactions of other tests on the same server hold it back, not for long
    until(lambda: seal_audit(world.ports, worker(ORGANISATION)))
    before = world.dump()
    both = KeysInText(f"{NEW},{OLD}")
    told = []
    assert reseal(url, both, lambda *said: told.append(said)) > 10
    assert ("patients.name", 1) in told
    assert reseal(url, both, lambda *said: None) == 0
    world.store.close()
    later = Database(url, world.clock, keys=both)
    opened.append(later)
    ports = dataclasses.replace(world.ports, store=later)
    world.store, world.valg = later, dataclasses.replace(world.valg, ports=ports)
    assert world.dump() == before
    assert health(url, keys=both) == []
    auditor = Principal("auditor", RoleName.AUDITOR, ORGANISATION)
    assert verify_audit(ports, auditor).broken == ()
    assert health(url, keys=KeysInText(NEW)) == []  # the old one is not needed any more
    engine = sa.create_engine(url)
    with pytest.raises(sa.exc.DBAPIError, match="tr_audit_append_only"), engine.begin() as changing:
        changing.execute(sa.text("UPDATE audit SET reason = 'x'"))
    engine.dispose()


def test_what_was_there_before_the_keys_is_sealed_too(url, opened, monkeypatch):
    world = world_on(url, "", opened)
    world.desk.register("p-1", **CANARIES)
    assert {f.check for f in health(url, keys=KeysInText(NEW))} == {"keys"}
    monkeypatch.setenv("TIMEVALG_DATA_KEYS", NEW)
    done = CliRunner().invoke(app, ["db", "reseal", "--database", url])
    assert done.exit_code == 0, done.output
    if url.startswith("postgresql"):  # a server's free space is its own: VACUUM FULL
        assert found_in(url) == set()
    world.store.close()
    assert found_in(url) == set()
    assert health(url, keys=KeysInText(NEW)) == []
    opened.append(Database(url))
    with pytest.raises(InvalidInput, match="no keys are given"):
        opened[-1].run(ORGANISATION, lambda unit: unit.patients.find(), write=False)


@pytest.mark.parametrize("kind", [k for k in KINDS if k.sealed and k.table in EXAMPLES])
def test_every_kind_comes_back_equal(url, opened, kind):
    store = Database(url, keys=KeysInText(OLD))
    opened.append(store)
    rows = list(EXAMPLES[kind.table])
    records = {"tasks": "tasks", "answers": "answers"}.get(kind.table, kind.table)
    for row in rows:
        store.run(ORG, lambda unit, r=row: getattr(unit, records).add(r))
    found = store.run(ORG, lambda unit: getattr(unit, records).find(), write=False)
    assert sorted(found, key=lambda r: r.id) == sorted(rows, key=lambda r: r.id)


def test_every_command_has_the_keys(sqlite_url, opened, monkeypatch):
    """Also those that look at what is planned: tasks hold patients' own words."""
    world = world_on(sqlite_url, OLD, opened)
    world.patient().none_suits(world.invited(), WORDS[0])
    world.store.close()
    command = ["reserve", "--database", sqlite_url]
    assert CliRunner().invoke(app, command).exit_code != 0
    monkeypatch.setenv("TIMEVALG_DATA_KEYS", OLD)
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output


def test_a_value_is_bound_to_its_place():
    vault = Vault(KeysInText(OLD))
    sealed = vault.seal("Kari", "patients.name")
    assert vault.open(sealed, "patients.name") == "Kari"
    assert vault.seal("Kari", "patients.name") != sealed
    for wrong, place in (
        (sealed, "patients.email"),
        (sealed[:-8] + "AAAAAAA=", "patients.name"),
        (sealed + "?", "patients.name"),
        (PREFIX + "2026:", "patients.name"),
        (PREFIX + "1999:" + "A" * 60, "patients.name"),
    ):
        with pytest.raises(InvalidInput) as error:
            vault.open(wrong, place)
        assert "Kari" not in str(error.value)


@pytest.mark.parametrize("text", ["x", "2026:short", f"{OLD},{OLD}", f"a b:{OLD[5:]}", ":" + OLD])
def test_what_is_no_key_is_refused_and_not_repeated(text):
    with pytest.raises(InvalidInput) as error:
        KeysInText(text)
    assert OLD[5:] not in str(error.value)


def test_another_source_of_keys_will_do():
    class Kms:
        names = ("kms1",)

        def key(self, name):
            return base64.b64decode(OLD.partition(":")[2])

    vault = Vault(Kms())
    assert vault.open(vault.seal("x", "y"), "y") == "x"


def test_text_that_looks_sealed_is_refused_where_nothing_is(quick, url, opened):
    world = world_on(url, "", opened)
    with pytest.raises(InvalidInput, match="is no beginning"):
        world.desk.register("p-1", name=PREFIX + "x:y")


def test_the_sealed_columns_are_these():
    assert {str(column) for column in sealed_columns()} == {
        "answers.value",
        "audit.reason",
        "cases.detail",
        "cases.reason",
        "deliveries.body",
        "events.new",
        "events.old",
        "events.reason",
        "letters.address",
        "letters.html",
        "letters.text",
        "patients.birth",
        "patients.email",
        "patients.identity",
        "patients.name",
        "patients.phone",
        "preparations.answer",
        "tasks.note",
    }


def test_a_key_is_made_on_the_command_line():
    made = CliRunner().invoke(app, ["db", "key", "2028"]).output.strip()
    assert KeysInText(made).names == ("2028",)
