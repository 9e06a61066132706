"""`timevalg clinic` and `timevalg pools`: a file in force, its versions, a pool on and off."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.commands import timevalg
from tests.world import World, document
from timevalg.store import Database

NOW = ("--now", "2027-01-04T08:00")


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'clinic.db'}"


@pytest.fixture
def ask(url):
    def run(*words):
        done = timevalg(*words, "--database", url)
        return done.returncode, done.stdout, done.stderr

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


def test_one_file_of_several_clinics_is_completed_by_what_is_published(ask, file, tmp_path):
    """It borrows a room of a clinic that is published, and leaves out what stays."""
    other = tmp_path / "other.yaml"

    def write(source, **clinic):
        source["clinic"] |= {"id": "other", **clinic}
        other.write_text(yaml.safe_dump(source, allow_unicode=True))

    source = document()
    source["resources"] = [
        {"id": "dr-o", "kind": "clinician", "skills": ["talk"]},
        {"id": "room", "kind": "room", "owner": "clinic"},
    ]
    write(source)
    status, _, err = ask("clinic", "publish", other)
    assert (status, "there is no clinic 'clinic' among the files" in err) == (2, True)
    assert list(tmp_path.iterdir()) == [other]  # no database for it
    ask("clinic", "publish", file())
    whatif = ("pools", "whatif", other, "--json")
    assert json.loads(ask(*whatif)[1])["clinics"] == ["other"]
    assert ask("clinic", "publish", other) == (0, "in force: other\n", "")
    for section in ("resources", "services"):
        del source[section]
    source["pools"][0]["notice"] = 5
    write(source)
    assert json.loads(ask(*whatif)[1])["clinics"] == ["other"]
    assert ask("clinic", "publish", other) == (0, "in force: other\n", "")
    assert ask("clinic", "publish", other) == (0, "nothing has changed\n", "")
    write(source | {"services": []})
    status, out, err = ask("clinic", "publish", other)
    assert (status, out, f"{other}:" in err) == (2, "", True)
    write(source, organisation="")
    assert "clinic.organisation" in ask("clinic", "publish", other)[2]


LINES = """patient,pools,opens,due,not_after
p-1,auto,2027-01-04,2027-01-08,2027-01-29
p-2,auto,2027-01-04,2027-01-08,2027-01-29
p-3,auto,2027-01-04,2027-01-08,2027-01-09
"""


def test_many_are_invited_from_a_file_as_planned(ask, url, file, tmp_path):
    ask("clinic", "publish", file())
    path = tmp_path / "many.csv"
    path.write_text(LINES)
    invite = ("invite", path, *NOW)
    status, out, err = ask(*invite)
    assert (status, err) == (0, "")
    assert "1 of 3 cannot be promised a time" in out
    assert "│ 4    │ p-3" in out, "the line of the file"
    told = "2 of 3 invitations can be sent; the first 2 as they stand, through line 3 (--up-to 2)"
    assert told in out
    _, out, _ = ask(*invite, "--json")
    plan = json.loads(out)
    assert ([p["line"] for p in plan["invitations"]], plan["up_to"]) == ([2, 3, 4], 2)
    assert [(p["start"] or "")[-6:] for p in plan["invitations"]] == ["+01:00", "+01:00", ""]
    status, out, err = ask(*invite, "--send")
    assert (status, out) == (2, "")
    assert f"{path}:4 gets no valid place" in err
    for _ in "ab":  # twice is as once
        assert ask(*invite, "--send", "--up-to", 2)[1] == "2 invitations sent; 0 stay drafts\n"
    assert invited(url) == ["p-1", "p-2"]
    path.write_text(LINES.replace("2027-01-29", "soon"))
    status, _, err = ask(*invite)
    assert (status, f"{path}:2: not_after" in err) == (2, True)
    past = LINES.replace("\np-2", "\n\np-2").replace("p-3,auto,2027-01-04", "p-3,auto,2026-12-01")
    path.write_text(past.replace("2027-01-08,2027-01-09", "2027-01-01,2027-01-09"))
    status, _, err = ask(*invite)
    assert (status, f"{path}:5: due: 2027-01-01 has passed" in err) == (2, True), err
    strange = LINES.replace("p-2,auto", "p-2,nowhere").replace("p-3,auto", "p-3,auto nowhere")
    path.write_text(strange)
    status, _, err = ask(*invite)
    assert (status, err.count("there is no pool 'nowhere' here")) == (2, 1), err
    assert f"{path}:3: there is no pool" in err
    path.write_text(strange.replace("p-2,nowhere", "p-2,auto"))
    assert f"{path}:4: there is no pool 'nowhere' here" in ask(*invite)[2]
    assert "--up-to" in ask("invite", path, *NOW, "--up-to", 2)[1]
    assert ask("invite", tmp_path / "none.csv", *NOW)[0] == 2


def invited(url):
    world = World(lambda clock: Database(url, clock))
    patients = sorted(task.patient for task in world.read(lambda unit: unit.tasks.find()))
    world.store.close()
    return patients


def test_a_whole_file_after_a_part_of_it_invites_nobody_twice(ask, url, file, tmp_path):
    ask("clinic", "publish", file())
    path = tmp_path / "many.csv"
    path.write_text(LINES)
    send = ("invite", path, *NOW, "--send")
    assert ask(*send, "--up-to", 1)[1] == "1 invitation sent; 0 stay drafts\n"
    assert ask(*send, "--partly")[1] == "2 invitations sent; 1 stays a draft\n"
    path.write_text(LINES.replace("2027-01-09", "2027-01-29"))  # the third has other terms now
    assert ask(*send)[1] == "3 invitations sent; 0 stay drafts\n"
    assert invited(url) == ["p-1", "p-2", "p-3", "p-3"], "the draft of the third stays"
    path.write_text(LINES.splitlines(keepends=True)[0] + LINES.splitlines(keepends=True)[1] * 2)
    assert ask(*send)[1] == "2 invitations sent; 0 stay drafts\n"
    assert invited(url).count("p-1") == 2, "a line that is there twice is two invitations"


def test_a_line_whose_invitation_was_withdrawn_is_not_sent_again_in_silence(
    ask, url, file, tmp_path
):
    ask("clinic", "publish", file())
    path = tmp_path / "many.csv"
    path.write_text(LINES)
    send = ("invite", path, *NOW, "--send", "--up-to", 2)
    ask(*send)
    world = World(lambda clock: Database(url, clock))
    task = next(t for t in world.read(lambda unit: unit.tasks.find()) if t.patient == "p-2")
    world.desk.withdraw(task=task.id)
    world.store.close()
    told = "1 invitation sent; 0 stay drafts"
    why = f"{path}:3: not sent again: its invitation is withdrawn"
    _, out, _ = ask(*send)
    assert (out.splitlines()[0], why in out.replace("\n", " ")) == (told, True), out
    assert json.loads(ask(*send, "--json")[1])["ended"] == [task.id]
    plan = send[:-3]
    _, out, _ = ask(*plan, "--up-to", 2)
    assert (out.startswith("1 of 2 invitations can be sent"), why in out) == (True, True), out
    assert json.loads(ask(*plan, "--json")[1])["ended"] == [task.id]
