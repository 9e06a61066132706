"""Commands that work in a database refuse one that is not there, and make none."""

from __future__ import annotations

import pytest

from tests import commands
from tests.world import ORGANISATION, document
from timevalg import Timevalg
from timevalg.model.contents import Source

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
    ],
    ids=lambda command: command[0],
)
@pytest.mark.parametrize(
    ("database", "why"),
    [
        ("sqlite:///{tmp}/nothing.db", "there is no file"),
        ("sqlite:///{tmp}/empty.db", "it is at nothing, not at"),
        ("postgresql://nobody@127.0.0.1:1/nothing", "it cannot be reached or read"),
    ],
)
def test_a_database_that_is_not_there_is_refused_in_a_sentence(tmp_path, command, database, why):
    (tmp_path / "empty.db").touch()
    before = sorted(tmp_path.iterdir())
    done = commands.timevalg(*command, "--database", database.format(tmp=tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"command line: --database: {why}")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("command", [("audit", "verify"), ("purge",), ("purge", "--apply")])
def test_an_organisation_typed_wrongly_is_refused_and_those_that_there_are_named(tmp_path, command):
    """Not told that its log is whole, or that it has nothing to remove."""
    database = f"sqlite:///{tmp_path / 'clinic.db'}"
    with Timevalg.open(database, organisation=ORGANISATION) as valg:
        valg.planner("anna").publish({"clinic": Source(document())})

    def said(organisation):
        return commands.timevalg(*command, "--database", database, "--organisation", organisation)

    done = said("999999998")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--organisation: '999999998' has no clinic in this database" in done.stderr
    assert f"there is {ORGANISATION}" in done.stderr
    assert said(ORGANISATION).returncode == 0
