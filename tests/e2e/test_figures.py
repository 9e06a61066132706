"""`timevalg figures`: the table that a leader reads, and the time before beside it."""

from __future__ import annotations

import json

import pytest

from tests.commands import timevalg
from tests.world import World, oslo
from timevalg.store import Database
from timevalg.store.migrate import upgrade

PERIOD = ("--first", "2027-01-01", "--last", "2027-01-31")
BEFORE = """period,clinic,lettered,moved,moved_by_patient,moved_by_hospital,visits,touches
2025,clinic,1000,230,130,110,1000,
2026,clinic,1000,231,130,111,1000,
2026,other,7,7,7,7,7,
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('figures')}/timevalg.db"
    upgrade(url)
    world = World(lambda clock: Database(url, clock))
    for number in range(4):
        visit = world.chosen(f"p-{number}", number=number)[1]
        world.work()
        if not number:
            world.desk.move(visit.id, start=oslo(2027, 1, 28, 11))
    world.store.close()
    return url


@pytest.fixture
def ask(url):
    def run(*words):
        done = timevalg("figures", "--database", url, *words)
        return done.returncode, done.stdout, done.stderr

    return run


def test_the_table_as_people_read_it(ask, tmp_path):
    history = tmp_path / "before.csv"
    history.write_text(BEFORE)
    status, out, err = ask(*PERIOD, "--clinic", "clinic", "--history", history)
    assert (status, err) == (0, "")
    rows = {cells[0].strip(): [c.strip() for c in cells[1:]] for cells in _rows(out)}
    assert "figures 2027-01-01 … 2027-01-31, clinic" in out
    assert rows[""] == ["before", "now"]
    assert rows["re-planned after the letter"] == ["461 of 2,000 (23.1 %)", "1 of 4 (25.0 %)"]
    assert rows["… by the hospital"] == ["221 of 2,000 (11.1 %)", "1 of 4 (25.0 %)"]
    assert rows["own choice, of those invited"] == ["–", "4 of 4 (100.0 %)"]
    assert rows["staff touches per 100 visits"] == ["–", "25.0"]
    assert rows["clinicians' hours freed"] == ["–", "0.5 h"]
    assert rows["did not come"] == ["–", "0 of 0"]
    assert rows["… without one now"] == ["–", "0"]


def test_months_in_a_table_of_their_own(ask):
    words = ("--first", "2026-06-01", "--last", "2027-01-31", "--by-month")
    status, out, err = ask(*words)
    assert (status, err) == (0, "")
    rows = [[c.strip() for c in cells] for cells in _rows(out.partition("by month")[2])]
    assert rows[0][1:] == [f"2026-{m:02}" for m in range(6, 13)] + ["2027-01"]
    found = {row[0]: row[1:] for row in rows}
    assert found["re-planned after the letter"] == ["–"] * 7 + ["25.0 %"]
    assert found["… without one now"] == ["–"] * 8
    months = json.loads(ask(*words, "--json")[1])["months"]
    assert months["2027-01"]["replanned"]["value"] == 0.25


def _rows(out):
    return [line.strip("┃│").split("┃" if "┃" in line else "│") for line in out.splitlines()
            if line[:1] in "┃│" and line.strip()]  # fmt: skip


def test_one_object_for_programs(ask):
    status, out, _ = ask(*PERIOD, "--json")
    found = json.loads(out)
    assert status == 0
    assert (found["first"], found["counted"], found["before"]) == ("2027-01-01", True, None)
    replanned = found["clinics"]["clinic"]["replanned"]
    assert replanned == {"value": 0.25, "unit": "share", "count": 1, "of": 4}


def test_this_year_until_now_unless_told(ask):
    _, out, _ = ask("--now", "2027-03-01T12:00", "--by-clinic")
    assert "figures 2027-01-01 … 2027-03-01" in out
    assert "clinic" in out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("clinic,colour\n", "'colour' is no column"),
        ("clinic,period\n", "no column is a count"),
        ("", "no column is a count"),
        ("lettered\nmany\n", ":2: lettered: 'many' is not a number"),
        ("lettered\n-1\n", "'-1' is not a number"),
        ("lettered\nnan\n", "'nan' is not a number"),
        ('lettered\n"1\n', "unexpected end of data"),
    ],
)
def test_odd_histories_are_named(ask, tmp_path, text, said):
    history = tmp_path / "before.csv"
    history.write_text(text)
    status, _, err = ask(*PERIOD, "--history", history)
    assert status == 2
    assert said in err


@pytest.mark.parametrize(
    "words",
    [
        ("--first", "soon"),
        ("--first", "2027-02-01", "--last", "2027-01-01"),
        ("--clinic", "none"),
        ("--history", "/nowhere/before.csv"),
    ],
)
def test_odd_questions(ask, words):
    status, out, err = ask(*words)
    assert (status, out) == (2, "")
    assert err
