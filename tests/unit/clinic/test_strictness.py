"""Keys and types: what is wrong is said with file, line, key, value and the nearest valid name."""
# ruff: noqa: E501 - tables, and lines of the file

from pathlib import Path

import pytest

from tests.unit.clinic import page
from timevalg.clinic import read, read_sources
from timevalg.model.contents import Source
from timevalg.model.errors import InvalidInput

WRONG = [
    # what is written, what instead, the key, the message
    ("raster: 30", "rastr: 30", "pools[0].rastr", "unknown key 'rastr'; did you mean 'raster'?"),
    ("quotas:", "qoutas:", "qoutas", "unknown key 'qoutas'; did you mean 'quotas'?"),
    ("sex: female", "colour: red", "resources[0].colour", "unknown key 'colour'"),
    ("reason: Kurs}", "reson: Kurs}", "resources[0].away[0].reson", "did you mean 'reason'?"),
    ("gaps: 0.5", "gap: 0.5", "pools[0].weights.gap", "did you mean 'gaps'?"),
    ("room: \"5. etg., Medisinsk poliklinikk\"", "rom: x", "clinic.place.rom", "'room'"),
    ("    raster: 30\n", "", "pools[0].raster", "is required"),
    ("  timezone: Europe/Oslo\n", "", "clinic.timezone", "is required"),
    ("length: 60\n", 'length: "60"\n', "services[0].length", "'60' is not a whole number; leave out the quotes"),
    ("length: 60\n", "length: true\n", "services[0].length", "true is not a whole number"),
    ("length: 60\n", "length: 60.0\n", "services[0].length", "60.0 is not a whole number"),
    ("length: 60\n", "length: 0\n", "services[0].length", "0 is less than 1"),
    ("length: 60\n", "length:\n", "services[0].length", "is empty; give a value or leave the key out"),
    ('organisation: "999999999"', "organisation: 999999999", "clinic.organisation", '999999999 is not text; put it in quotes: "999999999"'),
    ("skills: [endoscopy, consultation]", "skills: endoscopy", "resources[0].skills", "'endoscopy' is not a list; put it in brackets: ['endoscopy']"),
    ("kind: clinician                #", "kind: clinican #", "resources[0].kind", "'clinican' is not possible here; did you mean 'clinician'?"),
    ("mode: physical", "mode: telepathy", "services[0].mode", "possible: physical, video, phone, home"),
    ("days: [tue, thu]", "days: [tue, thursday]", "pools[0].open[0].days[1]", "did you mean 'thu'?"),
    ("days: [tue, thu]", "days: []", "pools[0].open[0].days", "[] is empty"),
    ('{days: [tue, thu], from: "09:00"', '{days: [tue, thu], from: "25:00"', "pools[0].open[0].from", "'25:00' is not a time of day"),
    ('{days: [tue, thu], from: "09:00"', "{days: [tue, thu], from: 900", "pools[0].open[0].from", "900 is not a time of day"),
    ("planned_until: 2027-06-30", "planned_until: 2027-06-31", "clinic.planned_until", "'2027-06-31' is not a date; write it as 2027-07-05"),
    ("planned_until: 2027-06-30", "planned_until: 30.6.2027", "clinic.planned_until", "'30.6.2027' is not a date"),
    ('until: "2027-01-04T09:10"', 'until: "2027-01-04T09:10+01:00"', "holds[0].until", "has an offset; write the clinic's local time without one"),
    ('until: "2027-01-04T09:10"', 'until: "2027-01-04"', "holds[0].until", "'2027-01-04' is not a local date-time"),
    ("{from: 2027-02-15, to", "{from: soon, to", "resources[0].away[0].from", "'soon' is neither a date"),
    ("en: Gastroenterology clinic}", "no: Clinic}", "clinic.name", "'no' is not a language of the format"),
    ("name: Kari Berg", "name: 7", "resources[0].name", "7 is not text"),
    ("limits: false}\n      - {id: bowel", "limits: no}\n      - {id: bowel", "services[0].preparations[1].limits", "'no' is not true or false"),
    ("priority: 2", "priority: 6", "tasks[0].priority", "6 is more than 5"),
    ("notice: 3", "notice: -1", "pools[0].notice", "-1 is less than 0"),
    ("state: open", "state: oepn", "tasks[0].state", "did you mean 'open'?"),
    ("check: auto", "check: autp", "pools[0].check", "did you mean 'auto'?"),
    ("deadline, same-day", "deadline, sameday", "pools[0].check_rules[2]", "did you mean 'same-day'?"),
    ("id: gastro  ", "id: Gastro  ", "clinic.id", "'Gastro' has characters that are not possible here"),
    ("timezone: Europe/Oslo", "timezone: Europe/Olso", "clinic.timezone", "there is no time zone 'Europe/Olso'; did you mean 'Europe/Oslo'?"),
    ('holidays: "NO"', 'holidays: "NOO"', "clinic.holidays", "there is no country 'NOO'; did you mean 'N"),
    ('holidays: "NO"', "holidays: [2027-13-01]", "clinic.holidays", "'2027-13-01' is not a date"),
    ("format: 1", "format: 2", "format", "format 2 is not known here; this version reads format 1"),
    ("format: 1", 'format: "1"', "format", "format '1' is not known here"),
    ("format: 1\n", "", "format", "is required"),
    ("busy: [{resource", "busy: [7, {resource", "busy[0]", "7 is not a mapping"),
    ("quotas:\n", "quotas: {}\nqueue:\n", "quotas", "{} is not a list"),
    ("raster: 30", "raster: 30\n    raster: 60", "pools[0].raster", "the key 'raster' is given twice"),
    ("resources: [dr-berg, dr-lie, nurse-1, nurse-2, nurse-3, room-1, room-2]", "resources: []", "pools[0].resources", "[] is empty"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "key", "message"), WRONG, ids=[f"{w[2]}: {w[3][:30]}" for w in WRONG]
)
def test_what_is_wrong_is_said_where_it_is(tmp_path: Path, old, new, key, message):
    text = page.swapped(old, new)
    found = [p for p in page.problems(tmp_path, gastro=text) if p.key == key]
    assert len(found) == 1
    problem = found[0]
    assert message in problem.message
    assert problem.where == str(tmp_path / "gastro.yaml")
    assert problem.line is not None
    stands_on = text.split("\n")[problem.line - 1]
    name = key.rpartition(".")[2].partition("[")[0]
    if message == "is required":
        assert name not in stands_on.partition("#")[0] or name == "format"
    else:
        assert name in stands_on or new.split("\n")[0] in stands_on


def test_only_what_is_wrong_is_said(tmp_path: Path):
    """A wrong row is not also said to be missing by those that refer to it."""
    for old, new, key, _ in WRONG:
        if key not in ("format", "clinic.id", "qoutas", "quotas"):
            keys = {p.key for p in page.problems(tmp_path, gastro=page.swapped(old, new))}
            assert keys == {key}


def test_the_line_is_that_of_the_value(tmp_path: Path):
    text = page.swapped(
        "resources: [dr-berg, dr-lie, nurse-1, nurse-2, nurse-3, room-1, room-2]",
        "resources:\n      - dr-berg\n      - dr-lei\n      - nurse-1",
    )
    (problem,) = page.problems(tmp_path, gastro=text)
    assert problem.line == page.line_of(text, "- dr-lei")
    assert problem.key == "pools[0].resources[1]"
    assert str(problem) == (
        f"{tmp_path / 'gastro.yaml'}:{problem.line}: pools[0].resources[1]: "
        "there is no resource 'dr-lei'; did you mean 'dr-lie'?"
    )


def test_all_errors_come_in_one_go(tmp_path: Path):
    text = page.GASTRO
    for old, new in (
        ("timezone: Europe/Oslo", "timezone: Europe/Olso"),
        ("raster: 30", "rastr: 33"),
        ("length: 60\n", 'length: "60"\n'),
        ("    service: colonoscopy\n", "    service: colonoscpy\n"),
        (
            '{days: [fri], from: "08:00", to: "12:00", for',
            '{days: [fri], from: "08:00", to: "08:00", for',
        ),
        ("not_after: 2027-02-12", "not_after: 2027-01-12"),
        ("release: 7", "release: soon"),
    ):
        text = text.replace(old, new, 1)
    surgery = page.SURGERY.replace("kind: room", "kind: rom").replace('"999999999"', '"9"')
    calendar = page.CALENDAR.replace("END:VCALENDAR\r\n", "")
    found = page.problems(tmp_path, gastro=text, surgery=surgery, calendar=calendar)
    assert {(Path(p.where).name, p.key) for p in found} == {
        ("gastro.yaml", "clinic.timezone"),
        ("gastro.yaml", "pools[0].rastr"),
        ("gastro.yaml", "services[0].length"),
        ("gastro.yaml", "pools[0].service"),
        ("gastro.yaml", "resources[0].hours[2].from"),
        ("gastro.yaml", "tasks[0].not_before"),
        ("gastro.yaml", "pools[0].open[1].release"),
        ("surgery.yaml", "resources[0].kind"),
        ("surgery.yaml", "clinic.organisation"),
        ("dr-berg.ics", "VCALENDAR"),
    }
    lines = [p.line for p in found if p.where.endswith("gastro.yaml")]
    assert lines == sorted(lines), "in the order of the file"


def test_json_has_lines_too(tmp_path: Path):
    path = tmp_path / "x.json"
    path.write_text(
        '{"format": 1,\n "clinic": {"id": "x",\n  "organisation": 1,\n  "timezone": "Europe/Oslo"},\n "pools": [{\n  "id": "p\\ud83d\\ude00", "id": "q"}]}'
    )
    with pytest.raises(InvalidInput) as caught:
        read(path)
    found = {p.key: p.line for p in caught.value.problems}
    assert found["clinic.organisation"] == 3
    assert found["pools[0].id"] == 6
    assert found["pools[0].raster"] == 5


def test_a_stored_document_has_no_lines():
    with pytest.raises(InvalidInput) as caught:
        read_sources({"x": Source({"format": 1, "clinic": {"id": "x", "timezone": "Europe/Oslo"}})})
    (problem,) = caught.value.problems
    assert str(problem) == "clinic x: clinic.organisation: is required"


def test_nothing_stored_is_nothing_to_read():
    with pytest.raises(InvalidInput, match="there is no clinic to read"):
        read_sources({})
