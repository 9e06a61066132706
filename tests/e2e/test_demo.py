"""The demo: its figures come from the database, add up, and are the same for the same seed."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

SECONDS = "seconds", "database"


def play(folder, *options):
    done = subprocess.run(
        [sys.executable, "-m", "timevalg.cli", "demo", "--json", "--folder", str(folder), *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    return play(tmp_path_factory.mktemp("demo"), "--tasks", "60", "--weeks", "3")


def test_each_task_counts_once_by_its_end(played):
    assert played["invited"] == 60
    assert played["invited"] == played["confirmed"] + played["declined"] + played["with_staff"]
    assert played["stranded"] == played["double_booked"] == 0


def test_all_that_patients_do_happens(played):
    for key in ("chosen", "changed", "declined", "none_suits", "assigned", "letters"):
        assert played[key] > 0, key
    assert set(played["letters_by_kind"]) >= {"choice", "appointment", "change"}


def test_the_figures_can_be_counted_again_in_the_database(played):
    with sqlite3.connect(played["database"].removeprefix("sqlite:///")) as database:

        def one(query):
            return database.execute(query).fetchone()[0]

        assert one("SELECT count(*) FROM tasks WHERE state <> 'draft'") == played["invited"]
        for state in ("confirmed", "declined", "with-staff"):
            counted = one(f"SELECT count(*) FROM tasks WHERE state = '{state}'")
            assert counted == played[state.replace("-", "_")]
        assert one("SELECT count(*) FROM letters WHERE state = 'sent'") == played["letters"]
        chosen = "SELECT count(*) FROM events WHERE type = 'appointment.chosen'"
        assert one(chosen) == played["chosen"]
        overlaps = """
            SELECT count(*) FROM claims a JOIN claims b
            ON a.organisation = b.organisation AND a.subject = b.subject AND a.rowid < b.rowid
            AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at
        """
        assert one(overlaps) == played["double_booked"]
    database.close()


def test_letters_can_be_looked_at(played):
    folder = Path(played["database"].removeprefix("sqlite:///")).parent / "letters"
    assert len(list(folder.glob("*.html"))) == len(list(folder.glob("*.txt"))) == played["letters"]


def test_the_same_seed_plays_the_same_weeks(tmp_path):
    small = ("--tasks", "15", "--weeks", "3", "--seed", "7")
    one, other = play(tmp_path / "one", *small), play(tmp_path / "other", *small)
    for answer in (one, other):
        for key in SECONDS:
            answer.pop(key)
    assert one == other


def test_a_folder_in_use_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "demo.sqlite").touch()
    done = subprocess.run(
        [sys.executable, "-m", "timevalg.cli", "demo", "--folder", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "name another folder" in done.stderr
    assert "Traceback" not in done.stderr
