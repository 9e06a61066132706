"""`timevalg check`, `search` and `explain` as a stranger uses them."""

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from tests.commands import timevalg

GASTRO = Path(__file__).parents[2] / "examples" / "gastro"
NOW = ("--now", "2027-01-04T08:00")


def answer(*arguments):
    done = timevalg(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("file", "status"), [(GASTRO, 0), (GASTRO / "nothing.yaml", 2)], ids=["good", "missing"]
)
def test_a_process_of_its_own_says_the_same(file, status):
    command = [sys.executable, "-m", "timevalg.cli", "check", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    here = timevalg("check", file)
    assert done.returncode == here.returncode == status
    assert (done.stdout, done.stderr) == (here.stdout, here.stderr)


def test_check_sums_the_clinic_up():
    done = timevalg("check", GASTRO)
    assert done.returncode == 0
    assert "gastro" in done.stdout
    assert "surgery" in done.stdout
    assert done.stderr == ""


def test_check_names_everything_wrong_at_its_line(tmp_path):
    text = (GASTRO / "surgery.yaml").read_text(encoding="utf-8")
    (tmp_path / "surgery.yaml").write_text(
        text.replace("raster: ", "rastre: ", 1).replace("Europe/Oslo", "Europe/Olso"),
        encoding="utf-8",
    )
    done = timevalg("check", tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) >= 2
    assert any("rastre" in line and "raster" in line for line in lines)
    assert any("Europe/Olso" in line for line in lines)
    as_json = timevalg("check", tmp_path, "--json")
    assert as_json.returncode == 2
    problems = json.loads(as_json.stdout)["problems"]
    assert problems and all(p["line"] > 0 for p in problems)


def test_search_gives_every_start_in_order_with_its_resources():
    found = answer("search", GASTRO, "--pool", "colonoscopy-first", *NOW)
    assert set(found) == {"pool", "now", "starts"}
    assert found["pool"] == "colonoscopy-first"
    assert found["now"] == "2027-01-04T08:00:00+01:00"
    starts = [datetime.fromisoformat(s["start"]) for s in found["starts"]]
    assert starts == sorted(set(starts))
    assert len(starts) > 100
    for start in found["starts"]:
        assert set(start["resources"]) == {"endoscopist", "nurse", "room"}
        assert len(set(start["resources"]["nurse"])) == 2
    offsets = {s["start"][-6:] for s in found["starts"]}
    assert offsets == {"+01:00", "+02:00"}


def test_options_only_narrow():
    everything = answer("search", GASTRO, "--pool", "follow-up", *NOW)["starts"]
    window = ("--not-before", "2027-02-01", "--not-after", "2027-02-05")
    narrowed = answer("search", GASTRO, "--pool", "follow-up", *NOW, *window)["starts"]
    assert narrowed == [s for s in everything if "2027-02-01" <= s["start"][:10] <= "2027-02-05"]
    assert (
        answer("search", GASTRO, "--pool", "follow-up", *NOW, "--limit", 3)["starts"]
        == (everything[:3])
    )
    assert answer("search", GASTRO, "--pool", "follow-up", *NOW, "--limit", 0)["starts"] == []


def test_a_done_preparation_brings_starts():
    waiting = answer("search", GASTRO, "--pool", "colonoscopy-first", *NOW)["starts"]
    done = answer("search", GASTRO, "--pool", "colonoscopy-first", *NOW, "--done", "mrsa")["starts"]
    assert len(done) > len(waiting)


def test_a_task_has_no_pool_of_its_own():
    found = answer("search", GASTRO, "--task", "t-1", *NOW)
    assert found["pool"] is None
    assert {s["pool"] for s in found["starts"]} == {"colonoscopy-first"}


def test_now_takes_an_offset():
    local = answer("search", GASTRO, "--pool", "infusion", *NOW)
    assert answer("search", GASTRO, "--pool", "infusion", "--now", "2027-01-04T07:00Z") == local


RULES = ["opening", "closed", "window", "preparation", "resources", "quota", "patient"]


def test_explain_counts_what_each_rule_leaves():
    found = answer("explain", GASTRO, "--pool", "colonoscopy-first", *NOW)
    assert list(found) == ["rules", "blockers", "cures"]
    assert [list(row) for row in found["rules"]] == [["rule", "left"]] * 7
    assert [row["rule"] for row in found["rules"]] == RULES
    left = [row["left"] for row in found["rules"]]
    assert left == sorted(left, reverse=True)
    starts = answer("search", GASTRO, "--pool", "colonoscopy-first", *NOW)["starts"]
    assert left[-1] == len(starts)
    assert found["blockers"] == found["cures"] == []


def test_explain_sums_the_pools_of_a_task():
    found = answer("explain", GASTRO, "--task", "t-2", *NOW)
    for row in found["rules"]:
        assert set(row["pools"]) == {"consultation-first", "consultation-video"}
        assert row["left"] == sum(row["pools"].values())
    starts = answer("search", GASTRO, "--task", "t-2", *NOW)["starts"]
    assert found["rules"][-1]["left"] == len(starts)


def test_explain_names_the_booking_in_the_way():
    asked = ("explain", GASTRO, "--pool", "consultation-video", *NOW)
    blockers = answer(*asked, "--start", "2027-01-21T13:00")["blockers"]
    assert {
        "rule": "resources",
        "role": "clinician",
        "resource": "dr-dahl",
        "why": "booking",
        "from": "2027-01-21T13:00:00+01:00",
        "to": "2027-01-21T13:30:00+01:00",
        "booking": "b-029",
    } in blockers
    assert timevalg(*asked, "--start", "2027-01-21T13:00").stdout.count("dr-dahl") >= 1


def test_explain_cures_an_empty_answer():
    asked = ("explain", GASTRO, "--pool", "colonoscopy-first", *NOW, "--not-after", "2027-01-15")
    cures = answer(*asked)["cures"]
    assert {"change": "not_after +3 days", "starts": 5} in cures
    assert any(c["change"] == "preparation mrsa done" for c in cures)
    shown = timevalg(*asked)
    assert shown.returncode == 0
    assert "preparation mrsa done" in shown.stdout
    done = answer(*asked, "--done", "mrsa")
    assert done["rules"][-1]["left"] == next(
        c["starts"] for c in cures if c["change"] == "preparation mrsa done"
    )


def test_explain_of_a_start_that_can_be_had_says_so():
    (start,) = answer("search", GASTRO, "--pool", "infusion", *NOW, "--limit", 1)["starts"]
    asked = ("explain", GASTRO, "--pool", "infusion", *NOW, "--start", start["start"])
    assert answer(*asked)["blockers"] == []
    assert "nothing is in the way" in timevalg(*asked).stdout


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("search", GASTRO), "--pool"),
        (("search", GASTRO, "--pool", "a", "--task", "b"), "one of the two"),
        (("search", GASTRO, "--pool", "infusoin"), "did you mean 'infusion'"),
        (("search", GASTRO, "--task", "t-11"), "did you mean 't-1'"),
        (("search", GASTRO, "--pool", "infusion", "--now", "soon"), "--now"),
        (("search", GASTRO, "--pool", "infusion", "--not-after", "31.1.2027"), "--not-after"),
        (("search", GASTRO, "--pool", "infusion", "--done", "tea"), "no preparation 'tea'"),
        (("search", GASTRO, "--pool", "infusion", "--limit", "-1"), "--limit"),
        (("search", "/nowhere", "--pool", "infusion"), "/nowhere"),
        (("explain", GASTRO), "--pool"),
        (("explain", GASTRO, "--pool", "infusoin"), "did you mean 'infusion'"),
        (("explain", GASTRO, "--pool", "infusion", "--start", "noon"), "--start"),
        (("explain", GASTRO, "--pool", "infusion", "--start", "0001-01-01T00:00"), "--start"),
        (("explain", GASTRO, "--pool", "infusion", "--start", "9998-01-01T00:00"), "--start"),
        (("check", "/dev/null"), "/dev/null"),
        (("check",), "Usage"),
        (("worker",), "database"),
    ],
)
def test_wrong_input_is_a_sentence_and_status_2(arguments, word):
    done = timevalg(*arguments)
    assert done.returncode == 2
    assert word in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_the_library_does_not_load_what_it_does_not_need():
    code = (
        "import sys, timevalg; heavy = {'ortools', 'sqlalchemy', 'fastapi', 'dramatiq'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules);"
        "import timevalg.cli.search;"
        "assert 'ortools' not in sys.modules and 'sqlalchemy' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
