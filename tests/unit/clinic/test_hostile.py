"""Files made to hurt, and files that are no clinic files: a sentence, soon, and no traceback."""
# ruff: noqa: E501 - tables

import json
import os
from pathlib import Path
from time import process_time

import pytest

from tests.unit.clinic import page
from timevalg.clinic import read
from timevalg.clinic.files import MAX_BYTES
from timevalg.model.errors import InvalidInput

HEAD = 'format: 1\nclinic: {id: g, organisation: "1", timezone: Europe/Oslo}\n'
FULL = MAX_BYTES - 1000


def problems(path: Path) -> list[str]:
    began = process_time()
    with pytest.raises(InvalidInput) as caught:
        read(path)
    assert process_time() - began < 30
    found = [str(p) for p in caught.value.problems]
    assert found and all(str(path) in one for one in found)
    return found


def written(folder: Path, text: str, name: str = "x.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * FULL, "is nested more than 40 deep"),
        ("- " * (FULL // 2), "is nested more than 40 deep"),
        ("? " * (FULL // 2), "has a key that is a list or mapping"),
        ("a: &a [*a]\n", "repeats what is not (yet) complete"),
        ("a: *nothing\n", "repeats what is not (yet) complete"),
        ("\n" * 1_000_000, "is empty"),
        ("", "is empty"),
        ("# nothing\n", "is empty"),
        ("a" * 1_000_000, "is no mapping"),
        ("- 1\n", "is no mapping"),
        ("a: [\n", "is not YAML"),
        ("a: b: c\n", "is not YAML"),
        ("a: \x07\n", "is not YAML"),
        ("a: !!python/object x\n", "the format has no tags"),
        ("a: 1\n---\nb: 2\n", "holds several documents"),
        ("[1]: x\n", "has a key that is a list or mapping"),
        (HEAD + "tasks: [" + "{}," * 20_000 + "{}]", "more than 1000 things are wrong"),
        (HEAD + f"resources: [{{id: a, kind: room, skills: [{'1,' * 60_000}1]}}]", "holds more than 50000 values"),
        (HEAD + "resources:\n" + "".join(f"- {{id: a{n}, kind: room, capacity: 1000}}\n" for n in range(60)), "are more than 50000, capacities counted"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else None,
)  # fmt: skip
def test_yaml(tmp_path: Path, text, message):
    assert any(message in p for p in problems(written(tmp_path, text)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * FULL, "nested too deeply"),
        ("[" * 60 + "]" * 60, "is nested more than 40 deep"),
        ("{", "is not JSON"),
        ('{"format": NaN}', "NaN is no number of JSON"),
        ("9" * FULL, "a number has more than 400 digits"),
        ('"' + '\\"' * (FULL // 2) + '"', "is no mapping"),
        ("", "is not JSON"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else None,
)
def test_json(tmp_path: Path, text, message):
    assert any(message in p for p in problems(written(tmp_path, text, "x.json")))


def test_aliases_of_aliases(tmp_path: Path):
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]"
        for a, b in zip("abcdefghi", "bcdefghij", strict=True)
    ]
    path = written(tmp_path, "\n".join(lines))
    assert any("repeats more than 100000 values by aliases" in p for p in problems(path))


def test_a_few_aliases_are_fine(tmp_path: Path):
    text = page.swapped("{days: [tue, thu], from", "{days: &days [tue, thu], from").replace(
        '{days: [fri], from: "08:00", to: "10:00"', '{days: *days, from: "08:00", to: "10:00"'
    )
    pool = (
        page.contents(tmp_path, gastro=text)
        .organisation.clinics["gastro"]
        .pools["colonoscopy-first"]
    )
    assert pool.open[1].days == {1, 3}


def test_a_file_over_the_limit_is_not_parsed(tmp_path: Path):
    (problem,) = problems(written(tmp_path, "a" * (MAX_BYTES + 1)))
    assert problem.endswith("is larger than 10 MB")


def test_a_calendar_over_the_limit_is_not_parsed(tmp_path: Path):
    (problem,) = page.problems(tmp_path, calendar="a" * (MAX_BYTES + 1))
    assert problem.message == "dr-berg.ics is larger than 10 MB"
    assert problem.line == page.line_of(page.GASTRO, "busy: dr-berg.ics")


def test_what_is_not_utf8(tmp_path: Path):
    path = tmp_path / "x.yaml"
    path.write_bytes("format: 1\nname: Sykehuset på høyden\n".encode("latin-1"))
    (problem,) = problems(path)
    assert problem == f"{path}:2: is not UTF-8; save it as UTF-8"


def test_a_byte_order_mark_is_no_matter(tmp_path: Path):
    assert page.contents(tmp_path, gastro="\ufeff" + page.GASTRO).bookings


def test_a_missing_file(tmp_path: Path):
    assert problems(tmp_path / "x.yaml") == [
        f"{tmp_path / 'x.yaml'}: there is no such file or folder"
    ]


def test_a_folder_without_clinic_files(tmp_path: Path):
    (tmp_path / "readme.txt").write_text("x")
    assert problems(tmp_path) == [
        f"{tmp_path}: the folder holds no clinic file (.yaml, .yml, .json)"
    ]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_no_file(tmp_path: Path):
    os.mkfifo(tmp_path / "x.yaml")
    assert problems(tmp_path / "x.yaml") == [
        f"{tmp_path / 'x.yaml'}: is neither a file nor a folder"
    ]


def test_a_name_that_no_system_has():
    with pytest.raises(InvalidInput):
        read("x\0y.yaml")


def test_a_broken_calendar_is_named_with_its_line(tmp_path: Path):
    calendar = page.CALENDAR.replace("20270105T083000", "half past eight")
    (problem,) = page.problems(tmp_path, calendar=calendar)
    assert (problem.where, problem.line) == (str(tmp_path / "dr-berg.ics"), 7)
    assert problem.key == "VEVENT morning"
    assert problem.message == "DTEND: 'half past eight' is not a date or time"


def test_a_big_legal_file_loads(tmp_path: Path):
    """As JSON, which takes no YAML parser: 9 MB of bookings."""
    page.write(tmp_path)
    contents = read(tmp_path)
    document = dict(contents.sources["gastro"].document)
    (booking,) = document["bookings"]
    document["bookings"] = [
        {
            **booking,
            "id": f"b-{n}",
            "ref": f"r-{n}",
            "patient": f"p-{n}",
            "start": f"{1950 + n % 200}-{n // 200 % 12 + 1:02}-{n // 2400 % 28 + 1:02}T09:00",
        }
        for n in range(36_000)
    ]
    document["tasks"] = document["holds"] = []
    (tmp_path / "gastro.yaml").unlink()
    (tmp_path / "gastro.json").write_text(json.dumps(document))
    assert 9_000_000 < (tmp_path / "gastro.json").stat().st_size < MAX_BYTES
    began = process_time()
    assert len(read(tmp_path).bookings) == 36_000
    assert process_time() - began < 60
