"""`timevalg import` as an operator uses it, and the measurement of it."""

import json

import pytest

from benchmarks import calendar
from tests.commands import timevalg
from tests.world import ORGANISATION, document
from timevalg.booking.publish import publish
from timevalg.cli import calendar_import as command
from timevalg.clinic import from_sources
from timevalg.library import Timevalg
from timevalg.model.contents import Source
from timevalg.model.errors import InvalidInput
from timevalg.store.migrate import upgrade

GOOD = {
    "ref": "kontakt/1",
    "version": 1,
    "clinic": "clinic",
    "service": "talk",
    "start": "2027-01-20T09:00:00+01:00",
    "resources": {"doctor": ["dr-a"], "room": ["room"]},
    "patient": "p-1",
}


def test_a_calendar_with_wrong_rows_from_the_command_line(tmp_path, capsys):
    url = published(tmp_path)
    file, rejected = tmp_path / "calendar.jsonl", tmp_path / "rejected.jsonl"
    rows = [json.dumps(GOOD), "{", json.dumps(GOOD | {"ref": "kontakt/2", "patient": "p-2"})]
    file.write_text("\n".join(rows), encoding="utf-8")
    given = (file, "--database", url, "--organisation", ORGANISATION)
    done = timevalg("import", *given, "--rejected", rejected, "--json")
    assert done.returncode == 0, done.stderr
    counts = {"rows": 3, "applied": 1, "broken": 0, "known": 0, "rejected": 2}
    assert json.loads(done.stdout) == counts
    found = [json.loads(line) for line in rejected.read_text(encoding="utf-8").splitlines()]
    assert [(r["line"], r["ref"]) for r in found] == [(2, ""), (3, "kontakt/2")]
    command.run(file, url, ORGANISATION, "dips", None, as_json=False)
    again = capsys.readouterr()
    said = "3 rows: 0 taken in (0 of them break a rule), 1 known already, 2 rejected\n"
    assert again.out == said
    told = again.err.splitlines()
    assert [line.startswith(f"{file}:{n}: ") for n, line in enumerate(told, 2)] == [True, True]
    assert "p-2" not in again.err  # reasons name no patient


def test_no_file(tmp_path):
    for file, why in ((tmp_path / "none", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(InvalidInput, match=f"FILE: {file}: {why}"):
            command.run(file, "sqlite:///x.db", ORGANISATION, "dips", None, as_json=True)


@pytest.mark.parametrize("link", [None, "symlink_to", "hardlink_to"])
def test_the_list_of_rejected_rows_is_not_written_over_the_calendar(tmp_path, link):
    file, rejected = tmp_path / "calendar.jsonl", tmp_path / "rejected.jsonl"
    file.write_text(text := json.dumps(GOOD), encoding="utf-8")
    if link:
        getattr(rejected, link)(file)
    with pytest.raises(InvalidInput, match=r"--rejected: .* is the calendar itself"):
        import_into(tmp_path, file, rejected if link else file)
    assert file.read_text(encoding="utf-8") == text


def test_a_list_of_rejected_rows_that_cannot_be_written_is_refused(tmp_path):
    file = tmp_path / "calendar.jsonl"
    file.write_text(json.dumps(GOOD), encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"--rejected: .*/nowhere/x: No such file"):
        import_into(tmp_path, file, tmp_path / "nowhere" / "x")


def import_into(folder, file, rejected):
    url = published(folder)
    command.run(file, url, ORGANISATION, "dips", rejected, as_json=True)


def published(folder):
    url = f"sqlite:///{folder}/clinic.sqlite"
    with Timevalg.open(url, organisation=ORGANISATION) as valg:
        files = from_sources({"clinic": Source(document(), {})})
        publish(valg.ports, valg.planner("anna").principal, files)
    return url


def test_the_measurement_in_small(tmp_path):
    url = f"sqlite:///{tmp_path}/calendar.sqlite"
    upgrade(url)
    found = calendar.measure(url, 250, tmp_path / "calendar.jsonl")
    assert (found["rows"], found["applied"], found["rejected"]) == (250, 248, 2)
