"""Commands that work in a database refuse one that is not there, and make none."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
import yaml

from tests import commands
from tests.world import ORGANISATION, document
from timevalg import Timevalg
from timevalg.model.contents import Source
from timevalg.store.migrate import upgrade
from timevalg.store.vault import new_key

NEEDED = ("--organisation", "999999999")


@pytest.mark.parametrize(
    "command",
    [
        ("audit", "verify"),
        ("purge", *NEEDED),
        ("export", "p-1", *NEEDED),
        ("rights", "list", *NEEDED),
        ("work",),
        ("replan",),
        ("reserve",),
        ("worker", "--once"),
        ("import", __file__, *NEEDED),
        ("db", "reseal"),
    ],
    ids=lambda command: command[0],
)
@pytest.mark.parametrize(
    ("database", "why"),
    [
        ("sqlite:///{tmp}/nothing.db", "there is no file"),
        ("sqlite:///{tmp}/empty.db", "it is at nothing, not at"),
        ("postgresql://nobody@127.0.0.1:1/nothing", "it cannot be reached or used"),
    ],
)
def test_a_database_that_is_not_there_is_refused_in_a_sentence(
    monkeypatch, tmp_path, command, database, why
):
    (tmp_path / "empty.db").touch()
    before = sorted(tmp_path.iterdir())
    monkeypatch.setenv("TIMEVALG_DATA_KEYS", new_key("2027"))
    done = commands.timevalg(*command, "--database", database.format(tmp=tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"command line: --database: {why}")
    assert sorted(tmp_path.iterdir()) == before


CLINIC = "{tmp}/clinic.yaml"
AWAY = "postgresql://nobody@127.0.0.1:1/nothing"
FOLDER = "sqlite:///{tmp}/nowhere/clinic.db"


@pytest.mark.parametrize(
    ("command", "database", "why"),
    [
        (("clinic", "publish", CLINIC), AWAY, "it cannot be reached or used: "),
        (("clinic", "publish", CLINIC), FOLDER, "it cannot be reached or used: unable to open"),
        (("db", "upgrade"), AWAY, "it cannot be reached or used: "),
        (("db", "upgrade"), FOLDER, "it cannot be reached or used: unable to open"),
        (("db", "restored"), AWAY, "it cannot be reached or used: "),
        (("db", "restored"), FOLDER, "there is no file"),
        (("db", "backup", "{tmp}/copy"), FOLDER, "there is no file"),
        (("db", "backup", "{tmp}/copy"), "sqlite:///{tmp}/clinic.yaml", "it cannot be reached"),
        (("db", "grant", "app"), AWAY, "it cannot be reached or used: "),
    ],
)
def test_a_database_that_cannot_be_made_or_cared_for_is_told_in_a_sentence(
    tmp_path, command, database, why
):
    (tmp_path / "clinic.yaml").write_text(yaml.safe_dump(document()), encoding="utf-8")
    words = [word.format(tmp=tmp_path) for word in command]
    done = commands.timevalg(*words, "--database", database.format(tmp=tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"command line: --database: {why}")
    assert done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["clinic.yaml"]


def test_a_copy_goes_into_a_folder_that_there_is(tmp_path):
    upgrade(url := f"sqlite:///{tmp_path / 'clinic.db'}")
    done = commands.timevalg("db", "backup", tmp_path / "nowhere" / "copy", "--database", url)
    assert done.returncode == 2
    assert f"file: there is no folder {tmp_path / 'nowhere'}" in done.stderr


def test_on_an_empty_postgresql_all_say_what_to_do(tmp_path, postgres):
    file = tmp_path / "clinic.yaml"
    file.write_text(yaml.safe_dump(document()), encoding="utf-8")
    url = postgres.create_database()
    for command in (("clinic", "publish", file), ("worker", "--once"), ("db", "grant", "app")):
        done = commands.timevalg(*command, "--database", url)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("command line: --database: it is at nothing, not at")
        assert "run `timevalg db upgrade`" in done.stderr
    done = commands.timevalg("doctor", "--database", url)
    assert done.stdout.startswith("migrations: it is at nothing")
    assert "1 finding\n" in done.stdout
    upgrade(url)
    done = commands.timevalg("db", "grant", "nosuchrole", "--database", url)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("command line: ROLE: there is no role 'nosuchrole'")
    postgres.drop_database(url)


def test_a_database_of_a_newer_timevalg_is_left_alone(tmp_path):
    clinic = tmp_path / "clinic.yaml"
    clinic.write_text(yaml.safe_dump(document()), encoding="utf-8")
    file = tmp_path / "clinic.db"
    upgrade(url := f"sqlite:///{file}")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    said = "it is at 9999, which this timevalg does not know"
    for command in (
        ("clinic", "publish", clinic),
        ("worker", "--once"),
        ("reserve",),
        ("db", "upgrade"),
        ("db", "restored"),
    ):
        done = commands.timevalg(*command, "--database", url)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"--database: {said}; install the newer timevalg" in done.stderr
    assert f"migrations: {said}\n" in commands.timevalg("doctor", "--database", url).stdout
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT count(*) FROM publications").fetchone() == (0,)


@pytest.mark.parametrize(
    "command",
    [
        ("audit", "verify"),
        ("purge",),
        ("purge", "--apply"),
        ("export", "p-1"),
        ("rights", "list"),
        ("rights", "verification"),
        ("work",),
        ("import", __file__),
    ],
    ids=" ".join,
)
def test_an_organisation_typed_wrongly_is_refused_and_those_that_there_are_named(tmp_path, command):
    """Not told that its log is whole, or that it has nothing to remove, however often asked."""
    database = f"sqlite:///{tmp_path / 'clinic.db'}"
    with Timevalg.open(database, organisation=ORGANISATION) as valg:
        valg.planner("anna").publish({"clinic": Source(document())})

    def said(organisation):
        return commands.timevalg(*command, "--database", database, "--organisation", organisation)

    for _ in range(2):
        done = said("999999998")
        assert (done.returncode, done.stdout) == (2, "")
        assert "--organisation: '999999998' has no clinic in this database" in done.stderr
        assert done.stderr.endswith(f"there is {ORGANISATION}\n")
    assert "--organisation" not in said(ORGANISATION).stderr


@pytest.mark.parametrize("organisation", [(), NEEDED], ids=["none", "named"])
@pytest.mark.parametrize("command", ["work", "figures", "replan", "reserve", "audit verify"])
def test_where_nothing_is_published_all_say_what_to_do(tmp_path, command, organisation):
    upgrade(url := f"sqlite:///{tmp_path / 'clinic.db'}")
    done = commands.timevalg(*command.split(), "--database", url, *organisation)
    assert (done.returncode, done.stdout) == (2, "")
    said = "nothing is published there: `timevalg clinic publish FILE` does it\n"
    assert done.stderr.startswith("command line: --")
    assert done.stderr.endswith(said)


def test_a_worker_with_nothing_to_do_says_so_and_what_is_to_be_done_first(tmp_path):
    upgrade(url := f"sqlite:///{tmp_path / 'clinic.db'}")
    done = commands.timevalg("worker", "--once", "--database", url)
    assert (done.returncode, done.stderr) == (0, "")
    why = "nothing is published there: `timevalg clinic publish FILE` does it"
    assert done.stdout == f"0 pieces of work done: {why}\n"


@pytest.mark.parametrize("command", ["work", "figures"])
def test_where_several_organisations_are_published_one_must_be_said(tmp_path, command):
    url, others = f"sqlite:///{tmp_path / 'clinic.db'}", (ORGANISATION, "999999998")
    for organisation in others:
        source = document()
        source["clinic"]["organisation"] = organisation
        with Timevalg.open(url, organisation=organisation) as valg:
            valg.planner("anna").publish({"clinic": Source(source)})
    done = commands.timevalg(command, "--database", url)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("command line: --organisation: the database holds ")
    assert all(organisation in done.stderr for organisation in others)


def test_the_first_right_may_come_before_a_clinic_and_makes_the_organisation_known(tmp_path):
    """A record system publishes by a right."""
    upgrade(url := f"sqlite:///{tmp_path / 'clinic.db'}")

    def said(*command):
        return commands.timevalg(*command, "--database", url, "--organisation", ORGANISATION)

    assert said("rights", "list").returncode == 2
    done = said("rights", "give", "--role", "system", "--holder", "client:dips")
    assert (done.returncode, done.stderr) == (
        0,
        f"warning: '{ORGANISATION}' has no clinic in this database; nothing is published there:"
        " `timevalg clinic publish FILE` does it\n",
    )
    assert "client:dips" in said("rights", "list").stdout
    assert said("audit", "verify").returncode == 0
