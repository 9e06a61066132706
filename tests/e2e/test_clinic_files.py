"""`timevalg clinic` and `timevalg pools`: a file in force, its versions, a pool on and off."""

from __future__ import annotations

import json
import sys

import pytest
import yaml

from tests.world import World, document
from timevalg.cli import main
from timevalg.store import Database

NOW = ("--now", "2027-01-04T08:00")


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'clinic.db'}"


@pytest.fixture
def ask(url, monkeypatch, capsys):
    def run(*words):
        said = ["timevalg", *map(str, words), "--database", url]
        monkeypatch.setattr(sys, "argv", said)
        with pytest.raises(SystemExit) as left:
            main()
        told = capsys.readouterr()
        return left.value.code or 0, told.out, told.err

    return run


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "clinic.yaml"

    def write(**changes):
        source = document()
        source["pools"][0] |= changes
        path.write_text(yaml.safe_dump(source, allow_unicode=True))
        return path

    return write


def test_publish_versions_and_rollback(ask, file):
    assert ask("clinic", "publish", file()) == (0, "in force: clinic\n", "")
    assert ask("clinic", "publish", file()) == (0, "nothing has changed\n", "")
    _, out, _ = ask("clinic", "publish", file(notice=5), "--json")
    assert json.loads(out) == {"clinics": ["clinic"], "outside": {}, "lost": [], "conflicts": []}
    assert ask("clinic", "rollback", "clinic", 1)[:2] == (0, "in force: clinic\n")
    _, out, _ = ask("clinic", "versions", "clinic", "--json")
    assert [v["version"] for v in json.loads(out)["versions"]] == [3, 2, 1]
    assert "versions of clinic" in ask("clinic", "versions", "clinic")[1]
    assert ask("clinic", "rollback", "clinic", 9)[0] == 2
    assert ask("clinic", "versions", "none")[0] == 2


def test_a_pool_off_and_on(ask, url, file):
    ask("clinic", "publish", file())
    world = World(lambda clock: Database(url, clock))
    task = world.invited()
    world.store.close()
    off = ("pools", "off", "clinic", "auto", *NOW)
    status, out, err = ask(*off)
    assert (status, out) == (2, "")
    assert task.id in err
    assert ask(*off, "--override")[0] == 2
    status, out, _ = ask(*off, "--override", "--reason", "fire")
    assert (status, f"task {task.id} has no place any more" in out) == (0, True)
    assert ask("pools", "on", "clinic", "auto", *NOW)[:2] == (0, "in force: clinic\n")
    assert ask("pools", "on", "clinic", "none", *NOW)[0] == 2
