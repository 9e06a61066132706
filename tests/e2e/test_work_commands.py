"""`timevalg work`: its options, before `list` and the others or after."""

from __future__ import annotations

import json

import pytest

from tests.commands import timevalg
from tests.world import ORGANISATION, document
from timevalg import Timevalg
from timevalg.model.contents import Source


@pytest.fixture
def url(tmp_path):
    database = f"sqlite:///{tmp_path / 'clinic.db'}"
    with Timevalg.open(database, organisation=ORGANISATION) as valg:
        valg.planner("anna").publish({"clinic": Source(document())})
    return database


@pytest.fixture
def said(url, monkeypatch):
    """Run with another database in the environment, which no option may give way to."""
    monkeypatch.setenv("TIMEVALG_DATABASE_URL", f"{url}.other")

    def run(*words):
        done = timevalg("work", *(url if word == "URL" else word for word in words))
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.mark.parametrize("options", [("--database", "URL"), ("--database", "URL", "--json")])
def test_options_stand_before_the_command_or_after(said, options):
    options = (*options, "--organisation", ORGANISATION)
    before = said(*options, "list", "--state", "waiting")
    assert before == said("list", *options, "--state", "waiting")
    assert "seal audit" in before
    (work,) = json.loads(said("list", *options[:2], "--state", "waiting", "--json"))
    assert said("show", work["id"], *options) == said(*options, "show", work["id"])
    assert (
        said("drop", work["id"], *options[:2], "--reason", "a test") == f"{work['id']} is dropped\n"
    )


@pytest.mark.parametrize("words", [(), ("list",), ("show", "w-1")])
def test_no_database_is_told(monkeypatch, words):
    monkeypatch.delenv("TIMEVALG_DATABASE_URL", raising=False)
    done = timevalg("work", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "command line: --database: is not set, nor TIMEVALG_DATABASE_URL\n"


@pytest.mark.parametrize("limit", ["-5", "0", "10001"])
def test_how_much_is_listed_has_bounds(url, limit):
    done = timevalg("work", "list", "--database", url, "--limit", limit)
    assert done.returncode == 2
    assert "--limit" in done.stderr
