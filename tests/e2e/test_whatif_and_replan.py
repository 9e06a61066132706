"""`timevalg pools whatif` and `timevalg replan` on a database, as a planner uses them."""

import json
from datetime import date

import pytest
import yaml

from tests.commands import timevalg
from tests.world import ORGANISATION, OSLO, document, oslo
from timevalg import Timevalg
from timevalg.cli.moments import parse_now
from timevalg.cli.replan import run as replan
from timevalg.cli.standing import Standing
from timevalg.model.contents import Source
from timevalg.model.errors import InvalidInput, NotFound
from timevalg.store import SetClock

NOW = ("--now", "2027-01-04T08:00")


def said(*arguments):
    done = timevalg(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_from_what_if_to_rebooked(tmp_path):
    url = f"sqlite:///{tmp_path / 'clinic.db'}"
    before, after = tmp_path / "before.yaml", tmp_path / "after.yaml"
    source = document()
    before.write_text(yaml.safe_dump(source))
    source["resources"][2]["away"] = [{"from": "2027-01-20", "to": "2027-01-20"}]
    after.write_text(yaml.safe_dump(source))
    clock = SetClock(oslo(2027, 1, 4, 8))
    with Timevalg.open(url, organisation=ORGANISATION, clock=clock) as valg:
        desk = valg.planner("anna")
        desk.publish(before)
        dates = {"opens": date(2027, 1, 4), "due": date(2027, 1, 8)}
        asked = desk.invite(patient="p-1", pools=["auto"], not_after=date(2027, 1, 29), **dates)
        visit = valg.patient("p-1").choose(asked.task, oslo(2027, 1, 20, 9))
        valg.work()
        tight = {"not_before": date(2027, 1, 20), "not_after": date(2027, 1, 20), **dates}
        lost = desk.invite(patient="p-2", pools=["auto"], **tight).task
    whatif = ("pools", "whatif", after, "--database", url, *NOW)
    found = json.loads(said(*whatif, "--json"))
    assert found["clinics"] == ["clinic"]
    assert [row["task"] for row in found["lost"]] == [lost.id]
    (proposal,) = found["proposals"]
    assert (proposal["appointment"], proposal["absent"]) == (visit.id, ["room is away"])
    assert (proposal["change"], proposal["harm"]) == ("time", ["another day"])
    shown = said(*whatif)
    assert "tasks left without a place" in shown
    assert f"{lost.id} would have no place" in shown
    command = ("replan", "--database", url, *NOW)
    nothing = {"proposals": [], "proven": True, "lost": []}  # nothing was published
    assert json.loads(said(*command, "--json")) == nothing
    with Timevalg.open(url, organisation=ORGANISATION, clock=clock) as valg:
        valg.planner("anna").publish(after)
    found = json.loads(said(*command, "--json"))
    (left,) = found.pop("lost")
    assert found == {"proposals": [proposal], "proven": True}
    assert (left["task"], left["place"], left["deadline"]) == (lost.id, None, "2027-01-20")
    assert left["shortage"]["cures"][0] == {"change": "not_after +1 day", "starts": 8}
    assert left["times"][0]["harm"] == ["before the first day"]
    shown = said(*command)
    assert visit.id in shown
    assert "\nno other way moves fewer" in shown
    assert f"{lost.id} (priority 3, until 2027-01-20) has no place" in shown
    done = json.loads(said(*command, "--accept", visit.id, "--reason", "flood", "--json"))
    (row,) = done["rebooked"]
    assert (row["appointment"], row["state"]) == (visit.id, "cancelled")
    assert row["task"] is not None
    assert "0 visits cannot stand" in said(*command)
    with Timevalg.open(url, organisation=ORGANISATION, clock=clock) as valg:
        valg.planner("anna").remove_absence("clinic", "room", 0)
        assert valg.planner("anna").replan().lost == ()
    again = json.loads(said(*command, "--accept", lost.id, "--json"))  # it has one already
    assert again == {"rebooked": [], "placed": [{"task": lost.id}], "refused": []}


def test_all_that_can_be_accepted_is_and_each_refusal_told(tmp_path):
    url, clock = f"sqlite:///{tmp_path / 'clinic.db'}", SetClock(oslo(2027, 1, 4, 8))
    source = document()
    with Timevalg.open(url, organisation=ORGANISATION, clock=clock) as valg:
        desk = valg.planner("anna")
        desk.publish({"clinic": Source(source)})
        dates = {"opens": date(2027, 1, 4), "due": date(2027, 1, 8)}
        dates["not_after"] = date(2027, 1, 29)
        visits = []
        for number, hour in enumerate((9, 10)):
            asked = desk.invite(patient=f"p-{number}", pools=["auto"], **dates)
            chosen = valg.patient(f"p-{number}").choose(asked.task, oslo(2027, 1, 20, hour))
            visits.append(chosen.id)
        valg.work()
        source["resources"][2]["away"] = [{"from": "2027-01-20", "to": "2027-01-20"}]
        desk.publish({"clinic": Source(source)})
    command = ("replan", "--database", url, *NOW)
    first, second = visits
    done = timevalg(*command, "--accept", first, "--accept", "a-1", "--accept", "a-2")
    assert (done.returncode, done.stdout) == (2, "")
    missing = ["there is no visit and no task 'a-1' here", "there is no visit and no task 'a-2'"]
    assert all(words in done.stderr for words in missing)
    assert said(*command, "--accept", first, "--accept", first).count("\n") == 1  # nor twice
    both = (*command, "--accept", first, "--accept", second)
    done = timevalg(*both)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{first} is left as it is: appointment {first} is cancelled")
    assert done.stdout.startswith(f"{second} is cancelled; task ")
    done = timevalg(*both, "--json")
    assert done.returncode == 2
    answer = json.loads(done.stdout)
    assert (answer["rebooked"], answer["placed"]) == ([], [])
    assert [row["id"] for row in answer["refused"]] == visits
    assert "'rebook' is not possible then" in answer["refused"][0]["reason"]


@pytest.mark.parametrize(
    ("database", "why"),
    [
        ("sqlite:///{tmp}/nothing.db", "there is no file"),
        ("sqlite:///{tmp}/empty.db", "it is at nothing, not at"),
        ("sqlite:///{tmp}/junk.db", "it cannot be reached or used"),
        ("postgresql://nobody@127.0.0.1:1/nothing", "it cannot be reached or used"),
        ("nonsense", "'nonsense' is no address"),
    ],
)
def test_a_database_that_is_not_there_or_not_up_to_date_is_refused(tmp_path, database, why):
    (tmp_path / "empty.db").touch()
    (tmp_path / "junk.db").write_text("no database at all")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InvalidInput, match=why):
        replan(Standing(None, None, database.format(tmp=tmp_path)), None, [], "", as_json=True)
    assert sorted(tmp_path.iterdir()) == before  # no file is made


def test_a_clinic_that_there_is_not_is_refused(tmp_path):
    url, file = f"sqlite:///{tmp_path / 'clinic.db'}", tmp_path / "clinic.yaml"
    file.write_text(yaml.safe_dump(document()))
    with Timevalg.open(url, organisation=ORGANISATION) as valg:
        valg.planner("anna").publish(file)
    with pytest.raises(NotFound, match="nowhere"):
        replan(Standing(None, None, url), "nowhere", [], "", as_json=True)


def test_a_year_without_calendars_is_refused():
    with pytest.raises(InvalidInput, match="not in the years 1971"):
        parse_now("9999-12-31T23:59", OSLO)
