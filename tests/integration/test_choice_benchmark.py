"""The choice benchmark in its short form: it runs, nobody is stranded, its keys are there."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from benchmarks.choice.__main__ import main
from benchmarks.choice.report import page, plot, table
from benchmarks.choice.run import everything

KEYS = {
    "tasks",
    "fcfs_stranded_pct",
    "guaranteed_stranded",
    "offers_mean",
    "unsafe_pct",
    "undecided_pct",
    "look_p50_ms",
    "look_p99_ms",
    "plan_s",
}


def test_the_short_form_gives_every_figure_and_strands_nobody():
    argv = [sys.executable, "-m", "benchmarks.choice", "--quick", "--json"]
    argv += ["--seeds", "1", "--loads", "0.92"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["loads"].keys() == found["even"].keys() == {"0.92"}
    variants = dict(found["variants"])
    assert variants.pop("allotted").keys() >= {"stranded_pct", "replanned_pct", "none_other_pct"}
    for row in (found["loads"]["0.92"], found["even"]["0.92"], *variants.values()):
        assert row.keys() >= KEYS
        assert row["guaranteed_stranded"] == 0
    assert found["interleaved"]["guaranteed_stranded"] == 0
    assert found["shown_refused_pct"] <= 1
    assert found["exact"]["shown_pct"] >= 95
    assert "near weeks fuller, 92 %" in table(found)
    assert "$" not in page(found)
    assert plot(found).startswith("<svg")


def test_one_part_by_itself_gives_no_other():
    said: list[str] = []
    found = everything((0.92,), (1,), said.append, True, ("even",))
    assert found["even"].keys() == {"0.92"}
    assert found["loads"] == found["variants"] == {}
    assert not found.keys() & {"interleaved", "exact", "shown_refused_pct"}
    assert said == ["even: 0.92 done"]
    assert "even, 92 %" in table(found)
    with pytest.raises(SystemExit):
        main(["--docs", "--only", "even"])


def test_a_case_is_the_same_in_every_process():
    program = (
        "from benchmarks.choice.clinic import VARIANTS, case\n"
        "from dataclasses import replace\n"
        "tiny = replace(VARIANTS['quotas'], clinicians=8, rooms=4, days=3)\n"
        "print([(t.id, t.pools, t.not_before, t.not_after) for t in case(tiny, 0.5, 1).tasks])"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(told) == 1
