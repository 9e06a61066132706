"""`timevalg rights` as an operator uses it."""

import json

from typer.testing import CliRunner

from timevalg import Timevalg
from timevalg.cli.app import app
from timevalg.model.contents import Source
from timevalg.store.migrate import upgrade

ORGANISATION = "999999999"
NUMBER = "30108299920"


def test_from_the_first_right_to_the_last(tmp_path):
    url = f"sqlite:///{tmp_path}/clinic.sqlite"
    upgrade(url)

    def rights(command, *arguments, status=0, **more):
        at = ("--database", url, "--organisation", ORGANISATION)
        done = CliRunner().invoke(app, ["rights", command, *arguments, *at], **more)
        assert done.exit_code == status, done.output
        return done.output.strip()

    unit = ("unit", "u-1", "--clinic", "surgery", "--clinic", "gastro")
    rights(*unit, status=1)  # there are none yet
    with Timevalg.open(url, organisation=ORGANISATION) as valg:
        about = {"organisation": ORGANISATION, "timezone": "Europe/Oslo"}
        empty = {"format": 1, "resources": [], "services": [], "pools": []}
        for name in ("gastro", "surgery"):
            source = Source(empty | {"clinic": {"id": name, **about}}, {})
            valg.planner("anna").publish({name: source})
    assert rights(*unit) == "u-1 has gastro, surgery"
    planner = rights("give", "--role", "planner", "--holder", "hpr:1", "--unit", "u-1")
    given = ("give", "--role", "secretary", "--person", "--ends", "2099-01-01T00:00:00+01:00")
    rights(*given, input=f"{NUMBER}\n")
    assert "holds now: gastro, surgery" in rights("list")
    found = json.loads(rights("list", "--json"))
    assert [s["right"]["role"] for s in found] == ["planner", "secretary"]
    assert found[1]["right"]["holder"].startswith("person:")
    assert NUMBER not in json.dumps(found)
    with Timevalg.open(url, organisation=ORGANISATION) as valg:
        assert valg.desk("hpr:1").tasks() == []
    rights("revoke", planner, "--reason", "left")
    assert "holds now: nowhere" in rights("list")
    for wrong in (("--holder", "anna"), (), ("--holder", "hpr:1", "--starts", "tomorrow")):
        rights("give", "--role", "planner", *wrong, status=1)
    assert "is for verification" in rights("verification")
